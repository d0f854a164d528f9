"""Layers of Keras that can be built, each as nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.code import CODE, seems
from napari_defectseg.models.keras.activations import activation_of
from napari_defectseg.models.keras.bytecode import seen_in

Config: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What a layer's meaning depends on.

    Parameters
    ----------
    where : str
        The file, for messages.
    dims : int
    version : str
        Of Keras.
    """

    where: str
    dims: int
    version: str = ""


@dataclass(frozen=True)
class Translated:
    """One node of a layer.

    Parameters
    ----------
    op : str
    attrs : dict
    kind : str
        Keras' word for its class in snake case if it has weights, else empty.
    """

    op: str
    attrs: dict[str, Any] = field(default_factory=dict)
    kind: str = ""


Layer: TypeAlias = Callable[[Config, Context], "list[Translated]"]

IDENTITIES = frozenset(
    [
        "Dropout",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "AlphaDropout",
        "GaussianDropout",
        "GaussianNoise",
        "ActivityRegularization",
        "InputLayer",
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomTranslation",
        "RandomContrast",
        "RandomBrightness",
    ]
)
OURS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "builtins")


def translate(layer: Mapping[str, Any], context: Context) -> list[Translated]:
    """Return the nodes of one layer; none for a layer that does nothing when predicting.

    Raises
    ------
    ModelError
        If its class is not on the list, it belongs to another package or holds code, or a
        setting of it cannot be kept.
    """
    kind, config = str(layer["class_name"]), layer["config"]
    name = str(config.get("name") or layer.get("name"))
    where = f"{context.where}: the layer {name[:60]!r}"
    if kind in IDENTITIES:
        return []
    found = LAYERS.get(kind)
    if found is None:
        raise ModelError(
            f"{where} is of the class {kind[:60]!r}, which this program does not build.",
            hint="Export the model to ONNX in the program that made it, and open that file.",
        )
    if config.get("data_format") == "channels_first":
        raise ModelError(f"{where} has its channels first; only channels last can be read.")
    return found(config, Context(where, context.dims, context.version))


def check_origin(layer: Mapping[str, Any], where: str) -> None:
    """Refuse a layer whose class is none of Keras' own.

    Raises
    ------
    ModelError
    """
    kind, config = str(layer["class_name"]), layer.get("config")
    name = layer.get("name") or (config.get("name") if isinstance(config, Mapping) else "")
    place = f"{where}: the layer {str(name)[:60]!r}"
    module = str(layer.get("module") or "keras")
    registered = str(layer.get("registered_name") or kind)
    ours = any(module == own or module.startswith(f"{own}.") for own in OURS)
    if not ours or ">" in registered:
        shown = registered if ">" in registered else f"{module}.{kind}"
        raise ModelError(
            f"{place} is {shown[:80]!r}, which is no layer of Keras; it is not run.",
            hint="Export the model to ONNX in the program that made it, and open that file.",
        )


def _sizes(value: Any, dims: int) -> list[int]:
    if isinstance(value, int):
        return [value] * dims
    return [int(v) for v in value]


def _window(config: Config, context: Context) -> dict[str, Any]:
    padding = str(config.get("padding", "valid")).lower()
    return {
        "kernel": _sizes(config["kernel_size"], context.dims),
        "strides": _sizes(config.get("strides", 1), context.dims),
        "dilation": _sizes(config.get("dilation_rate", 1), context.dims),
        "padding": padding,
        "bias": bool(config.get("use_bias", True)),
    }


def _then(first: Translated, config: Config, context: Context) -> list[Translated]:
    """Return a layer and the activation that sits in it."""
    found = activation_of(config.get("activation"), context.where, context.version)
    return [first] if found is None else [first, Translated("activation", found)]


def _conv(config: Config, context: Context) -> list[Translated]:
    attrs = {"filters": config["filters"], **_window(config, context)}
    attrs["groups"] = config.get("groups", 1)
    return _then(Translated("conv", attrs, f"conv{context.dims}d"), config, context)


def _depthwise(config: Config, context: Context) -> list[Translated]:
    attrs = {"multiplier": config.get("depth_multiplier", 1), **_window(config, context)}
    return _then(Translated("depthwise", attrs, f"depthwise_conv{context.dims}d"), config, context)


def _separable(config: Config, context: Context) -> list[Translated]:
    attrs = {"filters": config["filters"], "multiplier": config.get("depth_multiplier", 1)}
    node = Translated(
        "separable", {**attrs, **_window(config, context)}, f"separable_conv{context.dims}d"
    )
    return _then(node, config, context)


def _transposed(config: Config, context: Context) -> list[Translated]:
    attrs = {"filters": config["filters"], **_window(config, context)}
    dilation = attrs.pop("dilation")
    unusual = config.get("output_padding") is not None or set(dilation) != {1}
    if unusual or config.get("groups", 1) != 1:
        raise ModelError(f"{context.where} is a transposed convolution of an unusual form.")
    return _then(Translated("transposed", attrs, f"conv{context.dims}d_transpose"), config, context)


def _dense(config: Config, context: Context) -> list[Translated]:
    attrs = {"filters": config["units"], "bias": bool(config.get("use_bias", True))}
    return _then(Translated("dense", attrs, "dense"), config, context)


def _norm(op: str, kind: str, **more: Callable[[Config], Any]) -> Layer:
    def normalisation(config: Config, context: Context) -> list[Translated]:
        _check_axis(config, context)
        attrs = {
            "eps": float(config.get("epsilon", 1e-3)),
            "scale": bool(config.get("scale", True)),
            "center": bool(config.get("center", True)),
            **{name: read(config) for name, read in more.items()},
        }
        return [Translated(op, attrs, kind)]

    return normalisation


def _group_norm(config: Config, context: Context) -> list[Translated]:
    if config.get("groups", 32) == -1:  # one a channel: known when the channels are
        raise ModelError(f"{context.where} normalises each channel by itself in an unusual form.")
    return _norm("group_norm", "group_normalization", groups=lambda c: c.get("groups", 32))(
        config, context
    )


def _check_axis(config: Config, context: Context) -> None:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, context.dims + 1):
        raise ModelError(f"{context.where} works along axis {axis}, not along the channels.")


def _activation(config: Config, context: Context) -> list[Translated]:
    found = activation_of(config["activation"], context.where, context.version)
    return [] if found is None else [Translated("activation", found)]


def _softmax(config: Config, context: Context) -> list[Translated]:
    _check_axis(config, context)
    return [Translated("activation", {"kind": "softmax"})]


def _relu(config: Config, context: Context) -> list[Translated]:
    slope = float(config.get("negative_slope") or 0.0)
    most, threshold = config.get("max_value"), float(config.get("threshold") or 0.0)
    if most is None and not threshold:
        kind = {"kind": "leaky_relu", "alpha": slope} if slope else {"kind": "relu"}
        return [Translated("activation", kind)]
    attrs = {"kind": "clipped_relu", "alpha": slope, "most": most, "threshold": threshold}
    return [Translated("activation", attrs)]


def _leaky(config: Config, context: Context) -> list[Translated]:
    slope = config.get("negative_slope", config.get("alpha", 0.3))
    return [Translated("activation", {"kind": "leaky_relu", "alpha": float(slope)})]


def _elu(config: Config, context: Context) -> list[Translated]:
    return [Translated("activation", {"kind": "elu", "alpha": float(config.get("alpha", 1.0))})]


def _prelu(config: Config, context: Context) -> list[Translated]:
    if sorted(config.get("shared_axes") or []) != list(range(1, context.dims + 1)):
        raise ModelError(f"{context.where} has a slope of its own for every pixel.")
    return [Translated("prelu", {"dims": context.dims}, "p_re_lu")]


def _pool(op: str) -> Layer:
    def pool(config: Config, context: Context) -> list[Translated]:
        size = _sizes(config["pool_size"], context.dims)
        strides = config.get("strides")
        attrs = {
            "kernel": size,
            "strides": size if strides is None else _sizes(strides, context.dims),
            "padding": str(config.get("padding", "valid")).lower(),
        }
        return [Translated(op, attrs)]

    return pool


def _upsample(config: Config, context: Context) -> list[Translated]:
    mode = config.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise ModelError(f"{context.where} enlarges by {str(mode)[:40]!r}, which is not known.")
    return [Translated("upsample", {"size": _sizes(config["size"], context.dims), "mode": mode})]


def _amounts(value: Any, dims: int) -> list[list[int]]:
    if isinstance(value, int):
        return [[value, value]] * dims
    return [[v, v] if isinstance(v, int) else [int(v[0]), int(v[1])] for v in value]


def _pad(config: Config, context: Context) -> list[Translated]:
    amounts = _amounts(config["padding"], context.dims)
    return [Translated("pad", {"amounts": amounts, "mode": "zeros"})]


def _crop(config: Config, context: Context) -> list[Translated]:
    return [Translated("crop", {"amounts": _amounts(config["cropping"], context.dims)})]


def _concat(config: Config, context: Context) -> list[Translated]:
    _check_axis(config, context)
    return [Translated("concat")]


def _combine(op: str) -> Layer:
    return lambda config, context: [Translated(op)]


def _rescale(config: Config, context: Context) -> list[Translated]:
    attrs = {"scale": float(config["scale"]), "offset": float(config.get("offset", 0.0))}
    return [Translated("rescale", attrs)]


def _code(config: Config, context: Context) -> list[Translated]:
    """Return a node that keeps the place of code until a person says what it does."""
    seen = seen_in(config.get("function"))
    if seen is None:
        says = "What is in it cannot be read."
    else:
        numbers = ", ".join(f"{number:g}" for number in seen.numbers[:8]) or "none"
        words = ", ".join(word[:30] for word in seen.words[:8]) or "none"
        says = f"Read without being run: numbers in it {numbers}; names {words}."
    guess = seems(seen.numbers, seen.words) if seen is not None else ""
    return [Translated(CODE, {"says": says, "seems": guess})]


def _reshape(config: Config, context: Context) -> list[Translated]:
    """Return nothing for what makes one pixel of a list of channels; refuse any other."""
    shape = config["target_shape"]
    if len(shape) == context.dims + 1 and all(n == 1 for n in shape[:-1]):
        return []
    raise ModelError(f"{context.where} changes the shape to {shape}, which is not an image.")


def _momentum(config: Config) -> float:
    return float(config.get("momentum", 0.99))


LAYERS: dict[str, Layer] = {
    **dict.fromkeys(("Conv2D", "Conv3D", "Convolution2D", "Convolution3D"), _conv),
    "DepthwiseConv2D": _depthwise,
    **dict.fromkeys(("SeparableConv2D", "SeparableConvolution2D"), _separable),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose", "Deconvolution2D"), _transposed),
    "Dense": _dense,
    **dict.fromkeys(
        ("BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2"),
        _norm("batch_norm", "batch_normalization", momentum=_momentum),
    ),
    "SyncBatchNormalization": _norm("batch_norm", "sync_batch_normalization", momentum=_momentum),
    "GroupNormalization": _group_norm,
    "LayerNormalization": _norm("layer_norm", "layer_normalization"),
    "Activation": _activation,
    "Softmax": _softmax,
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "PReLU": _prelu,
    **dict.fromkeys(("MaxPooling2D", "MaxPooling3D", "MaxPool2D", "MaxPool3D"), _pool("max_pool")),
    **dict.fromkeys(("AveragePooling2D", "AveragePooling3D"), _pool("average_pool")),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalAveragePooling3D"), _combine("global_average")
    ),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalMaxPooling3D"), _combine("global_max")),
    **dict.fromkeys(("UpSampling2D", "UpSampling3D"), _upsample),
    **dict.fromkeys(("ZeroPadding2D", "ZeroPadding3D"), _pad),
    **dict.fromkeys(("Cropping2D", "Cropping3D"), _crop),
    "Concatenate": _concat,
    "Add": _combine("add"),
    "Multiply": _combine("multiply"),
    "Subtract": _combine("subtract"),
    "Average": _combine("average"),
    "Maximum": _combine("maximum"),
    "Minimum": _combine("minimum"),
    "Rescaling": _rescale,
    "Lambda": _code,
    "Reshape": _reshape,
}

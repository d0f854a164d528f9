"""The plans of nnU-Net v2, as fields of a card: grey values, patches, spacing, classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.plain import numbers, table, whole_numbers
from napari_defectseg.models.preprocess import EachChannel, Normalise, Preprocessing
from napari_defectseg.models.windows import Windows

NETWORKS = {
    "PlainConvUNet": False,
    "Generic_UNet": False,
    "ResidualEncoderUNet": True,
}
"""Networks that are built here, and whether their encoder has residual blocks."""
NORMS = {"InstanceNorm": "instance", "BatchNorm": "batch"}
NONLINEAR = {"LeakyReLU": "leaky_relu", "ReLU": "relu", "GELU": "gelu", "ELU": "elu"}
MEDICAL = ("SimpleITKIO", "NibabelIO", "NibabelIOWithReorient")
"""Readers whose spacing is in millimetres."""
LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Plan:
    """What a results folder says about one configuration.

    Parameters
    ----------
    plans, dataset : mapping
        ``plans.json`` and ``dataset.json``.
    configuration : str
        Such as ``"3d_fullres"``.
    mirror : tuple of int
        Axes that the checkpoint allows to mirror.
    where : str
        For messages.
    """

    plans: Mapping[str, Any]
    dataset: Mapping[str, Any]
    configuration: str
    mirror: tuple[int, ...]
    where: str

    @property
    def chosen(self) -> dict[str, Any]:
        """The configuration with what it inherits.

        Raises
        ------
        ModelError
            If there is none of that name, or it is the second stage of a cascade.
        """
        known = table(self.plans, "configurations")
        parts: list[dict[str, Any]] = []
        name: Any = self.configuration
        while name is not None and len(parts) < LONGEST_CHAIN:
            if not isinstance(name, str) or not isinstance(known.get(name), dict):
                raise ModelError(
                    f"{self.where}: its plans have no configuration {name!r} "
                    f"(they have {', '.join(map(str, known)) or 'none'})."
                )
            parts.append(known[name])
            name = known[name].get("inherits_from")
        found: dict[str, Any] = {}
        for part in reversed(parts):
            found.update(part)
        if found.get("previous_stage"):
            raise ModelError(
                f"{self.where} is the second stage of a cascade of nnU-Net, which needs what "
                f"{found['previous_stage']!r} found; such pairs cannot be run here.",
                hint="Open the folder of that first stage, or of 3d_fullres.",
            )
        return found

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the input's channels."""
        named = table(self.dataset, "channel_names") or table(self.dataset, "modality")
        return tuple(str(named[key]) for key in sorted(named, key=_number))

    @property
    def reader(self) -> str:
        """The reader of images that training used."""
        own = self.dataset.get("overwrite_image_reader_writer")
        return str(own if own not in (None, "None") else self.plans.get("image_reader_writer", ""))

    @property
    def name(self) -> str:
        """Name of the model: data set and configuration."""
        name = self.plans.get("dataset_name") or self.dataset.get("name") or "nnU-Net"
        return f"{name} {self.configuration}"


def _number(key: Any) -> tuple[int, str]:
    text = str(key)
    return (int(text) if text.isdigit() else 1 << 30, text)


def meaning(plan: Plan, outputs: int) -> tuple[dict[str, Any], list[str]]:
    """Return classes and task, and what should be known about them.

    Raises
    ------
    ModelError
        If the labels are not as many as the outputs.
    """
    labels = {str(n): v for n, v in table(plan.dataset, "labels").items() if n != "ignore"}
    regions = any(isinstance(v, list) and len(v) > 1 for v in labels.values())
    values = {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in labels.items()}
    names = [name for name, value in values.items() if value != 0]
    if not regions:
        names.sort(key=lambda name: _number(values[name]))
    if len(names) != outputs - (not regions) or not names:
        raise ModelError(
            f"{plan.where}: dataset.json has the labels {', '.join(labels) or 'none'}, the network "
            f"has {outputs} outputs."
        )
    fields = {
        "classes": ClassMap.of(names, exclusive=not regions),
        "task": "multilabel" if regions else "exclusive",
        "activation": "sigmoid" if regions else "softmax",
        "has_background": not regions,
    }
    if not regions:
        return fields, []
    order = plan.dataset.get("regions_class_order")
    return fields, [
        (
            "Its classes are regions that overlap, and stay so here; nnU-Net paints them one "
            f"over the other, giving them the labels {order}."
        )
    ]


def preprocessing(plan: Plan, channels: int) -> tuple[dict[str, Any], list[str]]:
    """Return the preparation of grey values, and what should be known about it.

    Raises
    ------
    ModelError
        If it is not stated for every channel, or is of a kind that is not known.
    """
    names = plan.chosen.get("normalization_schemes")
    if not isinstance(names, list) or len(names) != channels:
        raise ModelError(
            f"{plan.where}: its plans state the normalisation of "
            f"{len(names) if isinstance(names, list) else 0} channels, the network has {channels}."
        )
    scope = "image" if len(_size(plan)) == 2 and not _natural(plan) else "slice"
    steps = [_step(plan, str(name), number, scope) for number, name in enumerate(names)]
    masks = plan.chosen.get("use_mask_for_norm")
    masked = [bool(m) for m in masks] if isinstance(masks, list) else [False] * channels
    if len(masked) != channels:
        raise ModelError(
            f"{plan.where}: its plans have {len(masked)} values of use_mask_for_norm for "
            f"{channels} channels."
        )
    zscores = [step.method == "zscore" and step.scope != "constant" for step in steps]
    chosen = tuple(m and z for m, z in zip(masked, zscores, strict=True))
    one = steps[0] if len(set(names)) == 1 and steps[0].limits is None else None
    found: tuple[Preprocessing, ...] = (one or EachChannel(steps=tuple(steps)),)
    if len(steps) == 1:
        found = tuple(steps)
    notes = []
    if scope == "image" and any(zscores):
        notes.append("Grey values are measured over the whole stack, a border of zeros included.")
    return {"preprocessing": found, "masked": chosen if any(chosen) else ()}, notes


def _step(plan: Plan, name: str, channel: int, scope: Any) -> Normalise:
    if name == "ZScoreNormalization":
        return Normalise(method="zscore", scope=scope, per_channel=True)
    if name == "RescaleTo01Normalization":
        return Normalise(method="minmax", scope=scope, per_channel=True)
    if name == "RGBTo01Normalization":
        return Normalise(method="divide", scope="constant", high=255.0)
    if name == "NoNormalization":
        return Normalise(method="divide", scope="constant", high=1.0)
    seen = table(table(plan.plans, "foreground_intensity_properties_per_channel"), str(channel))
    keys = ("mean", "std", "percentile_00_5", "percentile_99_5")
    values = numbers([seen.get(key) for key in keys])
    if name == "CTNormalization" and values is not None and values[2] < values[3]:
        mean, std, low, high = values
        return Normalise(
            method="zscore", scope="constant", low=mean, high=max(std, 1e-8), limits=(low, high)
        )
    raise ModelError(
        f"{plan.where} prepares channel {channel} by {name!r}, which is not known here or lacks "
        "its numbers.",
        hint="Normalisations of nnU-Net itself are known: z-score, CT, 0 … 1, RGB, none.",
    )


def _natural(plan: Plan) -> bool:
    return plan.reader in ("NaturalImage2DIO", "")


def _size(plan: Plan) -> tuple[int, ...]:
    size = whole_numbers(plan.chosen.get("patch_size"))
    if size is None or len(size) not in (2, 3):
        raise ModelError(f"{plan.where}: its plans state no patch size.")
    return size


def windows(plan: Plan, masked: tuple[bool, ...]) -> Windows:
    """Return patches, mirroring, spacing and the order of axes.

    Raises
    ------
    ModelError
        If they are not stated, or planes are not those of y and x.
    """
    size = _size(plan)
    order = _order(plan, len(size))
    spacing = numbers(plan.chosen.get("spacing"))
    if spacing is not None and len(spacing) != len(size):
        raise ModelError(f"{plan.where}: its spacing has {len(spacing)} axes.")
    stays = spacing is None or (_natural(plan) and set(spacing) == {1.0})
    along = dict(zip(order, spacing or (), strict=False))
    kwargs = table(plan.chosen, "resampling_fn_data_kwargs")
    separate = kwargs.get("force_separate_z")
    return Windows.of(
        plan.where,
        size=size,
        mirror=plan.mirror,
        spacing=None if stays else tuple(along[axis] for axis in range(len(size))),
        unit="mm" if plan.reader in MEDICAL else "",
        separate=separate if isinstance(separate, bool) else None,
        crop=True,
        masked=masked,
        order=() if order == tuple(range(len(size))) else order,
    )


def _order(plan: Plan, dims: int) -> tuple[int, ...]:
    order = whole_numbers(plan.plans.get("transpose_forward", [0, 1, 2]))
    if order is None or sorted(order) != [0, 1, 2]:
        raise ModelError(f"{plan.where}: transpose_forward is {order}, no order of three axes.")
    if dims == 3:
        return order
    if order[0] != 0:
        raise ModelError(
            f"{plan.where} sees planes across the axes {order[1:]} of a volume; only planes of y "
            "and x are run here.",
            hint="Open the 3D configuration of the same data set.",
        )
    return (order[1] - 1, order[2] - 1)


def checked_network(plan: Plan, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the network with what its weights do not tell.

    Raises
    ------
    ModelError
        If the plans name a network that is not built here, or other levels than the weights have.
    """
    chosen = plan.chosen
    stated = table(chosen, "architecture")
    name = str(stated.get("network_class_name") or chosen.get("UNet_class_name") or "PlainConvUNet")
    last = name.rpartition(".")[2]
    kwargs = table(stated, "arch_kwargs")
    if last not in NETWORKS:
        raise ModelError(
            f"{plan.where} holds the network {name!r}, which is not built here.",
            hint=f"Known of nnU-Net: {', '.join(NETWORKS)}. Export it to ONNX.",
        )
    wrong = [] if NETWORKS[last] == settings["residual"] else [f"{last} has other blocks"]
    for ours, words in _SAID.items():
        said = next((kwargs[w] for w in words if w in kwargs), None)
        said = next((chosen[w] for w in words if w in chosen), said)
        if isinstance(said, list) and _lists(said) != _lists(settings[ours]):
            wrong.append(f"{ours} {said} in the plans, {list(settings[ours])} in the weights")
    if wrong:
        raise ModelError(f"{plan.where}: plans and weights do not agree: {'; '.join(wrong)}.")
    return {**settings, **_unseen(plan, kwargs)}


_SAID = {
    "widths": ("features_per_stage",),
    "kernels": ("kernel_sizes", "conv_kernel_sizes"),
    "strides": ("strides", "pool_op_kernel_sizes"),
}


def _lists(value: Any) -> Any:
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def _unseen(plan: Plan, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return normalisation and nonlinearity as the plans have them, the usual where silent."""
    norm = str(kwargs.get("norm_op") or "InstanceNorm").rpartition(".")[2].rstrip("123d")
    nonlinear = str(kwargs.get("nonlin") or "LeakyReLU").rpartition(".")[2]
    known, slope = table(kwargs, "norm_op_kwargs"), table(kwargs, "nonlin_kwargs")
    if norm not in NORMS or nonlinear not in NONLINEAR or known.get("affine", True) is not True:
        raise ModelError(
            f"{plan.where} has the layers {norm} and {nonlinear}, which are not built here.",
            hint=f"Known: {', '.join((*NORMS, *NONLINEAR))}.",
        )
    return {
        "norm": NORMS[norm],
        "nonlinearity": NONLINEAR[nonlinear],
        "eps": float(known.get("eps", 1e-5)),
        "slope": float(slope.get("negative_slope", 0.01)),
    }

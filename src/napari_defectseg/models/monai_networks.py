"""Networks of MONAI by name: what a bundle's ``network_def`` says, as settings of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from napari_defectseg.core.errors import ModelError

Arguments: TypeAlias = Mapping[str, Any]
_IDLE = ("_target_", "_desc_", "_requires_", "_disabled_", "_mode_", "dropout", "dropout_prob")
"""Words of a definition that no prediction depends on."""
_ACTS = {"relu": "relu", "leakyrelu": "leaky_relu", "prelu": "prelu", "gelu": "gelu", "elu": "elu"}
_ACTS |= {"swish": "silu", "memswish": "silu"}
_NORMS = {"batch": "batch", "instance": "instance", "group": "group", "none": "none"}


def settings_of(target: str, arguments: Arguments) -> tuple[str, dict[str, Any]]:
    """Return architecture and settings of a network of MONAI.

    Parameters
    ----------
    target : str
        ``_target_``, of which the last part counts.
    arguments : mapping
        Plain values.

    Raises
    ------
    ModelError
        If it is another network, or an argument of it is not known here.
    """
    name = target.rpartition(".")[2]
    if name.lower() not in _KNOWN:
        raise ModelError(f"{name} of MONAI is not built here.")
    architecture, read = _KNOWN[name.lower()]
    rest = _Taken({key: value for key, value in arguments.items() if key not in _IDLE})
    try:
        settings = read(rest)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise ModelError(f"The definition of {name} has a strange value: {error}.") from error
    if rest.left:
        raise ModelError(f"{name} with {', '.join(sorted(rest.left))} is not built here.")
    return architecture, settings


class _Taken:
    """Arguments, and which of them nobody has asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values, self.left = values, set(values)

    def __call__(self, name: str, default: Any = None) -> Any:
        self.left.discard(name)
        return self._values.get(name, default)

    def only(self, name: str, *allowed: Any) -> None:
        """Take an argument that must have one of these values, the default first."""
        value = self(name, allowed[0])
        if (value.lower() if isinstance(value, str) else value) not in allowed:
            raise ValueError(f"{name} {value!r}")


def _named(value: Any) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of a layer: ``"batch"``, or ``["instance", {...}]``."""
    if isinstance(value, list | tuple):
        return str(value[0]).lower(), dict(value[1]) if len(value) > 1 else {}
    return str(value).lower(), {}


def _act(value: Any) -> dict[str, Any]:
    name, kwargs = _named(value)
    found: dict[str, Any] = {"act": _ACTS[name]}
    if name == "leakyrelu":
        found["slope"] = float(kwargs.get("negative_slope", 0.01))
    return found


def _norm(value: Any) -> tuple[str, dict[str, Any]]:
    name, kwargs = _named("none" if value is None else value)
    if float(kwargs.get("eps", 1e-5)) != 1e-5:
        raise ValueError(f"normalisation with eps {kwargs['eps']}")
    return _NORMS[name], kwargs


def _dims(value: Any) -> int:
    if value not in (2, 3):
        raise ValueError(f"{value!r} axes")
    return int(value)


def _steps(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(int(v) for v in value) if isinstance(value, list) else (int(value),) * dims


def _unet(take: _Taken) -> dict[str, Any]:
    dims = _dims(take("spatial_dims", take("dimensions")))
    norm, kwargs = _norm(take("norm", "instance"))
    if norm == "group":
        raise ValueError("group normalisation")
    take.only("adn_ordering", "nda", "na")
    return {
        "dims": dims,
        "in_channels": int(take("in_channels")),
        "out_channels": int(take("out_channels")),
        "channels": tuple(int(n) for n in take("channels")),
        "strides": tuple(_steps(n, dims) for n in take("strides")),
        "kernel": _steps(take("kernel_size", 3), dims),
        "up_kernel": _steps(take("up_kernel_size", 3), dims),
        "units": int(take("num_res_units", 0)),
        "norm": norm,
        "affine": bool(kwargs.get("affine", norm == "batch")),
        **_act(take("act", "prelu")),
        "bias": bool(take("bias", True)),
    }


def _basic(take: _Taken) -> dict[str, Any]:
    norm, kwargs = _norm(take("norm", ["instance", {"affine": True}]))
    if norm not in ("batch", "instance") or not kwargs.get("affine", norm == "batch"):
        raise ValueError(f"{norm} normalisation without weights")
    take.only("upsample", "deconv")
    return {
        "dims": _dims(take("spatial_dims", take("dimensions", 3))),
        "in_channels": int(take("in_channels", 1)),
        "out_channels": int(take("out_channels", 2)),
        "features": tuple(int(n) for n in take("features", (32, 32, 64, 128, 256, 32))),
        "norm": norm,
        **_act(take("act", ["leakyrelu", {"negative_slope": 0.1}])),
        "bias": bool(take("bias", True)),
    }


def _segresnet(take: _Taken) -> dict[str, Any]:
    norm, kwargs = _norm(take("norm", ["group", {"num_groups": 8}]))
    act = _act(take("act", "relu"))
    if act.pop("slope", 0.01) != 0.01:
        raise ValueError("a leaky ReLU of another slope")
    mode = str(take("upsample_mode", "nontrainable")).lower()
    if mode not in ("nontrainable", "deconv"):
        raise ValueError(f"upsample_mode {mode!r}")
    take.only("use_conv_final", True)
    take.only("norm_name", "", "group")
    return {
        "dims": _dims(take("spatial_dims", 3)),
        "in_channels": int(take("in_channels", 1)),
        "out_channels": int(take("out_channels", 2)),
        "width": int(take("init_filters", 8)),
        "down": tuple(int(n) for n in take("blocks_down", (1, 2, 2, 4))),
        "up": tuple(int(n) for n in take("blocks_up", (1, 1, 1))),
        "norm": norm,
        "groups": int(take("num_groups", kwargs.get("num_groups", 8))),
        **act,
        "transposed": mode == "deconv",
    }


def _dynunet(take: _Taken) -> dict[str, Any]:
    dims = _dims(take("spatial_dims"))
    norm, kwargs = _norm(take("norm_name", ["instance", {"affine": True}]))
    if norm not in ("batch", "instance") or not kwargs.get("affine", norm == "batch"):
        raise ValueError(f"{norm} normalisation without weights")
    strides = tuple(_steps(n, dims) for n in take("strides"))
    ups = tuple(_steps(n, dims) for n in take("upsample_kernel_size"))
    if ups != strides[1:]:
        raise ValueError("upsample_kernel_size that is not the strides")
    widths = take("filters") or [
        min(1 << (5 + n), 320 if dims == 3 else 512) for n in range(len(strides))
    ]
    heads = int(take("deep_supr_num", 1))
    return {
        "in_channels": int(take("in_channels")),
        "out_channels": int(take("out_channels")),
        "widths": tuple(int(n) for n in widths)[: len(strides)],
        "kernels": tuple(_steps(n, dims) for n in take("kernel_size")),
        "strides": strides,
        "residual": bool(take("res_block", False)),
        "norm": norm,
        **_act(take("act_name", ["leakyrelu", {"negative_slope": 0.01}])),
        "up_bias": bool(take("trans_bias", False)),
        "heads": heads if take("deep_supervision", False) else 0,
    }


_KNOWN: dict[str, tuple[str, Callable[[_Taken], dict[str, Any]]]] = {
    "unet": ("monai_unet", _unet),
    "basicunet": ("basic_unet", _basic),
    "segresnet": ("segresnet", _segresnet),
    "dynunet": ("dynunet", _dynunet),
}

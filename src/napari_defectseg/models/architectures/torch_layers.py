"""A chain of torch's own layers, as a whole pickled ``nn.Sequential`` holds it.

The layers and all their settings are in the file, so the network is known exactly. Tensors alone
never say so much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes

Layer: TypeAlias = tuple[str, str, Mapping[str, Any]]
"""Name with dots, class, arguments."""
MOST = 2000
WIDEST = 1 << 16
CELLS, LEAST = 4, 32
"""Size of the image that a network is tried with: cells of its grid, and pixels at least."""
ENDS = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
"""Last layers that are the activation, and its name in a card."""
_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
_NORM = ("num_features", "eps", "affine")
ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Conv2d", "Conv3d"), (*_CONV, "bias", "padding_mode")),
    **dict.fromkeys(("ConvTranspose2d", "ConvTranspose3d"), (*_CONV, "output_padding", "bias")),
    **dict.fromkeys(("BatchNorm2d", "BatchNorm3d"), (*_NORM, "track_running_stats")),
    **dict.fromkeys(("InstanceNorm2d", "InstanceNorm3d"), (*_NORM, "track_running_stats")),
    "GroupNorm": ("num_groups", "num_channels", "eps", "affine"),
    **dict.fromkeys(("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid"), ()),
    **dict.fromkeys(("Tanh", "Sigmoid", "Identity", "Softsign"), ()),
    "LeakyReLU": ("negative_slope",),
    **dict.fromkeys(("ELU", "CELU"), ("alpha",)),
    "GELU": ("approximate",),
    "PReLU": ("num_parameters",),
    "Softplus": ("beta", "threshold"),
    "Softmax": ("dim",),
    **dict.fromkeys(("MaxPool2d", "MaxPool3d"), ("kernel_size", "stride", "padding", "dilation")),
    **dict.fromkeys(("AvgPool2d", "AvgPool3d"), ("kernel_size", "stride", "padding")),
    "Upsample": ("size", "scale_factor", "mode", "align_corners"),
    **dict.fromkeys(("UpsamplingNearest2d", "UpsamplingBilinear2d"), ("scale_factor",)),
    **dict.fromkeys(("ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d"), ("padding",)),
    **dict.fromkeys(("Dropout", "Dropout2d", "Dropout3d", "AlphaDropout"), ("p",)),
}
"""Classes of torch.nn that are built, and their arguments as attributes of the module."""
_POOLS = ("MaxPool2d", "MaxPool3d", "AvgPool2d", "AvgPool3d")
_LOCAL = ("BatchNorm2d", "BatchNorm3d")


@dataclass(frozen=True)
class Chain:
    """Layers one after the other.

    Parameters
    ----------
    layers : tuple of (str, str, mapping)
    activation : str
        What a card has to do after them, because it was taken off; empty: nothing was.
    """

    layers: tuple[Layer, ...]
    activation: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.layers) <= MOST:
            raise ModelError(f"A chain of {len(self.layers)} layers is not built.")
        for name, kind, arguments in self.layers:
            if kind not in ARGUMENTS or not set(arguments) <= set(ARGUMENTS[kind]):
                raise ModelError(f"The layer {name!r} is {kind} with strange settings.")
            if any(n > WIDEST for n in _numbers(arguments)):
                raise ModelError(f"The layer {name!r} is too large.")
        if self.activation not in ("", *ENDS.values()):
            raise ModelError(f"A chain does not end with {self.activation!r}.")

    @property
    def convolutions(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Kind and arguments of those layers that are convolutions."""
        return [(kind, a) for _, kind, a in self.layers if kind.startswith("Conv")]


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [n for v in value.values() for n in _numbers(v)]
    if isinstance(value, list | tuple):
        return [n for v in value for n in _numbers(v)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def known(settings: Mapping[str, Any]) -> Chain:
    """Return the chain of settings.

    Raises
    ------
    ModelError
        If they are not the layers of a chain.
    """
    try:
        layers = tuple((str(n), str(kind), dict(args)) for n, kind, args in settings["layers"])
        rest = {key: value for key, value in settings.items() if key != "layers"}
        return Chain(layers, **rest)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"These are not the layers of a network: {error}.") from error


class TorchLayers(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._names = [name for name, _, _ in chain.layers]
        for name, kind, arguments in chain.layers:
            *outer, last = name.split(".")
            place: nn.Module = self
            for part in outer:
                if part not in dict(place.named_children()):
                    place.add_module(part, nn.Module())
                place = place.get_submodule(part)
            place.add_module(last, _layer(name, kind, arguments))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        for name in self._names:
            x = self.get_submodule(name)(x)
        return x


def _layer(name: str, kind: str, arguments: Mapping[str, Any]) -> nn.Module:
    ready = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
    try:
        layer: nn.Module = getattr(nn, kind)(**ready)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The layer {name!r} ({kind}) cannot be built: {reason}.") from error
    return layer


def build(settings: Mapping[str, Any]) -> TorchLayers:
    """Return a new network.

    Raises
    ------
    ModelError
        If the settings are not the layers of a chain.
    """
    return TorchLayers(known(settings))


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return dims, channels, grid, halo, parameters and the layers of the network."""
    chain = known(settings)
    if not chain.convolutions:
        raise ModelError("A chain without convolutions is no network for images.")
    (first, begins), (_, ends) = chain.convolutions[0], chain.convolutions[-1]
    grid, reach = _field(chain)
    dims = 3 if first.endswith("3d") else 2
    with torch.device("meta"):
        network = TorchLayers(chain).eval()
    _check_size(network, (int(begins["in_channels"]), *[max(CELLS * grid, LEAST)] * dims))
    return {
        "settings": {
            "layers": [[n, kind, _plain(a)] for n, kind, a in chain.layers],
            "activation": chain.activation,
        },
        "parameters": sum(p.numel() for p in network.parameters()),
        "dims": dims,
        "in_channels": int(begins["in_channels"]),
        "out_channels": int(ends["out_channels"]),
        "grid": grid,
        "halo": None if reach is None else -(-reach // grid) * grid,
    }


def _check_size(network: nn.Module, shape: tuple[int, ...]) -> None:
    """Refuse a network whose result is not as large as the image."""
    try:
        found = network(torch.empty(1, *shape, device="meta"))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The layers do not go together: {reason}.") from error
    if tuple(found.shape[2:]) != shape[1:]:
        raise ModelError(
            f"The network makes {' × '.join(map(str, found.shape[2:]))} pixels of "
            f"{' × '.join(map(str, shape[1:]))}."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _field(chain: Chain) -> tuple[int, int | None]:
    """Return pixels of the image in a coarsest one, and how far a pixel looks, at most."""
    step, coarsest, reach, whole = 1.0, 1.0, 0.0, False
    for _, kind, arguments in chain.layers:
        kernel = _largest(arguments.get("kernel_size", 1))
        stride = _largest(arguments.get("stride") or (kernel if kind in _POOLS else 1))
        if kind.startswith("Conv") and "Transpose" in kind:
            step /= stride
            reach += kernel * step
        elif kind.startswith("Conv") or kind in _POOLS:
            reach += kernel * _largest(arguments.get("dilation", 1)) * step
            step *= stride
        elif kind.startswith("Upsampl"):
            step /= _largest(arguments.get("scale_factor") or 1)
            reach += 2 * step
            whole |= bool(arguments.get("align_corners")) or kind == "UpsamplingBilinear2d"
        whole |= "Norm" in kind and kind not in _LOCAL
        coarsest = max(coarsest, step)
    if step != 1:
        raise ModelError(f"The network makes {1 / step:g} pixels of each, not one.")
    return math.ceil(coarsest), None if whole else math.ceil(reach)


def _largest(value: Any) -> float:
    return float(max(value)) if isinstance(value, list | tuple) else float(value)


def recognise(shapes: Shapes) -> dict[str, Any] | None:
    """Return None: tensors alone do not say which layers lie between them."""
    return None


def nearest(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Return nothing: there is no network of this kind without its layers."""
    return {}


def published(settings: Mapping[str, Any]) -> Published:
    """Return what the layers themselves say about the outputs."""
    chain = known(settings)
    outputs = chain.convolutions[-1][1]["out_channels"] if chain.convolutions else 1
    if chain.activation == "sigmoid" and outputs > 1:
        return Published({"task": "multilabel", "activation": "sigmoid", "has_background": False})
    return Published({})

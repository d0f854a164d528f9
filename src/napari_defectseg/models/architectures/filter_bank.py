"""A bank of fixed filters and a small head that learns: what *scribble and see* trains.

Gaussians of growing width, and of each the size of the gradient, both signs of curvature and the
spread of the grey values; the same at every place and in every direction, so that a few strokes
are enough. The filters are computed, not stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive

TITLE = "a bank of filters"
EACH = 5
"""Features of one width: smooth grey value, gradient, two curvatures, spread."""
REACH = 3.0
"""A Gaussian is cut off at so many of its widths."""


@dataclass(frozen=True)
class FilterBankSettings:
    """What this network is built from.

    Parameters
    ----------
    dims : int
        2 or 3.
    in_channels, out_channels : int
    levels : int
        Widths of the Gaussians: 1, 2, 4, … pixels, so many of them.
    hidden : int
        Width of the layer between features and classes.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 2
    levels: int = 4
    hidden: int = 16

    grid = 1

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.levels, self.hidden)
        if self.dims not in (2, 3) or self.levels > 6:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 dimensions and 6 widths at most.")

    @property
    def halo(self) -> int:
        """Pixels that the widest filter, and a difference of it, look at."""
        return math.ceil(REACH * (1 << (self.levels - 1))) + 2

    @property
    def features(self) -> int:
        """Number of features of a pixel."""
        return self.in_channels * (1 + EACH * self.levels)


class FilterBank(nn.Module):
    """The network; ends at its logits."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, settings: FilterBankSettings) -> None:
        super().__init__()
        self.settings = settings
        count, kind = settings.features, (nn.Conv2d, nn.Conv3d)[settings.dims - 2]
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.hidden = kind(count, settings.hidden, 1)
        self.head = kind(settings.hidden, settings.out_channels, 1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the filters see; nothing in it is learnt.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)

        Returns
        -------
        Tensor, shape (n, features, *spatial)
        """
        found = [x]
        for level in range(self.settings.levels):
            found.extend(_seen(x, 2.0**level))
        return torch.cat(found, dim=1)

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits of features, ``(n, features, *spatial)`` in, classes out."""
        weight, bias = self.folded()
        convolve = (functional.conv2d, functional.conv3d)[self.settings.dims - 2]
        kernel = weight.reshape(self.hidden.weight.shape)
        result: torch.Tensor = self.head(torch.relu(convolve(features, kernel, bias)))
        return result

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weight ``(hidden, features)`` and bias with the standardisation in them.

        So there is one pass over the features less.
        """
        weight, bias = parameters_of(self.hidden)
        weight = weight / self.scale
        return weight, bias - weight @ self.mean

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        return self.classify(self.features(x))


def parameters_of(layer: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight ``(outputs, inputs)`` and bias of a convolution of one pixel."""
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    assert layer.bias is not None
    return layer.weight.flatten(1), layer.bias


def _seen(x: torch.Tensor, sigma: float) -> list[torch.Tensor]:
    """Return the features of one width, in units that do not depend on it."""
    smooth = _smoothed(x, sigma)
    axes = range(2, x.ndim)
    first = [sigma * _difference(smooth, axis) for axis in axes]
    gradient = torch.sqrt(sum((d * d for d in first), torch.zeros_like(smooth)) + 1e-8)
    trace, squares = torch.zeros_like(smooth), torch.zeros_like(smooth)
    for place, axis in enumerate(axes):
        for other in range(axis, x.ndim):
            second = sigma * _difference(first[place], other)
            trace = trace + second if other == axis else trace
            squares = squares + (1 if other == axis else 2) * second * second
    bent = torch.sqrt(squares + 1e-8)
    spread = torch.sqrt((_smoothed(x * x, sigma) - smooth * smooth).clamp_min(0) + 1e-2)
    return [smooth, gradient, trace, bent, spread]


def _smoothed(x: torch.Tensor, sigma: float) -> torch.Tensor:
    radius = math.ceil(REACH * sigma)
    places = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (places / sigma) ** 2)
    kernel = kernel / kernel.sum()
    for axis in range(2, x.ndim):
        x = _along(x, axis, kernel)
    return x


def _along(x: torch.Tensor, axis: int, kernel: torch.Tensor) -> torch.Tensor:
    """Return x convolved along one axis, its edge values going on beyond the edge."""
    radius = kernel.numel() // 2
    turned = x.movedim(axis, -1)
    flat = turned.reshape(-1, 1, turned.shape[-1])
    wide = functional.pad(flat, (radius, radius), mode="replicate")
    return functional.conv1d(wide, kernel.reshape(1, 1, -1)).reshape(turned.shape).movedim(-1, axis)


def _difference(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Return half the difference of the two neighbours along an axis."""
    length = x.shape[axis]
    after = torch.cat([x.narrow(axis, 1, length - 1), x.narrow(axis, length - 1, 1)], axis)
    before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, length - 1)], axis)
    return (after - before) / 2


def _read(shapes: Shapes) -> FilterBankSettings | None:
    first, head = shapes.get("hidden.weight"), shapes.get("head.weight")
    if first is None or head is None or "scale" not in shapes:
        return None
    for levels in range(1, 7):
        channels, rest = divmod(first[1], 1 + EACH * levels)
        if not rest and (channels == 1 or (channels == 3 and levels == 4)):
            return FilterBankSettings(len(first) - 2, channels, head[0], levels, first[0])
    return None


def _about(_: FilterBankSettings) -> Published:
    return Published({"description": "Learnt from a few strokes."})


KIND = NetworkKind(TITLE, FilterBankSettings, FilterBank, _read, _about)

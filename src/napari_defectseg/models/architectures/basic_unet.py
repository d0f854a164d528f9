"""BasicUNet of MONAI (after Falk et al. 2019), in our own words.

Pairs of convolutions, largest values down, transposed convolutions up; five levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.blocks import field_radius
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import activation, convolution, enlarging, normalisation

TITLE = "a BasicUNet of MONAI"
LEVELS = 5
SLOPE = 0.1


@dataclass(frozen=True)
class BasicUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    features : tuple of int
        Of the five levels, finest first, and of the last pair of convolutions.
    norm : str
        ``"instance"``, ``"batch"`` or ``"group"``.
    act : str
    slope : float
        Of a leaky ReLU.
    bias : bool
    """

    dims: int = 3
    in_channels: int = 1
    out_channels: int = 2
    features: tuple[int, ...] = (32, 32, 64, 128, 256, 32)
    norm: str = "instance"
    act: str = "leaky_relu"
    slope: float = SLOPE
    bias: bool = True

    grid = 1 << (LEVELS - 1)

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, *self.features)
        if self.dims not in (2, 3) or len(self.features) != LEVELS + 1:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 axes and {LEVELS + 1} features.")

    @property
    def halo(self) -> int | None:
        """Field of view, on the grid; instance and group normalisation look at all they see."""
        if self.norm != "batch":
            return None
        return -(-field_radius(LEVELS) // self.grid) * self.grid


class Single(nn.Module):
    """Convolution, then normalisation and activation under ``adn``."""

    def __init__(self, settings: BasicUNetSettings, inputs: int, outputs: int) -> None:
        super().__init__()
        s = settings
        self.conv = convolution(inputs, outputs, (3,) * s.dims, bias=s.bias)
        self.adn = nn.Sequential()
        self.adn.add_module("N", normalisation(s.norm, s.dims, outputs))
        self.adn.add_module("A", activation(s.act, s.slope))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.adn(self.conv(x))
        return result


class Pair(nn.Module):
    """Two of them."""

    def __init__(self, settings: BasicUNetSettings, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_0 = Single(settings, inputs, outputs)
        self.conv_1 = Single(settings, outputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.conv_1(self.conv_0(x))
        return result


class Down(nn.Module):
    """Half the size, then a pair."""

    def __init__(self, settings: BasicUNetSettings, inputs: int, outputs: int) -> None:
        super().__init__()
        self.max_pooling = nn.MaxPool2d(2) if settings.dims == 2 else nn.MaxPool3d(2)
        self.convs = Pair(settings, inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        result: torch.Tensor = self.convs(self.max_pooling(x))
        return result


class Enlarge(nn.Module):
    """A transposed convolution under the name that the files have."""

    def __init__(self, dims: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.deconv = enlarging(inputs, outputs, (2,) * dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of twice the size."""
        result: torch.Tensor = self.deconv(x)
        return result


class Up(nn.Module):
    """Twice the size, behind the finer level, then a pair."""

    def __init__(self, settings: BasicUNetSettings, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        coarse, fine, enlarged, outputs = widths
        self.upsample = Enlarge(settings.dims, coarse, enlarged)
        self.convs = Pair(settings, fine + enlarged, outputs)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features of the size of `skip`."""
        up = self.upsample(x)
        more = [n for axis in (-1, -2, -3)[: x.dim() - 2] for n in (0, _odd(up, skip, axis))]
        up = functional.pad(up, more, "replicate") if any(more) else up
        result: torch.Tensor = self.convs(torch.cat([skip, up], dim=1))
        return result


def _odd(up: torch.Tensor, skip: torch.Tensor, axis: int) -> int:
    return int(up.shape[axis] != skip.shape[axis])


class BasicUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: BasicUNetSettings) -> None:
        super().__init__()
        s, f = settings, settings.features
        self.conv_0 = Pair(s, s.in_channels, f[0])
        for level in range(1, LEVELS):
            self.add_module(f"down_{level}", Down(s, f[level - 1], f[level]))
        for level in range(LEVELS - 1, 0, -1):
            # The last one keeps its channels where the others halve them.
            enlarged, outputs = (f[level] // 2, f[level - 1]) if level > 1 else (f[1], f[5])
            self.add_module(f"upcat_{level}", Up(s, (f[level], f[level - 1], enlarged, outputs)))
        self.final_conv = convolution(f[5], s.out_channels, (1,) * s.dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            At least 16 pixels along each axis.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        skips = [self.conv_0(x)]
        for level in range(1, LEVELS):
            skips.append(self.get_submodule(f"down_{level}")(skips[-1]))
        x = skips.pop()
        for level in range(LEVELS - 1, 0, -1):
            x = self.get_submodule(f"upcat_{level}")(x, skips.pop())
        result: torch.Tensor = self.final_conv(x)
        return result


def _read(shapes: Shapes) -> BasicUNetSettings | None:
    first, head = shapes.get("conv_0.conv_0.conv.weight"), shapes.get("final_conv.weight")
    if first is None or head is None:
        return None
    widths = [shapes[f"down_{level}.convs.conv_0.conv.weight"][0] for level in range(1, LEVELS)]
    return BasicUNetSettings(
        dims=len(first) - 2,
        in_channels=first[1],
        out_channels=head[0],
        features=(first[0], *widths, head[1]),
        norm="batch" if "conv_0.conv_0.adn.N.running_mean" in shapes else "instance",
        act="prelu" if "conv_0.conv_0.adn.A.weight" in shapes else "leaky_relu",
        bias="conv_0.conv_0.conv.bias" in shapes,
    )


def _about(settings: BasicUNetSettings) -> Published:
    norm = "" if settings.norm == "batch" else f"{settings.norm} normalisation, "
    words = f"Not in the weights, so taken as MONAI has it: {norm}{settings.act.replace('_', ' ')}."
    return Published({"quirks": (words,)})


KIND = NetworkKind(TITLE, BasicUNetSettings, BasicUNet, _read, _about)

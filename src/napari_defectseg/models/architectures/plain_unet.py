"""A plain U-Net under any names: recognised by the shapes of its tensors alone.

Levels of two 3 × 3 convolutions whose features double, maxima down, transposed convolutions up.
Shapes say which convolution feeds which; they do not say whether the finer level or the enlarged
one comes first where the two are joined. So there are two such networks, and where tensors fit
one they fit the other: a person has to choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.blocks import field_radius
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import convolution, enlarging, normalisation

TITLE = "a plain U-Net"
Names: TypeAlias = tuple[str, ...]
NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class PlainUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    width : int
        Features of the finest level; each level below has twice as many.
    poolings : int
    bias : bool
        Of the convolutions of 3 × 3.
    norm : bool
        Whether batch normalisation follows each of them.
    names : tuple of str
        Of all layers: way down, way up from the coarsest (transposed convolution first), head;
        each convolution followed by its normalisation. Empty: names of our own.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 2
    width: int = 32
    poolings: int = 4
    bias: bool = True
    norm: bool = True
    names: Names = ()

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width, self.poolings)
        if self.dims not in (2, 3) or self.poolings > 8:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 axes, and 8 levels at most.")
        count = len(own_names(self.poolings, self.norm))
        if self.names and (len(set(self.names)) != count or len(self.names) != count):
            raise ModelError(f"{TITLE.capitalize()} like this has {count} layers with names.")

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return 1 << self.poolings

    @property
    def halo(self) -> int:
        """Field of view, on the grid."""
        return -(-field_radius(self.poolings + 1) // self.grid) * self.grid


def own_names(poolings: int, norm: bool) -> Names:
    """Return names of our own for all layers, in the order of the settings."""
    pair = [f"{kind}{n}" for n in (1, 2) for kind in ("conv", "norm")[: 1 + norm]]
    down = [f"down{level}.{name}" for level in range(poolings + 1) for name in pair]
    up = [f"up{level}.{n}" for level in reversed(range(poolings)) for n in ("enlarge", *pair)]
    return (*down, *up, "head")


class PlainUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: PlainUNetSettings, *, skip_first: bool) -> None:
        super().__init__()
        s, self.skip_first = settings, skip_first
        self.poolings, self.each = s.poolings, 2 + 2 * s.norm
        self.names = s.names or own_names(s.poolings, s.norm)
        for name, layer in zip(self.names, _layers(s), strict=True):
            self._put(name, layer)
        self.pool = nn.MaxPool2d(2) if s.dims == 2 else nn.MaxPool3d(2)

    def _put(self, name: str, layer: nn.Module) -> None:
        *outer, last = name.split(".")
        place: nn.Module = self
        for part in outer:
            if part not in dict(place.named_children()):
                place.add_module(part, nn.Module())
            place = place.get_submodule(part)
        place.add_module(last, layer)

    def _pair(self, names: Iterator[str], x: torch.Tensor) -> torch.Tensor:
        for _ in range(2):
            x = self.get_submodule(next(names))(x)
            if self.each == 4:
                x = self.get_submodule(next(names))(x)
            x = torch.relu(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        names, skips = iter(self.names), list[torch.Tensor]()
        for level in range(self.poolings + 1):
            x = self._pair(names, self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        while skips:
            up, skip = self.get_submodule(next(names))(x), skips.pop()
            both = [skip, up] if self.skip_first else [up, skip]
            x = self._pair(names, torch.cat(both, dim=1))
        result: torch.Tensor = self.get_submodule(next(names))(x)
        return result


def _layers(s: PlainUNetSettings) -> Iterator[nn.Module]:
    """Yield all layers in the order of their names."""
    kernel, widths = (3,) * s.dims, [s.width << level for level in range(s.poolings + 1)]

    def pair(inputs: int, outputs: int) -> Iterator[nn.Module]:
        for before in (inputs, outputs):
            yield convolution(before, outputs, kernel, bias=s.bias)
            if s.norm:
                yield normalisation("batch", s.dims, outputs)

    for before, width in zip((s.in_channels, *widths), widths, strict=False):
        yield from pair(before, width)
    for width in reversed(widths[:-1]):
        yield enlarging(2 * width, width, (2,) * s.dims)
        yield from pair(2 * width, width)
    yield convolution(s.width, s.out_channels, (1,) * s.dims)


@dataclass(frozen=True)
class _Pair:
    """Two convolutions in a row."""

    inputs: int
    outputs: int
    names: Names


def _read(shapes: Shapes) -> PlainUNetSettings | None:
    """Return the settings where the shapes leave no choice but the order of joining."""
    modules: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        prefix, _, leaf = name.rpartition(".")
        if leaf != "num_batches_tracked":
            modules.setdefault(prefix, {})[leaf] = shape
    convolutions = {n: m["weight"] for n, m in modules.items() if len(m.get("weight", ())) > 3}
    norms = [n for n in modules if n not in convolutions]
    if any(set(modules[n]) != set(NORM) for n in norms) or not convolutions:
        return None
    threes = [n for n, shape in convolutions.items() if set(shape[2:]) == {3}]
    twos = [n for n, shape in convolutions.items() if set(shape[2:]) == {2}]
    ones = [n for n, shape in convolutions.items() if set(shape[2:]) == {1}]
    known = len(threes) + len(twos) + len(ones) == len(convolutions)
    if not known or len(ones) != 1 or not twos or len(norms) not in (0, len(threes)):
        return None
    if not norms:  # files in which names are sorted keep the order of numbers alone
        threes.sort(key=_natural)
    pairs = _pairs(modules, threes, bool(norms))
    return None if pairs is None else _ordered(pairs, twos, ones[0], modules, bool(norms))


def _pairs(
    modules: dict[str, dict[str, tuple[int, ...]]], threes: list[str], normed: bool
) -> list[_Pair] | None:
    """Return the convolutions two by two, each with what normalises it."""
    units = _units(modules, sorted(threes, key=_natural)) if normed else None
    units = units or _neighbours(modules, threes) if normed else [(n,) for n in threes]
    found = []
    for first, second in zip((units or [])[::2], (units or [])[1::2], strict=False):
        a, b = modules[first[0]]["weight"], modules[second[0]]["weight"]
        if a[0] != b[0] or b[1] != b[0]:
            return None
        found.append(_Pair(a[1], a[0], (*first, *second)))
    return found if 2 * len(found) == len(threes) else None


def _units(modules: dict[str, dict[str, tuple[int, ...]]], threes: list[str]) -> list[Names] | None:
    """Return each convolution with the normalisation of the same number in the same block."""
    norms: dict[str, list[str]] = {}
    for name in sorted((n for n, m in modules.items() if "running_mean" in m), key=_natural):
        norms.setdefault(name.rpartition(".")[0], []).append(name)
    found: list[Names] = []
    for name in threes:
        waiting = norms.get(name.rpartition(".")[0], [])
        if not waiting or modules[waiting[0]]["weight"][0] != modules[name]["weight"][0]:
            return None
        found.append((name, waiting.pop(0)))
    return None if any(norms.values()) else found


def _neighbours(
    modules: dict[str, dict[str, tuple[int, ...]]], threes: list[str]
) -> list[Names] | None:
    """Return each convolution with the normalisation that stands behind it in the file."""
    order, found = list(modules), list[Names]()
    for name in threes:
        place = order.index(name) + 1
        if place >= len(order) or "running_mean" not in modules[order[place]]:
            return None
        if modules[order[place]]["weight"][0] != modules[name]["weight"][0]:
            return None
        found.append((name, order[place]))
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """Return what sorts names as a person does: 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _ordered(
    pairs: list[_Pair],
    twos: list[str],
    head: str,
    modules: dict[str, dict[str, tuple[int, ...]]],
    norm: bool,
) -> PlainUNetSettings | None:
    ups = {modules[name]["weight"][1]: name for name in twos}
    back = [p for p in pairs if p.inputs == 2 * p.outputs and p.outputs in ups]
    down = sorted((p for p in pairs if p not in back), key=lambda p: p.outputs)
    back.sort(key=lambda p: -p.outputs)
    widths = [p.outputs for p in down]
    doubled = [widths[0] << n for n in range(len(widths))] if widths else []
    if len(ups) != len(twos) or len(down) != len(twos) + 1 or widths != doubled:
        return None
    names = [name for pair in down for name in pair.names]
    for pair in back:
        names += [ups[pair.outputs], *pair.names]
    first = modules[names[0]]
    return PlainUNetSettings(
        dims=len(first["weight"]) - 2,
        in_channels=down[0].inputs,
        out_channels=modules[head]["weight"][0],
        width=widths[0],
        poolings=len(twos),
        bias="bias" in first,
        norm=norm,
        names=(*names, head),
    )


def _kind(title: str, *, skip_first: bool) -> NetworkKind[PlainUNetSettings]:
    def build(settings: PlainUNetSettings) -> nn.Module:
        return PlainUNet(settings, skip_first=skip_first)

    about = Published(
        {
            "quirks": (
                (
                    "It was recognised by the shapes of its tensors alone: that its nonlinearity "
                    "is ReLU and sizes are halved by maxima is the usual case, not known."
                ),
            )
        }
    )
    return NetworkKind(title, PlainUNetSettings, build, _read, lambda _: about, by_shape=True)


SKIP_FIRST = _kind(f"{TITLE} that puts the finer level first", skip_first=True)
UP_FIRST = _kind(f"{TITLE} that puts the enlarged level first", skip_first=False)

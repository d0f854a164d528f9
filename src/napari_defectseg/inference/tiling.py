"""`Tile` and `TilePlan`: all index arithmetic of tiles, and nothing else.

Positions are those of the *padded* image: the image with pixels added once, at the far border,
until every length is a multiple of the network's grid. Tiles begin on the grid and carry a halo
that covers the field of view, so that what they give inside is what the whole image gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import DeviceError, ModelError

Box: TypeAlias = tuple[slice, ...]
Shape: TypeAlias = tuple[int, ...]

OVERLAP = 8
"""Part of a tile by which neighbours overlap where the network sees all of a fixed tile."""
MOST_PARTS = 512
"""Largest number of tiles along one axis that a plan considers."""


@dataclass(frozen=True)
class Tile:
    """One piece of work.

    Parameters
    ----------
    read : tuple of slice
        What is read from the image: `outer` as far as there is an image.
    pad : tuple of int
        Pixels added at the far border, so that `read` becomes `outer`.
    outer : tuple of slice
        What the network sees, in the padded image.
    inner : tuple of slice
        What this tile gives, in the image itself; the tiles' inner boxes cover it exactly once.
    local : tuple of slice
        `inner` as counted from the corner of `outer`.
    """

    read: Box
    pad: tuple[int, ...]
    outer: Box
    inner: Box
    local: Box

    @property
    def shape(self) -> Shape:
        """Lengths of `outer`."""
        return tuple(part.stop - part.start for part in self.outer)


@dataclass(frozen=True)
class TilePlan:
    """How one plane or volume is cut.

    Parameters
    ----------
    shape : tuple of int
        Lengths of the image.
    padded : tuple of int
        Lengths after padding at the far border.
    grid, halo : int
    core : tuple of int
        Lengths of a tile without halo; the last one along an axis may be shorter.
    fixed : tuple of int or None
        Lengths that every tile has, where the network takes no others: at the borders of the
        image a tile then moves inwards instead of becoming shorter.
    box : tuple of slice or None
        The part of the image that is wanted; None: all of it. Tiles begin on the same grid, and
        their halo reaches beyond it.
    """

    shape: Shape
    padded: Shape
    grid: int
    halo: int
    core: Shape
    fixed: Shape | None = None
    box: Box | None = None

    @property
    def counts(self) -> Shape:
        """Number of tiles along each axis."""
        spans = spans_of(self.padded, self.grid, self.box)
        return tuple(-(-(s.stop - s.start) // c) for s, c in zip(spans, self.core, strict=True))

    def __len__(self) -> int:
        return math.prod(self.counts)

    @property
    def whole(self) -> bool:
        """Whether one pass sees everything."""
        return len(self) == 1

    @property
    def largest(self) -> Shape:
        """Lengths of the largest tile, halo included."""
        if self.fixed is not None:
            return self.fixed
        return tuple(min(c + 2 * self.halo, p) for c, p in zip(self.core, self.padded, strict=True))

    @property
    def work(self) -> int:
        """Pixels that the network computes in all."""
        return sum(math.prod(tile.shape) for tile in self)

    def __iter__(self) -> Iterator[Tile]:
        for index in product(*(range(n) for n in self.counts)):
            yield self._tile(index)

    def _tile(self, index: tuple[int, ...]) -> Tile:
        axes = [self._along(axis, number) for axis, number in enumerate(index)]
        return Tile(
            read=tuple(a[0] for a in axes),
            pad=tuple(a[1] for a in axes),
            outer=tuple(a[2] for a in axes),
            inner=tuple(a[3] for a in axes),
            local=tuple(a[4] for a in axes),
        )

    def _along(self, axis: int, number: int) -> tuple[slice, int, slice, slice, slice]:
        length, padded, core = self.shape[axis], self.padded[axis], self.core[axis]
        span = spans_of(self.padded, self.grid, self.box)[axis]
        wanted = slice(0, length) if self.box is None else self.box[axis]
        start = span.start + number * core
        stop = min(start + core, span.stop)
        outer = slice(max(start - self.halo, 0), min(stop + self.halo, padded))
        if self.fixed is not None:
            first = min(outer.start, padded - self.fixed[axis])
            outer = slice(first, first + self.fixed[axis])
        read = slice(outer.start, min(outer.stop, length))
        inner = slice(max(start, wanted.start), min(stop, wanted.stop))
        local = slice(inner.start - outer.start, inner.stop - outer.start)
        return read, outer.stop - read.stop, outer, inner, local

    def smaller(self) -> TilePlan | None:
        """Return a plan with tiles of about half the size, None if they cannot be smaller."""
        plan = self._halved()
        # Near a border a smaller inside may leave the tile as it is: its halo takes the place.
        while plan is not None and math.prod(plan.largest) >= math.prod(self.largest):
            plan = plan._halved()
        return plan

    def _halved(self) -> TilePlan | None:
        if self.fixed is not None:
            return None
        divisible = [axis for axis, core in enumerate(self.core) if core >= 2 * self.grid]
        if not divisible:
            return None
        axis = max(divisible, key=lambda number: self.core[number])
        core = list(self.core)
        core[axis] = -(-core[axis] // self.grid // 2) * self.grid
        return replace(self, core=tuple(core))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values that say what was done."""
        return {
            "shape": list(self.shape),
            "grid": self.grid,
            "halo": self.halo,
            "core": list(self.core),
            "tiles": len(self),
            **({"fixed": list(self.fixed)} if self.fixed else {}),
            **({"box": [[part.start, part.stop] for part in self.box]} if self.box else {}),
        }


def spans_of(padded: Shape, grid: int, box: Box | None) -> Box:
    """Return what tiles cover, along each axis of the padded image: the box made whole cells."""
    if box is None:
        return tuple(slice(0, n) for n in padded)
    return tuple(
        slice(part.start // grid * grid, min(-(-part.stop // grid) * grid, n))
        for n, part in zip(padded, box, strict=True)
    )


@dataclass(frozen=True)
class TilingSettings:
    """What a plan has to respect.

    Parameters
    ----------
    memory_bytes : int
        What one pass of the network may need.
    bytes_per_pixel : float
        What one pass needs for each pixel it sees.
    tile : int or None
        Edge of a tile, halo included; None: as large as the memory allows.
    """

    memory_bytes: int
    bytes_per_pixel: float
    tile: int | None = None


def plan_fixed_tiles(
    shape: Shape,
    grid: int,
    halo: int | None,
    tile: Shape,
    settings: TilingSettings,
    box: Box | None = None,
) -> TilePlan:
    """Return the plan of a network that takes tiles of one size alone.

    Parameters
    ----------
    shape : tuple of int
        Lengths of a plane or volume; a smaller one is padded to a tile.
    grid : int
        Tiles begin on multiples of this, where their own length is one.
    halo : int or None
        None: tiles overlap by an eighth of their length on each side, but the network looks at
        all of a tile, so neighbours may differ where they meet.
    tile : tuple of int
        Lengths of every tile.
    settings : TilingSettings
    box : tuple of slice, optional
        The part that is wanted.

    Raises
    ------
    DeviceError
        If a tile needs more than the memory.
    ModelError
        If another size of tiles was asked for, or the halo leaves no inside.
    """
    edges = " × ".join(str(n) for n in tile)
    if settings.tile is not None and any(settings.tile != n for n in tile):
        raise ModelError(
            f"This network takes tiles of {edges} pixels alone, not of {settings.tile}.",
            hint="Leave the tile size open.",
        )
    if any(n % grid for n in tile):
        grid = 1
    halo = min(tile) // OVERLAP // grid * grid if halo is None else halo
    core = tuple((n - 2 * halo) // grid * grid for n in tile)
    if min(core) < 1:
        raise ModelError(
            f"A tile of {edges} pixels has no inside: this network needs {halo} pixels around it."
        )
    padded = tuple(max(-(-n // grid) * grid, t) for n, t in zip(shape, tile, strict=True))
    one = tuple(p if p == t else c for p, t, c in zip(padded, tile, core, strict=True))
    plan = TilePlan(shape, padded, grid, halo, one, tile, box)
    if not _fits(plan, settings):
        raise DeviceError(
            f"{settings.memory_bytes / 1e6:.3g} MB are not enough for one tile of this network.",
            hint=f"Allow at least {_need(plan, settings) / 1e6:.3g} MB.",
        )
    return plan


def plan_tiles(
    shape: Shape,
    grid: int,
    halo: int | None,
    settings: TilingSettings,
    box: Box | None = None,
) -> TilePlan:
    """Return the plan that computes the fewest pixels within the memory.

    Parameters
    ----------
    shape : tuple of int
        Lengths of a plane or volume.
    grid : int
        Tiles begin on multiples of this.
    halo : int or None
        A multiple of `grid`; None: the network looks at the whole image.
    settings : TilingSettings
    box : tuple of slice, optional
        The part of the image that is wanted; None: all of it.

    Raises
    ------
    DeviceError
        If no tile fits into the memory; says what would.
    ModelError
        If the network cannot be tiled, or the tile is smaller than its halo.
    """
    padded = tuple(-(-n // grid) * grid for n in shape)
    spans = spans_of(padded, grid, box)
    lengths = tuple(span.stop - span.start for span in spans)
    reach = halo if halo is not None else 0 if box is None else max(padded)
    whole = TilePlan(shape, padded, grid, reach, lengths, box=box)
    if settings.tile is not None:
        if halo is None:
            raise ModelError(
                "This network looks at the whole image, so it cannot be cut into tiles.",
                hint="Leave the tile size open.",
            )
        return replace(whole, core=_core_of(settings.tile, lengths, grid, halo))
    if _fits(whole, settings):
        return whole
    if halo is None:
        raise DeviceError(
            f"This network looks at the whole image, which needs "
            f"{_need(whole, settings) / 1e9:.2g} GB; {settings.memory_bytes / 1e9:.2g} GB are "
            f"allowed.",
            hint="Allow more memory, or crop the image.",
        )
    core = _cheapest(padded, spans, grid, halo, settings)
    if core is None:
        least = replace(whole, core=(grid,) * len(shape))
        raise DeviceError(
            f"{settings.memory_bytes / 1e6:.3g} MB are not enough for one tile of this network.",
            hint=f"Allow at least {_need(least, settings) / 1e6:.3g} MB.",
        )
    return replace(whole, core=core)


def _need(plan: TilePlan, settings: TilingSettings) -> float:
    return math.prod(plan.largest) * settings.bytes_per_pixel


def _fits(plan: TilePlan, settings: TilingSettings) -> bool:
    return _need(plan, settings) <= settings.memory_bytes


def _core_of(tile: int, lengths: Shape, grid: int, halo: int) -> Shape:
    if tile >= max(lengths):
        return lengths
    core = (tile - 2 * halo) // grid * grid
    if core < grid:
        raise ModelError(
            f"A tile of {tile} pixels has no inside: this network needs {halo} pixels around it.",
            hint=f"Use at least {2 * halo + grid}.",
        )
    return tuple(n if n <= tile else min(core, n) for n in lengths)


def _cheapest(
    padded: Shape, spans: Box, grid: int, halo: int, settings: TilingSettings
) -> Shape | None:
    """Return the core that fits and makes the network compute the fewest pixels."""
    along = (_choices(n, span, grid, halo) for n, span in zip(padded, spans, strict=True))
    cores, works, sizes = zip(*along, strict=True)
    volume = _outer_product(sizes)
    work = np.where(
        volume * settings.bytes_per_pixel <= settings.memory_bytes, _outer_product(works), np.inf
    )
    best = np.unravel_index(int(np.argmin(work)), work.shape)
    if not np.isfinite(work[best]):
        return None
    return tuple(int(core[i]) for core, i in zip(cores, best, strict=True))


def _choices(padded: int, span: slice, grid: int, halo: int) -> tuple[Any, Any, Any]:
    """Return cores to choose from along one axis, pixels computed and largest tile for each."""
    cells = (span.stop - span.start) // grid
    parts = np.arange(1, min(cells, MOST_PARTS) + 1)
    cores = np.unique(-(-cells // parts))[::-1] * grid
    if cores[-1] > grid:
        cores = np.append(cores, grid)
    works, sizes = [], []
    for core in cores:
        starts = np.arange(span.start, span.stop, core)
        stops = np.minimum(starts + core, span.stop)
        outer = np.minimum(stops + halo, padded) - np.maximum(starts - halo, 0)
        works.append(int(outer.sum()))
        sizes.append(int(outer.max()))
    return cores, np.asarray(works, float), np.asarray(sizes, float)


def _outer_product(values: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    result: np.ndarray[Any, Any] = np.ones(())
    for part in values:
        result = np.multiply.outer(result, part)
    return result

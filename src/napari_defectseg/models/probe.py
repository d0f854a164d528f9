"""What a program does, found by running it on noise: channels, sizes, how far it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.models.arraymodel import Block, Runner

GRIDS = (1, 2, 4, 8, 16, 32, 64)
FREE = {2: 128, 3: 32}
"""Edge to which a multiple of the grid is added to see whether it is taken."""
LONG, SHORT = {2: 512, 3: 128}, {2: 64, 3: 32}
"""Lengths of the strip on which it is seen how far the network looks."""
FIXED = {
    2: (256, 512, 224, 128, 64, 320, 384, 1024, 480, 640, 768, 96, 48, 32, 400, 448, 160, 192),
    3: (64, 96, 128, 32, 48, 16, 24, 80, 112, 160),
}
"""Edges that are tried where a network takes one size alone."""
EQUAL = 3e-5
"""Difference, as a part of the largest value, below which two results are the same."""
FARTHEST = 0.75


@dataclass(frozen=True)
class Hint:
    """What a file tells before it runs.

    Parameters
    ----------
    dims, in_channels : int
    tile : tuple of int or None
        The only size that it takes, where it says so.
    """

    dims: int
    in_channels: int
    tile: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Probed:
    """What was found.

    Parameters
    ----------
    dims, in_channels, outputs : int
    grid : int
    halo : int or None
        None: it looks at the whole image.
    tile : tuple of int or None
        The only size that it takes.
    activation : str
        That it applies by itself: ``"softmax"``, ``"sigmoid"``, or ``"none"``.
    """

    dims: int
    in_channels: int
    outputs: int
    grid: int
    halo: int | None
    tile: tuple[int, ...] | None
    activation: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Probed:
        """Return what `as_dict` wrote."""
        tile = values.get("tile")
        return cls(**{**values, "tile": tuple(tile) if tile else None})


def probe(runner: Runner, hint: Hint, where: str) -> Probed:
    """Return what a started model does.

    Parameters
    ----------
    runner : Runner
    hint : Hint
        What the file tells.
    where : str
        The file, for messages.

    Raises
    ------
    ModelError
        If it takes none of the sizes that were tried, or gives something that is no picture
        of the same size.
    """
    _ = runner.confinement  # what cannot be loaded is told as it is
    dims, in_channels = hint.dims, hint.in_channels
    prober = _Prober(runner, dims, in_channels, where)
    accepted = None if hint.tile else prober.accepted()
    if accepted is None:
        tile, scores = prober.fixed([hint.tile] if hint.tile else prober.squares())
        return Probed(dims, in_channels, len(scores), 1, None, tile, _activation(scores))
    step, scores = accepted
    grid, halo = prober.reach(step)
    return Probed(dims, in_channels, len(scores), grid, halo, None, _activation(scores))


class _Prober:
    def __init__(self, runner: Runner, dims: int, in_channels: int, where: str) -> None:
        self._runner = runner
        self._dims = dims
        self._channels = in_channels
        self._where = where
        self._rng = np.random.default_rng(0)
        self._seen = ""

    def accepted(self) -> tuple[int, Block] | None:
        """Return the smallest step between sizes that it takes, and a result."""
        for grid in GRIDS:
            edge = FREE[self._dims] + grid
            found = self._try((edge,) * self._dims)
            if found is not None:
                return grid, found
        return None

    def squares(self) -> list[tuple[int, ...]]:
        """Return sizes that are usual where there is one alone."""
        return [(edge,) * self._dims for edge in FIXED[self._dims]]

    def fixed(self, shapes: list[tuple[int, ...]]) -> tuple[tuple[int, ...], Block]:
        """Return the first of some sizes that it takes, and a result."""
        for shape in shapes:
            found = self._try(shape)
            if found is not None:
                return shape, found
        raise ModelError(
            f"{self._where} takes none of the sizes that were tried ({self._seen}).",
            hint="Ask its author for which size of image it was made.",
        )

    def reach(self, step: int) -> tuple[int, int | None]:
        """Return the grid on which pieces give what the whole gives, and how far it looks."""
        strips = [self._strip(axis) for axis in range(self._dims)]
        wholes = [self._run(strip) for strip in strips]
        for grid in (g for g in GRIDS if g % step == 0):
            far = [
                self._differs(strip, whole, axis, grid)
                for axis, (strip, whole) in enumerate(zip(strips, wholes, strict=True))
            ]
            known = [one for one in far if one is not None]
            if len(known) == len(far):
                return grid, (-(-max(known) // grid) + 1) * grid  # and one cell to be sure
        return step, None

    def _differs(self, strip: Block, whole: Block, axis: int, grid: int) -> int | None:
        """Return how far from a cut the results differ; None: everywhere."""
        part = self._run(_from(strip, axis, grid))
        difference = np.abs(_from(whole, axis, grid) - part)
        others = tuple(n for n in range(difference.ndim) if n != axis + 1)
        along = difference.max(axis=others) > EQUAL * max(float(np.abs(whole).max()), 1e-6)
        last = int(np.flatnonzero(along).max(initial=-1)) + 1
        return last if last <= FARTHEST * len(along) else None

    def _strip(self, axis: int) -> Block:
        shape = [SHORT[self._dims]] * self._dims
        shape[axis] = LONG[self._dims]
        return self._noise(tuple(shape))

    def _run(self, block: Block) -> Block:
        found = self._runner.run(block)
        if found.shape[1:] != block.shape[1:]:
            raise ModelError(
                f"{self._where} gives {found.shape[1:]} for a picture of {block.shape[1:]} pixels.",
                hint="Only networks that give a value for each pixel can be used here.",
            )
        return found

    def _try(self, shape: tuple[int, ...]) -> Block | None:
        try:
            found = self._runner.run(self._noise(shape))
        except DeviceError:
            raise
        except ModelError as error:
            self._seen = error.sentence
            return None
        if found.shape[1:] != shape:
            self._seen = f"it gives {found.shape[1:]} for {shape}"
            return None
        return found

    def _noise(self, shape: tuple[int, ...]) -> Block:
        block: NDArray[np.float32] = self._rng.standard_normal((self._channels, *shape), np.float32)
        return block


def _from(block: Block, axis: int, start: int) -> Block:
    """Return the block without its first pixels along an axis."""
    return block[(slice(None),) * (axis + 1) + (slice(start, None),)]


def _activation(scores: Block) -> str:
    """Return which activation results show: all between 0 and 1, or 1 in sum."""
    if scores.min() < 0 or scores.max() > 1:
        return "none"
    if len(scores) > 1 and np.allclose(scores.sum(axis=0), 1, atol=1e-3):
        return "softmax"
    return "sigmoid"

"""`Plane`: one plane of numbered objects, given slab by slab as runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.runs import Runs, find_label_runs

Labels = NDArray[np.int32]
Box = tuple[slice, ...]


class Plane(Protocol):
    """Numbered objects of one plane, over all frames."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the label axes."""

    @property
    def array(self) -> Any:
        """The object numbers, 0 for the background; what slices to numpy."""

    def runs(self, frame: int | None, slab: Box) -> Runs:
        """Return the runs in a slab of a frame (None: without time), whole but for its first axis.

        Their value is the object number.
        """


@dataclass(frozen=True)
class ArrayPlane:
    """Objects that came as an array of numbers.

    Parameters
    ----------
    array : array-like of int32
        In memory, or anything that slices to numpy.
    """

    array: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the label axes."""
        return tuple(int(length) for length in self.array.shape)

    def runs(self, frame: int | None, slab: Box) -> Runs:
        """Return the runs in a slab; see `Plane`."""
        key: tuple[int | slice, ...] = slab if frame is None else (frame, *slab)
        return find_label_runs(np.asarray(self.array[key]))


@dataclass(frozen=True)
class RunPlane:
    """Objects that were found in a mask; the array is painted only where somebody asks for it.

    Parameters
    ----------
    shape : tuple of int
    frames : tuple of Runs
        One a frame; one in all without time.
    """

    shape: tuple[int, ...]
    frames: tuple[Runs, ...]

    @cached_property
    def array(self) -> Labels:
        """The object numbers, 0 for the background."""
        out = np.zeros(self.shape, np.int32)
        blocks = out.reshape(len(self.frames), -1)
        for runs, block in zip(self.frames, blocks, strict=True):
            runs.draw(runs.value, block)
        return out

    def runs(self, frame: int | None, slab: Box) -> Runs:
        """Return the runs in a slab; see `Plane`."""
        found = self.frames[frame or 0]
        low, high = slab[0].start, slab[0].stop
        if len(slab) == 2:
            return found.rows(low, high)
        height = found.shape[1]
        return found.rows(low * height, high * height, depth=high - low)

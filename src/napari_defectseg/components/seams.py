"""`BlockLabels`: objects of an array that comes block by block, joined where blocks meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.components.label import (
    classes_of_runs,
    find_root,
    full_connectivity,
    number_runs,
    unite,
)
from napari_defectseg.components.runs import Runs, as_volume, find_runs
from napari_defectseg.core.boxes import Box, cut
from napari_defectseg.core.errors import LabelError

Shape = tuple[int, ...]
MOST = np.iinfo(np.int32).max
ROOM = 1024
FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Numbering:
    """What the objects found in blocks are called in the end.

    Parameters
    ----------
    number : ndarray of int32
        Final number of each provisional one; 0: too small, or the background.
    sizes : ndarray of int64, shape (count + 1,)
        Pixels of each object.
    values : ndarray of uint8, shape (count + 1,)
        Class value of each object.
    cut : ndarray of bool, shape (count + 1,)
        Whether an object touches the edge of the array.
    left_out : int
        Number of objects that were too small.
    """

    number: NDArray[np.int32]
    sizes: NDArray[np.int64]
    values: NDArray[np.uint8]
    cut: NDArray[np.bool_]
    left_out: int

    def __len__(self) -> int:
        return int(self.sizes.size) - 1


class BlockLabels:
    """The objects of a mask of two or three axes of which one block at a time is in memory.

    Blocks are added in C order. What is kept of them are the layers at which the next blocks
    meet them, and a few numbers for each object; so the blocks are given a second time to be
    drawn, after `numbering` has said what their objects are called. The result is that of
    `label.label` for the whole array, number by number.

    Parameters
    ----------
    shape : sequence of int
        Of the whole mask.
    block : sequence of int
        Shape of a block; those at the far ends are smaller.
    connectivity : int or None
        As for `label.label`.

    Raises
    ------
    LabelError
        If shape, block or connectivity do not fit each other.
    """

    def __init__(
        self, shape: Sequence[int], block: Sequence[int], *, connectivity: int | None = None
    ) -> None:
        self.shape: Shape = tuple(int(length) for length in shape)
        if len(self.shape) not in (2, 3) or len(block) != len(self.shape) or min(block) < 1:
            raise LabelError(f"Blocks of {tuple(block)} do not fit a mask of shape {self.shape}.")
        self.boxes: tuple[Box, ...] = tuple(cut(self.shape, block))
        self.connectivity = full_connectivity(len(self.shape), connectivity)
        volume = (1,) * (3 - len(self.shape)) + self.shape
        step = (1,) * (3 - len(self.shape)) + tuple(int(length) for length in block)
        self._volume: Shape = volume
        self._fronts = _Fronts(volume, step)
        self._offsets = [1]
        self._parent = np.zeros(ROOM, np.int32)
        self._first = np.full(ROOM, FAR, np.int64)
        self._sizes = np.zeros(ROOM, np.int64)
        self._values = np.zeros(ROOM, np.uint8)
        self._cut = np.zeros(ROOM, bool)

    @property
    def done(self) -> int:
        """Number of blocks that were added."""
        return len(self._offsets) - 1

    def add(self, values: NDArray[Any]) -> None:
        """Take the next block.

        Parameters
        ----------
        values : ndarray of bool or uint8
            Class values in the next of `boxes`, 0 background.

        Raises
        ------
        LabelError
            If its shape is another one, or there are too many objects to number.
        """
        corner, runs = self._runs(self.done, values)
        names, count = number_runs(runs, self.connectivity)
        before = self._offsets[-1]
        if before + count > MOST:
            raise LabelError(f"There are more than {MOST} objects, too many to number.")
        self._make_room(before + count)
        new = slice(before, before + count)
        self._parent[new] = np.arange(before, before + count, dtype=np.int32)
        self._values[new] = classes_of_runs(runs, names, count)[1:]
        labels = names + np.int32(before - 1)
        _add_runs(
            runs.first, runs.start, runs.stop, labels, np.array(corner), np.array(runs.shape),
            np.array(self._volume), self._first, self._sizes, self._cut,
        )  # fmt: skip
        self._offsets.append(before + count)
        drawn = np.zeros(runs.shape, np.int32)
        runs.draw(labels, drawn)
        self._fronts.join(corner, drawn, self._values, self._parent, self.connectivity)

    def numbering(self, *, min_size: float = 0.0) -> Numbering:
        """Return what the objects are called, after all blocks were added.

        Parameters
        ----------
        min_size : float
            Objects of fewer pixels get no number.
        """
        assert self.done == len(self.boxes)
        used = self._offsets[-1]
        parent = self._parent[:used].copy()
        _roots(parent)
        total, earliest, cut_off = (
            np.zeros(used, np.int64),
            np.full(used, FAR),
            np.zeros(used, bool),
        )
        np.add.at(total, parent, self._sizes[:used])
        np.minimum.at(earliest, parent, self._first[:used])
        np.logical_or.at(cut_off, parent, self._cut[:used])
        roots = np.flatnonzero(parent == np.arange(used))[1:]
        kept = roots[total[roots] >= max(min_size, 1)]
        kept = kept[np.argsort(earliest[kept])]
        number = np.zeros(used, np.int32)
        number[kept] = np.arange(1, kept.size + 1)
        return Numbering(
            number[parent],
            np.concatenate([[0], total[kept]]),
            np.concatenate([np.zeros(1, np.uint8), self._values[kept]]),
            np.concatenate([[False], cut_off[kept]]),
            int(roots.size - kept.size),
        )

    def draw(self, index: int, values: NDArray[Any], numbers: NDArray[Any]) -> NDArray[Any]:
        """Return a block with something drawn in place of its objects.

        Parameters
        ----------
        index : int
            Of the block in `boxes`.
        values : ndarray
            The same as was added.
        numbers : ndarray
            What is drawn for each provisional number: `Numbering.number`, or what is looked up
            with it.

        Returns
        -------
        ndarray, of the block's shape and the dtype of `numbers`
        """
        _, runs = self._runs(index, values)
        names, _ = number_runs(runs, self.connectivity)
        out = np.zeros(np.shape(values), numbers.dtype)
        runs.draw(numbers[names + np.int32(self._offsets[index] - 1)], out)
        return out

    def _runs(self, index: int, values: NDArray[Any]) -> tuple[Shape, Runs]:
        box = self.boxes[index]
        wanted = tuple(side.stop - side.start for side in box)
        if np.shape(values) != wanted:
            raise LabelError(f"A block of shape {wanted} was expected, not {np.shape(values)}.")
        corner = (0,) * (3 - len(box)) + tuple(side.start for side in box)
        return corner, find_runs(as_volume(values))

    def _make_room(self, needed: int) -> None:
        missing = needed - self._parent.size
        if missing <= 0:
            return
        more = max(missing, self._parent.size)
        self._parent = np.concatenate([self._parent, np.zeros(more, np.int32)])
        self._first = np.concatenate([self._first, np.full(more, FAR, np.int64)])
        self._sizes = np.concatenate([self._sizes, np.zeros(more, np.int64)])
        self._values = np.concatenate([self._values, np.zeros(more, np.uint8)])
        self._cut = np.concatenate([self._cut, np.zeros(more, bool)])


class _Fronts:
    """The last layers of the blocks so far, at which the next ones meet them.

    Along each axis two are kept: the one that is met, and the one that becomes it when the
    next row of blocks begins. A layer reaches one pixel beyond a block on each side, so that
    blocks which share an edge or a corner are joined, too.
    """

    def __init__(self, volume: Shape, step: Shape) -> None:
        depth, height, width = volume
        self._slice = [np.zeros((height, width), np.int32) for _ in range(2)]
        self._row = [np.zeros((min(step[0], depth), width), np.int32) for _ in range(2)]
        self._column = np.zeros((0, 0), np.int32)

    def join(
        self,
        corner: Shape,
        labels: NDArray[np.int32],
        values: NDArray[np.uint8],
        parent: NDArray[np.int32],
        connectivity: int,
    ) -> None:
        """Unite the objects of a block with those of the blocks before it."""
        z, y, x = corner
        if x == 0:
            self._row.reverse()
            if y == 0:
                self._slice.reverse()
        depth, height, width = labels.shape
        if z:
            _meet(labels[0], self._slice[0], (y, x), values, parent, connectivity)
        if y:
            _meet(labels[:, 0], self._row[0][:depth], (0, x), values, parent, connectivity)
        if x:
            _meet(labels[:, :, 0], self._column, (0, 0), values, parent, connectivity)
        self._slice[1][y : y + height, x : x + width] = labels[-1]
        self._row[1][:depth, x : x + width] = labels[:, -1]
        self._column = labels[:, :, -1].copy()


def _meet(
    layer: NDArray[np.int32],
    front: NDArray[np.int32],
    at: tuple[int, int],
    values: NDArray[np.uint8],
    parent: NDArray[np.int32],
    connectivity: int,
) -> None:
    """Unite a layer of a block with the front that it meets at a place."""
    _unite(
        np.ascontiguousarray(layer), np.ascontiguousarray(front), at[0], at[1], values, parent,
        connectivity,
    )  # fmt: skip


@compiled
def _unite(
    layer: NDArray[np.int32],
    front: NDArray[np.int32],
    top: int,
    left: int,
    values: NDArray[np.uint8],
    parent: NDArray[np.int32],
    connectivity: int,
) -> None:
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            here = layer[y, x]
            if here == 0:
                continue
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    v = top + y + dy
                    u = left + x + dx
                    if 1 + abs(dy) + abs(dx) > connectivity:
                        continue
                    if v < 0 or u < 0 or v >= front.shape[0] or u >= front.shape[1]:
                        continue
                    there = front[v, u]
                    if there != 0 and values[here] == values[there]:
                        unite(parent, here, there)


@compiled
def _add_runs(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    labels: NDArray[np.int32],
    corner: NDArray[np.int64],
    block: NDArray[np.int64],
    volume: NDArray[np.int64],
    places: NDArray[np.int64],
    sizes: NDArray[np.int64],
    cut_off: NDArray[np.bool_],
) -> None:
    """Add to size, first pixel and being cut of each object what its runs give."""
    for line in range(first.size - 1):
        z = corner[0] + line // block[1]
        y = corner[1] + line % block[1]
        edge = y == 0 or y == volume[1] - 1
        if volume[0] > 1:
            edge = edge or z == 0 or z == volume[0] - 1
        row = (z * volume[1] + y) * volume[2] + corner[2]
        for run in range(first[line], first[line + 1]):
            name = labels[run]
            sizes[name] += stop[run] - start[run]
            places[name] = min(places[name], row + start[run])
            at_end = corner[2] + start[run] == 0 or corner[2] + stop[run] == volume[2]
            if edge or at_end:
                cut_off[name] = True


@compiled
def _roots(parent: NDArray[np.int32]) -> None:
    for index in range(parent.size):
        parent[index] = find_root(parent, index)

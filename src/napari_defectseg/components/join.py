"""Objects of an array that is labelled block by block, joined across the seams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.components.label import find_root, full_connectivity, label, unite
from napari_defectseg.components.runs import as_volume
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import Step, Steps, drive

Box = tuple[slice, ...]
MOST = np.iinfo(np.int32).max


def label_blocks(
    mask: Any, out: Any, block: Sequence[int], *, connectivity: int | None = None
) -> int:
    """Label the objects of a mask that need not fit into memory; see `label_blocks_steps`."""
    return drive(label_blocks_steps(mask, out, block, connectivity=connectivity))


def label_blocks_steps(
    mask: Any, out: Any, block: Sequence[int], *, connectivity: int | None = None
) -> Steps[int]:
    """Label the objects of a mask block by block; the result is that of `label`.

    Each block is labelled by itself, objects are joined where blocks meet, then numbered in
    the order of their first pixels. At a time one block, or one seam, is in memory.

    Parameters
    ----------
    mask : array-like of bool or uint8, 2D or 3D
        Anything with a shape that gives blocks when sliced, such as a store on disk.
    out : array-like of int32
        Of the same shape; blocks are written into it and read again.
    block : sequence of int
        Shape of a block, one length an axis; for stores a multiple of their chunks.
    connectivity : int or None
        As for `label`.

    Returns
    -------
    int
        Number of objects (returned by the generator).

    Raises
    ------
    LabelError
        If shapes, blocks or connectivity do not fit.
    """
    shape = tuple(int(length) for length in mask.shape)
    near = full_connectivity(len(shape), connectivity)
    _check(shape, out, block)
    boxes = list(cut(shape, block))
    seams = [
        (axis, at) for axis, n in enumerate(shape) for at in range(block[axis], n, block[axis])
    ]
    total = 2 * len(boxes) + len(seams)
    counts, firsts = 0, [np.zeros(1, np.int64)]
    for done, box in enumerate(boxes):
        yield Step(done, total, "Finding objects")
        counts, first = _label_block(mask, out, box, near, counts)
        firsts.append(first)
    parent = np.arange(counts + 1, dtype=np.int32)
    for done, (axis, at) in enumerate(seams, len(boxes)):
        yield Step(done, total, "Joining objects across blocks")
        _join_seam(mask, out, axis, at, parent, near)
    number, count = _numbers(parent, np.concatenate(firsts))
    for done, box in enumerate(boxes, len(boxes) + len(seams)):
        yield Step(done, total, "Numbering objects")
        out[box] = number[np.asarray(out[box])]
    return count


def cut(shape: Sequence[int], block: Sequence[int]) -> Iterator[Box]:
    """Yield boxes of the shape `block` that fill an array, in C order; the last are smaller."""
    sides = [
        [slice(at, min(at + step, length)) for at in range(0, length, step)]
        for length, step in zip(shape, block, strict=True)
    ]
    yield from product(*sides)


def _check(shape: tuple[int, ...], out: Any, block: Sequence[int]) -> None:
    if tuple(out.shape) != shape or out.dtype != np.int32:
        raise LabelError(
            f"Labels are written into an int32 array of shape {shape}; {out.dtype} of shape "
            f"{tuple(out.shape)} was given."
        )
    if len(block) != len(shape) or min(block) < 1:
        raise LabelError(f"Blocks of {tuple(block)} do not fit a mask of shape {shape}.")


def _label_block(
    mask: Any, out: Any, box: Box, connectivity: int, before: int
) -> tuple[int, NDArray[np.int64]]:
    """Label a block with numbers above `before`; return the highest, and first pixels."""
    labels, count = label(np.asarray(mask[box]), connectivity=connectivity)
    if before + count > MOST:
        raise LabelError(f"There are more than {MOST} objects, too many to number.")
    place = np.empty(count, np.int64)
    _first_pixels(labels.reshape(-1), place)
    corner = [side.start for side in box]
    where = np.unravel_index(place, labels.shape)
    indices = [start + index for start, index in zip(corner, where, strict=True)]
    first = np.ravel_multi_index(indices, tuple(mask.shape)).astype(np.int64)
    labels[labels > 0] += before
    out[box] = labels
    return before + count, first


@compiled
def _first_pixels(labels: NDArray[np.int32], place: NDArray[np.int64]) -> None:
    # Numbers follow their first pixels, so each new one is the next.
    seen = 0
    for index in range(labels.size):
        if labels[index] > seen:
            place[seen] = index
            seen += 1


def _join_seam(
    mask: Any, out: Any, axis: int, at: int, parent: NDArray[np.int32], connectivity: int
) -> None:
    """Unite the objects that meet between the layers `at` - 1 and `at` of an axis."""
    ndim = len(mask.shape)
    key = tuple(slice(at - 1, at + 1) if k == axis else slice(None) for k in range(ndim))
    labels = np.moveaxis(np.asarray(out[key]), axis, 0)
    values = np.moveaxis(as_volume(np.asarray(mask[key])).reshape(out[key].shape), axis, 0)
    plane = (2, -1, labels.shape[-1])
    _unite_layers(
        np.ascontiguousarray(labels).reshape(plane),
        np.ascontiguousarray(values).reshape(plane),
        parent,
        connectivity,
    )


@compiled
def _unite_layers(
    labels: NDArray[np.int32],
    values: NDArray[np.uint8],
    parent: NDArray[np.int32],
    connectivity: int,
) -> None:
    _, height, width = labels.shape
    for y in range(height):
        for x in range(width):
            here = labels[0, y, x]
            if here == 0:
                continue
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    if 1 + abs(dy) + abs(dx) > connectivity:
                        continue
                    v = y + dy
                    u = x + dx
                    if v < 0 or u < 0 or v >= height or u >= width:
                        continue
                    there = labels[1, v, u]
                    if there != 0 and values[0, y, x] == values[1, v, u]:
                        unite(parent, here, there)


@compiled
def _roots(parent: NDArray[np.int32]) -> None:
    for index in range(parent.size):
        parent[index] = find_root(parent, index)


def _numbers(parent: NDArray[np.int32], first: NDArray[np.int64]) -> tuple[NDArray[np.int32], int]:
    """Return the final number of each provisional one, in the order of first pixels."""
    _roots(parent)
    earliest = np.full(parent.size, np.iinfo(np.int64).max)
    np.minimum.at(earliest, parent, first)
    roots = np.flatnonzero(parent == np.arange(parent.size))[1:]
    number = np.zeros(parent.size, np.int32)
    number[roots[np.argsort(earliest[roots])]] = np.arange(1, roots.size + 1)
    return number[parent], int(roots.size)

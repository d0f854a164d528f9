"""Connected components by run lengths; the one place that labels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.components.runs import Runs, as_volume, find_runs
from napari_defectseg.components.team import team_for
from napari_defectseg.core.errors import LabelError


def label(
    mask: NDArray[Any],
    *,
    connectivity: int | None = None,
    out: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int32], int]:
    """Find and number the connected objects of a mask; different classes never join.

    Pixels with equal non-zero value that are neighbours belong to one object. Objects are
    numbered 1, 2, … in the order in which their first pixels are met in C order.

    Parameters
    ----------
    mask : ndarray of bool or class values, 2D or 3D
        0 is background. Every other value up to 255 is a class; the caller clears what is
        not to be labelled (255, unlabelled).
    connectivity : int or None
        1: pixels that share a face are neighbours; 2: an edge too; 3: a corner too.
        None: all neighbours (8 in a plane, 26 in a volume).
    out : ndarray of int32 or None
        Array to write into, C-contiguous and of the mask's shape; spares fresh memory.

    Returns
    -------
    labels : ndarray of int32, shape of `mask`
    count : int
        Number of objects.

    Raises
    ------
    LabelError
        If the mask, the connectivity or `out` does not fit.
    """
    ndim = np.ndim(mask)
    runs = find_runs(mask)
    names, count = number_runs(runs, full_connectivity(ndim, connectivity))
    shape = tuple(np.shape(mask))
    if out is None:
        out = np.zeros(shape, np.int32)
    else:
        _check_out(out, shape)
        out[...] = 0
    runs.draw(names, out)
    return out, count


def full_connectivity(ndim: int, connectivity: int | None) -> int:
    """Return the connectivity to use, all neighbours where none is named.

    Raises
    ------
    LabelError
        If it is not 1 to `ndim`.
    """
    if connectivity is None:
        return ndim
    if not 1 <= connectivity <= ndim:
        raise LabelError(
            f"A connectivity of {connectivity} means nothing in {ndim} dimensions.",
            hint=f"Use 1 (faces) to {ndim} (all neighbours).",
        )
    return connectivity


def number_runs(runs: Runs, connectivity: int) -> tuple[NDArray[np.int32], int]:
    """Return each run's object number, in scan order from 1, and how many objects there are."""
    depth, height, width = runs.shape
    parent = np.arange(len(runs), dtype=np.int32)
    given = (runs.first, runs.start, runs.stop, runs.value, parent, height, connectivity)
    with team_for(depth * height * width) as team:
        parts = team.cut(depth * height)
        team.run(partial(_link, *given, low, high, low, high) for low, high in parts)
    # Each part knows nothing of the rows before it: the seam joins them.
    for low, high in parts[1:]:
        _link(*given, low, min(low + height + 1, high), 0, low)
    return parent, int(_flatten(parent))


def classes_of_runs(runs: Runs, names: NDArray[np.int32], count: int) -> NDArray[np.uint8]:
    """Return the class value of every object that `number_runs` found.

    Returns
    -------
    ndarray of uint8, shape (count + 1,)
        Indexed by object number; 0 for the background.
    """
    found = np.zeros(count + 1, np.uint8)
    found[names] = runs.value
    return found


def classes_of(labels: NDArray[np.int32], mask: NDArray[Any], count: int) -> NDArray[np.uint8]:
    """Return the class value of every object that `label` found in `mask`.

    Returns
    -------
    ndarray of uint8, shape (count + 1,)
        Indexed by object number; 0 for the background.
    """
    found = np.zeros(count + 1, np.uint8)
    volume = as_volume(mask)
    _read_classes(labels.reshape(-1, labels.shape[-1]), volume.reshape(-1, volume.shape[2]), found)
    return found


def _check_out(out: NDArray[np.int32], shape: tuple[int, ...]) -> None:
    if out.dtype != np.int32 or out.shape != shape or not out.flags.c_contiguous:
        raise LabelError(
            f"Labels are written into a contiguous int32 array of shape {shape}; "
            f"{out.dtype} of shape {out.shape} was given."
        )


@compiled
def find_root(parent: NDArray[np.int32], index: int) -> int:
    """Return the smallest member of a set, halving the way to it."""
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


@compiled
def unite(parent: NDArray[np.int32], one: int, other: int) -> None:
    """Make two sets one; its root is the smaller root, so numbers follow scan order."""
    a = find_root(parent, one)
    b = find_root(parent, other)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@compiled
def _link(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    value: NDArray[np.uint8],
    parent: NDArray[np.int32],
    height: int,
    connectivity: int,
    low: int,
    high: int,
    floor: int,
    ceiling: int,
) -> None:
    """Join runs of the rows `low` … `high` with those of earlier rows in `floor` … `ceiling`."""
    for here in range(low, high):
        if first[here] == first[here + 1]:
            continue
        y = here % height
        for dz, dy in ((0, -1), (-1, -1), (-1, 0), (-1, 1)):
            steps = abs(dz) + abs(dy)
            there = here + dz * height + dy
            if steps > connectivity or there < floor or there >= ceiling:
                continue
            if y + dy < 0 or y + dy >= height:
                continue
            reach = 1 if steps < connectivity else 0
            _link_rows(first, start, stop, value, parent, here, there, reach)


@compiled
def _link_rows(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    value: NDArray[np.uint8],
    parent: NDArray[np.int32],
    here: int,
    there: int,
    reach: int,
) -> None:
    # Runs of different value may touch end to end, so each run of one row is compared with
    # all runs of the other that it overlaps, not in a plain merge.
    low = first[there]
    end = first[there + 1]
    for i in range(first[here], first[here + 1]):
        while low < end and stop[low] + reach <= start[i]:
            low += 1
        j = low
        while j < end and start[j] < stop[i] + reach:
            if value[j] == value[i]:
                unite(parent, i, j)
            j += 1


@compiled
def _flatten(parent: NDArray[np.int32]) -> int:
    # A root is the smallest of its set: going upwards, every parent is numbered already.
    count = 0
    for i in range(parent.size):
        if parent[i] == i:
            count += 1
            parent[i] = count
        else:
            parent[i] = parent[parent[i]]
    return count


@compiled
def _read_classes(
    labels: NDArray[np.int32], mask: NDArray[np.uint8], found: NDArray[np.uint8]
) -> None:
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] != 0:
                found[labels[y, x]] = mask[y, x]

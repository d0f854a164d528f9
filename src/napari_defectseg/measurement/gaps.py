"""Gaps between objects: from the surface of each to that of its nearest neighbour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.measurement.bodies import Bodies
from napari_defectseg.measurement.borders import border_points, sort_into_cells

Real = NDArray[np.float64]
CELLS = 1 << 22
"""Cells at most; each costs a few bytes."""


def nearest(bodies: Bodies) -> tuple[Real, NDArray[np.int64]]:
    """Return the gap to the nearest other object, and which it is; inf and -1 where there is none.

    The gap of two pixels is the distance of their centres less half a pixel of each in that
    direction, so that objects whose pixels touch by a face have a gap of 0.

    Parameters
    ----------
    bodies : Bodies
        Of one frame and plane.
    """
    count = len(bodies)
    gap, which = np.full(count, np.inf), np.full(count, -1, np.int64)
    if count < 2:
        return gap, which
    before = np.zeros(count + 1, np.int64)
    none = np.zeros((0, 3), np.int32)
    border_points(bodies.first, bodies.runs, bodies.boxes, bodies.flat, before, none)
    points = np.zeros((int(before[-1]), 3), np.int32)
    border_points(bodies.first, bodies.runs, bodies.boxes, bodies.flat, before, points)
    points -= points.min(axis=0)
    extent = points.max(axis=0).astype(np.int64) + 1
    size = _cell_size(extent, bodies.steps, count, bodies.ndim)
    grid = -(-extent // size)
    first = np.zeros(int(grid.prod()) + 1, np.int64)
    order = np.zeros(len(points), np.int64)
    sort_into_cells(points, size, grid, first, order)
    owner = np.repeat(np.arange(count), np.diff(before))[order]
    chunks = _chunks(points[order], owner, first, bodies.steps)
    rank = np.argsort(np.bincount(chunks[1], minlength=count), kind="stable")
    _search(*chunks, size * bodies.steps, grid, bodies.steps, rank, gap, which)
    return np.maximum(gap, 0.0), which


def _cell_size(extent: NDArray[np.int64], steps: Real, count: int, ndim: int) -> NDArray[np.int64]:
    """Return cells about half as wide as the objects are apart, at least four pixels."""
    length = float((extent * steps)[3 - ndim :].prod() / count) ** (1 / ndim) / 2
    size = np.maximum(np.ceil(length / steps), 4).astype(np.int64)
    while int((-(-extent // size)).prod()) > CELLS:
        size *= 2
    return np.asarray(size, np.int64)


Chunks = tuple[Real, NDArray[np.int64], NDArray[np.int64], Real, NDArray[np.int64]]


def _chunks(
    points: NDArray[np.int32], owner: NDArray[np.int64], first: NDArray[np.int64], steps: Real
) -> Chunks:
    """Return points, owner of each chunk, its first point, its box, and first chunk of each cell.

    A chunk is what one object has in one cell.
    """
    cell = np.repeat(np.arange(first.size - 1), np.diff(first))
    new = np.ones(len(points), bool)
    new[1:] = (owner[1:] != owner[:-1]) | (cell[1:] != cell[:-1])
    begin = np.flatnonzero(new)
    places = points * steps
    low = np.minimum.reduceat(places, begin, axis=0)
    high = np.maximum.reduceat(places, begin, axis=0)
    chunk_of = np.searchsorted(begin, first)
    bounds = np.append(begin, len(points))
    return places, owner[begin], bounds, np.concatenate([low, high], axis=1), chunk_of


@compiled
def _search(
    places: Real,
    owner: NDArray[np.int64],
    bounds: NDArray[np.int64],
    boxes: Real,
    chunk_of: NDArray[np.int64],
    cell: Real,
    grid: NDArray[np.int64],
    steps: Real,
    rank: NDArray[np.int64],
    gap: Real,
    which: NDArray[np.int64],
) -> None:
    """Look around each object ring by ring, small ones first; a find counts for both."""
    mine, first = _own(owner, gap.size)
    cell_of = _cells(chunk_of, owner.size)
    widest = steps.max()
    narrow = np.inf
    rings = 0
    for axis in range(3):
        if grid[axis] > 1:
            narrow = min(narrow, cell[axis])
        rings = max(rings, grid[axis])
    for body in rank:
        for ring in range(rings):
            # What is in this ring or behind it is at least that far.
            if (ring - 1) * narrow - widest > gap[body]:
                break
            for k in range(first[body], first[body + 1]):
                chunk = mine[k]
                _look(ring, chunk, cell_of[chunk], places, owner, bounds, boxes, chunk_of,
                      grid, steps, gap, which)  # fmt: skip


@compiled
def _own(owner: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first = np.zeros(count + 1, np.int64)
    for chunk in range(owner.size):
        first[owner[chunk] + 1] += 1
    for body in range(count):
        first[body + 1] += first[body]
    used = first.copy()
    mine = np.empty(owner.size, np.int64)
    for chunk in range(owner.size):
        mine[used[owner[chunk]]] = chunk
        used[owner[chunk]] += 1
    return mine, first


@compiled
def _cells(chunk_of: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    cell_of = np.empty(count, np.int64)
    for cell in range(chunk_of.size - 1):
        for chunk in range(chunk_of[cell], chunk_of[cell + 1]):
            cell_of[chunk] = cell
    return cell_of


@compiled
def _look(
    ring: int,
    chunk: int,
    at: int,
    places: Real,
    owner: NDArray[np.int64],
    bounds: NDArray[np.int64],
    boxes: Real,
    chunk_of: NDArray[np.int64],
    grid: NDArray[np.int64],
    steps: Real,
    gap: Real,
    which: NDArray[np.int64],
) -> None:
    """Compare one chunk with those of the cells that are `ring` cells away."""
    z = at // (grid[1] * grid[2])
    y = at // grid[2] % grid[1]
    x = at % grid[2]
    for w in range(max(z - ring, 0), min(z + ring + 1, grid[0])):
        for v in range(max(y - ring, 0), min(y + ring + 1, grid[1])):
            edge = abs(w - z) == ring or abs(v - y) == ring
            step = 1 if edge or ring == 0 else 2 * ring
            for u in range(x - ring, x + ring + 1, step):
                if u < 0 or u >= grid[2]:
                    continue
                cell = (w * grid[1] + v) * grid[2] + u
                for other in range(chunk_of[cell], chunk_of[cell + 1]):
                    if owner[other] != owner[chunk]:
                        _compare(chunk, other, places, owner, bounds, boxes, steps, gap, which)


@compiled
def _compare(
    one: int,
    other: int,
    places: Real,
    owner: NDArray[np.int64],
    bounds: NDArray[np.int64],
    boxes: Real,
    steps: Real,
    gap: Real,
    which: NDArray[np.int64],
) -> None:
    a, b = owner[one], owner[other]
    limit = max(gap[a], gap[b])
    widest = steps.max()
    if _box_distance(boxes[one, :3], boxes[one, 3:], boxes[other]) - widest > limit:
        return
    best = np.inf
    for i in range(bounds[one], bounds[one + 1]):
        place = places[i]
        if _box_distance(place, place, boxes[other]) - widest > min(limit, best):
            continue
        for j in range(bounds[other], bounds[other + 1]):
            best = min(best, _gap_of(place, places[j], steps, min(limit, best) + widest))
    if best < gap[a] or (best == gap[a] and b < which[a]):
        gap[a], which[a] = best, b
    if best < gap[b] or (best == gap[b] and a < which[b]):
        gap[b], which[b] = best, a


@compiled
def _gap_of(one: Real, other: Real, steps: Real, reach: float) -> float:
    """Return the gap of two pixels; inf where their centres are farther apart than `reach`."""
    square = 0.0
    pixels = 0.0
    for axis in range(3):
        # Whole pixels, so that a gap of nothing is 0 and no rounding error.
        across = np.rint((one[axis] - other[axis]) / steps[axis])
        square += (across * steps[axis]) ** 2
        pixels += across * across
    if square > reach * reach or pixels == 0:
        return np.inf if pixels else 0.0
    # In this direction a pixel is |d| over the number of pixels that d spans.
    distance = np.sqrt(square)
    gap: float = distance * (1 - 1 / np.sqrt(pixels))
    return gap


@compiled
def _box_distance(low: Real, high: Real, box: Real) -> float:
    square = 0.0
    for axis in range(3):
        away = max(0.0, box[axis] - high[axis], low[axis] - box[axis + 3])
        square += away * away
    distance: float = np.sqrt(square)
    return distance

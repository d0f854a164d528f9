"""Border pixels of objects, sorted into cells, for distances from object to object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.measurement.gathering import lines_of


@compiled
def border_points(
    first: NDArray[np.int64],
    runs: NDArray[np.int32],
    boxes: NDArray[np.int64],
    flat: bool,
    before: NDArray[np.int64],
    points: NDArray[np.int32],
) -> None:
    """Find pixels with a face neighbour outside their object.

    Parameters
    ----------
    first, runs, boxes, flat
        As `Bodies` has them.
    before : ndarray of int64, shape (n + 1,)
        Filled with the number of points of the objects before each.
    points : ndarray of int32, shape (points, 3), or of no points
        z, y, x. With no points they are only counted.
    """
    used = 0
    at = np.empty(4, np.int64)
    end = np.empty(4, np.int64)
    for body in range(first.size - 1):
        before[body] = used
        depth, height = boxes[body, 3], boxes[body, 4]
        lines = np.empty(depth * height + 1, np.int64)
        lines_of(runs, first[body], first[body + 1], boxes[body], lines)
        for run in range(first[body], first[body + 1]):
            z = runs[run, 0] - boxes[body, 0]
            y = runs[run, 1] - boxes[body, 1]
            for side in range(4):
                v = z + (side - 1 if side % 2 == 0 else 0)
                u = y + (side - 2 if side % 2 == 1 else 0)
                inside = v >= 0 and v < depth and u >= 0 and u < height
                at[side] = lines[v * height + u] if inside else 0
                end[side] = lines[v * height + u + 1] if inside else 0
            for x in range(runs[run, 2], runs[run, 3]):
                outside = x == runs[run, 2] or x == runs[run, 3] - 1
                for side in range(4):
                    if flat and side % 2 == 0:
                        continue
                    while at[side] < end[side] and runs[at[side], 3] <= x:
                        at[side] += 1
                    outside |= at[side] >= end[side] or runs[at[side], 2] > x
                if outside:
                    if used < points.shape[0]:
                        points[used, 0] = runs[run, 0]
                        points[used, 1] = runs[run, 1]
                        points[used, 2] = x
                    used += 1
    before[first.size - 1] = used


@compiled
def sort_into_cells(
    points: NDArray[np.int32],
    size: NDArray[np.int64],
    grid: NDArray[np.int64],
    first: NDArray[np.int64],
    order: NDArray[np.int64],
) -> None:
    """Sort points by cell; those of one cell keep their order.

    Parameters
    ----------
    points : ndarray of int32, shape (points, 3)
    size : ndarray of int64, shape (3,)
        Pixels of a cell along each axis.
    grid : ndarray of int64, shape (3,)
        Cells along each axis.
    first : ndarray of int64, shape (cells + 1,), all 0
        Filled: where each cell's points begin in `order`.
    order : ndarray of int64, shape (points,)
    """
    for k in range(points.shape[0]):
        first[_cell(points[k], size, grid) + 1] += 1
    for cell in range(first.size - 1):
        first[cell + 1] += first[cell]
    used = first.copy()
    for k in range(points.shape[0]):
        cell = _cell(points[k], size, grid)
        order[used[cell]] = k
        used[cell] += 1


@compiled
def _cell(point: NDArray[np.int32], size: NDArray[np.int64], grid: NDArray[np.int64]) -> int:
    z, y, x = point[0] // size[0], point[1] // size[1], point[2] // size[2]
    cell: int = (z * grid[1] + y) * grid[2] + x
    return cell

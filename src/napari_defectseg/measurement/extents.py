"""How far objects reach: Feret diameters and the smallest ball around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.measurement.hulls import body_hull

Real = NDArray[np.float64]
CLOSE = 1e-12
"""Relative differences of squared lengths below this are rounding errors."""
ENOUGH = 10_000
"""The search for the smallest ball ends far earlier; each step makes the ball larger."""


@compiled
def longest(first: NDArray[np.int64], runs: NDArray[np.int32], steps: Real, out: Real) -> None:
    """Write the largest distance of two pixel centres of each object."""
    for body in range(first.size - 1):
        places = _places(runs, first[body], first[body + 1], steps)
        out[body] = np.sqrt(_longest(places)) if places.shape[0] else np.nan


@compiled
def narrowest(first: NDArray[np.int64], runs: NDArray[np.int32], steps: Real, out: Real) -> None:
    """Write the least width of each object in a plane, over all directions.

    The least width of a polygon stands on one of its sides (rotating calipers).
    """
    for body in range(first.size - 1):
        places = _places(runs, first[body], first[body + 1], steps)
        count = places.shape[0]
        least = np.inf
        for k in range(count):
            n = (k + 1) % count
            dy = places[n, 1] - places[k, 1]
            dx = places[n, 2] - places[k, 2]
            length = np.sqrt(dy * dy + dx * dx)
            far = 0.0
            for m in range(count):
                across = dy * (places[m, 2] - places[k, 2]) - dx * (places[m, 1] - places[k, 1])
                far = max(far, abs(across))
            if length > 0:
                least = min(least, far / length)
        out[body] = (least if count > 1 else 0.0) if count else np.nan


@compiled
def enclosing(first: NDArray[np.int64], runs: NDArray[np.int32], steps: Real, out: Real) -> None:
    """Write the diameter of the smallest ball around the pixel centres of each object.

    The ball is carried by at most four points; the farthest point outside joins them until
    there is none (as Welzl 1991).
    """
    carriers = np.zeros((5, 3))
    for body in range(first.size - 1):
        places = _places(runs, first[body], first[body + 1], steps)
        if places.shape[0] == 0:
            out[body] = np.nan
            continue
        carriers[0] = places[0]
        count = 1
        centre = places[0].copy()
        square = 0.0
        for _ in range(ENOUGH):
            outside, distance = _farthest(places, centre)
            if distance <= square * (1 + 1e-9) + CLOSE:
                break
            carriers[count] = places[outside]
            count, square = _smallest_ball(carriers, count + 1, centre)
        out[body] = 2 * np.sqrt(square)


@compiled
def hull_points(runs: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return points z, y, x of one object among which are all corners of its hull."""
    points = np.empty((2 * runs.shape[0], 3), np.int64)
    used = body_hull(runs, 0, runs.shape[0], points)
    return points[:used]


@compiled
def _places(runs: NDArray[np.int32], begin: int, end: int, steps: Real) -> Real:
    points = np.empty((2 * (end - begin), 3), np.int64)
    used = body_hull(runs, begin, end, points)
    places = np.empty((used, 3))
    for k in range(used):
        for axis in range(3):
            places[k, axis] = (points[k, axis] - points[0, axis]) * steps[axis]
    return places


@compiled
def _longest(places: Real) -> float:
    """Return the largest squared distance; far points first, so that few pairs are tried."""
    count = places.shape[0]
    centre = np.zeros(3)
    for axis in range(3):
        centre[axis] = (places[:, axis].min() + places[:, axis].max()) / 2
    one, _ = _farthest(places, centre)
    _, best = _farthest(places, places[one])
    reach = np.empty(count)
    for k in range(count):
        reach[k] = np.sqrt(_square(places[k], centre))
    order = np.argsort(-reach)
    limit = np.sqrt(best)
    for i in range(count):
        k = order[i]
        if reach[k] + reach[order[0]] <= limit:
            break
        for j in range(i):
            m = order[j]
            if reach[k] + reach[m] <= limit:
                break
            distance = _square(places[k], places[m])
            if distance > best:
                best = distance
                limit = np.sqrt(best)
    return best


@compiled
def _square(one: Real, other: Real) -> float:
    total = 0.0
    for axis in range(3):
        total += (one[axis] - other[axis]) ** 2
    return total


@compiled
def _farthest(places: Real, centre: Real) -> tuple[int, float]:
    best = -1.0
    which = 0
    for k in range(places.shape[0]):
        distance = _square(places[k], centre)
        if distance > best:
            best = distance
            which = k
    return which, best


@compiled
def _smallest_ball(carriers: Real, count: int, centre: Real) -> tuple[int, float]:
    """Find the smallest ball around up to five points; the last one is on it.

    Writes its centre, moves the points that carry it to the front, and returns their number
    and the squared radius.
    """
    least = np.inf
    chosen = 0
    trial = np.zeros(3)
    best = np.zeros(3)
    for members in range(1 << (count - 1)):
        members |= 1 << (count - 1)
        square = _circumsphere(carriers, members, count, trial)
        if square >= least:
            continue
        inside = True
        for k in range(count):
            inside &= _square(carriers[k], trial) <= square * (1 + 1e-10) + CLOSE
        if inside:
            least = square
            chosen = members
            best[:] = trial
    if chosen == 0:
        # Rounding: keep all and let the ball be the one around their middle.
        return count - 1, _around_middle(carriers, count, centre)
    used = 0
    for k in range(count):
        if chosen >> k & 1:
            carriers[used] = carriers[k]
            used += 1
    centre[:] = best
    return used, least


@compiled
def _around_middle(carriers: Real, count: int, centre: Real) -> float:
    for axis in range(3):
        centre[axis] = carriers[:count, axis].mean()
    square = 0.0
    for k in range(count):
        square = max(square, _square(carriers[k], centre))
    return square


@compiled
def _circumsphere(carriers: Real, members: int, count: int, centre: Real) -> float:
    """Write the centre of the ball through points, in their own plane; inf if there is none."""
    base = -1
    size = 0
    edges = np.zeros((4, 3))
    for k in range(count):
        if members >> k & 1:
            if base < 0:
                base = k
            elif size == 3:
                return np.inf
            else:
                for axis in range(3):
                    edges[size, axis] = carriers[k, axis] - carriers[base, axis]
                size += 1
    gram = np.zeros((3, 4))
    for i in range(size):
        for j in range(size):
            for axis in range(3):
                gram[i, j] += edges[i, axis] * edges[j, axis]
        gram[i, 3] = gram[i, i] / 2
    if not _solve(gram, size):
        return np.inf
    square = 0.0
    for axis in range(3):
        shift = 0.0
        for i in range(size):
            shift += gram[i, 3] * edges[i, axis]
        centre[axis] = carriers[base, axis] + shift
        square += shift * shift
    return square


@compiled
def _solve(gram: Real, size: int) -> bool:
    """Solve the first `size` equations in place (Gauss, with pivots); False if none can."""
    for i in range(size):
        pivot = i
        for k in range(i + 1, size):
            if abs(gram[k, i]) > abs(gram[pivot, i]):
                pivot = k
        if abs(gram[pivot, i]) < CLOSE:
            return False
        for j in range(4):
            other = gram[i, j]
            gram[i, j] = gram[pivot, j]
            gram[pivot, j] = other
        for k in range(size):
            if k != i:
                factor = gram[k, i] / gram[i, i]
                for j in range(4):
                    gram[k, j] -= factor * gram[i, j]
    for i in range(size):
        gram[i, 3] /= gram[i, i]
    return True

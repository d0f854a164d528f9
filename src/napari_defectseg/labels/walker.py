"""Random walker on a block: how likely a walk from each voxel meets the inside first; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

FREE, OUTSIDE, INSIDE = 0, 1, 2
"""What the marks of a voxel say."""
STEEPNESS = 13.0
"""Weight of an edge is exp(-STEEPNESS d²), d the step in standard deviations of the block."""
FLOOR = 1e-4
"""No edge is weaker, so that nothing is cut off by a single noisy voxel."""
PRIOR = 0.2
"""How much the grey value of a voxel itself says, beside its neighbours (Grady 2005)."""
SWEEPS_COARSE, SWEEPS = 60, 24
RELAX = 1.6
SMALLEST = 8
Block = NDArray[np.float32]


def walk(values: Block, marks: NDArray[np.uint8], steps: tuple[float, float, float]) -> Block:
    """Return for each voxel the probability that a random walk meets the inside first.

    The walk prefers steps between similar grey values (Grady 2006); a weak prior from the grey
    values under the marks lets it reach places that the marks are far from (Grady 2005). Solved
    by relaxation from coarse to fine: each level starts at the answer of the one below.

    Parameters
    ----------
    values : ndarray of float32, shape (z, y, x)
        Grey values, best a little blurred.
    marks : ndarray of uint8, same shape
        `INSIDE`, `OUTSIDE` or `FREE`.
    steps : tuple of float
        Length of a voxel along each axis: a step along a long one weighs less.

    Returns
    -------
    ndarray of float32
        1 on inside marks, 0 on outside marks.
    """
    spread = float(values.std()) or 1.0
    scaled = (values / spread).astype(np.float32)
    pull = _prior(scaled, marks)
    return _solve(scaled, marks, pull, steps)


def _solve(
    values: Block, marks: NDArray[np.uint8], pull: Block, steps: tuple[float, float, float]
) -> Block:
    halves = tuple(2 if length >= 2 * SMALLEST else 1 for length in values.shape)
    if max(halves) > 1:
        coarse_steps = steps[0] * halves[0], steps[1] * halves[1], steps[2] * halves[2]
        below = _solve(
            _mean(values, halves), _join(marks, halves), _mean(pull, halves), coarse_steps
        )
        answer = _spread(below, halves, values.shape)
        sweeps = SWEEPS
    else:
        answer, sweeps = pull.copy(), SWEEPS_COARSE
    answer[marks == INSIDE] = 1
    answer[marks == OUTSIDE] = 0
    along_z, along_y, along_x = (_weights(values, axis, steps) for axis in range(3))
    fixed = marks != FREE
    settings = np.float32(PRIOR), np.float32(RELAX)
    for _ in range(sweeps):
        for parity in (0, 1):
            _relax(answer, fixed, pull, along_z, along_y, along_x, *settings, parity)
    return answer


def _weights(values: Block, axis: int, steps: tuple[float, float, float]) -> Block:
    """Return the weight of the step from each voxel to the next along an axis; 0 at the end."""
    found = np.zeros_like(values)
    inner = [slice(None)] * 3
    inner[axis] = slice(0, -1)
    across = (min(steps) / steps[axis]) ** 2
    weight = np.exp(-STEEPNESS * np.diff(values, axis=axis) ** 2) + FLOOR
    found[tuple(inner)] = weight * across
    return found


def _prior(values: Block, marks: NDArray[np.uint8]) -> Block:
    """Return how likely each grey value is one of the inside, from those under the marks."""
    inside, outside = values[marks == INSIDE], values[marks == OUTSIDE]
    if inside.size < 2 or outside.size < 2:
        return np.full(values.shape, 0.5, np.float32)
    low = min(float(inside.min()), float(outside.min()))
    high = max(float(inside.max()), float(outside.max()), low + 1e-6)
    bins = 64
    counts = [_histogram(part, low, high, bins) for part in (inside, outside)]
    share = counts[0] / (counts[0] + counts[1])
    places = ((values - low) / (high - low) * bins).clip(0, bins - 1).astype(np.intp)
    return np.asarray(share[places], np.float32)


def _histogram(part: Block, low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Return a smooth density that is nowhere 0."""
    counts, _ = np.histogram(part, bins, (low, high))
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 2.5) ** 2)
    smooth = np.convolve(counts / part.size, kernel / kernel.sum(), "same")
    density: NDArray[np.float64] = smooth + 1e-3 / bins
    return density


def _mean(values: Block, halves: tuple[int, ...]) -> Block:
    blocks = _blocks(values, halves, "edge")
    mean: Block = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return mean


def _join(marks: NDArray[np.uint8], halves: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return coarse marks: inside before outside before free."""
    joined: NDArray[np.uint8] = _blocks(marks, halves, "edge").max(axis=(1, 3, 5))
    return joined


def _blocks(values: Any, halves: tuple[int, ...], mode: Any) -> Any:
    missing = [(0, -length % half) for length, half in zip(values.shape, halves, strict=True)]
    padded = np.pad(values, missing, mode=mode)
    sides = [
        part
        for length, half in zip(padded.shape, halves, strict=True)
        for part in (length // half, half)
    ]
    return padded.reshape(sides)


def _spread(values: Block, halves: tuple[int, ...], shape: tuple[int, ...]) -> Block:
    for axis, half in enumerate(halves):
        if half > 1:
            values = np.repeat(values, half, axis=axis)
    return np.ascontiguousarray(values[tuple(slice(0, length) for length in shape)])


@compiled
def _relax(
    answer: Block,
    fixed: NDArray[np.bool_],
    pull: Block,
    along_z: Block,
    along_y: Block,
    along_x: Block,
    prior: np.float32,
    relax: np.float32,
    parity: int,
) -> None:
    """One sweep of over-relaxation over every other voxel, in place."""
    depth, height, width = answer.shape
    for z in range(depth):
        for y in range(height):
            for x in range((z + y + parity) % 2, width, 2):
                if fixed[z, y, x]:
                    continue
                total = prior
                found = prior * pull[z, y, x]
                if z > 0:
                    weight = along_z[z - 1, y, x]
                    total += weight
                    found += weight * answer[z - 1, y, x]
                if z < depth - 1:
                    weight = along_z[z, y, x]
                    total += weight
                    found += weight * answer[z + 1, y, x]
                if y > 0:
                    weight = along_y[z, y - 1, x]
                    total += weight
                    found += weight * answer[z, y - 1, x]
                if y < height - 1:
                    weight = along_y[z, y, x]
                    total += weight
                    found += weight * answer[z, y + 1, x]
                if x > 0:
                    weight = along_x[z, y, x - 1]
                    total += weight
                    found += weight * answer[z, y, x - 1]
                if x < width - 1:
                    weight = along_x[z, y, x]
                    total += weight
                    found += weight * answer[z, y, x + 1]
                answer[z, y, x] += relax * (found / total - answer[z, y, x])

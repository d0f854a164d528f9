"""The null model of space: the same objects, put down anew without overlap in the same mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.core.errors import MeasurementError

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Real = NDArray[np.float64]

TRIES = 2000
"""Places tried for an object before a run is begun again."""
RESTARTS = 20


@dataclass(frozen=True)
class Shapes:
    """Objects as pixels relative to their middle, the largest first.

    Parameters
    ----------
    pixels : ndarray of int64, shape (p, 3)
        z, y, x; of planes z is 0.
    start : ndarray of int64, shape (n + 1,)
        Where the pixels of each object begin.
    """

    pixels: Ints
    start: Ints

    def __len__(self) -> int:
        return self.start.size - 1


def shapes_of(labels: NDArray[Any]) -> Shapes:
    """Return the shapes of all objects of a plane or volume, the largest first."""
    flat = np.ravel(labels)
    where = np.flatnonzero(flat)
    order = np.argsort(flat[where], kind="stable")
    where = where[order]
    _, first, counts = np.unique(flat[where], return_index=True, return_counts=True)
    full = (1,) * (3 - labels.ndim) + labels.shape
    at = np.stack(np.unravel_index(where, full), axis=1).astype(np.int64)
    pieces = []
    for index in np.argsort(-counts, kind="stable"):
        own = at[first[index] : first[index] + counts[index]]
        pieces.append(own - np.rint(own.mean(axis=0)).astype(np.int64))
    if not pieces:
        return Shapes(np.zeros((0, 3), np.int64), np.zeros(1, np.int64))
    start = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])])
    return Shapes(np.concatenate(pieces), start.astype(np.int64))


def reshuffled(shapes: Shapes, inside: Mask, rng: np.random.Generator) -> Real:
    """Return the middles of the objects put down at random without overlap, in pixels.

    The middle of each object falls on a counted pixel; parts beyond what is counted are cut
    off, as they are in the picture. Objects are put down from the largest to the smallest.

    Parameters
    ----------
    shapes : Shapes
    inside : ndarray of bool, shape (y, x) or (z, y, x)
        What is counted.
    rng : numpy Generator

    Returns
    -------
    ndarray of float64, shape (n, ndim)

    Raises
    ------
    MeasurementError
        If the objects are too dense to be put down at random.
    """
    volume = inside.reshape((1,) * (3 - inside.ndim) + inside.shape)
    free = np.flatnonzero(volume).astype(np.int64)
    if len(shapes) and not free.size:
        raise MeasurementError("Nothing is counted: objects have no place to lie.")
    for _ in range(RESTARTS):
        taken = ~volume
        middles = np.zeros((len(shapes), 3))
        seed = int(rng.integers(1 << 31))
        if _put_down(shapes.pixels, shapes.start, free, volume, taken, middles, seed, TRIES):
            return middles[:, 3 - inside.ndim :]
    raise MeasurementError(
        "The objects lie too close to be put down anew at random.",
        hint="Above about 40 % of the area there is no such null model.",
    )


@compiled
def _put_down(
    pixels: Ints,
    start: Ints,
    free: Ints,
    inside: Mask,
    taken: Mask,
    middles: Real,
    seed: int,
    tries: int,
) -> bool:
    np.random.seed(seed)  # noqa: NPY002 — the compiled code's own generator
    rows, columns = inside.shape[1], inside.shape[2]
    for index in range(start.size - 1):
        placed = False
        for _ in range(tries):
            at = free[np.random.randint(free.size)]  # noqa: NPY002
            z, rest = at // (rows * columns), at % (rows * columns)
            y, x = rest // columns, rest % columns
            if _fits(pixels, start[index], start[index + 1], z, y, x, inside, taken):
                _draw(
                    pixels, start[index], start[index + 1], z, y, x, inside, taken, middles[index]
                )
                placed = True
                break
        if not placed:
            return False
    return True


@compiled
def _fits(
    pixels: Ints, first: int, last: int, z: int, y: int, x: int, inside: Mask, taken: Mask
) -> bool:
    depth, rows, columns = inside.shape
    for k in range(first, last):
        a, b, c = pixels[k, 0] + z, pixels[k, 1] + y, pixels[k, 2] + x
        within = 0 <= a < depth and 0 <= b < rows and 0 <= c < columns
        if within and inside[a, b, c] and taken[a, b, c]:
            return False
    return True


@compiled
def _draw(
    pixels: Ints,
    first: int,
    last: int,
    z: int,
    y: int,
    x: int,
    inside: Mask,
    taken: Mask,
    middle: Real,
) -> None:
    depth, rows, columns = inside.shape
    count = 0
    middle[:] = 0
    for k in range(first, last):
        a, b, c = pixels[k, 0] + z, pixels[k, 1] + y, pixels[k, 2] + x
        if 0 <= a < depth and 0 <= b < rows and 0 <= c < columns and inside[a, b, c]:
            taken[a, b, c] = True
            middle[0] += a
            middle[1] += b
            middle[2] += c
            count += 1
    if count == 0:
        middle[0], middle[1], middle[2] = z, y, x
    else:
        middle /= count

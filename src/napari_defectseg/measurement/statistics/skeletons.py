"""`Skeleton`: the branches of line-like objects, without spurs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDS = 4
"""Times that spurs are looked for: taking one away can make another."""


@dataclass(frozen=True)
class Branch:
    """A line between two ends or junctions.

    Parameters
    ----------
    points : ndarray of int64, shape (m, ndim)
        Its pixels in order.
    free : tuple of bool
        Whether its first and last pixel are free ends.
    loop : bool
        Whether it is closed.
    """

    points: NDArray[np.int64]
    free: tuple[bool, bool]
    loop: bool = False


@dataclass(frozen=True)
class Skeleton:
    """Middle lines of a mask.

    Parameters
    ----------
    image : ndarray of bool
        One pixel wide.
    branches : tuple of Branch
    depth : ndarray of float
        Distance of each pixel of the mask to the nearest pixel outside, in units of length;
        beyond the frame is outside. Twice that is the local width, at most 0.3 px too large.
    spurs : int
        Branches shorter than the width of the line that they stand on, taken away.
    points : int
        Objects whose middle is a single pixel: no line, no length.
    """

    image: Mask
    branches: tuple[Branch, ...]
    depth: Real
    spurs: int
    points: int

    @property
    def junctions(self) -> int:
        """Number of places where branches meet."""
        from skimage.measure import label

        structure = _degrees(self.image) > 2
        return int(label(structure, connectivity=structure.ndim).max())


def skeletonise(mask: NDArray[Any], spacing: Sequence[float]) -> Skeleton:
    """Return the middle lines of a mask, spurs taken away.

    A spur is a branch with one free end that is shorter than the width of the line where it
    begins. Thinning is scikit-image's by Lee et al. 1994 (that of Zhang & Suen loses slanting
    lines of two pixels), the graph skan's (Nunez-Iglesias et al. 2018).

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x) or (z, y, x)
    spacing : sequence of float
        Size of a pixel along each axis.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    inside = np.asarray(mask, bool)
    padded = np.pad(inside, 1)
    half = ndimage.distance_transform_edt(padded, sampling=spacing)
    half = half[(slice(1, -1),) * inside.ndim]
    image = np.asarray(skeletonize(inside, method="lee"), bool)
    steps = np.asarray(spacing, np.float64)
    spurs = 0
    for _ in range(ROUNDS):
        branches = _branches(image)
        short = [branch for branch in branches if _is_spur(branch, half, steps)]
        if not short:
            break
        spurs += len(short)
        image = image.copy()
        for branch in short:
            gone = branch.points[:-1] if branch.free[0] else branch.points[1:]
            image[tuple(gone.T)] = False
        image = np.asarray(skeletonize(image, method="lee"), bool)
    else:
        branches = _branches(image)
    points = int(np.count_nonzero(image & (_degrees(image) == 0)))
    return Skeleton(image, tuple(branches), half, spurs, points)


def _branches(image: Mask) -> list[Branch]:
    degrees = _degrees(image)
    linked = image & (degrees > 0)
    if not linked.any():
        return []
    from skan import Skeleton as Graph

    graph = Graph(linked)
    found = []
    for index in range(graph.n_paths):
        points = np.asarray(graph.path_coordinates(index), np.int64)
        ends = [int(degrees[tuple(points[at])]) == 1 for at in (0, -1)]
        loop = bool(len(points) > 2 and (points[0] == points[-1]).all())
        found.append(Branch(points, (ends[0], ends[1]), loop))
    return found


def _is_spur(branch: Branch, half: Real, steps: Real) -> bool:
    if branch.loop or branch.free[0] == branch.free[1]:
        return False
    root = branch.points[-1] if branch.free[0] else branch.points[0]
    length = float(np.linalg.norm(np.diff(branch.points * steps, axis=0), axis=1).sum())
    return length < 2 * float(half[tuple(root)])


def _degrees(image: Mask) -> NDArray[np.int64]:
    from scipy import ndimage

    around = ndimage.convolve(
        image.astype(np.int64), np.ones((3,) * image.ndim, np.int64), mode="constant"
    )
    degrees: NDArray[np.int64] = np.where(image, around - 1, 0)
    return degrees

"""`measure_lines`: length, density, width and direction of dislocations and cracks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import garwood, weighted_count
from napari_defectseg.measurement.statistics.lengths import path_length, smoothed
from napari_defectseg.measurement.statistics.roses import Rose, rose
from napari_defectseg.measurement.statistics.skeletons import Branch, Skeleton, skeletonise

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

_Found = tuple[float, float, float, float]
BASIS = "95 %, counting alone, connected lines at random"


@dataclass(frozen=True)
class Line:
    """One branch, measured.

    Parameters
    ----------
    length : float
        Corrected, up to the tips.
    chord : float
        Distance of its ends.
    width, widest : float
        Mean and largest local width.
    group : int
        Number of the connected lines that it belongs to, from 0.
    """

    length: float
    chord: float
    width: float
    widest: float
    group: int

    @property
    def tortuosity(self) -> float:
        """Length over the distance of the ends; nan for a loop."""
        return self.length / self.chord if self.chord > 0 else math.nan


@dataclass(frozen=True)
class Lines:
    """All lines of a picture or volume.

    Parameters
    ----------
    branches : tuple of Line
    length : float
        Of all branches.
    size : float
        Counted area or volume.
    ndim : int
    unit : str
        Of lengths.
    junctions, spurs, points : int
        Of the skeleton; see `Skeleton`.
    rose : Rose or None
        Directions in a plane.
    """

    branches: tuple[Line, ...]
    length: float
    size: float
    ndim: int
    unit: str
    junctions: int
    spurs: int
    points: int
    rose: Rose | None

    @property
    def groups(self) -> Real:
        """Length of each connected network of lines."""
        if not self.branches:
            return np.zeros(0)
        at = np.array([line.group for line in self.branches])
        return np.bincount(at, [line.length for line in self.branches]).astype(np.float64)

    def density(self) -> Estimate:
        """Return the length per counted area (volume)."""
        exponent = {2: "⁻¹", 3: "⁻²"}[self.ndim]
        return self._over(self.size, self.unit + exponent)

    def foil_density(self, thickness: float, visible: float = 1.0) -> Estimate:
        """Return ρ = (4/π) L_p/(A t), for lines of all directions seen in projection.

        Bailey & Hirsch 1960. For lines in the plane of the foil it is L_p/(A t).

        Parameters
        ----------
        thickness : float
            In the unit of the lengths.
        visible : float
            Visible share by g·b.

        Raises
        ------
        MeasurementError
            For a volume, or a thickness or share that is none.
        """
        if self.ndim != 2:
            raise MeasurementError("A foil thickness means nothing for a volume.")
        _check(thickness, visible)
        return self._over(self.size * thickness * visible * math.pi / 4, self.unit + "⁻²")

    def _over(self, size: float, unit: str) -> Estimate:
        if size <= 0:
            return Estimate(None, unit, reason="nothing was counted: the region is empty")
        groups = self.groups
        groups = groups[groups > 0]
        if not groups.size:
            return Estimate(0.0, unit)
        low, high = weighted_count(groups / size)
        return Estimate(self.length / size, unit, low, high, basis=BASIS)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        found: dict[str, Any] = {
            "length": Estimate(self.length, self.unit).as_dict(),
            "length_density": self.density().as_dict(),
            "branches": len(self.branches),
            "junctions": self.junctions,
            "spurs_removed": self.spurs,
            "points_without_length": self.points,
        }
        if self.branches:
            weights = np.array([line.length for line in self.branches])
            bent = np.array([line.tortuosity for line in self.branches])
            held = np.isfinite(bent)
            width = float(weights @ [line.width for line in self.branches] / weights.sum())
            found["mean_width"] = Estimate(width, self.unit).as_dict()
            widest = max(line.widest for line in self.branches)
            found["largest_width"] = Estimate(widest, self.unit).as_dict()
            if held.any():
                mean = float(weights[held] @ bent[held] / weights[held].sum())
                found["mean_tortuosity"] = Estimate(mean).as_dict()
        if self.rose is not None and self.branches:
            direction = None if math.isnan(self.rose.mean) else self.rose.mean
            found["rose"] = {
                "edges_degrees": self.rose.edges.tolist(),
                "length": self.rose.length.tolist(),
                "mean_degrees": direction,
                "strength": self.rose.strength,
            }
        return found


def measure_lines(
    mask: NDArray[Any],
    spacing: float | Sequence[float] = 1.0,
    unit: str = "px",
    *,
    roi: Mask | None = None,
) -> Lines:
    """Measure line-like objects: dislocations, cracks, grain boundaries.

    Lines are thinned, spurs shorter than the local width taken away, each branch is smoothed
    before its length is taken (raw steps are 5 to 8 % too long), and what thinning takes away
    at each free end, about half the width, is added. Length needs no border correction.
    Crossings of lines in a projection look like junctions and are counted as such.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x) or (z, y, x)
    spacing : float or sequence of float
        Size of a pixel along each axis.
    unit : str
        Of the spacing.
    roi : ndarray of bool or None
        What is counted.

    Raises
    ------
    MeasurementError
        If the mask is neither a plane nor a volume.
    """
    inside = np.asarray(mask, bool)
    if inside.ndim not in (2, 3):
        raise MeasurementError(f"Lines are measured in planes and volumes, not in {inside.ndim}D.")
    steps = np.broadcast_to(np.asarray(spacing, np.float64), (inside.ndim,))
    counted = inside.size if roi is None else int(np.count_nonzero(roi))
    if roi is not None:
        inside = inside & roi
    skeleton = skeletonise(inside, steps.tolist())
    paths = [smoothed(branch.points * steps, loop=branch.loop) for branch in skeleton.branches]
    found = tuple(
        Line(*_measured(branch, path, inside, skeleton.depth, steps), group)
        for branch, path, group in zip(skeleton.branches, paths, _groups(skeleton), strict=True)
    )
    return Lines(
        found,
        float(sum(line.length for line in found)),
        counted * float(np.prod(steps)),
        inside.ndim,
        unit,
        skeleton.junctions,
        skeleton.spurs,
        skeleton.points,
        _rose_of(paths) if inside.ndim == 2 else None,
    )


def ham_density(
    crossings: int, line_length: float, thickness: float, visible: float = 1.0, unit: str = ""
) -> Estimate:
    """Return ρ = 2n/(L t) from crossings with test lines (Ham 1961).

    Parameters
    ----------
    crossings : int
        Of all test lines with dislocations.
    line_length : float
        Total length of the test lines.
    thickness : float
        In the same unit.
    visible : float
        Visible share by g·b.
    unit : str
        Of the lengths.
    """
    _check(thickness, visible)
    if line_length <= 0:
        raise MeasurementError("Test lines need a length.")
    scale = 2 / (line_length * thickness * visible)
    low, high = garwood(crossings)
    per = f"{unit}⁻²" if unit else ""
    return Estimate(crossings * scale, per, low * scale, high * scale, basis="95 %, counting alone")


def grid_crossings(
    mask: NDArray[Any],
    pitch: int,
    spacing: Sequence[float] = (1.0, 1.0),
    *,
    roi: Mask | None = None,
) -> tuple[int, float]:
    """Return how often rows and columns `pitch` pixels apart cross lines, and their length.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x)
    pitch : int
        Pixels between test lines.
    spacing : sequence of float
    roi : ndarray of bool or None

    Raises
    ------
    MeasurementError
        If the mask is no plane or the pitch leaves no test line.
    """
    inside = np.asarray(mask, bool)
    if inside.ndim != 2 or not 1 <= pitch <= 2 * min(inside.shape):
        raise MeasurementError("Test lines are drawn in a plane, closer than its sides.")
    counted = np.ones(inside.shape, bool) if roi is None else np.asarray(roi, bool)
    inside = inside & counted
    number, length = 0, 0.0
    for axis in (0, 1):
        along = np.moveaxis(inside, axis, -1)[pitch // 2 :: pitch]
        seen = np.moveaxis(counted, axis, -1)[pitch // 2 :: pitch]
        number += int(np.count_nonzero(np.diff(along.astype(np.int8), axis=-1, prepend=0) == 1))
        length += int(np.count_nonzero(seen)) * float(spacing[axis])
    return number, length


def _measured(branch: Branch, path: Real, mask: Mask, depth: Real, steps: Real) -> _Found:
    """Return length, distance of the ends, mean and largest width of a branch."""
    widths = 2 * depth[tuple(branch.points.T)]
    ends = 0.0
    for free, inward in zip(branch.free, (path, path[::-1]), strict=True):
        if free:
            ends += to_the_tip(inward, mask, steps, float(widths.max()))
    chord = 0.0 if branch.loop else float(np.linalg.norm(path[-1] - path[0])) + ends
    return path_length(path) + ends, chord, float(widths.mean()), float(widths.max())


def to_the_tip(path: Real, mask: Mask, steps: Real, width: float) -> float:
    """Return how far a line goes on beyond its first point, straight on, until the mask ends.

    Thinning takes away about half the width at each free end.

    Parameters
    ----------
    path : ndarray of float, shape (m, ndim)
        Smoothed, in units of length, from the end inwards.
    mask : ndarray of bool
    steps : ndarray of float, shape (ndim,)
        Size of a pixel.
    width : float
        Largest width of the line: the direction is taken over it, and nothing beyond is added.
    """
    away = np.linalg.norm(path - path[0], axis=1)
    back = int(np.argmax(away >= min(width, float(away.max()))))
    if back == 0:
        return 0.0
    direction = (path[0] - path[back]) / away[back]
    far = np.arange(0.05, 1.05 * width / steps.min(), 0.1) * steps.min()
    at = np.rint((path[0] + far[:, None] * direction) / steps).astype(np.int64)
    held = ((at >= 0) & (at < np.array(mask.shape))).all(axis=1)
    held[held] = mask[tuple(at[held].T)]
    outside = np.flatnonzero(~held)
    return float(far[outside[0]] if outside.size else far[-1]) if far.size else 0.0


def _groups(skeleton: Skeleton) -> list[int]:
    from napari_defectseg.components.label import label

    numbers, _ = label(skeleton.image)
    found = [int(numbers[tuple(branch.points[0])]) for branch in skeleton.branches]
    _, place = np.unique(found, return_inverse=True)
    return [int(at) for at in place]


def _rose_of(paths: Sequence[Real]) -> Rose:
    pieces = [np.diff(path, axis=0) for path in paths if len(path) > 1]
    steps = np.concatenate(pieces) if pieces else np.zeros((0, 2))
    angles = np.degrees(np.arctan2(-steps[:, 0], steps[:, 1]))
    return rose(angles, np.linalg.norm(steps, axis=1))


def _check(thickness: float, visible: float) -> None:
    if not thickness > 0 or not 0 < visible <= 1:
        raise MeasurementError(
            f"A thickness of {thickness:g} and a visible share of {visible:g} give no density."
        )

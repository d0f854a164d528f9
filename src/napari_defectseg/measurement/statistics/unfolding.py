"""From section circles to ball diameters: Saltykov's triangle and expectation–maximisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]
Seen = Literal["section", "slice", "foil"]

MOST_CLASSES = 12
ENOUGH = 500
"""Sections below which the result is said to be uncertain."""
ITERATIONS = 100
SMOOTHING = 0.02
"""Share that each class gives to each neighbour after a step."""
DRAWS = 200


@dataclass(frozen=True)
class Unfolded:
    """Numbers of balls per volume by diameter.

    Parameters
    ----------
    edges : ndarray of float, shape (k + 1,)
        Diameters between the classes.
    density, low, high : ndarray of float, shape (k,)
        Number per volume of each class and its 95 % interval by bootstrap over the sections.
        Saltykov's may be negative: small classes collect the errors of the large ones.
    count : int
        Sections used.
    warnings : tuple of str
    """

    edges: Real
    density: Real
    low: Real
    high: Real
    count: int
    warnings: tuple[str, ...] = ()


def saltykov_matrix(classes: int) -> Real:
    """Return A with N_A = Δ A N_V: ``√(j² - (i-1)²) - √(j² - i²)``, j along columns.

    Section classes 1 … k along rows; ball classes of the diameters jΔ along columns (Saltykov
    1958; Underwood 1970).
    """
    i, j = np.ogrid[1 : classes + 1, 1 : classes + 1]

    def root(edge: NDArray[np.int64]) -> Real:
        return np.sqrt(np.maximum(j**2 - edge**2, 0).astype(np.float64))

    matrix: Real = np.where(j >= i, root(i - 1) - root(i), 0.0)
    return matrix


def saltykov(sections: ArrayLike, width: float) -> Real:
    """Return balls per volume from sections per area in classes of one width.

    The balls of class j have the diameter jΔ, the upper end of the class.

    Parameters
    ----------
    sections : array-like of float, shape (…, k)
        Sections per area by diameter, smallest class first; leading axes are other samples.
    width : float
        Width Δ of a class.
    """
    seen = np.asarray(sections, np.float64)
    matrix = width * saltykov_matrix(seen.shape[-1])
    return np.asarray(np.linalg.solve(matrix, seen.T).T, np.float64)


def section_kernel(classes: int, points: int = 64) -> Real:
    """Return A with N_A = Δ A N_V for balls spread evenly over each class of diameters.

    Saltykov's triangle puts all balls of a class at its upper end; here the mean over the class
    is taken, so that a class stands for its middle.
    """
    inner = (np.arange(points) + 0.5) / points
    ball = np.arange(classes)[None, :, None] + inner
    i = np.arange(1, classes + 1)[:, None, None]

    def root(edge: NDArray[np.int64]) -> Real:
        return np.sqrt(np.maximum(ball**2 - edge**2, 0))

    kernel: Real = (root(i - 1) - root(i)).mean(axis=2)
    return kernel


def smoothed_em(sections: ArrayLike, width: float, iterations: int = ITERATIONS) -> Real:
    """Return balls per volume by expectation–maximisation with smoothing; never negative.

    Silverman, Jones, Nychka & Wilson 1990: an EM step, then a weak smoothing over neighbours.

    Parameters
    ----------
    sections : array-like of float, shape (…, k)
        Sections per area by diameter, smallest class first; leading axes are other samples.
    width : float
        Width Δ of a class.
    iterations : int
    """
    seen = np.asarray(sections, np.float64)
    kernel = width * section_kernel(seen.shape[-1])
    reach = kernel.sum(axis=0)
    density = np.broadcast_to(seen.sum(axis=-1, keepdims=True) / reach.sum(), seen.shape)
    side = [(0, 0)] * (seen.ndim - 1) + [(1, 1)]
    for _ in range(iterations):
        expected = density @ kernel.T
        ratio = np.divide(seen, expected, out=np.zeros_like(seen), where=expected > 0)
        density = density * (ratio @ kernel) / reach
        padded = np.pad(density, side, mode="edge")
        near = padded[..., 2:] + padded[..., :-2]
        density = (1 - 2 * SMOOTHING) * density + SMOOTHING * near
    return density


def unfold(
    diameters: ArrayLike,
    area: float,
    *,
    seen: Seen = "section",
    method: Literal["saltykov", "em"] = "em",
    classes: int = 10,
    seed: int = 0,
) -> Unfolded:
    """Return the diameters of opaque balls from the diameters of their plane sections.

    Parameters
    ----------
    diameters : array-like of float, shape (n,)
        Of the section circles.
    area : float
        Of the plane, in the square of their unit.
    seen : {"section", "slice", "foil"}
        What the picture is; only a section can be unfolded.
    method : {"saltykov", "em"}
    classes : int
        At most 12.
    seed : int
        Of the bootstrap.

    Raises
    ------
    MeasurementError
        For a foil or a slice with a thickness, too many classes or too few sections.
    """
    if seen != "section":
        raise MeasurementError(
            f"Diameters in a {seen} are not those of sections: they cannot be unfolded.",
            hint="A foil shows whole outlines; give its thickness and take the density corrected "
            "for size and depth instead.",
        )
    if not 2 <= classes <= MOST_CLASSES:
        raise MeasurementError(
            f"{classes} classes cannot be told apart.", hint=f"Use 2 to {MOST_CLASSES}."
        )
    d = np.asarray(diameters, np.float64)
    if d.size < classes or area <= 0:
        raise MeasurementError(f"{d.size} sections are too few for {classes} classes.")
    edges = np.linspace(0, float(d.max()) * (1 + 1e-9), classes + 1)
    width = float(edges[1])
    solve = saltykov if method == "saltykov" else smoothed_em
    counts = np.histogram(d, edges)[0]
    rng = np.random.default_rng(seed)
    draws = rng.poisson(counts, (DRAWS, classes)) / area
    low, high = np.percentile(solve(draws, width), [2.5, 97.5], axis=0)
    return Unfolded(edges, solve(counts / area, width), low, high, d.size, _notes(d.size))


def fullman(diameters: ArrayLike, area: float, limit: float) -> tuple[float, float]:
    """Return number per volume and mean diameter of balls from sections above a limit.

    ``N_V = (2/π) N_A mean(1/d)``, ``D = (π/2)/mean(1/d)`` (Fullman 1953). 1/d has no variance,
    so a detection limit must cut it.

    Raises
    ------
    MeasurementError
        If the limit is not positive, or nothing lies above it.
    """
    d = np.asarray(diameters, np.float64)
    d = d[d >= limit]
    if limit <= 0 or d.size == 0:
        raise MeasurementError("Means of 1/d need a positive detection limit and sections above.")
    inverse = float((1 / d).mean())
    return 2 / np.pi * d.size / area * inverse, np.pi / 2 / inverse


def _notes(count: int) -> tuple[str, ...]:
    notes = ["Unfolding holds for sections of opaque balls; other shapes give wrong sizes."]
    if count < ENOUGH:
        notes.append(f"{count} sections are few: unfolding wants more than {ENOUGH}.")
    return tuple(notes)

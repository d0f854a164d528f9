"""Directions of lines: a rose weighted by length, and the mean of what has no arrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Rose:
    """Length of lines by direction.

    Parameters
    ----------
    edges : ndarray of float, shape (k + 1,)
        Directions in degrees, 0 to 180, from the x axis anticlockwise on the screen.
    length : ndarray of float, shape (k,)
    mean : float
        Mean direction in degrees; nan where there is none.
    strength : float
        0: all directions alike, 1: all lines parallel.
    """

    edges: Real
    length: Real
    mean: float
    strength: float


def rose(angles: ArrayLike, lengths: ArrayLike, bins: int = 18) -> Rose:
    """Return the rose of axial directions; the mean is that of the doubled angles.

    Parameters
    ----------
    angles : array-like of float, shape (n,)
        In degrees; a half turn changes nothing.
    lengths : array-like of float, shape (n,)
    bins : int
    """
    weight = np.asarray(lengths, np.float64)
    angle = np.mod(np.asarray(angles, np.float64), 180.0)
    edges = np.linspace(0, 180, bins + 1)
    length = np.histogram(angle, edges, weights=weight)[0]
    total = float(weight.sum())
    if total == 0:
        return Rose(edges, length, float("nan"), 0.0)
    arrow = complex((weight * np.exp(2j * np.radians(angle))).sum()) / total
    strength = abs(arrow)
    mean = float(np.degrees(np.angle(arrow)) / 2 % 180) if strength > 1e-9 else float("nan")
    return Rose(edges, length, mean, strength)

"""Ripley's K, Besag's L and the pair correlation g, translation corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]
Covariance = Callable[[Real], Real]
"""Area (volume) of W ∩ (W + h) for vectors h of shape (m, ndim)."""


@dataclass(frozen=True)
class PairFunctions:
    """Second-order functions of points.

    Parameters
    ----------
    r : ndarray of float, shape (k,)
    k : ndarray of float, shape (k,)
        Ripley's K(r).
    l : ndarray of float, shape (k,)
        √(K/π) or (3K/4π)^⅓: equal to r for points at random.
    g : ndarray of float, shape (k,)
        Pair correlation over each step of r: 1 for points at random.
    """

    r: Real
    k: Real
    l: Real  # noqa: E741 — Besag's name
    g: Real


def box_covariance(sides: Sequence[float]) -> Covariance:
    """Return the set covariance Π(W - abs(h)) of a rectangle or box."""
    window = np.asarray(sides, np.float64)

    def covariance(h: Real) -> Real:
        left: Real = np.prod(np.maximum(window - np.abs(h), 0), axis=1)
        return left

    return covariance


def mask_covariance(mask: NDArray[Any], spacing: Sequence[float]) -> Covariance:
    """Return the set covariance of a mask, by its autocorrelation.

    Parameters
    ----------
    mask : ndarray of bool
    spacing : sequence of float
        Size of a pixel.
    """
    from scipy.fft import irfftn, next_fast_len, rfftn

    inside = np.asarray(mask, np.float32)
    shape = [next_fast_len(2 * side, real=True) for side in inside.shape]
    spectrum = rfftn(inside, shape)
    table = irfftn(np.abs(spectrum) ** 2, shape) * float(np.prod(spacing))
    steps = np.asarray(spacing, np.float64)

    def covariance(h: Real) -> Real:
        at = tuple(np.rint(h / steps).astype(np.int64).T)
        found: Real = np.maximum(np.asarray(table[at], np.float64), 0.0)
        return found

    return covariance


def longest(sides: Sequence[float]) -> float:
    """Return the largest r that a window allows: a quarter of its shortest side."""
    return float(np.min(sides)) / 4


def pair_functions(
    points: ArrayLike, r: ArrayLike, size: float, covariance: Covariance
) -> PairFunctions:
    """Return K, L and g of points in a window.

    ``K(r) = W²/(n(n-1)) Σ 1[d <= r]/γ_W(h)`` over ordered pairs, γ_W the set covariance of the
    window (Ohser 1983).

    Parameters
    ----------
    points : array-like of float, shape (n, ndim)
    r : array-like of float, shape (k,)
        Rising, up to a quarter of the shortest side of the window.
    size : float
        Area (volume) of the window.
    covariance : callable
        See `box_covariance`, `mask_covariance`.

    Raises
    ------
    MeasurementError
        If there are fewer than two points.
    """
    from scipy.spatial import cKDTree

    place, radii = np.asarray(points, np.float64), np.asarray(r, np.float64)
    count, ndim = len(place), place.shape[1] if place.ndim == 2 else 0
    if count < 2 or ndim not in (2, 3):
        raise MeasurementError("Pairs need at least two objects in a plane or volume.")
    pairs = cKDTree(place).query_pairs(float(radii[-1]), output_type="ndarray")
    k = np.zeros(radii.size)
    if len(pairs):
        h = place[pairs[:, 0]] - place[pairs[:, 1]]
        left = covariance(h)
        weight = np.divide(2.0, left, out=np.zeros_like(left), where=left > 0)
        at = np.searchsorted(radii, np.linalg.norm(h, axis=1), side="left")
        k = np.bincount(at, weight, radii.size + 1)[: radii.size].cumsum()
        k *= size**2 / (count * (count - 1))
    ball = np.pi * radii**2 if ndim == 2 else 4 / 3 * np.pi * radii**3
    flat = np.sqrt(k / np.pi) if ndim == 2 else np.cbrt(3 * k / (4 * np.pi))
    g = np.diff(k, prepend=0) / np.diff(ball, prepend=0)
    return PairFunctions(radii, k, flat, g)

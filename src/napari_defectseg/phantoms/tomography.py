"""A tomograph: projection, spectrum, detector and filtered back-projection, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import fft, sparse

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Beam:
    """A polychromatic X-ray beam and its detector.

    Parameters
    ----------
    weights : tuple of float
        Share of each energy in the counts of the open beam; their sum is 1.
    softness : tuple of float
        Attenuation at each energy relative to the mean energy; falling: the beam hardens.
    photons : float
        Counts a detector pixel in the open beam.
    angles : int
        Projections over half a turn.
    rings : float
        Standard deviation of the detector's gain errors after flat-fielding.
    correction : float
        Beam-hardening correction p + c p² of the line integrals; too large a c makes objects
        brighter in the middle and their surroundings dark.
    halo : float
        Share of the lowest frequencies that filtering without enough padding loses: a dark
        ring about the object.
    """

    weights: tuple[float, ...] = (0.25, 0.3, 0.25, 0.2)
    softness: tuple[float, ...] = (1.7, 1.1, 0.7, 0.5)
    photons: float = 2e4
    angles: int = 150
    rings: float = 0.004
    correction: float = 0.0
    halo: float = 0.0


@lru_cache(maxsize=2)
def projector(rows: int, columns: int, angles: int) -> Any:
    """Return the sparse matrix from pixels of a slice to line integrals (angles x bins, pixels).

    Each pixel's square casts a trapezoid shadow; a bin receives the share of it that it
    covers, so integrals are exact for images of squares. Bins are one pixel wide.
    """
    bins = detector_bins(rows, columns)
    y = (np.arange(rows) - (rows - 1) / 2).repeat(columns)
    x = np.tile(np.arange(columns) - (columns - 1) / 2, rows)
    parts = []
    for theta in np.arange(angles) * np.pi / angles:
        c, s = np.cos(theta), np.sin(theta)
        at = x * c + y * s + bins / 2
        first = np.floor(at - 0.5 * (abs(c) + abs(s))).astype(int)
        outer, inner = (abs(c) + abs(s)) / 2, abs(abs(c) - abs(s)) / 2
        edges = [_shadow(first + k - at, outer, inner) for k in range(4)]
        weights = np.stack([edges[k + 1] - edges[k] for k in range(3)])
        index = np.clip(first + np.arange(3)[:, None], 0, bins - 1)
        pixels = np.broadcast_to(np.arange(rows * columns), index.shape)
        parts.append(
            sparse.csr_matrix(
                (weights.ravel().astype(np.float32), (index.ravel(), pixels.ravel())),
                shape=(bins, rows * columns),
            )
        )
    return sparse.vstack(parts, format="csr")


def detector_bins(rows: int, columns: int) -> int:
    """Return how many bins see the whole slice from every side."""
    return int(np.ceil(np.hypot(rows, columns))) + 3


def _shadow(t: Array, outer: float, inner: float) -> Array:
    """Return the share of a unit square's shadow left of t: the integral of a trapezoid."""
    height = 1 / (outer + inner)
    ramp = max(outer - inner, 1e-9)
    rise = np.clip(t + outer, 0, ramp)
    plateau = np.clip(t + inner, 0, 2 * inner)
    fall = np.clip(t - inner, 0, ramp)
    return np.asarray(height * (rise**2 / (2 * ramp) + plateau + fall - fall**2 / (2 * ramp)))


def scan(
    materials: list[Array], attenuation: list[float], beam: Beam, rng: np.random.Generator
) -> Array:
    """Return the reconstruction of a volume (z, y, x), slice by slice, in attenuation a voxel.

    Parameters
    ----------
    materials : list of ndarray
        Volume share of each material in every voxel (z, y, x).
    attenuation : list of float
        Of each material at the mean energy, per voxel length.
    beam : Beam
        The instrument.
    rng : numpy Generator
        Source of randomness.
    """
    depth, rows, columns = materials[0].shape
    matrix = projector(rows, columns, beam.angles)
    # Denser materials attenuate soft rays more: exponent 1 for the first, larger for others.
    paths = [matrix @ m.reshape(depth, -1).T.astype(np.float32) for m in materials]
    counts = np.zeros_like(paths[0])
    for weight, soft in zip(beam.weights, beam.softness, strict=True):
        total = sum(
            mu * soft ** (1 + 0.35 * k) * path
            for k, (mu, path) in enumerate(zip(attenuation, paths, strict=True))
        )
        counts += weight * np.exp(-total)
    measured = np.maximum(rng.poisson(counts * beam.photons), 1) / beam.photons
    bins = detector_bins(rows, columns)
    line = -np.log(measured).reshape(beam.angles, bins, depth)
    line = line + _gain_errors(bins, depth, beam.rings, rng)
    line = line + beam.correction * line**2
    return _back_projected(_filtered(line, beam.halo), matrix, materials[0].shape)


def _gain_errors(bins: int, depth: int, rings: float, rng: np.random.Generator) -> Array:
    """Return errors of the logarithm that are the same at each angle: they become rings."""
    small = rng.standard_normal((bins, depth))
    # A column of the detector that scintillates less is wrong over many rows.
    columns = rng.standard_normal((bins, 1)) * (rng.uniform(size=(bins, 1)) < 0.06) * 3
    return np.asarray(rings * (0.5 * small + columns))


def _filtered(line: Array, halo: float) -> Array:
    """Return line integrals (angles, bins, z) after the ramp filter with a Hann window."""
    bins = line.shape[1]
    size = fft.next_fast_len(2 * bins)
    k = fft.rfftfreq(size)
    # The band-limited ramp of Kak & Slaney (1988), eq. 61: right at zero frequency.
    n = np.minimum(np.arange(size), size - np.arange(size))
    kernel = np.where(n % 2 == 1, -1 / (np.pi * np.maximum(n, 1)) ** 2, 0.0)
    kernel[0] = 0.25
    ramp = np.real(fft.rfft(kernel)) * (0.5 + 0.5 * np.cos(2 * np.pi * k * 0.8))
    ramp = ramp * (1 - halo * np.exp(-((k * bins / 2.5) ** 2)))
    spectrum = fft.rfft(line, size, axis=1) * ramp[None, :, None]
    return np.asarray(fft.irfft(spectrum, size, axis=1)[:, :bins])


def _back_projected(line: Array, matrix: Any, shape: tuple[int, ...]) -> Array:
    depth, rows, columns = shape
    angles = line.shape[0]
    flat = matrix.T @ line.reshape(-1, depth).astype(np.float32)
    return np.asarray(flat.T.reshape(depth, rows, columns) * np.pi / angles)

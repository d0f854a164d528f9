"""`Tomograph`: how a specimen becomes grey values, by its projections or a quick imitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from napari_defectseg.phantoms import optics
from napari_defectseg.phantoms.draw import between, log_between
from napari_defectseg.phantoms.tomogram_settings import TomogramSettings
from napari_defectseg.phantoms.tomography import Beam, detector_bins, scan

Array = np.ndarray[Any, Any]
HANN = 0.6
"""Sigma of a Gaussian that blurs like the reconstruction filter's window, voxels."""
NOISE_GAIN = 0.27
"""Found by comparing noise of `scan` with the formula of `Tomograph.noise`."""
HARDENING = 0.15
"""Loss of grey in the middle for each unit of attenuation, as the spectrum of `Beam` gives."""
RING = 0.2
"""Height of a ring of radius 1 over the gain error, a voxel."""


@dataclass(frozen=True)
class Tomograph:
    """An instrument and how it is set.

    Parameters
    ----------
    beam : Beam
        Source and detector.
    mu : float
        Attenuation of the matrix a voxel.
    ratio : float
        Attenuation of dense material over that of the matrix.
    blur : float
        Sigma, voxels.
    phase : float
        Strength of fringes at edges.
    width : int
        Voxels that the longest ray crosses.
    """

    beam: Beam
    mu: float
    ratio: float
    blur: float
    phase: float
    width: int

    @classmethod
    def drawn(
        cls, settings: TomogramSettings, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> Tomograph:
        """Return a random one within the settings' ranges."""
        width = min(shape[1:])
        return cls(
            Beam(
                photons=log_between(settings.photons, rng),
                angles=int(rng.integers(*settings.angles, endpoint=True)),
                rings=between(settings.rings, rng),
                correction=between(settings.correction, rng),
                halo=between(settings.halo, rng),
            ),
            between(settings.attenuation, rng) / width,
            1 + between(settings.contrast, rng),
            between(settings.blur, rng),
            between(settings.phase, rng),
            width,
        )

    @property
    def softness(self) -> float:
        """Sigma of all blurs, voxels."""
        return float(np.hypot(self.blur, HANN))

    @property
    def noise(self) -> float:
        """Standard deviation of a voxel in the middle of the specimen, in units of the matrix.

        White noise of the line integrals, e^(mu width) / photons, after the filter and the
        back-projection of `angles` views.
        """
        line = np.sqrt(np.exp(0.8 * self.mu * self.width) / self.beam.photons)
        return float(NOISE_GAIN * line / np.sqrt(self.beam.angles) / self.mu)

    def image(
        self, matrix: Array, heavy: Array, settings: TomogramSettings, rng: np.random.Generator
    ) -> Array:
        """Return the grey volume of matrix and dense material, volume shares (z, y, x)."""
        matrix, heavy = (self._seen(part) for part in (matrix, heavy))
        if settings.artefacts == "sinogram":
            grey = scan([matrix, heavy], [self.mu, self.mu * self.ratio], self.beam, rng)
        else:
            grey = self._imitated(matrix + self.ratio * heavy, rng)
        grey = _darkened(grey, between(settings.ends, rng), rng)
        low, high = np.percentile(grey, [0.1, 99.9])
        margin = (high - low) * rng.uniform(0.02, 0.3, 2)
        return optics.grey_levels(
            grey, float(low - margin[0]), float(high + margin[1]), settings.bits
        )

    def _seen(self, part: Array) -> Array:
        """Return a material after blur and phase contrast."""
        blurred = optics.blurred(part, self.blur)
        return blurred + optics.edge_fringe(part, self.phase, max(self.blur, 0.7))

    def _imitated(self, volume: Array, rng: np.random.Generator) -> Array:
        """Return what `scan` gives, nearly: cupping, halo, rings and noise put on the volume."""
        beam = self.beam
        path = self.mu * self.width
        wide = optics.blurred_along(volume, (0.0, self.width / 6, self.width / 6))
        # Hardening lowers the middle, its correction raises it.
        cup = 1 + (2 * beam.correction - HARDENING) * path * (wide - 0.5)
        grey = _transferred(volume * cup, beam.halo)
        grey = grey + _rings(volume.shape, beam.rings, rng) / self.mu
        strength = self.noise * np.sqrt(np.exp(0.4 * path * (wide - 0.5)))
        return np.asarray(self.mu * (grey + strength * _filtered_noise(volume.shape, rng)))


def _transferred(volume: Array, halo: float) -> Array:
    """Return the volume after the filter that `scan` applies to projections.

    By the central slice theorem it is the same filter on the slice's frequencies.
    """
    rows, columns = volume.shape[1:]
    bins = detector_bins(rows, columns)
    size = [fft.next_fast_len(2 * n) for n in (rows, columns)]
    k = np.hypot(fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])[None])
    transfer = _window(k) * (1 - halo * np.exp(-((k * bins / 2.5) ** 2)))
    return np.asarray(fft.irfft2(fft.rfft2(volume, size) * transfer, size)[:, :rows, :columns])


def _window(k: Array) -> Array:
    """Return the Hann window of the reconstruction at frequencies k, 1/voxel."""
    return np.asarray(0.5 + 0.5 * np.cos(1.6 * np.pi * np.minimum(k, 0.625)))


def _darkened(grey: Array, loss: float, rng: np.random.Generator) -> Array:
    """Return the volume with first and last slices that lose light."""
    if loss <= 0:
        return grey
    depth = grey.shape[0]
    reach = max(1.0, depth * rng.uniform(0.03, 0.1))
    z = np.arange(depth)
    near = np.exp(-((z / reach) ** 2)) + np.exp(-(((depth - 1 - z) / reach) ** 2))
    return np.asarray(grey * (1 - loss * np.minimum(near, 1))[:, None, None])


def _filtered_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return noise as filtered back-projection leaves it: power k times the window squared."""
    noise = fft.rfft2(rng.standard_normal(shape))
    ky, kx = fft.fftfreq(shape[1])[:, None], fft.rfftfreq(shape[2])[None]
    k = np.hypot(ky, kx)
    made = fft.irfft2(noise * np.sqrt(k) * _window(k), shape[1:])
    return np.asarray(made / max(float(made.std()), 1e-9))


def _rings(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> Array:
    """Return rings about the middle of each slice from gain errors of the detector."""
    y, x = np.ogrid[: shape[1], : shape[2]]
    radius = np.hypot(y - (shape[1] - 1) / 2, x - (shape[2] - 1) / 2)
    bins = int(radius.max()) + 2
    lasting = rng.standard_normal((bins, 1)) * (rng.uniform(size=(bins, 1)) < 0.12) * 3
    gain = strength * (0.5 * rng.standard_normal((bins, shape[0])) + lasting)
    # A gain error shows as a sharp ring that fades with its circumference.
    gain = (gain - 0.5 * np.roll(gain, 1, 0) - 0.5 * np.roll(gain, -1, 0)) * RING
    gain = gain / np.sqrt(1 + np.arange(bins))[:, None]
    below = np.floor(radius).astype(int)
    part = (radius - below)[..., None]
    return np.asarray(np.moveaxis((1 - part) * gain[below] + part * gain[below + 1], -1, 0))

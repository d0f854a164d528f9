"""What instruments do to a picture: defocus, fringes, blur, counting, grey levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import fft, ndimage

from napari_defectseg.phantoms.fields import frequencies

Array = np.ndarray[Any, Any]
ELECTRON_WAVELENGTH = 2.508e-3
"""nm, at 200 kV."""


@dataclass(frozen=True)
class Camera:
    """Lens and detector of a micrograph.

    Parameters
    ----------
    blur : float
        Sigma of the lens's blur, px.
    dose : float
        Quanta a recorded pixel at intensity 1.
    spread : float
        Sigma of the detector's spread, recorded px.
    enlargement : float
        See `recorded`.
    """

    blur: float
    dose: float
    spread: float
    enlargement: float = 1.0

    @property
    def softness(self) -> float:
        """Sigma of all blurs in the picture, px."""
        resampled = 0.4 * self.enlargement if self.enlargement > 1.01 else 0.0
        return float(np.sqrt(self.blur**2 + (self.spread * self.enlargement) ** 2 + resampled**2))

    def noise(self, intensity: Array, sigma: float) -> Array:
        """Return the standard deviation of shot noise that is left after a blur of `sigma` px.

        White noise of variance v blurred by a Gaussian has the variance v / (4 π sigma²).
        """
        width2 = (sigma / self.enlargement) ** 2 + self.spread**2
        return np.asarray(np.sqrt(intensity / self.dose / max(4 * np.pi * width2, 1.0)))

    def record(self, image: Array, rng: np.random.Generator) -> Array:
        """Return what it records of an image that the lens has blurred already."""
        return recorded(
            image, rng, dose=self.dose, spread=self.spread, enlargement=self.enlargement
        )


def fresnel(phase: Array, pixel: float, defocus: float, spread: float) -> Array:
    """Return the intensity change by defocus of a weak phase object (both 2D).

    Contrast transfer 2 sin(π λ Δf k²) with a Gaussian envelope of partial coherence; positive
    `defocus` is overfocus. Voids are bright with a dark fringe underfocus, the other way round
    overfocus (Rühle & Wilkens 1975).

    Parameters
    ----------
    phase : ndarray
        Phase shift, radians.
    pixel : float
        Pixel size, nm.
    defocus : float
        Δf, nm.
    spread : float
        Blur of the illumination in the image, nm.
    """
    # Reflected borders, or the left border's fringes would appear at the right.
    edge = min(32, min(phase.shape) - 1)
    padded = np.pad(phase, edge, mode="reflect")
    k = frequencies(padded.shape, (pixel, pixel))
    squared = sum(np.square(f) for f in k)
    transfer = 2 * np.sin(np.pi * ELECTRON_WAVELENGTH * defocus * squared)
    transfer = transfer * np.exp(-2 * np.pi**2 * spread**2 * squared)
    image = fft.irfftn(fft.rfftn(padded) * transfer, padded.shape)
    inner = tuple(slice(edge, edge + n) for n in phase.shape)
    return np.asarray(image[inner])


def edge_fringe(projected: Array, strength: float, width: float) -> Array:
    """Return the phase-contrast change of an X-ray image: -strength ∇² of the projected thickness.

    Propagation over a short distance (transport of intensity); `width` is the blur in px.
    """
    return np.asarray(-strength * ndimage.gaussian_laplace(projected, width, mode="nearest"))


def blurred(image: Array, sigma: float) -> Array:
    """Return the image after a Gaussian point spread, sigma in px."""
    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="nearest")) if sigma else image


def blurred_along(image: Array, sigmas: Sequence[float]) -> Array:
    """Return the image after a Gaussian of another sigma along each axis, px."""
    return np.asarray(ndimage.gaussian_filter(image, sigmas, mode="nearest"))


def counted(image: Array, dose: float, rng: np.random.Generator) -> Array:
    """Return shot noise: `image` in units of its mean intensity, `dose` quanta a pixel at 1."""
    return np.asarray(rng.poisson(np.maximum(image, 0) * dose) / dose)


def recorded(
    image: Array, rng: np.random.Generator, *, dose: float, spread: float, enlargement: float = 1.0
) -> Array:
    """Return what a detector records of an ideal 2D image.

    Parameters
    ----------
    image : ndarray
        Intensity, about 1.
    rng : numpy Generator
        Source of randomness.
    dose : float
        Quanta an original pixel at intensity 1.
    spread : float
        Sigma of the detector's spread of light, original px: noise is blurred with it.
    enlargement : float
        The picture was recorded with that many times fewer pixels a line and enlarged by
        interpolation afterwards, which makes its noise smooth.
    """
    if enlargement <= 1.01:
        return blurred(counted(image, dose, rng), spread)
    shape = tuple(max(2, round(n / enlargement)) for n in image.shape)
    small = _sampled(blurred(image, 0.4 * enlargement), shape, 1)
    small = blurred(counted(small, dose, rng), spread)
    return _sampled(small, image.shape, 3)


def _sampled(image: Array, shape: Sequence[int], order: Literal[1, 3]) -> Array:
    """Return the image on another number of pixels over the same extent."""
    axes = [(np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(shape, image.shape, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    return np.asarray(ndimage.map_coordinates(image, points, order=order, mode="nearest"))


def grey_levels(image: Array, low: float, high: float, bits: int) -> Array:
    """Return whole grey levels: `low` becomes 0, `high` the largest value; beyond is cut off."""
    top = 2**bits - 1
    scaled = np.clip((image - low) / max(high - low, 1e-12), 0, 1) * top
    return np.asarray(np.rint(scaled).astype(np.uint8 if bits == 8 else np.uint16))


def vignette(shape: tuple[int, int], rng: np.random.Generator, strength: float) -> Array:
    """Return illumination that falls off from a random centre, 1 at its brightest point."""
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    cy, cx = rng.uniform(-0.6, 0.6, 2)
    return np.asarray(1 - strength * ((y - cy) ** 2 + (x - cx) ** 2) / 2)

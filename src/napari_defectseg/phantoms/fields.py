"""Random fields that backgrounds are made of: mean 0, standard deviation 1, any correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import fft

Array = np.ndarray[Any, Any]
FLAT = 1e-9
"""Spread of a filtered field below which it is flat: far coarser than the picture is large."""


def frequencies(shape: Sequence[int], spacing: Sequence[float]) -> list[Array]:
    """Return the frequencies of `rfftn` along each axis, ready to broadcast."""
    axes = [fft.fftfreq(n, s) for n, s in zip(shape[:-1], spacing[:-1], strict=True)]
    axes.append(fft.rfftfreq(shape[-1], spacing[-1]))
    return list(np.meshgrid(*axes, indexing="ij", sparse=True))


def random_field(
    shape: Sequence[int],
    rng: np.random.Generator,
    scale: float | Sequence[float],
    *,
    slope: float | None = None,
) -> Array:
    """Return a smooth random field with mean 0 and standard deviation 1.

    Parameters
    ----------
    shape : sequence of int
        Any number of axes.
    rng : numpy Generator
        Source of randomness.
    scale : float or sequence of float
        Correlation length in pixels, one for all axes or one each.
    slope : float, optional
        None: Gaussian correlation. Else the power spectrum falls as k^-slope beyond
        1/scale, which gives clouds of all sizes below `scale`.
    """
    lengths = np.broadcast_to(np.asarray(scale, float), (len(shape),))
    # Fields larger than the picture: a padded grid avoids that its ends resemble each other.
    padded = [
        fft.next_fast_len(int(n + min(2 * s, n + 8))) for n, s in zip(shape, lengths, strict=True)
    ]
    noise = fft.rfftn(rng.standard_normal(padded))
    k = frequencies(padded, [1.0] * len(shape))
    squared = sum(np.square(f * s) for f, s in zip(k, lengths, strict=True))
    if slope is None:
        filtered = noise * np.exp(-2 * np.pi**2 * squared / 2)
    else:
        filtered = noise * (1 + (2 * np.pi) ** 2 * squared) ** (-slope / 4)
    field = fft.irfftn(filtered, padded)[tuple(slice(0, n) for n in shape)]
    return _standardised(field)


def _standardised(field: Array) -> Array:
    """Return it with mean 0 and spread 1; 0 everywhere if nothing but rounding errors is in it."""
    spread = field.std()
    centred = field - field.mean()
    return np.asarray(centred / spread if spread > FLAT else np.zeros_like(field))


def turned_field(
    shape: tuple[int, int],
    rng: np.random.Generator,
    scale: tuple[float, float],
    angle: float,
    *,
    slope: float | None = None,
) -> Array:
    """Return a 2D random field whose correlation is long along one direction.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    rng : numpy Generator
        Source of randomness.
    scale : (float, float)
        Correlation lengths along and across, px.
    angle : float
        Direction of the long one, radians from the y axis towards x.
    slope : float, optional
        As in `random_field`.
    """
    noise = fft.rfftn(rng.standard_normal(shape))
    ky, kx = frequencies(shape, (1.0, 1.0))
    c, s = np.cos(angle), np.sin(angle)
    squared = np.square((ky * c + kx * s) * scale[0]) + np.square((kx * c - ky * s) * scale[1])
    if slope is None:
        noise *= np.exp(-2 * np.pi**2 * squared / 2)
    else:
        noise *= (1 + (2 * np.pi) ** 2 * squared) ** (-slope / 4)
    return _standardised(fft.irfftn(noise, shape))

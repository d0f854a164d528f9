"""Random draws that every kind of phantom makes."""

from __future__ import annotations

import numpy as np

from napari_defectseg.phantoms.shapes import Blob

Range = tuple[float, float]


def between(limits: Range, rng: np.random.Generator) -> float:
    """Return a uniform draw."""
    return float(rng.uniform(*limits))


def log_between(limits: Range, rng: np.random.Generator) -> float:
    """Return a log-uniform draw from positive limits."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


def how_many(limits: tuple[int, int], share: float, rng: np.random.Generator) -> int:
    """Return a whole number within limits, scaled to a field `share` times the usual one.

    Rounded up or down at random, so that small fields hold the right number on average.
    """
    return int(rng.integers(limits[0], limits[1], endpoint=True) * share + rng.uniform())


def blob(
    origin: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
    *,
    roughness: float,
    stretch: float = 1.0,
    orders: tuple[int, int] = (2, 7),
) -> Blob:
    """Return a random star-shaped outline.

    Parameters
    ----------
    origin : (float, float)
        y, x.
    radius : float
        Of the disc it is made from.
    rng : numpy Generator
        Source of randomness.
    roughness : float
        Amplitude of its harmonics, 0 (ellipse) to about 0.6.
    stretch : float
        Length over width.
    orders : (int, int)
        Lowest and highest harmonic.
    """
    numbers = range(orders[0], orders[1] + 1)
    raw = [rng.uniform(-1, 1) / n for n in numbers]
    total = sum(abs(a) for a in raw)
    scale = roughness * min(1.0, 0.9 / max(roughness * total, 1e-9))
    waves = tuple(
        (n, float(a * scale), float(rng.uniform(0, 2 * np.pi)))
        for n, a in zip(numbers, raw, strict=True)
    )
    return Blob(origin, radius, waves, stretch, float(rng.uniform(0, np.pi)))


def curve(
    start: tuple[float, float],
    heading: float,
    length: float,
    step: float,
    bend: float,
    rng: np.random.Generator,
) -> list[tuple[float, float]]:
    """Return points of a smooth random curve.

    Parameters
    ----------
    start : (float, float)
        y, x of the first point.
    heading : float
        Direction at the start, radians from the y axis towards x.
    length, step : float
        Of the whole and of each piece.
    bend : float
        Standard deviation of the change of direction a step, radians; it is smooth along
        the curve.
    rng : numpy Generator
        Source of randomness.
    """
    points, turn = [start], 0.0
    for _ in range(max(2, int(length / step))):
        turn = 0.85 * turn + bend * rng.standard_normal() * 0.5
        heading += float(np.clip(turn, -0.6, 0.6))
        y, x = points[-1]
        points.append((y + step * float(np.cos(heading)), x + step * float(np.sin(heading))))
    return points

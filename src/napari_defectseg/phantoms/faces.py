"""What is at rest in an X-ray movie: the metal's faces, the holder's shade, the raw beam."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.phantoms import fields

Array = np.ndarray[Any, Any]
Shape = tuple[int, int]


def faces(shape: Shape, contrast: float, rng: np.random.Generator) -> Array:
    """Return the marks of the metal's two faces as a factor about 1.

    Worm-like marks in patches, grinding lines, cloudy unevenness and a few dark specks.
    """
    # Level lines of a smooth field wind like the marks of etching and oxide.
    winding = fields.random_field(shape, rng, 2.6) + 0.5 * fields.random_field(shape, rng, 5.0)
    worms = np.exp(-((winding / 0.4) ** 2)) - 0.6 * np.exp(-(((winding - 0.9) / 0.5) ** 2))
    fine = fields.random_field(shape, rng, 0.9)
    near_top = 1.2 * np.exp(-np.linspace(0, 4, shape[0]))[:, None]
    where = fields.random_field(shape, rng, 14.0, slope=3.0) + near_top - rng.uniform(0.5, 1.4)
    patch = 1 / (1 + np.exp(-where / 0.25))
    lines = fields.turned_field(shape, rng, (float(rng.uniform(15, 60)), 1.1), rng.normal(0, 0.06))
    clouds = fields.random_field(shape, rng, 40.0, slope=2.5)
    marks = patch * (1.1 * worms + 0.3 * fine - 0.15) + 0.15 * fine + 0.16 * lines + 0.12 * clouds
    return np.asarray((1 + contrast * marks) * _specks(shape, rng))


def _specks(shape: Shape, rng: np.random.Generator) -> Array:
    """Return small dark spots, some in short chains."""
    factor = np.ones(shape)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for _ in range(int(rng.poisson(6 * shape[0] * shape[1] / 1e5))):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        for _ in range(int(rng.integers(1, 4))):
            y, x = y + rng.normal(0, 2.5), x + rng.normal(0, 4)
            r2 = ((rows - y) / rng.uniform(0.9, 2.2)) ** 2 + (
                (columns - x) / rng.uniform(1, 3)
            ) ** 2
            factor = factor * (1 - rng.uniform(0.03, 0.18) * np.exp(-r2))
    return np.asarray(factor)


def holder(shape: Shape, surface: float, rng: np.random.Generator) -> Array:
    """Return brightness above a plate relative to the plate: bands, thin lines, lumps on it.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    surface : float
        Row of the plate's surface.
    rng : numpy Generator
        Source of randomness.
    """
    rows = np.arange(shape[0])[:, None]
    high = surface - rows
    base = rng.uniform(0.25, 0.65)
    wobble = 0.6 * fields.random_field((shape[1],), rng, 60.0, slope=3.0)[None, :]
    band = 1 / (1 + np.exp(np.clip((high + wobble - rng.uniform(5, 14)) / 0.8, -50, 50)))
    factor = base * (1 - rng.uniform(0.15, 0.5) * band) * np.ones(shape)
    for _ in range(int(rng.integers(1, 5))):
        at, wide = rng.uniform(1, max(surface, 2)), rng.uniform(0.6, 2)
        line = np.exp(-(((high + wobble - at) / wide) ** 2))
        factor = factor * (1 + rng.uniform(-0.3, 0.4) * line)
    columns = np.arange(shape[1])[None, :]
    for _ in range(int(rng.poisson(3 * shape[1] / 512))):
        size = rng.uniform(2, 7), rng.uniform(6, 30)
        away = (high / size[0]) ** 2 + ((columns - rng.uniform(0, shape[1])) / size[1]) ** 2
        factor = factor * (1 - rng.uniform(0.1, 0.5) * np.exp(-away))
    return np.asarray(factor)


def flat_field(shape: Shape, rng: np.random.Generator) -> Array:
    """Return the uncorrected beam: gradients, stripes of the optics, dust."""
    y = np.linspace(-1, 1, shape[0])[:, None]
    x = np.linspace(-1, 1, shape[1])[None, :]
    field = 1 + 0.08 * rng.uniform(-1, 1) * y + 0.08 * rng.uniform(-1, 1) * x
    field = field * (1 + 0.004 * fields.turned_field(shape, rng, (60.0, 1.5), 0.0))
    field = field * (1 + 0.008 * fields.random_field(shape, rng, 6.0, slope=2.5))
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for _ in range(int(rng.integers(1, 6))):
        r = np.hypot(rows - rng.uniform(0, shape[0]), columns - rng.uniform(0, shape[1]))
        radius = rng.uniform(1, 6)
        field = field * (1 - 0.15 * rng.uniform() * np.exp(-(((r - radius) / 1.2) ** 2)))
    return np.asarray(field)

"""Radiographs of a plot: the metal's path length, phase fringes, faces, shade, beam, counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.phantoms import fields, optics
from napari_defectseg.phantoms.beamline import Beamline
from napari_defectseg.phantoms.faces import faces, flat_field, holder
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.keyhole import Keyhole
from napari_defectseg.phantoms.plot import Plot

Array = np.ndarray[Any, Any]
FRINGE_LIMIT, EDGE_LIMIT = 0.3, 0.05
"""Largest relative change by phase contrast, of gas in the metal and at the metal's own surface:
the beam is only partly coherent, and the surface is not flat along it."""
OFFSET = 100
"""Of the detector, grey levels."""
FULL = 4095
"""Largest grey level of 12 bits."""


def radiographs(grid: Grid, plot: Plot, beamline: Beamline, rng: np.random.Generator) -> Array:
    """Return the movie, uint16 with 12 bits, without flat-field correction.

    Parameters
    ----------
    grid : Grid
        Pixels, µm.
    plot : Plot
        What happens.
    beamline : Beamline
        Conditions.
    rng : numpy Generator
        Source of randomness.
    """
    shape = grid.shape[0], grid.shape[1]
    still = flat_field(shape, rng)
    marks = faces(shape, beamline.texture, rng)
    shade = 1.0 if beamline.wall else holder(shape, plot.surface / grid.spacing[0], rng)
    waves = _built_up(shape[1], rng) * grid.spacing[0] if beamline.wall else np.zeros(shape[1])
    level = 2600 if beamline.wall else 1500 / beamline.transmission
    record = np.empty((len(plot.keyholes), *shape), np.uint16)
    for frame in range(len(record)):
        metal = _metal(grid, plot, beamline, frame, waves)
        path = np.maximum(metal - _gas(grid, plot, beamline, frame) * (metal > 0), 0)
        pixel = grid.spacing[0]
        image = np.exp(-beamline.mu * path) * _fringes(metal / pixel, beamline, EDGE_LIMIT)
        image = image * _fringes((path - metal) / pixel, beamline, FRINGE_LIMIT)
        image = image * (1 + (marks - 1) * np.clip(metal / beamline.thickness, 0, 1))
        if not beamline.wall:
            # The holder shades what lies above the plate; the melt that rises there is darker.
            above = np.clip(
                0.5 + (plot.surface - grid.points(_all(shape))[0]) / grid.spacing[0], 0, 1
            )
            melt = np.exp(-beamline.mu * 0.6 * metal)
            image = image * (1 - above) + above * beamline.transmission * shade * melt
        image = optics.blurred(image, 0.5) * still * (1 + 0.003 * rng.standard_normal())
        counts = rng.poisson(np.maximum(image, 0) * beamline.photons) / beamline.photons
        record[frame] = np.clip(np.rint(counts * level + OFFSET), 0, FULL)
    return record


def _all(shape: tuple[int, int]) -> tuple[slice, slice]:
    return slice(0, shape[0]), slice(0, shape[1])


def _built_up(columns: int, rng: np.random.Generator) -> Array:
    """Return how far a wall's surface stands above its lowest level, px: the layers before."""
    scale = float(rng.uniform(25, 80))
    waves = fields.random_field((columns,), rng, scale, slope=4.0)
    return np.asarray(float(rng.uniform(1, 3)) * (waves - waves.min()) / 2)


def _metal(grid: Grid, plot: Plot, beamline: Beamline, frame: int, waves: Array) -> Array:
    """Return the metal's thickness along the beam with nothing cut out, µm."""
    y, x = grid.points(_all((grid.shape[0], grid.shape[1])))
    rise = waves + _bump(plot, frame, x[0])
    below = (y - plot.surface + rise) / grid.spacing[0]
    # A wall's top is round across: an elliptic cap.
    cap = np.clip(below / beamline.rounding, 0, 1)
    profile = np.sqrt(cap * (2 - cap)) if beamline.wall else np.clip(0.5 + below, 0, 1)
    return np.asarray(beamline.thickness * profile)


def _bump(plot: Plot, frame: int, x: Array) -> Array:
    """Return how far melt and frozen track stand above the undisturbed surface, µm."""
    hole, track = plot.keyholes[frame], plot.track(frame)
    if track is None:
        return np.zeros_like(x)
    tallest = max(plot.bumps)
    behind = (track[1] - x) * plot.ahead
    began = (x - track[0]) * plot.ahead
    reach = 0.5 * max(h.depth for h in plot.keyholes if h is not None)
    frozen = 0.35 * tallest / (1 + np.exp(-np.clip(began / (0.15 * reach), -50, 50)))
    frozen = frozen / (1 + np.exp(-np.clip((behind - 1.6 * reach) / (0.2 * reach), -50, 50)))
    if hole is None:
        return np.asarray(frozen)
    at = hole.half_width * (1 + hole.mouth)
    rear = np.exp(-(((behind - at - 0.8 * reach) / (0.55 * reach)) ** 2))
    front = 0.35 * np.exp(-(((behind + hole.half_width * 1.3) / (0.2 * reach)) ** 2))
    return np.asarray(np.maximum(frozen, plot.bumps[frame] * np.maximum(rear, front)))


def _gas(grid: Grid, plot: Plot, beamline: Beamline, frame: int) -> Array:
    """Return the path through keyhole, pores and thinner melt, in µm of metal that is missing."""
    y, x = grid.points(_all((grid.shape[0], grid.shape[1])))
    gas = np.zeros((grid.shape[0], grid.shape[1]))
    hole = plot.keyholes[frame]
    if hole is not None:
        gas = gas + _swept(hole, plot.speed * beamline.exposure, grid.spacing[0], y, x)
        gas = gas + beamline.thickness * beamline.melt * _melt_pool(hole, y, x)
    for pore in plot.pores_at(frame):
        shape = pore.at(frame)
        window = grid.clipped(grid.window(*shape.bounds()))
        if window is not None:
            u, v = shape.local(*grid.points(window))
            gas[window] += 2 * pore.radii[1] * np.sqrt(np.maximum(1 - u * u - v * v, 0))
    return gas


def _swept(hole: Keyhole, way: float, pixel: float, y: Array, x: Array) -> Array:
    """Return the mean chord of a keyhole that moves by `way` µm during the exposure."""
    steps = max(1, int(np.ceil(way / pixel)))
    shifts = way * ((np.arange(steps) + 0.5) / steps - 0.5)
    return np.asarray(sum(hole.chord(y, x - hole.ahead * s) for s in shifts) / steps)


def _fringes(path: Array, beamline: Beamline, limit: float) -> Array:
    """Return the factor of phase contrast: 1 + fringes ∇²(path in px), softly limited."""
    change = optics.edge_fringe(path, -beamline.fringes, beamline.blur)
    return np.asarray(1 + limit * np.tanh(change / limit))


def _melt_pool(hole: Keyhole, y: Array, x: Array) -> Array:
    """Return where the metal is liquid: it is a little less dense. 1 inside, soft edge."""
    behind = (hole.top[1] - x) * hole.ahead
    length, depth = 3.2 * hole.depth, 1.12 * hole.depth
    along = np.where(behind > 0, behind / length, behind / (0.35 * hole.depth))
    rho = np.hypot(along, (y - hole.top[0]) / depth)
    return np.asarray(1 / (1 + np.exp(np.clip((rho - 1) / 0.03, -50, 50))))

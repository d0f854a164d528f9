"""X-ray movies of a laser crossing a metal plate: keyhole, pores, melt pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms import optics
from napari_defectseg.phantoms.draw import between, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.keyhole import Keyhole
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.shapes import Ellipse
from napari_defectseg.phantoms.truth import Table, Truth

Array = np.ndarray[Any, Any]
Range = tuple[float, float]
KEYHOLE, PORE = 1, 2
CLASSES = ClassMap.of(["keyhole", "pore"])


@dataclass(frozen=True)
class MovieSettings:
    """What a movie shows. Pairs are ranges that each movie draws from.

    Parameters
    ----------
    pixel_size : (float, float)
        µm, log-uniform.
    frame_time : float
        µs.
    speed : (float, float)
        Of the laser, m/s (µm/µs).
    before : (int, int)
        Frames before the laser is switched on.
    surface : (float, float)
        Height of the plate's surface as a share of the picture's height, from above.
    depth : (float, float)
        Mean depth of the keyhole, as a share of the plate's height in the picture.
    slenderness : (float, float)
        Depth over width.
    unrest : (float, float)
        Relative standard deviation of the depth over time.
    pore_rate : float
        Pores left behind, per frame.
    pore_diameter : (float, float)
        µm, log-uniform.
    old_pores : (int, int)
        Pores of the plate that are there from the start.
    thickness : (float, float)
        Of the plate along the beam, µm.
    attenuation : (float, float)
        1/mm.
    photons : (float, float)
        Counts a pixel where there is no metal, log-uniform.
    above : str
        ``"dark"`` (a holder shades it), ``"bright"`` (open beam) or ``"any"``.
    """

    pixel_size: Range = (1.5, 3.0)
    frame_time: float = 20.0
    speed: Range = (0.3, 1.0)
    before: tuple[int, int] = (0, 3)
    surface: Range = (0.15, 0.3)
    depth: Range = (0.35, 0.75)
    slenderness: Range = (1.3, 3.0)
    unrest: Range = (0.03, 0.12)
    pore_rate: float = 0.25
    pore_diameter: Range = (10, 40)
    old_pores: tuple[int, int] = (0, 4)
    thickness: Range = (300, 600)
    attenuation: Range = (1.5, 3.0)
    photons: Range = (3e3, 2e4)
    above: str = "any"


@dataclass(frozen=True)
class Pore:
    """A pore over time: it drifts in the melt and stops when that freezes."""

    label: int
    born: int
    start: tuple[float, float]
    drift: tuple[float, float]
    freezing: float
    radii: tuple[float, float]
    angle: float

    def at(self, frame: int) -> Ellipse:
        """Return its outline in a frame."""
        moved = self.freezing * (1 - np.exp(-(frame - self.born) / self.freezing))
        y, x = (float(s + d * moved) for s, d in zip(self.start, self.drift, strict=True))
        return Ellipse((y, x), *self.radii, self.angle)


@dataclass(frozen=True)
class Plot:
    """All that happens: the keyhole of each frame (None without one) and the pores."""

    surface: float
    keyholes: tuple[Keyhole | None, ...]
    pores: tuple[Pore, ...]


def movie(
    settings: MovieSettings, *, seed: int = 0, shape: tuple[int, int, int] = (24, 192, 512)
) -> Phantom:
    """Return a synthetic movie with truth; an object keeps its number over the frames.

    Parameters
    ----------
    settings : MovieSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int, int)
        Frames, rows, columns.
    """
    rng = np.random.default_rng(seed)
    pixel = log_between(settings.pixel_size, rng)
    grid = Grid(shape[1:], (pixel, pixel))
    plot = _plotted(shape[0], grid, settings, rng)
    masks, instances, tables = [], [], []
    for frame in range(shape[0]):
        mask, numbers, table = _true_frame(frame, grid, plot, settings)
        masks.append(mask)
        instances.append(numbers)
        tables.append(table)
    frames = _radiographs(shape[0], grid, plot, settings, rng)
    calibration = Calibration.of((pixel, pixel), "µm", "phantom: exact")
    calibration = calibration.with_frame_time(settings.frame_time, "µs")
    return Phantom(
        CalibratedImage(frames, ("t", "y", "x"), calibration, f"movie-{seed}"),
        np.stack(masks),
        np.stack(instances),
        _joined(tables),
        CLASSES,
        "movie",
        seed,
        facts=_facts(plot, settings),
    )


def _facts(plot: Plot, settings: MovieSettings) -> Mapping[str, Any]:
    depth = [np.nan if k is None else k.depth for k in plot.keyholes]
    return {
        "surface": plot.surface,
        "time": np.arange(len(depth)) * settings.frame_time,
        "keyhole_present": np.isfinite(depth),
        "keyhole_depth": np.array(depth),
    }


def _plotted(frames: int, grid: Grid, settings: MovieSettings, rng: np.random.Generator) -> Plot:
    height, width = grid.extent
    # Between two rows of pixel centres or on one: anywhere.
    surface = between(settings.surface, rng) * height
    ahead = int(rng.choice([-1, 1]))
    step = between(settings.speed, rng) * settings.frame_time
    start = rng.uniform(0.1, 0.45) * width
    laser_on = min(int(rng.integers(*settings.before, endpoint=True)), frames - 1)
    mean = between(settings.depth, rng) * (height - surface)
    depths = mean * (1 + between(settings.unrest, rng) * _unrest(frames, rng))
    half = mean / between(settings.slenderness, rng) / 2
    lean, hook = rng.uniform(0.05, 0.35), rng.uniform(-0.05, 0.25)
    mouth, bulb = rng.uniform(0.1, 0.9), rng.uniform(0.0, 0.5)
    bulbs, hooks = _unrest(frames, rng), _unrest(frames, rng)
    holes: list[Keyhole | None] = []
    for frame in range(frames):
        spot = start + step * (frame - laser_on)
        if frame < laser_on or not 0 <= spot <= width:
            holes.append(None)
            continue
        growth = 1 - 0.75 * np.exp(-(frame - laser_on + 0.5) / 1.2)
        holes.append(
            Keyhole(
                (surface, float(spot if ahead > 0 else width - spot)),
                float(min(depths[frame] * growth, 0.97 * (height - surface))),
                float(half * (0.9 + 0.05 * bulbs[frame])),
                ahead,
                float(lean),
                float(np.clip(hook + 0.08 * hooks[frame], -0.1, 0.4)),
                float(mouth),
                0.35,
                float(np.clip(bulb + 0.2 * bulbs[frame], 0, 1)),
            )
        )
    pores = _pores(grid, surface, holes, settings, rng)
    return Plot(surface, tuple(holes), pores)


def _unrest(frames: int, rng: np.random.Generator) -> Array:
    """Return fluctuation over time: an AR(1) process of unit variance, cut at 2.5."""
    value, values = float(rng.standard_normal()), []
    for _ in range(frames):
        value = 0.6 * value + 0.8 * float(rng.standard_normal())
        values.append(value)
    return np.clip(values, -2.5, 2.5)


def _pores(
    grid: Grid,
    surface: float,
    holes: list[Keyhole | None],
    settings: MovieSettings,
    rng: np.random.Generator,
) -> tuple[Pore, ...]:
    height, width = grid.extent
    pores: list[Pore] = []
    for _ in range(int(rng.integers(*settings.old_pores, endpoint=True))):
        place = rng.uniform(surface + 0.1 * (height - surface), height), rng.uniform(0, width)
        pores.append(_pore(len(pores) + 2, 0, place, (0.0, 0.0), settings, rng))
    for frame, hole in enumerate(holes):
        for _ in range(int(rng.poisson(settings.pore_rate)) if hole is not None else 0):
            assert hole is not None
            s = np.array(rng.uniform(0.8, 0.98))
            x = hole.middle(s) - hole.ahead * (hole.half(s) + rng.uniform(0.02, 0.1) * hole.depth)
            place = hole.top[0] + float(s) * hole.depth, float(x)
            drift = (
                -float(rng.uniform(-0.01, 0.04)) * hole.depth,
                -hole.ahead * float(rng.uniform(0, 0.05)) * hole.depth,
            )
            pores.append(_pore(len(pores) + 2, frame, place, drift, settings, rng))
    return tuple(pores)


def _pore(
    label: int,
    born: int,
    place: tuple[float, float],
    drift: tuple[float, float],
    settings: MovieSettings,
    rng: np.random.Generator,
) -> Pore:
    radius = log_between(settings.pore_diameter, rng) / 2
    flat = float(rng.uniform(0.8, 1))
    radii = radius / np.sqrt(flat), radius * np.sqrt(flat)
    freezing, angle = float(rng.uniform(1.5, 5)), float(rng.uniform(0, np.pi))
    return Pore(label, born, place, drift, freezing, (float(radii[0]), float(radii[1])), angle)


def _true_frame(
    frame: int, grid: Grid, plot: Plot, settings: MovieSettings
) -> tuple[Array, Array, Table]:
    truth = Truth(grid, CLASSES, (KEYHOLE, PORE))
    when = {"frame": float(frame), "time": frame * settings.frame_time}
    hole = plot.keyholes[frame]
    if hole is not None:
        measures = {
            "depth": hole.depth,
            "width_at_surface": hole.width_at_surface,
            "width_at_half_depth": hole.width_at_half_depth,
            "front_wall_angle": hole.front_wall_angle,
        }
        truth.add(hole, KEYHOLE, measures | when, label=1)
    for pore in plot.pores:
        if pore.born <= frame:
            truth.add(pore.at(frame), PORE, when, label=pore.label)
    return truth.resolve()


def _joined(tables: list[Table]) -> Table:
    """Return the tables of all frames as one; columns that a frame lacks are nan there."""
    names = dict.fromkeys(name for table in tables for name in table)
    joined: Table = {}
    for name in names:
        parts = [table.get(name, np.full(len(table["label"]), np.nan)) for table in tables]
        joined[name] = np.concatenate(parts)
    frames = joined.get("frame")
    if frames is not None:
        joined["frame"] = frames.astype(np.int64)
    return joined


def _radiographs(
    frames: int, grid: Grid, plot: Plot, settings: MovieSettings, rng: np.random.Generator
) -> Array:
    """Return the movie, uint16 with 12 bits, without flat-field correction."""
    shape = grid.shape[0], grid.shape[1]
    y, x = grid.points(tuple(slice(0, n) for n in shape))
    pixel = grid.spacing[0]
    mu = between(settings.attenuation, rng) / 1000
    thickness = between(settings.thickness, rng)
    plate = np.clip(0.5 + (y - plot.surface) / pixel, 0, 1) * np.ones(shape)
    plate = plate * (1 + 0.01 * optics.random_field(shape, rng, 4.0, slope=2.0))
    flat = _flat_field(shape, rng)
    above = settings.above
    if above == "any":
        above = str(rng.choice(["dark", "dark", "bright"]))
    depth_of_shade = 0.85 + 0.1 * rng.uniform() if above == "dark" else 0.0
    shade = 1 - depth_of_shade * np.clip(0.5 + (plot.surface - y) / pixel / 2, 0, 1)
    photons = log_between(settings.photons, rng)
    fringe, blur = float(rng.uniform(0.03, 0.12)), float(rng.uniform(0.7, 1.2))
    melt = float(rng.uniform(0.0, 0.03))
    record = np.empty((frames, *shape), np.uint16)
    gain = 3000 / photons * (1.0 if above == "bright" else np.exp(mu * thickness) * 0.55)
    for frame in range(frames):
        gas = np.zeros(shape)
        hole = plot.keyholes[frame]
        if hole is not None:
            gas = np.maximum(gas, hole.chord(y, x))
            gas = gas + thickness * melt * _melt_pool(hole, y, x)
        for pore in plot.pores:
            if pore.born <= frame:
                u, v = pore.at(frame).local(y, x)
                gas = gas + 2 * pore.radii[1] * np.sqrt(np.maximum(1 - u * u - v * v, 0))
        path = np.maximum(thickness * plate - gas * plate, 0)
        image = np.exp(-mu * path) * (
            1 + optics.edge_fringe(path / pixel, -fringe * mu * pixel * 8, blur)
        )
        image = optics.blurred(image, 0.6) * shade * flat * (1 + 0.01 * rng.standard_normal())
        record[frame] = np.clip(rng.poisson(np.maximum(image, 0) * photons) * gain + 100, 0, 4095)
    return record


def _melt_pool(hole: Keyhole, y: Array, x: Array) -> Array:
    """Return where the metal is liquid: it is a little less dense. 1 inside, soft edge."""
    behind = (hole.top[1] - x) * hole.ahead
    length, depth = 3.2 * hole.depth, 1.12 * hole.depth
    along = np.where(behind > 0, behind / length, behind / (0.35 * hole.depth))
    rho = np.hypot(along, (y - hole.top[0]) / depth)
    return np.asarray(1 / (1 + np.exp(np.clip((rho - 1) / 0.03, -50, 50))))


def _flat_field(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return the uncorrected beam: gradients, stripes of the optics, dust, all at rest."""
    y = np.linspace(-1, 1, shape[0])[:, None]
    x = np.linspace(-1, 1, shape[1])[None, :]
    field = 1 + 0.12 * rng.uniform(-1, 1) * y + 0.1 * rng.uniform(-1, 1) * x
    field = field * (1 + 0.012 * optics.turned_field(shape, rng, (60.0, 1.5), 0.0))
    field = field * (1 + 0.012 * optics.random_field(shape, rng, 6.0, slope=2.5))
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for _ in range(int(rng.integers(1, 7))):
        r = np.hypot(rows - rng.uniform(0, shape[0]), columns - rng.uniform(0, shape[1]))
        radius = rng.uniform(2, 8)
        field = field * (1 - 0.15 * rng.uniform() * np.exp(-(((r - radius) / 1.2) ** 2)))
    return np.asarray(field)

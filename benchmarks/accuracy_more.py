"""Errors of lines, of sizes near a border, and of keyholes; `accuracy.py` puts them on its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.measurement.movies.movie import measure_movie
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions, take_in
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.statistics.lines import measure_lines
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.phantoms.make import phantom

Real = NDArray[np.float64]
FIELDS, SIDE = 50, 600
"""Fields whose objects are cut by the border, and their width in pixels."""


@dataclass(frozen=True)
class Errors:
    """Errors of one quantity in per cent of the truth, one a repeat, with the limits that hold."""

    case: str
    quantity: str
    values: Real
    limit: float | None = None
    most: float | None = None


def lines(repeats: int) -> Iterator[Errors]:
    """Yield errors of the length of straight strips and of rings, at any place and angle."""
    for width in (2, 3, 5, 9):
        found = [measure_lines(strip(seed, 100, width)).length for seed in range(repeats)]
        yield Errors(f"strip of 100, {width} wide", "length", _errors(found, 100.0), 2.0, 2.0)
    for radius in (10, 20, 50):
        found = [measure_lines(ring(seed, radius)).length for seed in range(repeats)]
        truth = 2 * np.pi * radius
        yield Errors(f"ring r = {radius}, 3 wide", "length", _errors(found, truth), 2.0, 2.0)
    found = [measure_lines(rod(seed)).length for seed in range(max(repeats // 5, 3))]
    yield Errors("rod of 40 in a volume, 4 wide", "length", _errors(found, 40.0), 2.0, 4.0)


def borders(_: int) -> Iterator[Errors]:
    """Yield errors of the mean diameter of discs, the larger of which are cut more often."""
    masks = [discs(seed) for seed in range(FIELDS)]
    for border in ("count", "exclude", "frame", "weight"):
        settings = MeasureSettings(border=border)
        tables = [measure_regions(mask, settings=settings) for mask in masks]
        pooled = _mean_diameter(RegionTable.stack(tables))
        errors = np.array([_mean_diameter(table) for table in tables])
        # The bias is that of all fields together: the mean of ratios is not the ratio of means.
        errors *= pooled / errors.mean()
        limit = 1.0 if border in ("frame", "weight") else None
        case = f"discs of 4 to 20 in {FIELDS} fields of {SIDE}², border: {border}"
        yield Errors(case, "mean_equivalent_diameter", _errors(errors, 12.0), limit)


def _mean_diameter(table: RegionTable) -> float:
    return float(summarise(table)["object"]["mean_equivalent_diameter"].value or np.nan)


def keyholes(_: int) -> Iterator[Errors]:
    """Yield errors of keyholes of phantom movies, frame by frame, true masks given."""
    classes = ClassMap.of(["keyhole", "pore"])
    settings = MovieSettings(keyhole="keyhole", pores=("pore",))
    errors: dict[str, list[Real]] = {"keyhole_depth": [], "keyhole_width_at_half_depth": []}
    for seed in range(6):
        made = phantom("movie", seed=seed, shape=(20, 160, 400), above="dark")
        table = measure_regions(made.mask, image=made.image, classes=classes)
        source = take_in(made.mask, made.image, classes=classes)
        frames = measure_movie(source, table, settings, made.image).frames
        depth = np.asarray(made.facts["keyhole_depth"])
        errors["keyhole_depth"].append(frames["keyhole_depth"] / depth)
        rows = made.rows("keyhole")
        width = frames["keyhole_width_at_half_depth"][rows["frame"]]
        errors["keyhole_width_at_half_depth"].append(width / rows["width_at_half_depth"])
    for quantity, found in errors.items():
        yield Errors("keyholes of 6 movies", quantity, _errors(np.concatenate(found), 1.0), 5.0)


def strip(seed: int, length: float, width: float, side: int = 150) -> NDArray[np.bool_]:
    """Return a straight strip of any direction at any place between pixels."""
    rng = np.random.default_rng(seed)
    angle, centre = rng.uniform(0, np.pi), side / 2 + rng.uniform(-5, 5, 2)
    y, x = np.ogrid[:side, :side]
    along = (y - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
    across = (y - centre[0]) * np.cos(angle) - (x - centre[1]) * np.sin(angle)
    return (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)


def ring(seed: int, radius: float, width: float = 3, side: int = 120) -> NDArray[np.bool_]:
    """Return a ring."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[:side, :side]
    centre = side / 2 + rng.uniform(-5, 5, 2)
    return np.abs(np.hypot(y - centre[0], x - centre[1]) - radius) <= width / 2


def rod(seed: int) -> NDArray[np.bool_]:
    """Return a round rod of any direction in a volume."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    grid = np.stack(np.meshgrid(*[np.arange(60.0)] * 3, indexing="ij"), -1) - 30
    grid -= rng.uniform(-3, 3, 3)
    along = grid @ direction
    away = np.linalg.norm(grid - along[..., None] * direction, axis=-1)
    return (np.abs(along) <= 20) & (away <= 2)


def discs(seed: int) -> NDArray[np.int32]:
    """Return a window into a plane of discs, one a cell of 25², of diameters from 4 to 20."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((SIDE, SIDE), np.int32)
    places = np.arange(-12.5, SIDE + 25, 25) + rng.uniform(-12.5, 12.5, 1)
    for number, (row, column) in enumerate(product(places, places), start=1):
        size = rng.uniform(4, 20)
        centre = np.array([row, column]) + rng.uniform(-2, 2, 2)
        low = np.maximum(centre - size / 2, 0).astype(int)
        high = np.minimum(np.ceil(centre + size / 2).astype(int) + 1, SIDE)
        if (low < high).all():
            y, x = np.ogrid[low[0] : high[0], low[1] : high[1]]
            inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= size**2 / 4
            labels[low[0] : high[0], low[1] : high[1]][inside] = number
    return labels


def _errors(found: object, truth: float) -> Real:
    ratio = 100 * (np.asarray(found, np.float64) / truth - 1)
    return ratio[np.isfinite(ratio)]

"""X-ray movies of a laser crossing metal: keyhole, pores, melt pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms.beamline import Beamline
from napari_defectseg.phantoms.draw import log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.movie_settings import MovieSettings
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.plot import Plot, plotted
from napari_defectseg.phantoms.radiographs import radiographs
from napari_defectseg.phantoms.truth import Table, Truth

Array = np.ndarray[Any, Any]
KEYHOLE, PORE = 1, 2
CLASSES = ClassMap.of(["keyhole", "pore"])


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
    beamline = Beamline.drawn(settings, rng)
    plot = plotted(shape[0], grid, beamline, settings, rng)
    frames = [_true_frame(frame, grid, plot, settings.frame_time) for frame in range(shape[0])]
    masks, instances, tables = zip(*frames, strict=True)
    calibration = Calibration.of((pixel, pixel), "µm", "phantom: exact")
    return Phantom(
        CalibratedImage(
            radiographs(grid, plot, beamline, rng),
            ("t", "y", "x"),
            calibration.with_frame_time(settings.frame_time, "µs"),
            f"movie-{seed}",
            acquisition=Acquisition(
                exposure=Quantity(beamline.exposure, "µs"),
                scan_direction="left to right" if plot.ahead > 0 else "right to left",
            ),
        ),
        np.stack(masks),
        np.stack(instances),
        _joined(tables),
        CLASSES,
        "movie",
        seed,
        facts=_facts(plot, beamline, settings),
    )


def _facts(plot: Plot, beamline: Beamline, settings: MovieSettings) -> Mapping[str, Any]:
    depth = [np.nan if hole is None else hole.depth for hole in plot.keyholes]
    return {
        "surface": plot.surface,
        "time": np.arange(len(depth)) * settings.frame_time,
        "keyhole_present": np.isfinite(depth),
        "keyhole_depth": np.array(depth),
        "laser_speed_m_per_s": plot.speed,
        "specimen": "wall" if beamline.wall else "plate",
        "thickness_um": beamline.thickness,
        "attenuation_per_mm": 1000 * beamline.mu,
        "noise": beamline.noise,
        "too_faint": plot.too_faint,
    }


def _true_frame(
    frame: int, grid: Grid, plot: Plot, frame_time: float
) -> tuple[Array, Array, Table]:
    truth = Truth(grid, CLASSES, (KEYHOLE, PORE))
    when = {"frame": float(frame), "time": frame * frame_time}
    hole = plot.keyholes[frame]
    if hole is not None:
        measures = {
            "depth": hole.depth,
            "width_at_surface": hole.width_at_surface,
            "width_at_half_depth": hole.width_at_half_depth,
            "front_wall_angle": hole.front_wall_angle,
        }
        truth.add(hole, KEYHOLE, measures | when, label=1)
    for pore in plot.pores_at(frame):
        volume = 4 / 3 * np.pi * pore.radii[0] * pore.radii[1] ** 2
        truth.add(pore.at(frame), PORE, {"volume": volume} | when, label=pore.label)
    return truth.resolve()


def _joined(tables: tuple[Table, ...]) -> Table:
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

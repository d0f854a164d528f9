"""`frame_table`: what a movie shows in each frame, as a table with units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.movies.clock import Clock
from napari_defectseg.measurement.movies.keyholes import Keyholes
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.movies.tracks import Tracks
from napari_defectseg.measurement.table import Column, RegionTable

Real = NDArray[np.float64]
SIZE = "equivalent_diameter_area"

KEYHOLE = (
    ("keyhole_depth", "depth", "length",
     "Vertical distance from the undisturbed surface to the deepest point."),
    ("keyhole_rim_depth", "rim_depth", "length",
     "Vertical distance from the highest point of its outline to the deepest one."),
    ("keyhole_width_at_surface", "width_at_surface", "length",
     "Width of its first row below the surface; nan where it is closed above."),
    ("keyhole_width_at_half_depth", "width_at_half_depth", "length",
     "Width half-way from the surface to its deepest point."),
    ("keyhole_aspect", "aspect", "", "Depth over width at half depth."),
    ("keyhole_area", "area", "area", "Its area below the surface."),
    ("front_wall_angle", "front_wall_angle", "angle",
     "Angle of the surface to the line through the leading wall, 10 to 90 % deep; 90° is upright."),
    ("laser_position", "front", "length",
     "Leading edge of its opening, along x from the first column."),
)  # fmt: skip
"""Column, field of `Keyholes`, kind of unit, definition."""
POOL = (
    ("melt_pool_depth", "length", "From the undisturbed surface to its deepest point."),
    ("melt_pool_length", "length", "Its extent along x below the surface."),
    ("melt_pool_area", "area", "Its area below the surface, keyhole included."),
)


def frame_table(
    table: RegionTable,
    clock: Clock,
    settings: MovieSettings,
    keyholes: Keyholes | None,
    pools: Real | None,
    tracks: Tracks | None,
    shifts: Real | None,
) -> RegionTable:
    """Return one row a frame.

    Parameters
    ----------
    table : RegionTable
        Of the objects.
    clock : Clock
    settings : MovieSettings
    keyholes : Keyholes or None
    pools : ndarray of float, shape (frames, 3), or None
        Of `pools.measure_pools`.
    tracks : Tracks or None
    shifts : ndarray of float, shape (frames, 2), or None
        How far the picture has moved, in px.
    """
    columns = {
        "frame": Column(np.arange(clock.frames), "", "Frame, from 0."),
        "time": Column(clock.times, clock.time_unit, "From the first frame."),
    }
    length = table.calibration.length_unit
    columns.update(_keyhole(keyholes, clock, length, bool(settings.keyhole)))
    values = np.full((clock.frames, len(POOL)), np.nan) if pools is None else pools
    if settings.keyhole or settings.melt_pool:
        for place, (name, kind, told) in enumerate(POOL):
            told = f"{told} nan in frames that do not show it."
            columns[name] = Column(values[:, place], clock.unit(kind, length), told)
    for name in settings.pores:
        columns.update(_pores(table, name, clock.frames, length))
    if tracks is not None:
        told = "that begin in sight: not in the first frame, not at the edge of the picture."
        columns["births"] = Column(tracks.births, "", f"Tracks {told}")
        told = "that end in sight: not in the last frame, not at the edge of the picture."
        columns["ends"] = Column(tracks.ends, "", f"Tracks {told}")
    if shifts is not None:
        for axis, name in enumerate("yx"):
            told = f"How far the picture lies from the first frame along {name}."
            columns[f"drift-{axis}"] = Column(shifts[:, axis], "px", told)
    return RegionTable(columns, table.calibration)


def file_name(name: str) -> str:
    """Return a class name as it stands in the name of a column."""
    return "_".join(name.split())


def _keyhole(
    keyholes: Keyholes | None, clock: Clock, length: str, wanted: bool
) -> Iterator[tuple[str, Column]]:
    if not wanted:
        return
    present = np.zeros(clock.frames, bool) if keyholes is None else keyholes.present
    pieces = np.zeros(clock.frames, np.int64) if keyholes is None else keyholes.pieces
    yield "keyhole_present", Column(present, "", "Whether the frame shows a keyhole.")
    told = "Parts it falls into; the largest one is measured."
    yield "keyhole_pieces", Column(pieces, "", told)
    for name, field, kind, told in KEYHOLE:
        values = np.full(clock.frames, np.nan) if keyholes is None else getattr(keyholes, field)
        unit = "°" if kind == "angle" else clock.unit(kind, length)
        yield name, Column(values, unit, told)


def _pores(table: RegionTable, name: str, frames: int, length: str) -> Iterator[tuple[str, Column]]:
    rows = table.rows_of(name)
    frame = np.asarray(table["frame"], np.int64)[rows]
    count = np.bincount(frame, minlength=frames)
    area = np.bincount(frame, table["area"][rows], frames)
    sizes = np.bincount(frame, table[SIZE][rows], frames)
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, sizes / np.maximum(count, 1), np.nan)
    key = file_name(name)
    yield f"{key}_count", Column(count, "", f"Objects of class {name}; a lower bound.")
    yield f"{key}_area", Column(area, f"{length}²", "Their projected area together.")
    yield f"{key}_mean_diameter", Column(mean, length, "Mean equivalent diameter.")

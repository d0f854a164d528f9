"""`Tracks`: pores followed from frame to frame, with births, ends and velocities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.movies.clock import Clock
from napari_defectseg.measurement.movies.linking import Tracker, usual_reach
from napari_defectseg.measurement.table import Column, RegionTable

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
FEWEST = 3
"""Frames that a velocity needs."""
FAR = 1e9


@dataclass(frozen=True)
class Tracks:
    """Objects of some classes over time.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Rows of the table of objects that were followed.
    track : ndarray of int64, shape (n,)
        The track of each, from 1.
    table : RegionTable
        One row a track.
    births, ends : ndarray of int64, shape (frames,)
        Tracks that begin (end) in sight in each frame: not in the movie's first (last) frame
        and not at the edge of the picture.
    reach : float
        The longest step that was allowed, in the unit of the pixel size.
    lost : int
        Frames in which a track is missing between its first and last one, over all tracks.
    """

    rows: Whole
    track: Whole
    table: RegionTable
    births: Whole
    ends: Whole
    reach: float
    lost: int


def follow(
    table: RegionTable,
    rows: Whole,
    clock: Clock,
    *,
    reach: float = 0.0,
    memory: int = 1,
    shifts: Real | None = None,
    laser: float = float("nan"),
) -> Tracks:
    """Follow objects from frame to frame.

    Parameters
    ----------
    table : RegionTable
        Of a movie: columns ``frame``, ``centroid-0``, ``centroid-1``.
    rows : ndarray of int64
        Which of its rows are followed.
    clock : Clock
        Frames, their times, units of velocities.
    reach : float
        The longest step, in the unit of the pixel size; 0: `linking.usual_reach`.
    memory : int
        For how many frames an object may be lost.
    shifts : ndarray of float, shape (frames, 2), or None
        How far the picture has moved, in the unit of the pixel size; taken out.
    laser : float
        Velocity of the laser along x in the clock's unit; nan: not known, and no velocities in
        the frame that moves with it.
    """
    frame = np.asarray(table["frame"], np.int64)[rows]
    rows = rows[np.argsort(frame, kind="stable")]
    frame = np.asarray(table["frame"], np.int64)[rows]
    places = np.stack([table["centroid-0"][rows], table["centroid-1"][rows]], axis=1)
    if shifts is not None:
        places = places - shifts[frame]
    cuts = np.searchsorted(frame, np.arange(1, clock.frames))
    frames = np.split(np.column_stack([places, _apart(table, rows)]), cuts)
    if not reach:
        sizes = table["equivalent_diameter_area"][rows]
        reach = usual_reach(frames, float(np.mean(sizes)) if rows.size else 1.0)
    names = Tracker(reach, memory).link(frames)
    track = np.concatenate(names) if names else np.zeros(0, np.int64)
    return _tracks(table, rows, track, places, clock, reach, laser)


def _tracks(
    table: RegionTable,
    rows: Whole,
    track: Whole,
    places: Real,
    clock: Clock,
    reach: float,
    laser: float,
) -> Tracks:
    frame = np.asarray(table["frame"], np.int64)[rows]
    count = int(track.max(initial=0))
    order = np.lexsort((frame, track))
    starts = np.searchsorted(track[order], np.arange(1, count + 2))
    sizes = np.asarray(table["equivalent_diameter_area"][rows], np.float64)
    cut = _at_border(table, rows)
    unit = table.calibration.length_unit
    numbers = np.full((count, len(_NUMBERS)), np.nan)
    whole = np.zeros((count, 3), np.int64)
    births, ends = (np.zeros(clock.frames, np.int64) for _ in range(2))
    for name in range(count):
        own = order[starts[name] : starts[name + 1]]
        first, last = int(frame[own[0]]), int(frame[own[-1]])
        whole[name] = first, last, own.size
        numbers[name] = _one(places[own], clock.times[frame[own]], sizes[own], clock, laser)
        births[first] += first > 0 and not cut[own[0]]
        ends[last] += last < clock.frames - 1 and not cut[own[-1]]
    lost = int((whole[:, 1] - whole[:, 0] + 1 - whole[:, 2]).sum())
    columns = {"track": Column(np.arange(1, count + 1), "", "Number of the track.")}
    if "class" in table:
        firsts = order[starts[:-1]]
        columns["class"] = Column(table["class"][rows[firsts]], "", "Class at its first frame.")
    for place, (key, told) in enumerate(_WHOLE):
        columns[key] = Column(whole[:, place], "", told)
    for place, (key, kind, told) in enumerate(_NUMBERS):
        columns[key] = Column(numbers[:, place], clock.unit(kind, unit), told)
    made = RegionTable(columns, table.calibration, table.classes)
    return Tracks(rows, track, made, births, ends, reach, lost)


_WHOLE = (
    ("first_frame", "Frame in which it is first seen, from 0."),
    ("last_frame", "Frame in which it is last seen."),
    ("frames", "Frames in which it is seen; fewer than its span where it was lost between."),
)
_NUMBERS = (
    ("duration", "time", "From its first to its last frame."),
    ("diameter_mean", "length", "Mean equivalent diameter over its frames."),
    ("start-0", "length", "Its first position along y, the picture's own motion taken out."),
    ("start-1", "length", "Its first position along x, the picture's own motion taken out."),
    ("displacement", "length", "Distance from its first to its last position."),
    ("path_length", "length", "Sum of its steps; noise of the positions makes it too long."),
    ("velocity-0", "velocity", "Slope of y against time; downwards is positive."),
    ("velocity-1", "velocity", "Slope of x against time, in the frame of the laboratory."),
    ("speed", "velocity", "Length of the velocity."),
    (
        "velocity_to_laser",
        "velocity",
        "Velocity along x in the frame that moves with the laser; nan: its speed is not known.",
    ),
)


def _one(places: Real, times: Real, sizes: Real, clock: Clock, laser: float) -> tuple[float, ...]:
    steps = np.diff(places, axis=0)
    away = places[-1] - places[0]
    velocity = (float("nan"), float("nan"))
    if len(places) >= FEWEST:
        down, along = np.polyfit(times, places, 1)[0] * clock.speed_factor
        velocity = (float(down), float(along))
    return (
        float(times[-1] - times[0]),
        float(sizes.mean()),
        float(places[0, 0]),
        float(places[0, 1]),
        float(np.hypot(*away)),
        float(np.hypot(steps[:, 0], steps[:, 1]).sum()),
        *velocity,
        float(np.hypot(*velocity)),
        velocity[1] - laser,
    )


def _apart(table: RegionTable, rows: Whole) -> Real:
    """Return a third coordinate that keeps objects of different classes out of reach."""
    if "class" not in table:
        return np.zeros(rows.size)
    kinds = np.unique(table["class"][rows], return_inverse=True)[1]
    return kinds.astype(np.float64) * FAR


def _at_border(table: RegionTable, rows: Whole) -> NDArray[np.bool_]:
    if "touches_border" not in table:
        return np.zeros(rows.size, bool)
    return np.asarray(table["touches_border"][rows], bool)

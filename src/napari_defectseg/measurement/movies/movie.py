"""`measure_movie`: keyhole, melt pool and pores of a movie, frame by frame and as tracks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.grey import Grey
from napari_defectseg.measurement.movies.clock import Clock
from napari_defectseg.measurement.movies.drift import drift_of, steadied
from napari_defectseg.measurement.movies.frames import frame_table
from napari_defectseg.measurement.movies.keyholes import (
    Keyholes,
    measure_keyholes,
    moving,
    slope_of,
)
from napari_defectseg.measurement.movies.pools import measure_pools
from napari_defectseg.measurement.movies.settings import MovieSettings, direction_of
from napari_defectseg.measurement.movies.surface import (
    Frames,
    SubstrateLine,
    given_surface,
    surface_of_masks,
    surface_of_picture,
)
from napari_defectseg.measurement.movies.tracks import Tracks, follow
from napari_defectseg.measurement.picture import class_objects
from napari_defectseg.measurement.populations import NO_CLASSES
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.table import Column, RegionTable

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MovieStatistics:
    """What a movie shows beyond its objects.

    Parameters
    ----------
    frames : RegionTable
        One row a frame.
    clock : Clock
    settings : MovieSettings
    line : SubstrateLine or None
        The undisturbed surface; None where nothing is measured from it.
    keyholes : Keyholes or None
    ahead : int
        +1 or -1 as the laser moves along x, 0 if nobody knows.
    laser : Estimate
        Its velocity along x.
    tracks : Tracks or None
    notes : tuple of str
        What a person should know before using the numbers.
    """

    frames: RegionTable
    clock: Clock
    settings: MovieSettings
    line: SubstrateLine | None
    keyholes: Keyholes | None
    ahead: int
    laser: Estimate
    tracks: Tracks | None
    notes: tuple[str, ...]

    def with_tracks(self, table: RegionTable) -> RegionTable:
        """Return the table of objects with the track of each, 0 where it was not followed."""
        if self.tracks is None:
            return table
        track = np.zeros(len(table), np.int64)
        track[self.tracks.rows] = self.tracks.track
        told = "Number of its track: the same object in other frames; 0: not followed."
        return table.with_column("track", Column(track, "", told))


def measure_movie(
    source: Source,
    table: RegionTable,
    settings: MovieSettings,
    image: CalibratedImage | NDArray[Any] | None = None,
) -> MovieStatistics:
    """Measure a movie; see `measure_movie_steps`."""
    return drive(measure_movie_steps(source, table, settings, image))


def measure_movie_steps(
    source: Source,
    table: RegionTable,
    settings: MovieSettings,
    image: CalibratedImage | NDArray[Any] | None = None,
) -> Steps[MovieStatistics]:
    """Measure keyhole, melt pool and pores of a movie.

    Parameters
    ----------
    source : Source
        Its objects; axes (t, y, x).
    table : RegionTable
        Of the same objects, one row an object and frame.
    settings : MovieSettings
    image : CalibratedImage or ndarray or None
        Grey values, for the surface and the drift.

    Raises
    ------
    MeasurementError
        If it is no movie of planes, a class is not there, or the drift is asked for without
        grey values.
    """
    _check(source, settings)
    read = _reader(source, image)
    yield Step(0, 4, "finding keyholes")
    masks = {name: _mask(source, name) for name in settings.classes}
    empty = np.zeros(source.shape, bool)
    holes = masks.get(settings.keyhole, empty)
    shifts = None
    if settings.drift:
        if read is None:
            raise MeasurementError("The picture's drift needs its grey values.")
        yield Step(1, 4, "finding how the picture moves")
        shifts = drift_of(read, np.logical_or.reduce([empty, *masks.values()]))
    yield Step(2, 4, "finding the surface")
    ahead = direction_of(settings.scan_direction) or _seen_direction(holes)
    line = _surface(settings, holes, read, ahead, shifts)
    steps = (source.calibration.steps[0], source.calibration.steps[1])
    keyholes = pools = None
    if line is not None and settings.keyhole:
        keyholes = measure_keyholes(holes, line, steps, ahead=ahead, shifts=shifts)
    if line is not None and settings.melt_pool:
        pools = measure_pools(_with_keyholes(masks[settings.melt_pool], holes), line, steps, shifts)
    clock = Clock.of(source.shape[0], source.calibration)
    laser = _laser(keyholes, clock)
    yield Step(3, 4, "following pores")
    tracks = _tracks(table, settings, clock, steps, shifts, laser)
    frames = frame_table(table, clock, settings, keyholes, pools, tracks, shifts)
    notes = _notes(settings, source, line, ahead, tracks)
    return MovieStatistics(
        frames, clock, settings, line, keyholes, ahead, laser, tracks, tuple(notes)
    )


def _check(source: Source, settings: MovieSettings) -> None:
    if source.axes != ("t", "y", "x"):
        raise MeasurementError(
            f"Keyholes and tracks are those of movies; these labels have the axes "
            f"{', '.join(source.axes)}.",
            hint="Give labels of (t, y, x), frame by frame.",
        )
    known = source.classes.names if source.classes is not None else (NO_CLASSES,)
    strange = [name for name in settings.classes if name not in known]
    if strange:
        raise MeasurementError(
            f"There is no class {strange[0]!r} in this movie.",
            hint=f"There are {', '.join(known)}.",
        )


def _reader(source: Source, image: CalibratedImage | NDArray[Any] | None) -> Frames | None:
    if image is None:
        return None
    grey = Grey.of(image, source.axes, source.shape)
    return lambda frame: grey.read((frame, slice(None), slice(None)))


def _mask(source: Source, name: str) -> Mask:
    value = -1 if source.classes is None else source.classes.by_name(name).value
    return np.asarray(class_objects(source, value) > 0)


def _with_keyholes(pools: Mask, holes: Mask) -> Mask:
    """Return melt pools with the keyhole in them, in frames that show one."""
    shown = np.asarray(pools.any(axis=(1, 2)))
    return np.asarray((pools | holes) & shown[:, None, None])


def _seen_direction(holes: Mask) -> int:
    """Return where the keyhole moves, by the middles of its bounding boxes."""
    columns = np.arange(holes.shape[2])
    weights = holes.any(axis=1)
    count = weights.sum(axis=1)
    middle = np.where(count > 0, weights @ columns / np.maximum(count, 1), np.nan)
    return moving(middle)


def _surface(
    settings: MovieSettings, holes: Mask, read: Frames | None, ahead: int, shifts: Real | None
) -> SubstrateLine | None:
    """Return the surface: given, of the grey values, or of the keyholes' upper ends."""
    if settings.surface:
        return given_surface(settings.surface, holes.shape[2])
    if shifts is not None and read is not None:
        read, holes = steadied(read, holes, shifts)
    near = surface_of_masks(holes)
    if near is None or read is None:
        return near
    return surface_of_picture(read, holes, near, ahead=ahead) or near


def _laser(keyholes: Keyholes | None, clock: Clock) -> Estimate:
    """Return the velocity of the keyhole's leading edge along x, with its 95 % interval."""
    unit = clock.speed_unit
    if keyholes is None:
        return Estimate(None, unit, reason="no keyhole is measured")
    at = np.flatnonzero(np.isfinite(keyholes.front))
    if at.size < 4:
        return Estimate(None, unit, reason="the keyhole is open in fewer than four frames")
    slope, error = slope_of(clock.times[at], keyholes.front[at])
    slope, half = slope * clock.speed_factor, 1.96 * error * clock.speed_factor
    basis = "95 %, line through the leading edge, frames correlated"
    return Estimate(slope, unit, slope - half, slope + half, basis=basis)


def _tracks(
    table: RegionTable,
    settings: MovieSettings,
    clock: Clock,
    steps: tuple[float, float],
    shifts: Real | None,
    laser: Estimate,
) -> Tracks | None:
    if not settings.pores:
        return None
    rows = np.flatnonzero(np.logical_or.reduce([table.rows_of(name) for name in settings.pores]))
    return follow(
        table,
        rows,
        clock,
        reach=settings.reach * math.sqrt(steps[0] * steps[1]),
        memory=settings.memory,
        shifts=None if shifts is None else shifts * np.array(steps),
        laser=math.nan if laser.value is None else laser.value,
    )


def _notes(
    settings: MovieSettings,
    source: Source,
    line: SubstrateLine | None,
    ahead: int,
    tracks: Tracks | None,
) -> list[str]:
    notes = []
    if settings.keyhole or settings.melt_pool:
        if line is None:
            notes.append(
                "Nothing says where the undisturbed surface is, so no depth was measured: there "
                "is no keyhole, and no surface was given."
            )
        elif line.source.startswith("upper"):
            notes.append(
                "Depths count from the keyhole's own upper ends, not from an undisturbed surface: "
                "give the image, or the surface."
            )
    if settings.keyhole and not ahead:
        notes.append("The laser's direction is not known, so the front wall has no angle.")
    if not settings.melt_pool:
        notes.append("No class shows the melt pool, so its depth and length are not known.")
    if tracks is not None:
        notes.append(
            "Pores behind one another along the beam look like one: their numbers are lower bounds."
        )
    if source.calibration.frame_time is None:
        notes.append("The time from frame to frame is not known: times are in frames.")
    return notes

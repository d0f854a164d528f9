"""What a movie shows in numbers: means over its frames, counts of tracks, correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import LEVEL, effective_number
from napari_defectseg.measurement.movies.frames import file_name
from napari_defectseg.measurement.movies.movie import MovieStatistics
from napari_defectseg.measurement.statistics.correlation import correlations
from napari_defectseg.measurement.table import RegionTable

Real = NDArray[np.float64]
SKIPPED = ("frame", "time", "keyhole_present", "keyhole_pieces", "laser_position")
"""Columns of a frame that have no mean."""
CORRELATED = (
    "keyhole_depth",
    "keyhole_width_at_half_depth",
    "keyhole_area",
    "front_wall_angle",
    "melt_pool_depth",
    "births",
)
"""Columns that are correlated with one another, with the number and area of each class of pores."""
FEWEST = 5


def summary_of_movie(movie: MovieStatistics) -> dict[str, Any]:
    """Return the block ``movie`` of the statistics in ``summary.json``, as plain JSON values."""
    frames = movie.frames
    found: dict[str, Any] = {
        "frames": {"value": movie.clock.frames, "seen_keyhole": _present(frames)},
        "surface": None if movie.line is None else movie.line.as_dict(),
        "scan_direction": {1: "left to right", -1: "right to left", 0: None}[movie.ahead],
        "laser_velocity": movie.laser.as_dict(),
        "means": {name: value.as_dict() for name, value in frame_means(frames).items()},
        "correlation": movie_correlations(movie),
        "warnings": list(movie.notes),
    }
    if movie.tracks is not None:
        found["tracks"] = _tracks(movie)
    return found


def frame_means(frames: RegionTable) -> dict[str, Estimate]:
    """Return the mean over the frames of each column, with its 95 % interval.

    Frames follow one another: n values with the correlation ρ of neighbours are worth
    n (1 - ρ)/(1 + ρ) (Bartlett 1935). Columns without a value are undefined.

    Parameters
    ----------
    frames : RegionTable
        One row a frame.
    """
    return {
        name: series_mean(column.values, column.unit)
        for name, column in frames.columns.items()
        if name not in SKIPPED and not name.startswith("drift-")
    }


def series_mean(values: ArrayLike, unit: str = "") -> Estimate:
    """Return the mean of a series and its interval, with what its values are worth.

    Parameters
    ----------
    values : array-like of float, shape (frames,)
        nan where there is none.
    unit : str
    """
    series = np.asarray(values, np.float64)
    series = series[np.isfinite(series)]
    if not series.size:
        return Estimate(None, unit, reason="no frame shows it")
    mean = float(series.mean())
    worth = effective_number(series)
    if series.size < 3 or worth < 2:
        return Estimate(mean, unit)
    half = float(stdtrit(worth - 1, 0.5 + LEVEL / 2)) * float(series.std(ddof=1)) / math.sqrt(worth)
    basis = f"95 %, Student, {series.size} frames worth {worth:.3g}"
    return Estimate(mean, unit, mean - half, mean + half, basis=basis)


def movie_correlations(movie: MovieStatistics) -> dict[str, Any]:
    """Return how keyhole and pores go together from frame to frame, or why nothing is said."""
    names = [*CORRELATED]
    for pores in movie.settings.pores:
        names += [f"{file_name(pores)}_count", f"{file_name(pores)}_area"]
    columns: Mapping[str, Real] = {
        name: np.asarray(movie.frames[name], np.float64)
        for name in names
        if name in movie.frames
        and np.count_nonzero(np.isfinite(np.asarray(movie.frames[name], np.float64))) >= FEWEST
    }
    if len(columns) < 2:
        return {"reason": "fewer than two columns have values in five frames"}
    lag = movie.settings.lag
    try:
        pairs = correlations(columns, lag=lag, series=True)
    except MeasurementError as error:
        return {"reason": str(error)}
    return {
        "method": "pearson",
        "adjusted_by": "Benjamini & Hochberg",
        "lag": {"value": lag, "unit": "frame"},
        "pairs": [pair.as_dict() for pair in pairs],
    }


def _present(frames: RegionTable) -> int | None:
    if "keyhole_present" not in frames:
        return None
    return int(np.count_nonzero(frames["keyhole_present"]))


def _tracks(movie: MovieStatistics) -> dict[str, Any]:
    tracks = movie.tracks
    assert tracks is not None
    table = tracks.table
    speeds = table["speed"][np.isfinite(table["speed"])]
    median = float(np.median(speeds)) if speeds.size else None
    reason = "" if speeds.size else "no track has three frames"
    return {
        "count": len(table),
        "longest_step": {"value": tracks.reach, "unit": table.calibration.length_unit},
        "memory": {"value": movie.settings.memory, "unit": "frame"},
        "born_in_sight": int(tracks.births.sum()),
        "ended_in_sight": int(tracks.ends.sum()),
        "lost_between": tracks.lost,
        "of_one_frame": int(np.count_nonzero(table["frames"] == 1)),
        "median_speed": Estimate(median, movie.clock.speed_unit, reason=reason).as_dict(),
    }

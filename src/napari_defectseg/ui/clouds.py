"""From a table to the points of a plot, in the words of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.measurement.binning import ONE_CLASS
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers
from napari_defectseg.ui.plots.cloud import Cloud

if TYPE_CHECKING:
    from napari_defectseg.images.space import ReferenceSpace

RADIUS = "radius"
PROFILE_BINS = 12


def cumulative(table: RegionTable, key: str, *, logarithmic: bool = False) -> Cloud:
    """Return which share of the objects of a class has at most a value, for each object."""
    values = np.asarray(table[key], float)
    kinds, classes = _kinds(table)
    share = np.full(values.shape, np.nan)
    for kind in range(len(classes)):
        own = np.flatnonzero((kinds == kind) & np.isfinite(values))
        if own.size:
            ordered = np.sort(values[own])
            share[own] = np.searchsorted(ordered, values[own], side="right") / own.size
    return Cloud(
        values,
        share,
        kinds,
        classes,
        _title(table, key),
        "share of objects",
        logarithmic,
        stepped=True,
    )


def against(table: RegionTable, key: str, other: str, *, logarithmic: bool = False) -> Cloud:
    """Return one column against another."""
    kinds, classes = _kinds(table)
    return Cloud(
        np.asarray(table[key], float),
        np.asarray(table[other], float),
        kinds,
        classes,
        _title(table, key),
        _title(table, other),
        logarithmic,
    )


def _kinds(table: RegionTable) -> tuple[np.ndarray, tuple]:
    if table.classes is None or "class" not in table:
        return np.zeros(len(table), np.int64), (ONE_CLASS,)
    classes = tuple(table.classes)
    found = np.full(len(table), -1, np.int64)
    for kind, item in enumerate(classes):
        found[table.rows_of(item.name)] = kind
    return found, classes


def _title(table: RegionTable, key: str) -> str:
    return numbers.header(columns.title(table, key, long=True), table.column(key).unit)


def over_time(frames: RegionTable, key: str) -> Cloud:
    """Return a curve over the frames of a movie.

    Parameters
    ----------
    frames : RegionTable
        One row a frame, see `measurement.movies.frames`.
    key : str
        One of its columns.
    """
    times, values = frames.column("time"), frames.column(key)
    name = key.replace("_", " ")
    return Cloud(
        np.asarray(times.values, float),
        np.asarray(values.values, float),
        np.zeros(len(frames), np.int64),
        (ONE_CLASS,),
        numbers.header("time", times.unit),
        numbers.header(name, values.unit),
        joined=True,
        counted="frames",
    )


def along(table: RegionTable, key: str, space: ReferenceSpace | None) -> Cloud:
    """Return the number of objects per area (volume) along an axis, or from the middle outwards.

    Intervals are those of counting alone; the denominator is what is counted.

    Parameters
    ----------
    table : RegionTable
    key : str
        One of `profile_keys`.
    space : ReferenceSpace or None
        What is counted; None: all of the image.
    """
    places, pixels, weights = _positions(table, key, space)
    unit = table.calibration.length_unit
    high = float(pixels.max()) if pixels.size else 1.0
    edges = np.linspace(0, high * (1 + 1e-9) or 1.0, PROFILE_BINS + 1)
    sizes = np.histogram(pixels, edges, weights=weights)[0]
    kinds, classes = _kinds(table)
    parts = [_profile(places[kinds == kind], sizes, edges) for kind in range(len(classes))]
    some = [kind for kind, part in enumerate(parts) if np.nansum(part[0]) > 0]
    middles = (edges[:-1] + edges[1:]) / 2
    power = table.calibration.power_unit(table.calibration.ndim).replace(unit, "", 1)
    per = f"{unit}⁻{power}"
    return Cloud(
        np.tile(middles, len(some)),
        np.concatenate([parts[kind][0] for kind in some] or [np.zeros(0)]),
        np.repeat(np.array(some, np.int64), PROFILE_BINS),
        classes,
        numbers.header(profile_keys(table)[key], unit),
        numbers.header("density", per),
        joined=True,
        spread=(
            np.concatenate([parts[kind][1] for kind in some] or [np.zeros(0)]),
            np.concatenate([parts[kind][2] for kind in some] or [np.zeros(0)]),
        ),
        counted="bins",
    )


def profile_keys(table: RegionTable) -> dict[str, str]:
    """Return what a profile can go along, by key, in words."""
    ndim = table.calibration.ndim
    axes = {f"centroid-{axis}": f"along {'zyx'[3 - ndim :][axis]}" for axis in range(ndim)}
    return axes | {RADIUS: "from the middle"}


def _profile(
    places: np.ndarray, sizes: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = np.histogram(places, edges)[0]
    spans = np.array([garwood(int(count)) for count in counts])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [np.where(sizes > 0, part / sizes, np.nan) for part in (counts, *spans.T)]
    return found[0], found[1], found[2]


def _positions(
    table: RegionTable, key: str, space: ReferenceSpace | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions of objects, of rows (rings) of pixels, and how much of these is counted."""
    calibration, region = table.calibration, table.region
    ndim, steps = calibration.ndim, np.array(calibration.steps)
    shape = region.shape[-ndim:] if region is not None and region.shape else _extent(table)
    frames = region.frames if region is not None else 1
    voxel = float(np.prod(steps)) * frames
    if key == RADIUS:
        middle = (np.array(shape[-2:]) - 1) / 2 * steps[-2:]
        y, x = (
            np.arange(n) * s - m for n, s, m in zip(shape[-2:], steps[-2:], middle, strict=True)
        )
        pixels = np.hypot(y[:, None], x[None, :])
        weights = _counted(space, shape, keep=(ndim - 2, ndim - 1)) * voxel
        at = [np.asarray(table[f"centroid-{axis}"], float) for axis in (ndim - 2, ndim - 1)]
        return np.hypot(at[0] - middle[0], at[1] - middle[1]), pixels.ravel(), weights.ravel()
    axis = int(key.rpartition("-")[2])
    pixels = np.arange(shape[axis]) * steps[axis]
    return np.asarray(table[key], float), pixels, _counted(space, shape, keep=(axis,)) * voxel


def _counted(
    space: ReferenceSpace | None, shape: tuple[int, ...], keep: tuple[int, ...]
) -> np.ndarray:
    """Return how many pixels of a frame are counted at each place of the axes that are kept."""
    others = tuple(axis for axis in range(len(shape)) if axis not in keep)
    if space is None or space.is_whole:
        kept = tuple(shape[axis] for axis in keep)
        return np.full(kept, float(np.prod([shape[axis] for axis in others])))
    mask = space.mask()
    share = mask.mean(axis=0) if mask.ndim > len(shape) else mask
    return np.asarray(share, float).sum(axis=others)


def _extent(table: RegionTable) -> tuple[int, ...]:
    """Return how far objects reach in pixels, where nothing says how large the image was."""
    steps = table.calibration.steps
    reach = (table[f"centroid-{axis}"] / step for axis, step in enumerate(steps))
    return tuple(int(np.nanmax(part, initial=0)) + 1 for part in reach)

"""From the sums of objects to a table: columns in the order of their needs, what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.columns.identity import class_names
from napari_defectseg.measurement.columns.measurement import (
    BASIC,
    EVERYTHING,
    MEASUREMENTS,
    Measurement,
)
from napari_defectseg.measurement.inputs import Inputs, Window
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.settings import WINDOWED, MeasureSettings
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.statistics.frames import in_frame
from napari_defectseg.measurement.table import Column, RegionTable

Values = dict[str, NDArray[Any]]


def tabulate(
    objects: Objects, source: Source, inputs: Inputs, settings: MeasureSettings
) -> RegionTable:
    """Return the table of objects, without those that the settings leave out.

    Columns that `objects` already carry are taken over.
    """
    kept, region = _leave_out(objects, source, inputs, settings)
    columns = compute_columns(kept)
    return RegionTable(
        columns,
        source.calibration,
        source.classes,
        region,
        _warnings(source, columns, settings.columns),
    )


def compute_columns(objects: Objects) -> dict[str, Column]:
    """Return every column that these objects can have, in the registry's order.

    Raises
    ------
    MeasurementError
        If a measurement needs one that is not there, or some wait for one another.
    """
    order = _fitting(objects)
    done = _computed(objects, order)
    return {
        name: Column(done[name], item.unit(objects.calibration), item.definition)
        for item in order
        for name in item.names(objects.ndim)
    }


def local_columns(objects: Objects) -> Values:
    """Return the columns that depend on nothing but each object's own pixels."""
    items = {item.name: item for item in _fitting(objects) if item.local}
    while strange := [name for name, item in items.items() if not set(item.needs) <= items.keys()]:
        for name in strange:
            del items[name]
    return _computed(objects, list(items.values()))


def looks_around(objects: Objects) -> bool:
    """Return whether any column of these objects depends on more than their own pixels."""
    return any(not item.local for item in _fitting(objects))


def columns_before(item: Measurement, objects: Objects) -> Values:
    """Return the columns that one measurement needs, and what they need."""
    known = {other.name: other for other in _fitting(objects)}
    wanted, asked = set(item.needs), list(item.needs)
    while asked:
        more = set(known[asked.pop()].needs) - wanted
        wanted |= more
        asked += more
    return _computed(objects, [other for name, other in known.items() if name in wanted])


def _fitting(objects: Objects) -> list[Measurement]:
    """Return the measurements that these objects can have and the settings choose."""
    chosen = chosen_measurements(objects.settings.columns)
    return [item for item in chosen if item.fits(objects.ndim, objects.inputs)]


def chosen_measurements(names: Sequence[str]) -> list[Measurement]:
    """Return the basic measurements, those of `names` and what they need, in order.

    Raises
    ------
    MeasurementError
        If a name is neither a group nor a measurement.
    """
    known = dict(MEASUREMENTS.items())
    groups = {item.group for item in known.values()}
    strange = [name for name in names if name not in {*known, *groups, EVERYTHING}]
    if strange:
        raise MeasurementError(
            f"There is no measurement and no group of columns called {strange[0]!r}.",
            hint=f"Groups: {', '.join(sorted(groups))}, {EVERYTHING}; measurements: "
            f"{', '.join(known)}.",
        )
    groups_chosen = {BASIC, *names}
    wanted = [
        name
        for name, item in known.items()
        if EVERYTHING in names or name in names or item.group in groups_chosen
    ]
    asked = [*wanted]
    while asked:
        more = [need for need in known[asked.pop()].needs if need in known]
        asked += [need for need in more if need not in wanted]
        wanted += [need for need in more if need not in wanted]
    return [item for name, item in known.items() if name in set(wanted)]


def _computed(objects: Objects, items: Sequence[Measurement]) -> Values:
    ndim = objects.ndim
    done = dict(objects.columns)
    current = objects.with_columns(done)
    waiting = [item for item in items if not set(item.names(ndim)) <= done.keys()]
    while waiting:
        ready = [item for item in waiting if _ready(item, done, ndim, items)]
        if not ready:
            names = ", ".join(item.name for item in waiting)
            raise MeasurementError(f"These measurements wait for one another: {names}.")
        for item in ready:
            done.update(item.values(current))
        waiting = [item for item in waiting if item not in ready]
    return done


def _ready(
    item: Measurement, done: Mapping[str, Any], ndim: int, items: Sequence[Measurement]
) -> bool:
    known = {other.name: other.names(ndim) for other in items}
    missing = [need for need in item.needs if need not in known]
    if missing:
        raise MeasurementError(
            f"The measurement {item.name!r} needs {missing[0]!r}, which cannot be measured here."
        )
    return all(name in done for need in item.needs for name in known[need])


def _leave_out(
    objects: Objects, source: Source, inputs: Inputs, settings: MeasureSettings
) -> tuple[Objects, Region]:
    large = objects.count >= settings.min_size
    frame = _window(source, inputs, settings)
    out = _out(objects, frame, settings.border) & large
    spanning = out & _spans(objects, frame)
    total = int(np.prod(source.shape))
    region = Region(
        source.axes,
        source.shape,
        total if inputs.counted is None else inputs.counted,
        total,
        source.shape[0] if "t" in source.axes else 1,
        1,
        settings.border,
        _by_class(objects, out, np.ones(len(objects), np.int64)),
        _by_class(objects, out, objects.count),
        settings.min_size,
        int(np.count_nonzero(~large)),
        () if frame is None else frame[1],
        _by_class(objects, spanning, objects.count),
    )
    keep = large & ~out
    return (objects if keep.all() else objects.select(keep)), region


def _window(source: Source, inputs: Inputs, settings: MeasureSettings) -> Window | None:
    """Return the window of a border rule that wants one."""
    if settings.border not in WINDOWED:
        return None
    found = inputs.window(source.shape, "t" in source.axes)
    if found is None:
        raise MeasurementError(
            f"The border rule {settings.border!r} wants a rectangular region, the same in all "
            "frames.",
            hint="Leave out the region of interest or draw a rectangle, or use 'count'.",
        )
    return found


def _out(objects: Objects, window: Window | None, border: str) -> NDArray[np.bool_]:
    """Return which objects a border rule leaves out."""
    if border == "frame" and window is not None:
        return ~in_frame(objects.low, window[0])
    if border == "count":
        return np.zeros(len(objects), bool)
    return objects.cut


def _spans(objects: Objects, window: Window | None) -> NDArray[np.bool_]:
    """Return which objects reach from one edge of the window to the other."""
    if window is None:
        return np.zeros(len(objects), bool)
    low, sides = np.array(window[0]), np.array(window[1])
    both: NDArray[np.bool_] = ((objects.low <= low) & (objects.high >= low + sides - 1)).any(axis=1)
    return both


def _by_class(
    objects: Objects, which: NDArray[np.bool_], values: NDArray[np.int64]
) -> dict[str, int]:
    """Return the sum of values over some objects, by class name."""
    if not which.any():
        return {}
    chosen = objects.select(which)
    names, place = np.unique(class_names(chosen), return_inverse=True)
    sums = np.bincount(place, values[which], minlength=names.size)
    return dict(zip(names.tolist(), map(int, sums), strict=True))


def _warnings(
    source: Source, columns: Mapping[str, Column], chosen: Sequence[str]
) -> tuple[str, ...]:
    notes = [*source.notes]
    if not source.calibration.calibrated:
        text = source.calibration.describe()
        notes.append(f"{text[:1].upper()}{text[1:]}; all sizes are in px.")
    elif source.calibration.question:
        notes.append(source.calibration.question)
    notes += _unmeasured(columns, chosen)
    if "intensity_mean" in columns:
        unknown = int(np.isnan(columns["intensity_mean"].values).sum())
        if unknown:
            notes.append(f"{unknown} objects have pixels without a grey value (not a number).")
    if source.classes is not None and "class" in columns:
        nameless = int(np.count_nonzero(columns["class"].values == ""))
        if nameless:
            notes.append(f"{nameless} objects have no class and are in no class's numbers.")
    return tuple(notes)


def _unmeasured(columns: Mapping[str, Column], chosen: Sequence[str]) -> list[str]:
    """Return a sentence for each choice that gave no column, with what it lacks."""
    notes = []
    for name in chosen:
        items = [item for key, item in MEASUREMENTS.items() if name in (key, item.group)]
        there = [item for item in items for column in columns if column.startswith(item.name)]
        if items and not there:
            lacks = sorted({word for item in items for word in item.inputs})
            dims = sorted({ndim for item in items for ndim in item.dims})
            needs = [_NEEDS.get(word, word) for word in lacks]
            needs += [f"{dims[0]} spatial axes"] if len(dims) == 1 else []
            notes.append(f"Nothing of {name!r} could be measured: it needs {', '.join(needs)}.")
    return notes


_NEEDS = {
    "image": "grey values",
    "specimen": "a region of interest or exclusions",
    "axis": "a given axis",
    "blur": "the blur",
    "scores": "the model's scores",
    "time": "a time axis",
}

"""`measure_regions`: from objects to a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import spatial
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.collect import Inputs, border_codes, check_scores, collect
from napari_defectseg.measurement.columns.identity import class_names
from napari_defectseg.measurement.columns.measurement import MEASUREMENTS, Measurement
from napari_defectseg.measurement.grey import Grey
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.source import Source, bare_axes, from_array, from_labelmap
from napari_defectseg.measurement.table import Column, RegionTable

Spacing = float | Sequence[float]


def measure_regions(
    labels: LabelMap | NDArray[Any],
    *,
    image: CalibratedImage | NDArray[Any] | None = None,
    spacing: Spacing | None = None,
    unit: str | None = None,
    classes: ClassMap | None = None,
    object_classes: Mapping[int, int] | None = None,
    space: ReferenceSpace | None = None,
    scores: Any = None,
    settings: MeasureSettings | None = None,
) -> RegionTable:
    """Measure every object: size, position, shape, grey values, in physical units.

    Definitions and names are scikit-image's (`skimage.measure.regionprops`) where it has them.

    Parameters
    ----------
    labels : LabelMap or ndarray
        Objects. Of bare arrays, bool and uint8 are class masks and are labelled first, other
        whole numbers are object numbers; where `classes` are given and all values are class
        values, the array is a class mask, too. 255 in a mask is unlabelled and not counted.
        Axes (y, x) or (z, y, x); a time axis in front if `spacing` or `image` leave one over;
        for classes that overlap, one plane a class before all.
    image : CalibratedImage or ndarray or None
        Grey values, of the labels' shape; colours become their luminance.
    spacing : float or sequence of float or None
        Pixel size along each spatial axis in `unit`, slowest first. None: the label map's, the
        image's, or none: sizes are then in px.
    unit : str or None
        Any spelling of a length unit.
    classes : ClassMap or None
        For bare arrays.
    object_classes : mapping of int to int or None
        Class value of each object number, for bare labels.
    space : ReferenceSpace or None
        What is counted; pixels outside are not measured.
    scores : array-like of float or None
        Probabilities of shape (channel, …), for `mean_score`.
    settings : MeasureSettings or None

    Returns
    -------
    RegionTable

    Raises
    ------
    MeasurementError, CalibrationError, LabelError
        If the inputs do not belong together; a sentence says how.

    Examples
    --------
    >>> import numpy as np
    >>> table = measure_regions(np.eye(3, dtype=np.int32), spacing=(2.0, 2.0), unit="nm")
    >>> table["area"], table.column("area").unit
    (array([12.]), 'nm²')
    """
    settings = settings or MeasureSettings()
    source = take_in(labels, image, spacing, unit, classes, object_classes, settings)
    inputs = gather(source, image, space, scores, settings)
    return tabulate(collect(source, inputs), source, inputs, settings)


def take_in(
    labels: LabelMap | NDArray[Any],
    image: CalibratedImage | NDArray[Any] | None = None,
    spacing: Spacing | None = None,
    unit: str | None = None,
    classes: ClassMap | None = None,
    object_classes: Mapping[int, int] | None = None,
    settings: MeasureSettings | None = None,
) -> Source:
    """Return the objects to measure, with the pixel size to use; see `measure_regions`."""
    picture = image if isinstance(image, CalibratedImage) else None
    if isinstance(labels, LabelMap):
        source = from_labelmap(labels)
        calibration = _calibration(len(spatial(source.axes)), spacing, unit, source, picture)
        return _recalibrated(source, calibration)
    array = np.asarray(labels)
    apart = 1 if classes is not None and not classes.exclusive else 0
    shape = array.shape[apart:]
    if picture is not None and shape == picture.label_shape:
        axes = picture.label_axes
    else:
        count = np.size(spacing) if spacing is not None and np.ndim(spacing) else None
        axes = bare_axes(shape, count)
    return from_array(
        array,
        axes,
        _calibration(len(spatial(axes)), spacing, unit, None, picture),
        classes=classes,
        object_classes=object_classes,
        connectivity=(settings or MeasureSettings()).connectivity,
    )


def gather(
    source: Source,
    image: CalibratedImage | NDArray[Any] | None,
    space: ReferenceSpace | None,
    scores: Any,
    settings: MeasureSettings,
) -> Inputs:
    """Return what is measured together with the labels, checked against them."""
    grey = None
    if image is not None and settings.intensity:
        grey = Grey.of(image, source.axes, source.shape)
    return Inputs(
        border_codes(space, source),
        grey,
        None if scores is None else check_scores(scores, source),
    )


def tabulate(
    objects: Objects, source: Source, inputs: Inputs, settings: MeasureSettings
) -> RegionTable:
    """Return the table of objects, without those that the settings leave out."""
    kept, region = _leave_out(objects, source, inputs, settings)
    columns = compute_columns(kept)
    return RegionTable(
        columns, source.calibration, source.classes, region, _warnings(source, columns)
    )


def compute_columns(objects: Objects) -> dict[str, Column]:
    """Return every column that these objects can have, needs first, in the registry's order."""
    order = [item for _, item in MEASUREMENTS.items() if item.fits(objects.ndim, objects.inputs)]
    done: dict[str, NDArray[Any]] = {}
    current = Objects(**{**objects.__dict__, "columns": done})
    waiting = list(order)
    while waiting:
        ready = [item for item in waiting if _ready(item, done, objects.ndim, order)]
        if not ready:
            names = ", ".join(item.name for item in waiting)
            raise MeasurementError(f"These measurements wait for one another: {names}.")
        for item in ready:
            done.update(item.values(current))
        waiting = [item for item in waiting if item not in ready]
    return {
        name: Column(done[name], item.unit(objects.calibration), item.definition)
        for item in order
        for name in item.names(objects.ndim)
    }


def _ready(
    item: Measurement, done: Mapping[str, Any], ndim: int, order: Sequence[Measurement]
) -> bool:
    known = {other.name: other.names(ndim) for other in order}
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
    out = objects.cut & large if settings.border == "exclude" else np.zeros(len(objects), bool)
    names = class_names(objects) if objects.classes is not None else np.full(len(objects), "")
    left = sorted(set(names[out].tolist()))
    total = int(np.prod(source.shape))
    region = Region(
        source.axes,
        source.shape,
        total if inputs.codes is None else int(np.count_nonzero(inputs.codes)),
        total,
        source.shape[0] if "t" in source.axes else 1,
        1,
        settings.border,
        {name: int(np.count_nonzero(out & (names == name))) for name in left},
        {name: int(objects.count[out & (names == name)].sum()) for name in left},
        settings.min_size,
        int(np.count_nonzero(~large)),
    )
    return objects.select(large & ~out), region


def _warnings(source: Source, columns: Mapping[str, Column]) -> tuple[str, ...]:
    notes = [*source.notes]
    if not source.calibration.calibrated:
        notes.append(
            f"{source.calibration.describe()[:1].upper()}"
            f"{source.calibration.describe()[1:]}; all sizes are in px."
        )
    elif source.calibration.question:
        notes.append(source.calibration.question)
    if "intensity_mean" in columns:
        unknown = int(np.isnan(columns["intensity_mean"].values).sum())
        if unknown:
            notes.append(f"{unknown} objects have pixels without a grey value (not a number).")
    if source.classes is not None and "class" in columns:
        nameless = int(np.count_nonzero(columns["class"].values == ""))
        if nameless:
            notes.append(f"{nameless} objects have no class and are in no class's numbers.")
    return tuple(notes)


def _calibration(
    ndim: int,
    spacing: Spacing | None,
    unit: str | None,
    source: Source | None,
    picture: CalibratedImage | None,
) -> Calibration:
    if spacing is not None:
        return _typed(ndim, spacing, unit)
    if source is not None and source.calibration.calibrated:
        return source.calibration
    if picture is not None and picture.calibration.ndim == ndim:
        return picture.calibration
    return source.calibration if source is not None else Calibration.uncalibrated(ndim)


def _typed(ndim: int, spacing: Spacing, unit: str | None) -> Calibration:
    values = tuple(np.broadcast_to(np.asarray(spacing, float), np.size(spacing)).tolist())
    values = values * ndim if np.ndim(spacing) == 0 else values
    if len(values) != ndim:
        raise MeasurementError(
            f"{len(values)} pixel sizes were given for {ndim} spatial axes.",
            hint="Give one each: (y, x) or (z, y, x).",
        )
    if unit is None or unit == "px":
        if set(values) == {1.0}:
            return Calibration.uncalibrated(ndim)
        raise MeasurementError(
            f"The pixel size {values} has no unit.", hint='Say which, for example unit="nm".'
        )
    return Calibration.of(values, unit, "typed by you")


def _recalibrated(source: Source, calibration: Calibration) -> Source:
    from dataclasses import replace

    return replace(source, calibration=calibration)

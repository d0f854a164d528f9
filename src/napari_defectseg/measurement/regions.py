"""`measure_regions`: from objects to a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import spatial
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.collect import collect_steps
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.source import Source, bare_axes, from_array, from_labelmap
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.measurement.tabulate import chosen_measurements, tabulate

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
    Beyond the basic columns, ``settings=MeasureSettings(columns=("surface", "extent"))`` chooses
    groups of others.

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
    return drive(
        measure_regions_steps(
            labels,
            image=image,
            spacing=spacing,
            unit=unit,
            classes=classes,
            object_classes=object_classes,
            space=space,
            scores=scores,
            settings=settings,
        )
    )


def measure_regions_steps(
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
) -> Steps[RegionTable]:
    """Measure as `measure_regions` does, yielding a step before each slab of the image."""
    settings = settings or MeasureSettings()
    chosen_measurements(settings.columns)
    source = take_in(labels, image, spacing, unit, classes, object_classes, settings)
    inputs = Inputs.of(source, image, space, scores, settings)
    objects = yield from collect_steps(source, inputs)
    return tabulate(objects, source, inputs, settings)


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
        return replace(source, calibration=calibration)
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

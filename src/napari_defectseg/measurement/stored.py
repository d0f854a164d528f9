"""Measuring objects that are larger than the memory together, slab by slab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.progress import Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.view import ThickArray
from napari_defectseg.labels.stored import StoredLabels
from napari_defectseg.measurement.collect import collect_steps
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.plane import ArrayPlane
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.measurement.tabulate import chosen_measurements, tabulate

SHARE = 8
"""Part of the memory in which labels, grey values and scores are each read."""


def measure_stored(
    labels: StoredLabels,
    *,
    memory: int,
    image: CalibratedImage | None = None,
    scores: Any = None,
    chosen: Any = None,
    settings: MeasureSettings | None = None,
) -> RegionTable:
    """Measure objects on the disk; see `measure_stored_steps`."""
    return drive(
        measure_stored_steps(
            labels, memory=memory, image=image, scores=scores, chosen=chosen, settings=settings
        )
    )


def measure_stored_steps(
    labels: StoredLabels,
    *,
    memory: int,
    image: CalibratedImage | None = None,
    scores: Any = None,
    chosen: Any = None,
    settings: MeasureSettings | None = None,
) -> Steps[RegionTable]:
    """Measure objects on the disk; the table is that of `measure_regions` for the same labels.

    Parameters
    ----------
    labels : StoredLabels
    memory : int
        Bytes that the slabs may take together; one plane of each input is always read.
    image : CalibratedImage or None
        Grey values.
    scores : array-like of float or None
        Probabilities of shape (channel, …).
    chosen : array-like of float or None
        Instead of `scores`: at each place the probability of the class that is there, in the
        shape of ``labels.class_mask()``.
    settings : MeasureSettings or None

    Raises
    ------
    MeasurementError
        If the inputs do not belong together.
    """
    settings = settings or MeasureSettings()
    chosen_measurements(settings.columns)
    moving = int("t" in labels.axes)
    part = max(memory // SHARE, 1)
    source = Source(
        tuple(ArrayPlane(ThickArray(plane, moving, part)) for plane in labels.planes),
        labels.axes,
        labels.calibration,
        labels.classes,
        _class_of(labels),
        (None,) * len(labels.planes),
    )
    inputs = Inputs.of(source, image, None, scores, settings)
    if inputs.grey is not None and image is not None:
        along = inputs.grey.axes.index(labels.axes[moving])
        inputs = replace(
            inputs, grey=replace(inputs.grey, data=ThickArray(inputs.grey.data, along, part))
        )
    if chosen is not None:
        channel_of = np.full(256, -1, np.int16)
        for index, value in enumerate(labels.classes.values):
            channel_of[value] = 0 if labels.classes.exclusive else index
        whole = _Channels(chosen) if labels.classes.exclusive else chosen
        inputs = replace(inputs, scores=ThickArray(whole, 1 + moving, part), channel_of=channel_of)
    objects = yield from collect_steps(source, inputs)
    return tabulate(objects, source, inputs, settings)


def _class_of(labels: StoredLabels) -> tuple[NDArray[np.uint8], ...]:
    if labels.classes.exclusive:
        return (labels.class_of,)
    return tuple(np.full(labels.class_of.size, value, np.uint8) for value in labels.classes.values)


class _Channels:
    """An array with one channel in front."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = (1, *(int(n) for n in array.shape))
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        return np.asarray(self._array[tuple(rest)])[np.newaxis][first]

"""Compiles what a hand would wait for, in the worker, before it is needed."""

from __future__ import annotations

from functools import cache

import numpy as np

from napari_defectseg.core.progress import Step, Steps


def warm_steps() -> Steps[None]:
    """Compile the loops of labels, table and colours once a program, in the worker's thread.

    The first time on a machine this takes some seconds, later a few tenths.
    """
    yield Step(0, 1, "getting ready")
    _warm()


@cache
def _warm() -> None:
    import pandas  # noqa: F401 - napari imports it with the first layer of labels

    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.labels.tools.delete import delete
    from napari_defectseg.labels.warm import warm_up
    from napari_defectseg.measurement.live import LiveTable
    from napari_defectseg.ui.colouring import look_up

    warm_up()
    known = Calibration.uncalibrated(2)
    for kind in (np.uint8, np.uint16, np.float32):
        labels = LabelMap.empty((16, 16), ClassMap.of(["one"]), ("y", "x"), known)
        labels.planes[0][2:5, 2:5], labels.planes[0][8:12, 8:12] = 1, 2
        labels.object_classes.update({1: 1, 2: 1})
        image = CalibratedImage(np.ones((16, 16), kind), ("y", "x"), known, "warm")
        live = LiveTable(labels, image=image)
        live.measure()
        edit = delete(labels, [1])
        if edit is not None:
            labels.apply(edit)
            live.update(edit)
        table = np.zeros(3, kind if kind != np.float32 else np.uint8)
        look_up(table, labels.planes[0])
        look_up(table, labels.planes[0][:, 2:9])

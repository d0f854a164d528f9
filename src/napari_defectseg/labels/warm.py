"""Compile the loops of this room before a hand waits for them."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.decode import DecodeSettings, decode, decode_mask
from napari_defectseg.labels.flood import flood
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LARGE, LabelMap
from napari_defectseg.labels.protect import redecode
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.walker import walk


def warm_up() -> None:
    """Go once through decoding, drawing and a new threshold, on a map that is thrown away.

    The first time on a machine this takes some seconds, later a few tenths: what was compiled is
    kept on disk. Touches nothing; made to run in a worker thread when the program starts.
    """
    edge = int(np.ceil(np.sqrt(LARGE))) + 8
    scores = np.zeros((2, edge, edge), np.float32)
    scores[1, 2:-2, 2:-2] = 1
    classes, axes = ClassMap.of(["one"]), ("y", "x")
    settings = DecodeSettings(min_size=2)
    decode_mask(scores, classes, task="exclusive", settings=settings, axes=axes)

    def found() -> LabelMap:
        calibration = Calibration.uncalibrated(2)
        return decode(scores, classes, axes, calibration, task="exclusive", settings=settings)

    scores[1, :, 100:110] = 0
    history = History(LabelMap.empty((edge, edge), classes, axes, Calibration.uncalibrated(2)))
    redecode(history, found(), "prediction")
    history.undo()
    history.redo()
    stroke = Stroke((slice(0, 3), slice(0, 3)), np.ones((3, 3), bool), (2, 2))
    history.push(paint(history.labelmap, stroke, 1))
    scores[1, 2:-2, 100:105] = 1
    redecode(history, found(), "threshold")
    _ = history.labelmap.copy().index
    _warm_solvers()


def _warm_solvers() -> None:
    """Go once through the loops that follow scores and image."""
    block = np.zeros((2, 2, 2), np.float32)
    walk(block, np.zeros(block.shape, np.uint8), (1.0, 1.0, 1.0))
    for ndim in (2, 3):
        flood(np.zeros((2,) * ndim, np.float32), (0,) * ndim, np.ones((3,) * ndim, bool), 1)

"""Label maps of small squares on a grid, as many as wanted, for tests of review."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.labelmap import LabelMap

CLASSES = ClassMap.of(["void", "loop"])


def squares(count: int = 12, *, side: int = 4, pitch: int = 10, columns: int = 4) -> LabelMap:
    """Return squares 1, 2, … in rows of `columns`, all voids, none at the border."""
    rows = -(-count // columns)
    shape = (rows * pitch, columns * pitch)
    found = LabelMap.empty(shape, CLASSES, ("y", "x"), Calibration((0.5, 0.5), "nm", "made"))
    for place in range(count):
        y, x = (3 + pitch * part for part in divmod(place, columns))
        found.planes[0][y : y + side, x : x + side] = place + 1
        found.object_classes[place + 1] = 1
    return found


def scores_of(labelmap: LabelMap, values: dict[int, float]) -> np.ndarray:
    """Return exclusive scores in which object n has probability ``values[n]`` for its class."""
    plane = labelmap.planes[0]
    scores = np.zeros((3, *labelmap.shape), np.float32)
    scores[0] = 0.99
    scores[1] = 0.01
    for number, value in values.items():
        scores[1][plane == number] = value
        scores[0][plane == number] = 1 - value
    return scores

"""After the warm-up nothing is compiled while somebody works."""

from __future__ import annotations

import numpy as np
from label_cases import disc, map_of

from napari_defectseg.components import label, runs
from napari_defectseg.labels import found, overlap, survey, winner
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.protect import redecode
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.warm import warm_up


def compiled():
    return {
        (module.__name__, name): len(function.signatures)
        for module in (survey, overlap, found, winner, runs, label)
        for name, function in vars(module).items()
        if hasattr(function, "signatures")
    }


def test_nothing_is_left_to_compile():
    warm_up()
    before = compiled()
    for axes, shape in (("yx", (700, 600)), ("zyx", (12, 300, 200)), ("tyx", (3, 90, 80))):
        mask = disc(shape, tuple(n // 2 for n in shape), min(shape) // 2 - 1)
        history = History(map_of(mask, axes))
        labelmap = history.labelmap
        stroke = Stroke(tuple(slice(0, n) for n in shape), np.ones(shape, bool))
        history.push(accept(labelmap, min(labelmap.object_classes)))
        new = from_mask(
            np.ones(shape, np.uint8), labelmap.classes, labelmap.axes, labelmap.calibration
        )
        redecode(history, new, "threshold", fold=True)
        history.push(delete(labelmap, max(labelmap.object_classes)))
        history.push(erase(labelmap, stroke))
        for _ in range(4):
            history.undo()
    assert compiled() == before

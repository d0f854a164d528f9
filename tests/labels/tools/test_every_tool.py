"""What holds for every tool that draws: whole maps, untouched neighbours, one step back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import check_whole, label_maps, state

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.copy_slice import copy_slice
from napari_defectseg.labels.tools.cut import cut
from napari_defectseg.labels.tools.interpolate import interpolate
from napari_defectseg.labels.tools.join import join
from napari_defectseg.labels.tools.level import level
from napari_defectseg.labels.tools.outline import draw_outline
from napari_defectseg.labels.tools.propagate import propagate
from napari_defectseg.labels.tools.scribbles import fill_scribbles
from napari_defectseg.labels.tools.smart_brush import smart_brush
from napari_defectseg.labels.tools.trace import trace
from napari_defectseg.labels.tools.width import set_width

DRAWING = ("smart", "box", "trace")
"""Strokes: these may draw over unchecked objects of other classes."""


def one_call(name, labelmap, rng):
    """Return the objects that a tool may change, and the call."""
    numbers = sorted(labelmap.object_classes)
    number = int(rng.choice(numbers))
    value = int(rng.choice(labelmap.classes.values))
    image = rng.random(labelmap.shape).astype(np.float32)
    read = image.__getitem__
    place = tuple(int(rng.integers(0, n)) for n in labelmap.shape)
    partner = int(rng.choice(numbers))
    axis = 0
    here = labelmap.index.box(number)[axis].start
    next_ = here + 1
    if name == "smart":
        ends = zip(place, labelmap.shape, strict=True)
        box = tuple(slice(max(0, i - 2), min(n, i + 3)) for i, n in ends)
        mask = rng.random(image[box].shape) < 0.7
        stroke = Stroke(box, mask, place)
        return (), lambda: smart_brush(labelmap, stroke, image[box], value, protect=True)
    if name == "box":
        other = (*place[:-2], *(int(rng.integers(0, n)) for n in labelmap.shape[-2:]))
        return (), lambda: draw_outline(labelmap, [place, other], value, kind="box", protect=True)
    if name == "trace":
        other = (*place[:-2], *(int(rng.integers(0, n)) for n in labelmap.shape[-2:]))
        return (), lambda: trace(labelmap, [place, other], read, value, protect=True)
    calls = {
        "copy": ([number], lambda: copy_slice(labelmap, number, axis=0, source=here, target=next_)),
        "between": ([number, partner], lambda: interpolate(labelmap, [number, partner])),
        "grow": ([number], lambda: level(labelmap, number, read, grow=True)),
        "shrink": ([number], lambda: level(labelmap, number, read, grow=False)),
        "scribbles": ([number], lambda: fill_scribbles(labelmap, number, read)),
        "cut": ([number], lambda: cut(labelmap, number, place)),
        "width": ([number], lambda: set_width(labelmap, number, 2.0)),
        "join": ([number, partner], lambda: join(labelmap, [number, partner])),
        "repeat": (None, lambda: propagate(labelmap, number, [here + 1], read)),
    }  # fmt: skip
    return calls[name]


NAMES = (
    *DRAWING,
    "copy",
    "between",
    "grow",
    "shrink",
    "scribbles",
    "cut",
    "width",
    "join",
    "repeat",
)


@settings(deadline=None, max_examples=60)
@given(label_maps(), st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_neighbours_and_checked_objects_stay_and_one_undo_takes_it_back(labelmap, name, seed):
    if not labelmap.object_classes:
        return
    mine, call = one_call(name, labelmap, np.random.default_rng(seed))
    before, checked = state(labelmap), set(labelmap.checked)
    planes = [plane.copy() for plane in labelmap.planes]
    try:
        edit = call()
    except LabelError:
        edit = None
    assert state(labelmap) == before, "a tool is a pure function"
    history = History(labelmap)
    history.push(edit)
    check_whole(labelmap)
    for plane, old in zip(labelmap.planes, planes, strict=True):
        changed = np.unique(old[plane != old])
        lost = set(changed.tolist()) - {0}
        if name in DRAWING:
            assert len(lost & checked) <= 1, "a checked object only where the stroke began on it"
        elif mine is not None:
            assert lost <= set(mine)
        else:
            assert not lost & checked
    if edit is not None:
        history.undo()
    assert state(labelmap) == before

"""What napari's brush, eraser, bucket and polygon draw, as strokes for our own history."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box
from napari_defectseg.labels.stroke import Stroke

Drawn = Callable[[Labels, Stroke, bool], None]
"""Told the layer, the stroke, and whether it erases; the data are again as before it."""


class StrokeCatcher:
    """Takes each finished stroke out of a layer again and hands it on.

    napari draws into the data while the button is held. When the stroke ends, its own `undo`
    restores them, and what the stroke had changed is told as a `Stroke`: the tools decide what
    becomes of it, and one history holds it. napari's own history is left empty, so that it can
    never write old pixels into new data.

    Parameters
    ----------
    layer : Labels
    drawn : callable
        See `Drawn`.
    """

    def __init__(self, layer: Labels, drawn: Drawn) -> None:
        self._layer, self._drawn = layer, drawn
        self._box: Box | None = None
        self._start: tuple[int, ...] | None = None
        self._waiting = False
        # After the canvas has drawn the stroke: it must not draw over what comes of it.
        layer.events.labels_update.connect(self._on_update, position="last")
        layer.events.paint.connect(self._on_paint, position="last")
        layer.events.data.connect(self.forget)
        layer.mouse_drag_callbacks.append(self._on_press)

    def release(self) -> None:
        """Leave the layer to napari."""
        self._layer.events.labels_update.disconnect(self._on_update)
        self._layer.events.paint.disconnect(self._on_paint)
        self._layer.events.data.disconnect(self.forget)
        if self._on_press in self._layer.mouse_drag_callbacks:
            self._layer.mouse_drag_callbacks.remove(self._on_press)

    def forget(self, event: Any = None) -> None:
        """Empty napari's own history, and forget what was drawn."""
        self._box, self._waiting = None, False
        reset = getattr(self._layer, "_reset_history", None)
        if reset is not None:
            reset()

    def _on_press(self, layer: Labels, event: Any) -> None:
        place = layer.world_to_data(event.position)
        self._start = tuple(int(np.round(value)) for value in place)

    def _on_update(self, event: Any) -> None:
        if not self._layer._undo_history and not self._layer._staged_history:
            return  # our own drawing, not a stroke
        box = self._box_of(event.offset, event.data.shape)
        self._box = box if self._box is None else boxes.join(self._box, box)
        if self._waiting:
            self._finish()

    def _on_paint(self, event: Any) -> None:
        # A polygon says that it has painted before it has; the update that follows ends it.
        self._waiting = self._box is None
        if not self._waiting:
            self._finish()

    def _box_of(self, offset: Any, lengths: tuple[int, ...]) -> Box:
        """Return what was drawn as a box of the data; hidden axes whole if the brush reaches."""
        layer = self._layer
        displayed = list(layer._slice_input.displayed)
        deep = layer.n_edit_dimensions > len(displayed)
        box = [slice(0, int(length)) for length in layer.data.shape]
        if not deep:
            for axis, here in layer._get_pt_not_disp().items():
                box[axis] = slice(int(here), int(here) + 1)
        for axis, first, length in zip(displayed, offset, lengths, strict=False):
            box[axis] = slice(int(first), int(first) + int(length))
        return tuple(box)

    def _finish(self) -> None:
        layer, box, start = self._layer, self._box, self._start
        self._start = None
        assert box is not None
        drawn = layer.data[box].copy()
        with getattr(layer, "_block_refresh", nullcontext)():
            layer.undo()
        self.forget()
        mask = drawn != layer.data[box]
        tight = boxes.tight(mask)
        if tight is None:
            return
        erases = not drawn[mask].any()
        place = boxes.shifted(tight, box)
        stroke = Stroke(place, np.ascontiguousarray(mask[tight]), start)
        self._drawn(layer, stroke, erases)

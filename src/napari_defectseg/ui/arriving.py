"""`Arriving`: what a running prediction has found so far, on the canvas as its blocks land."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.labels.decode import DecodeSettings, class_values
from napari_defectseg.ui import layers
from napari_defectseg.ui.colouring import ClassColormap

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_defectseg.inference.pieces import Part
    from napari_defectseg.inference.tiling import Box
    from napari_defectseg.ui.kept import Kept
    from napari_defectseg.ui.stage import Stage

ARRIVING = "arriving"
"""What the layer's metadata call it."""
MOST = 1 << 25
"""Bytes of the layer; of a larger image every second, third … row and column is shown."""
BETWEEN = 0.2
"""Seconds from one look at the canvas to the next."""


class Arriving:
    """Shows classes, not yet objects, in a layer of its own that goes when the run ends.

    Whatever the size of the image, the layer stays small, and only the blocks that are new are
    drawn, so that the window does not wait.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._kept: Kept | None = None
        self._data: Any = None
        self._landed: deque[tuple[Box, Any]] = deque()
        self._layer: Labels | None = None
        self._step, self._shown = 1, 0.0
        self._corner: tuple[int, ...] = ()

    def begin(self, kept: Kept, decode: DecodeSettings | None) -> None:
        """Show a run from now on.

        Parameters
        ----------
        kept : Kept
            Its parts are told here.
        decode : DecodeSettings or None
            Thresholds; None, or of other classes: those of the model's card.
        """
        self.end()
        shape, card = kept.image.label_shape, kept.model.card
        self._kept, self._corner = kept, _corner(kept)
        self._step = max(1, math.ceil(math.sqrt(math.prod(shape) / MOST)))
        self._data = np.zeros(_thinned(shape, self._step), np.uint8)
        fits = decode is not None and set(decode.thresholds) <= set(card.classes.names)
        settings = decode if fits and decode is not None else DecodeSettings(dict(card.thresholds))
        self._landed = landed = deque[tuple["Box", Any]]()
        kept.landed = lambda part: self._take(landed, kept, settings, part)

    def _take(
        self, landed: deque[tuple[Box, Any]], kept: Kept, settings: DecodeSettings, part: Part
    ) -> None:
        """Find the classes of a part; runs in the worker's thread and touches no widget."""
        card = kept.model.card
        if not part.scores.size or part.scores.shape[0] != card.score_channels:
            return  # the scores of one of several models
        values = class_values(part.scores, card.classes, card.task, settings)
        if card.task == "multilabel":
            ids = np.array(card.classes.values, np.uint8).reshape(-1, *(1,) * (values.ndim - 1))
            values = (values * ids).max(axis=0)
        corners = zip(part.where[1:], self._corner, strict=True)
        box = tuple(slice(place.start + c, place.stop + c) for place, c in corners)
        landed.append(_every(box, values, self._step))

    def show(self) -> None:
        """Draw what has come, if it is time to and its image is looked at."""
        if self._kept is None or time.monotonic() - self._shown < BETWEEN:
            return
        self._shown = time.monotonic()
        new = []
        while self._landed:
            box, values = self._landed.popleft()
            self._data[box] = values
            new.append(box)
        image = self._stage.session.image
        if image is None or image.data is not self._kept.image.data:
            self._take_away()
        elif self._layer is None and self._data.any():
            self._add()
        elif self._layer is not None and self._layer in self._stage.viewer.layers:
            for box in new:
                layers.show_again(self._layer, box)

    def end(self) -> None:
        """Show nothing any more."""
        if self._kept is not None:
            self._kept.landed = None
        self._kept, self._data = None, None
        self._landed.clear()
        self._take_away()

    def _add(self) -> None:
        like, kept, viewer = self._stage.image_layer, self._kept, self._stage.viewer
        if like is None or kept is None:
            return
        classes = kept.model.card.classes
        place = layers.geometry(like, self._data.ndim)
        factors = np.ones(self._data.ndim)
        factors[-2:] = self._step
        scale = np.asarray(place["scale"])
        place["translate"] = tuple(np.asarray(place["translate"]) + scale * (factors - 1) / 2)
        place["scale"] = tuple(scale * factors)
        active = viewer.layers.selection.active
        with self._stage.quietly():
            self._layer = viewer.add_labels(
                self._data,
                name="found so far",
                colormap=ClassColormap.of(classes, np.arange(256, dtype=np.uint8)),
                opacity=layers.FILL_OPACITY,
                metadata={layers.KEY: {"kind": ARRIVING}},
                **place,
            )
            self._layer.editable = False
            if active is not None and active in viewer.layers:
                viewer.layers.selection.active = active

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._stage.viewer.layers:
            with self._stage.quietly():
                self._stage.viewer.layers.remove(layer)


def _corner(kept: Kept) -> tuple[int, ...]:
    """Return where the scores begin in the image."""
    from napari_defectseg.inference.region import Region

    if not kept.settings.region:
        return (0,) * len(kept.image.label_shape)
    return tuple(part.start for part in Region.parse(kept.settings.region).box(kept.image))


def _thinned(shape: tuple[int, ...], step: int) -> tuple[int, ...]:
    return (*shape[:-2], *(-(-n // step) for n in shape[-2:]))


def _every(box: Box, values: Any, step: int) -> tuple[Box, Any]:
    """Return every so many rows and columns of a block, and their place among those."""
    ways = tuple(slice(-part.start % step, None, step) for part in box[-2:])
    place = tuple(slice(-(-part.start // step), -(-part.stop // step)) for part in box[-2:])
    return (*box[:-2], *place), np.ascontiguousarray(values[(..., *ways)])

"""A line that a person draws over the scale bar; its length in px is what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes
from psygnal import Signal

from napari_defectseg.ui.layers import KEY

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer

NAME = "scale bar"


class Ruler:
    """Draws in a layer of its own, which goes away with it; the layers are as before then.

    Parameters
    ----------
    viewer : napari.Viewer
    image : napari.layers.Image
        In whose pixels the line is measured.
    """

    changed = Signal(float)
    """The line is that many px long now; 0: there is none."""

    def __init__(self, viewer: napari.Viewer, image: Image) -> None:
        self._viewer, self._image = viewer, image
        self._before: Layer | None = viewer.layers.selection.active
        self.layer = Shapes(
            ndim=image.ndim,
            name=NAME,
            scale=image.scale,
            translate=image.translate,
            units=image.units,
            axis_labels=image.axis_labels,
            edge_color="yellow",
            face_color="transparent",
            edge_width=max(1.0, image.data.shape[-1] / 400),
            metadata={KEY: {"kind": "ruler"}},
        )
        viewer.add_layer(self.layer)
        viewer.layers.selection.active = self.layer
        self.layer.mode = "add_line"
        self.layer.events.data.connect(self._on_data)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def pixels(self) -> float:
        """Length of the last line, in pixels of the image."""
        lines = self.layer.data if self.layer is not None else []
        if not lines:
            return 0.0
        return line_length(lines[-1], self.layer, self._image)

    def close(self) -> None:
        """Take the layer away; the layer that was active is active again."""
        layer, self.layer = self.layer, None
        if layer is None:
            return
        layer.events.data.disconnect(self._on_data)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if self._before is not None and self._before in self._viewer.layers:
            self._viewer.layers.selection.active = self._before

    def _on_data(self, event: Any = None) -> None:
        self.changed.emit(self.pixels)

    def _on_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self.close()
            self.changed.emit(0.0)


def line_length(ends: np.ndarray, layer: Layer, image: Image) -> float:
    """Return the length of a line in the y-x plane, in pixels of an image.

    Parameters
    ----------
    ends : ndarray, shape (2, ndim)
        In the data coordinates of `layer`.
    layer, image : napari.layers.Layer
    """
    there = [image.world_to_data(layer.data_to_world(end)) for end in (ends[0], ends[-1])]
    return float(np.linalg.norm(np.subtract(*there)[-2:]))

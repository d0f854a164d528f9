"""The labels of a session on the canvas: one layer a plane, drawn again where they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.ui import layers as napari_layers
from napari_defectseg.ui.colouring import ClassColormap

if TYPE_CHECKING:
    import napari
    from napari.layers import Labels

    from napari_defectseg.labels.edit import Box, Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session


class LabelsLayers:
    """Keeps one napari layer for each plane of the label map of a session.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
    """

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._layers: list[Labels] = []
        self._hidden: frozenset[int] = frozenset()
        self.outlined = False

    @property
    def layers(self) -> tuple[Labels, ...]:
        """Layers in the order of the planes."""
        return tuple(self._layers)

    def layer(self, plane: int = 0) -> Labels | None:
        """Return the layer of a plane, None if it was removed."""
        found = self._layers[plane] if plane < len(self._layers) else None
        return found if found in self._viewer.layers else None

    def plane_of(self, layer: Any) -> int | None:
        """Return which plane a layer shows, None if it is none of ours."""
        return next((i for i, ours in enumerate(self._layers) if ours is layer), None)

    def show(self, labels: LabelMap | None) -> None:
        """Show a label map in the layers that are there, or in new ones."""
        old, self._layers, self._hidden = self._layers, [], frozenset()
        if labels is None:
            return
        missing: list[int] = []
        for place, plane in enumerate(labels.planes):
            layer = self._found(plane, old[place] if place < len(old) else None)
            self._layers.append(layer)
            if layer is None:
                missing.append(place)
            else:
                napari_layers.recolour(layer, labels)
        if missing:
            image = self._session.image
            name = image.name if image is not None else ""
            made = napari_layers.labels_data(labels, self._image_layer(labels), name)
            for place in missing:
                data, settings, _ = made[place]
                self._layers[place] = self._viewer.add_labels(data, **settings)
                napari_layers.show_outlines(self._layers[place], self.outlined)
        self.draw_as(self._session.current_class)

    def draw_as(self, class_value: int) -> None:
        """Show what is being drawn in the colour of a class, as a number that no object has."""
        labels = self._session.labels
        if labels is None:
            return
        for layer in self._layers:
            napari_layers.show_classes(layer, {labels.next_label: class_value})
            if layer.selected_label != labels.next_label:
                layer.selected_label = labels.next_label

    def update(self, edit: Edit | None) -> None:
        """Draw again what an edit changed; None: everything."""
        labels = self._session.labels
        if labels is None:
            return
        if edit is None:
            self._recolour(labels)
        else:
            changed = {
                number: None if value in self._hidden else value
                for number, value in edit.classes_after.items()
            }
            for layer in self._layers:
                napari_layers.show_classes(layer, changed)
            self._redraw(edit, labels)
        self.draw_as(self._session.current_class)

    def redraw(self, plane: int, box: Box) -> None:
        """Draw a box of a plane again."""
        layer = self.layer(plane)
        if layer is not None:
            napari_layers.show_again(layer, box)

    def hide_classes(self, values: frozenset[int]) -> None:
        """Hide the objects of some classes."""
        self._hidden = values
        if self._session.labels is not None:
            self._recolour(self._session.labels)

    @property
    def hidden_classes(self) -> frozenset[int]:
        """Classes that are hidden."""
        return self._hidden

    def set_outlined(self, outlined: bool) -> None:
        """Show outlines instead of filled areas."""
        self.outlined = outlined
        for layer in self._layers:
            napari_layers.show_outlines(layer, outlined)

    def _recolour(self, labels: LabelMap) -> None:
        lookup = labels.class_lookup()
        lookup[np.isin(lookup, list(self._hidden))] = 0
        for layer in self._layers:
            if isinstance(layer.colormap, ClassColormap):
                layer.colormap.set_all(lookup)
            layer.refresh(extent=False)

    def _redraw(self, edit: Edit, labels: LabelMap) -> None:
        for change in edit.changes:
            self.redraw(change.plane, change.box)
        drawn = frozenset().union(*(change.objects for change in edit.changes))
        # A change of class touches no pixel: the object is drawn again where it lies.
        for number, value in edit.classes_after.items():
            if value is not None and number not in drawn and labels.index.size(number):
                self.redraw(labels.plane_of(value), labels.index.box(number))

    def _found(self, plane: np.ndarray, before: Labels | None) -> Labels | None:
        layer = next((one for one in self._viewer.layers if one.data is plane), None)
        if layer is not None:
            return layer
        if before is not None and before in self._viewer.layers and before.ndim == plane.ndim:
            before.data = plane
            return before
        return None

    def _image_layer(self, labels: LabelMap) -> Any:
        image = self._session.image
        if image is None:
            return None
        found = [one for one in self._viewer.layers if one.name == image.name]
        return next((one for one in found if one.ndim >= len(labels.axes)), None)

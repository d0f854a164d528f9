"""The labels of a session as napari layers: one a plane, sharing its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from napari_defectseg.core.units import PIXEL
from napari_defectseg.ui.class_colours import ClassColormap

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Box, Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session

NAME = "defects"
OUTLINE = 2
"""Width of outlines in screen pixels."""


class LabelsLayers:
    """Keeps one napari layer for each plane of the label map of a session.

    The layer's array *is* the plane: nothing is held twice, and what an edit writes is seen
    as soon as it is drawn again.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
    """

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._layers: list[Labels] = []
        self._colours: list[ClassColormap] = []
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
        """Show a label map: in the layers that are there, or in new ones."""
        if labels is None:
            self._layers, self._colours = [], []
            return
        lookup = labels.class_lookup()
        old, self._layers, self._colours = self._layers, [], []
        for place, plane in enumerate(labels.planes):
            colours = ClassColormap.of(labels.classes, lookup)
            layer = self._found(plane, old[place] if place < len(old) else None)
            if layer is None:
                layer = self._made(labels, place, colours)
            else:
                layer.colormap = colours
            self._layers.append(layer)
            self._colours.append(colours)
        self.draw_as(self._session.current_class)

    def draw_as(self, class_value: int) -> None:
        """Show what is being drawn in the colour of a class."""
        labels = self._session.labels
        if labels is None:
            return
        for layer, colours in zip(self._layers, self._colours, strict=True):
            colours.set_drawn(class_value, labels.next_label)
            if layer.selected_label != labels.next_label:
                layer.selected_label = labels.next_label

    def update(self, edit: Edit | None) -> None:
        """Draw again what an edit changed; None: everything."""
        labels = self._session.labels
        if labels is None:
            return
        if edit is None:
            for colours in self._colours:
                colours.set_lookup(labels.class_lookup())
            self._redraw_all()
        else:
            for colours in self._colours:
                colours.update(edit.classes_after, labels.next_label)
            self._redraw(edit, labels)
        self.draw_as(self._session.current_class)

    def redraw(self, plane: int, box: Box) -> None:
        """Draw a box of a plane again."""
        layer = self.layer(plane)
        if layer is not None:
            _redraw_part(layer, box)

    def hide_classes(self, values: frozenset[int]) -> None:
        """Hide the objects of some classes."""
        for colours in self._colours:
            colours.hide(values)
        self._redraw_all()

    @property
    def hidden_classes(self) -> frozenset[int]:
        """Classes that are hidden."""
        return self._colours[0].hidden if self._colours else frozenset()

    def set_outlined(self, outlined: bool) -> None:
        """Show outlines instead of filled areas."""
        self.outlined = outlined
        for layer in self._layers:
            layer.contour = OUTLINE if outlined else 0
            layer.opacity = 0.95 if outlined else 0.5

    def _redraw_all(self) -> None:
        for layer in self._layers:
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
        for layer in self._viewer.layers:
            if isinstance(layer, Labels) and layer.data is plane:
                return layer
        if before is not None and before in self._viewer.layers and before.ndim == plane.ndim:
            before.data = plane
            return before
        return None

    def _made(self, labels: LabelMap, place: int, colours: ClassColormap) -> Labels:
        name = NAME if labels.classes.exclusive else labels.classes.names[place]
        layer = Labels(
            labels.planes[place],
            name=name,
            colormap=colours,
            opacity=0.95 if self.outlined else 0.5,
            metadata={"defectseg": provenance_of(labels)},
            **self._space(labels),
        )
        layer.contour = OUTLINE if self.outlined else 0
        self._viewer.add_layer(layer)
        return layer

    def _space(self, labels: LabelMap) -> dict[str, Any]:
        """Return scale, translate, units and axis names: those of the image where it is shown."""
        image = self._session.image
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and image is not None and layer.name == image.name:
                if layer.ndim == len(labels.axes):
                    return {
                        "scale": layer.scale,
                        "translate": layer.translate,
                        "units": layer.units,
                        "axis_labels": layer.axis_labels,
                    }
        return space_of(labels)


def space_of(labels: LabelMap) -> dict[str, Any]:
    """Return scale, units and axis names of a label map by its own calibration."""
    steps = dict(zip(("z", "y", "x")[-labels.calibration.ndim :], labels.calibration.steps, strict=True))
    unit = labels.calibration.length_unit
    return {
        "scale": [steps.get(axis, 1.0) for axis in labels.axes],
        "units": [("pixel" if unit == PIXEL else unit) if axis in steps else "pixel" for axis in labels.axes],
        "axis_labels": labels.axes,
    }


def provenance_of(labels: LabelMap) -> dict[str, Any]:
    """Return what made the labels, as plain values for a layer's metadata."""
    return labels.provenance.as_dict() if labels.provenance is not None else {}


def _redraw_part(layer: Labels, box: Box) -> None:
    """Draw a box again if it is in sight, without touching the rest of the slice."""
    shown = layer._slice_input
    point = layer._get_pt_not_disp()
    if any(not box[axis].start <= point[axis] < box[axis].stop for axis in shown.not_displayed):
        return
    if shown.ndisplay != 2 or not layer._slicing_state.loaded:
        layer.refresh(extent=False)
        return
    layer._accumulate_updated_slice(box)
    part = tuple(layer._updated_slice[axis] for axis in shown.displayed)
    view = layer._slice.image.view
    view[part] = layer._raw_to_displayed(layer._slice.image.raw, data_slice=part)
    layer._partial_labels_refresh()

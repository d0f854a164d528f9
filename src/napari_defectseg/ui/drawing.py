"""Drawing with napari's own tools in label layers: what it means for classes and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari.layers import Labels, Layer
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels.stroke import Stroke, checked_under
from napari_defectseg.ui import layers
from napari_defectseg.ui.pixels import grey_reader
from napari_defectseg.ui.strokes import StrokeCatcher

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.stage import Stage


class Drawing:
    """Offers the brush a number and a colour, and makes edits of what was drawn.

    Parameters
    ----------
    stage : Stage

    Attributes
    ----------
    protect : bool
        Whether drawing goes around objects that a person has checked.
    follow_edge : bool
        Whether the brush stops at the edge that the image shows under it.
    """

    went_around = Signal(int)
    """A stroke is drawn; this many checked objects under it stayed as they were."""

    def __init__(self, stage: Stage) -> None:
        self._known = ref(stage)
        self.protect = True
        self.follow_edge = False
        self._catchers: WeakKeyDictionary[Layer, StrokeCatcher] = WeakKeyDictionary()

    @property
    def _stage(self) -> Stage:
        stage = self._known()
        assert stage is not None
        return stage

    def watch(self, layer: Labels) -> None:
        """Make edits of what is drawn in a layer."""
        self._catchers[layer] = StrokeCatcher(layer, self._on_stroke)
        layer.events.selected_label.connect(self._on_number)

    def leave(self, layer: Layer) -> None:
        """Leave a layer to napari."""
        catcher = self._catchers.pop(layer, None)
        if catcher is not None:
            catcher.release()
            layer.events.selected_label.disconnect(self._on_number)

    def offer_number(self) -> None:
        """Let the brush draw with the number of the next object, in the colour of its class."""
        labels = self._stage.session.labels
        if labels is None:
            return
        with self._stage.quietly():
            for layer in self._stage.labels_layers:
                layers.show_classes(layer, {labels.next_label: self._class_of(layer)})
                # By way of another one: napari looks for the colour only when the number changes.
                layer.selected_label = labels.next_label + 1
                layer.selected_label = labels.next_label

    def _class_of(self, layer: Labels) -> int:
        """Return the class that is drawn in a layer."""
        labels, shown = self._stage.session.labels, self._stage.labels_layers
        if labels.classes.exclusive:
            return self._stage.session.current_class
        return labels.classes.values[shown.index(layer)]

    def _on_number(self, event: Any) -> None:
        """Another label was chosen in napari: an object's means *draw as its class*."""
        stage, layer = self._stage, event.source
        labels = stage.session.labels
        if stage.busy or labels is None or layer not in stage.labels_layers:
            return
        number = layer.selected_label
        if number in labels.object_classes:
            stage.session.select([number])
            stage.session.current_class = labels.object_classes[number]
        if number != 0:  # with 0 the brush erases
            self.offer_number()

    def _on_stroke(self, layer: Labels, stroke: Stroke, erases: bool) -> None:
        from napari_defectseg.labels.tools.erase import erase

        session = self._stage.session
        labels = session.labels
        layers.show_again(layer, stroke.box)
        if labels is None or layer not in self._stage.labels_layers:
            return
        value = self._class_of(layer)
        plane = labels.plane_of(value)
        before = checked_under(labels, stroke, plane)
        try:
            if erases:
                only = None if labels.classes.exclusive else value
                session.edit(erase(labels, stroke, class_value=only, protect=self.protect))
            else:
                session.edit(self._paint(labels, stroke, value))
        except DefectSegError as error:
            show_warning(str(error))
            return
        stayed = before & checked_under(labels, stroke, plane)
        # The brush never draws over its own class, checked or not: nothing to say of those.
        self.went_around.emit(sum(erases or labels.class_of(n) != value for n in stayed))

    def _paint(self, labels: LabelMap, stroke: Stroke, value: int) -> Edit | None:
        if self.follow_edge:
            from napari_defectseg.labels.tools.smart_brush import smart_brush

            values = grey_reader(self._stage.session)(stroke.box)
            return smart_brush(labels, stroke, values, value, protect=self.protect)
        from napari_defectseg.labels.tools.paint import paint

        return paint(labels, stroke, value, protect=self.protect)

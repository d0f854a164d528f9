"""`Scribbling`: strokes on a layer of their own teach a model; what it sees follows the hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject, QTimer, Signal

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.progress import Steps
from napari_defectseg.ui import layers
from napari_defectseg.ui.sight import seen_box

if TYPE_CHECKING:
    from napari_defectseg.training.scribble import ScribbleTeacher
    from napari_defectseg.ui.hand import Hand

STROKES, SEEN = "strokes", "seen by the strokes"
BACKGROUND = 254
"""Value of a background stroke on the layer, where 0 is no stroke."""
LANE = "scribble"
PAUSE = 60
"""Milliseconds after a stroke or a move of the view until it is looked again."""


class Scribbling(QObject):
    """One a Correct page.

    Parameters
    ----------
    hand : Hand
    """

    changed = Signal()
    """On or off, or something was seen."""
    failed = Signal(object)

    def __init__(self, hand: Hand) -> None:
        super().__init__()
        self._stage, self.session = hand.stage, hand.session
        self.viewer = hand.stage.viewer
        self.strokes: Labels | None = None
        self._seen: Labels | None = None
        self._teacher: ScribbleTeacher | None = None
        self.background = False
        self.told = ""
        self.learnt = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._look)

    @property
    def on(self) -> bool:
        """Whether there is a layer for strokes."""
        return self.strokes is not None and self.strokes in self.viewer.layers

    # -- on and off ----------------------------------------------------------------------

    def start(self) -> None:
        """Make the layer for strokes, and take the brush.

        Raises
        ------
        TrainingError
            If the classes of the labels may overlap.
        """
        from napari_defectseg.training.scribble import ScribbleTeacher

        labels, image, ours = self.session.labels, self.session.image, self._stage.labels_layers
        if labels is None or image is None or not ours or self.on:
            return
        self._teacher = ScribbleTeacher(image, labels.classes, f"strokes on {image.name}")
        self._seen = self._layer(SEEN, 0.45)
        self._seen.editable = False
        self.strokes = self._layer(STROKES, 1.0)
        self.strokes.brush_size = ours[0].brush_size
        self.strokes.mode = "paint"
        self.strokes.events.paint.connect(self._later)
        self.strokes.events.labels_update.connect(self._later)
        self.viewer.dims.events.current_step.connect(self._later)
        self.viewer.scene.camera.events.center.connect(self._later)
        self.viewer.scene.camera.events.zoom.connect(self._later)
        self.session.events.current_class.connect(self.follow_class)
        self.background, self.told, self.learnt = False, "", False
        self.follow_class()
        self.show_layers(True)
        self.changed.emit()

    def stop(self) -> None:
        """Take both layers away; what was learnt goes with them."""
        self._timer.stop()
        if self._teacher is None:
            return
        self.show_layers(False)
        self.session.jobs.stop(LANE, drop=True)
        self.session.events.current_class.disconnect(self.follow_class, missing_ok=True)
        self.viewer.dims.events.current_step.disconnect(self._later)
        self.viewer.scene.camera.events.center.disconnect(self._later)
        self.viewer.scene.camera.events.zoom.disconnect(self._later)
        for layer in (self.strokes, self._seen):
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self.strokes = self._seen = self._teacher = None
        self.told, self.learnt = "", False
        self._stage.activate_labels()
        self.changed.emit()

    def show_layers(self, on: bool) -> None:
        """Show strokes and what they see in place of the objects, or the objects again.

        Parameters
        ----------
        on : bool
            False while another dock is in front: the strokes are kept, out of sight.
        """
        if not self.on:
            return
        for layer in self._stage.labels_layers:
            layer.visible = not on
        for mine in (self.strokes, self._seen):
            if mine is not None:
                mine.visible = on
        if on:
            self.viewer.layers.selection.active = self.strokes

    def draw_background(self, on: bool) -> None:
        """Draw strokes of the background; else of the class in hand."""
        self.background = on
        self.follow_class()
        if self.strokes is not None and self.on:
            self.viewer.layers.selection.active = self.strokes
            self.strokes.mode = "paint"

    def follow_class(self, _: Any = None) -> None:
        """Draw as the class in hand, or as the background."""
        if self.strokes is not None:
            value = BACKGROUND if self.background else self.session.current_class
            self.strokes.selected_label = value

    def clear(self) -> None:
        """Take all strokes away; the layers stay."""
        if self.strokes is not None and self._seen is not None:
            self.strokes.data = np.zeros_like(self.strokes.data)
            self._seen.data = np.zeros_like(self._seen.data)
            self.told, self.learnt = "", False
            self.changed.emit()

    # -- looking -------------------------------------------------------------------------

    def _later(self, _: Any = None) -> None:
        if self.on:
            self._timer.start()

    def _look(self) -> None:
        teacher, labels = self._teacher, self.session.labels
        if not self.on or teacher is None or labels is None:
            return
        drawn = self._drawn()
        if len({int(v) for plane in drawn.values() for v in np.unique(plane)} - {UNLABELLED}) < 2:
            self.told = "Draw a stroke of a class, and one of the background."
            self.changed.emit()
            return
        box = seen_box(self.viewer, labels)
        place = self._place()
        part = None if box is None else box[-2:]

        def steps() -> Steps[tuple[int, np.ndarray]]:
            count = teacher.learn(drawn)
            seen = yield from teacher.see_steps(place, part)
            return count, seen

        def done(found: tuple[int, np.ndarray]) -> None:
            if self._teacher is teacher:
                self._show(found, place, part)

        self.session.jobs.start(
            LANE, steps(), text="looking", owner=self, on_done=done, on_failed=self.failed.emit
        )

    def _show(
        self, found: tuple[int, np.ndarray], place: tuple[int, ...], part: tuple[slice, ...] | None
    ) -> None:
        count, seen = found
        if self._seen is None:
            return
        self._seen.data[(*place, *(part or (slice(None), slice(None))))] = seen
        self._seen.refresh()
        shares = ", ".join(
            f"{item.name} {100 * float(np.mean(seen == item.value)):.1f} %"
            for item in self._teacher_classes()
        )
        self.learnt = True
        self.told = f"{count} px of strokes. In sight: {shares}."
        self.changed.emit()

    def _teacher_classes(self) -> Any:
        assert self._teacher is not None
        return self._teacher.card.classes

    def _place(self) -> tuple[int, ...]:
        """Return the slice in sight, along the axes before y and x."""
        labels = self.session.labels
        assert labels is not None
        ndim = len(labels.axes)
        steps = self.viewer.dims.current_step[self.viewer.dims.ndim - ndim :]
        return tuple(int(step) for step in steps[: ndim - 2])

    def _drawn(self) -> dict[tuple[int, ...], np.ndarray]:
        """Return the planes that have strokes, as the teacher wants them."""
        assert self.strokes is not None
        data = np.asarray(self.strokes.data)
        lead = data.shape[:-2]
        found = {}
        for place in np.ndindex(*lead):
            plane = data[place]
            if plane.any():
                drawn = np.where(plane == 0, UNLABELLED, plane).astype(np.uint8)
                drawn[plane == BACKGROUND] = 0
                found[tuple(int(n) for n in place)] = drawn
        return found

    # -- the whole -----------------------------------------------------------------------

    def use(self) -> None:
        """Make what was learnt the model, and go where it finds the objects of all of the image.

        Raises
        ------
        TrainingError
            If nothing was learnt yet.
        """
        if self._teacher is not None:
            model = self._teacher.model()
            self.stop()
            self.session.model = model
            self.session.go_to("predict")

    def _layer(self, name: str, opacity: float) -> Labels:
        labels, ours = self.session.labels, self._stage.labels_layers
        assert labels is not None
        colours: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        colours |= {item.value: item.colour for item in labels.classes}
        colours[BACKGROUND] = "white"
        layer = Labels(
            np.zeros(labels.shape, np.uint8),
            name=name,
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=opacity,
            metadata={layers.KEY: {"kind": name}},
            **layers.geometry(ours[0], len(labels.axes)),
        )
        self.viewer.add_layer(layer)
        return layer

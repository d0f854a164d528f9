"""How objects are shown, and what keys do to label layers whatever dock is in front."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from napari_defectseg.ui import layers
from napari_defectseg.ui.colouring import ClassColormap, ShadeColormap

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.keys import Keys
    from napari_defectseg.ui.stage import Stage


class Display:
    """Filled or outlines, and the commands that belong to layers.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = ref(stage)
        self._outlines = False
        self._hidden: frozenset[int] = frozenset()
        self._classes: ClassMap | None = None
        self._shade_of: np.ndarray | None = None
        self._scale = np.zeros((0, 4))

    @property
    def stage(self) -> Stage:
        """Whose layers are shown."""
        stage = self._stage()
        assert stage is not None
        return stage

    @property
    def outlines(self) -> bool:
        """Whether objects are shown by their outline, not filled."""
        return self._outlines

    def set_outlines(self, outlines: bool) -> None:
        """Show all objects by their outline, or filled."""
        self._outlines = outlines
        for layer in self.stage.labels_layers:
            layers.show_outlines(layer, outlines, shaded=self._shade_of is not None)

    def toggle_outlines(self) -> None:
        """Show objects filled if they are outlines, and the other way round."""
        self.set_outlines(not self._outlines)

    @property
    def hidden(self) -> frozenset[int]:
        """Classes whose objects are not shown; they are there and count all the same."""
        return self._hidden

    def toggle_class(self, value: int) -> None:
        """Show the objects of a class no longer, or again."""
        self._hidden ^= {value}
        self._apply()

    def follow(self, labels: LabelMap | None) -> None:
        """Hide the same classes in other labels; where the classes are others, none."""
        classes = None if labels is None else labels.classes
        if classes != self._classes:
            self._classes, self._hidden = classes, frozenset()
        self._apply()

    def dress(self, layer: Labels) -> None:
        """Show a new layer as the others are shown."""
        layers.show_outlines(layer, self._outlines, shaded=self._shade_of is not None)

    def _apply(self) -> None:
        labels = self.stage.session.labels
        if labels is None:
            return
        for layer in self.stage.labels_layers:
            shaded = isinstance(layer.colormap, ShadeColormap)
            if self._shade_of is not None:
                self._shade(layer, labels)
            elif shaded:
                layer.colormap = ClassColormap.of(labels.classes, labels.class_lookup())
                self.dress(layer)
            if layer.colormap.hidden != self._hidden:
                layer.colormap.set_all(labels.class_lookup(), self._hidden)
                layer.refresh(extent=False)

    def _shade(self, layer: Labels, labels: LabelMap) -> None:
        assert self._shade_of is not None
        if not isinstance(layer.colormap, ShadeColormap):
            colours = ShadeColormap.of_shades(self._scale[:-1], self._scale[-1])
            colours.set_all(labels.class_lookup(), self._hidden)
            colours.set_shades(self._shade_of)
            layer.colormap = colours
            self.dress(layer)
        else:
            layer.colormap.set_shades(self._shade_of)
            layer.refresh(extent=False)

    def show_shades(self, shade_of: np.ndarray | None, scale: np.ndarray | None = None) -> None:
        """Show objects in shades of a scale, or in the colours of their classes again.

        Parameters
        ----------
        shade_of : ndarray of uint8 or None
            A shade from 1 for each object number, 0: unknown. None: the colours of the classes.
        scale : ndarray of float, shape (n + 1, 4), optional
            Colours of the shades and, last, of objects without one; None: as before.
        """
        if scale is not None and not np.array_equal(scale, self._scale):
            self._scale = scale
            self._shade_of = None
            self._apply()
        self._shade_of = shade_of
        self._apply()

    def show_some_shades(self, shade_of: np.ndarray, changed: Iterable[int]) -> None:
        """Take over the shades of a few objects; only their boxes are drawn."""
        self._shade_of = shade_of
        labels = self.stage.session.labels
        shown = self.stage.labels_layers
        if labels is None:
            return
        for layer in shown:
            if isinstance(layer.colormap, ShadeColormap):
                layer.colormap.set_shades(shade_of)
        for number in changed:
            value = labels.object_classes.get(number)
            if value is not None and labels.plane_of(value) < len(shown):
                layers.show_again(shown[labels.plane_of(value)], labels.index.box(number))

    def peek(self) -> Callable[[], None]:
        """Hide everything but the image; returns the function that shows it again."""
        stage = self.stage
        image = stage.image_layer
        hidden = [ref(one) for one in stage.viewer.layers if one is not image and one.visible]
        for one in hidden:
            one().visible = False

        def show() -> None:
            for one in hidden:
                if (layer := one()) is not None:
                    layer.visible = True

        return show

    def choose_class(self, place: int) -> None:
        """Draw as the class at a place, 1 for the first; nothing happens beyond the last."""
        labels = self.stage.session.labels
        if labels is not None and place <= len(labels.classes):
            self.stage.session.current_class = labels.classes.values[place - 1]

    def leave(self) -> None:
        """Leave napari's drawing tool; without one, stop what is running and keep what is done."""
        stage = self.stage
        active = stage.viewer.layers.selection.active
        if active in stage.labels_layers and str(active.mode) != "pan_zoom":
            active.mode = "pan_zoom"
            return
        job = stage.session.jobs.running()
        if job is not None:
            stage.session.jobs.stop(job.lane)

    def provide(self, keys: Keys) -> None:
        """Offer all this by key."""
        session = self.stage.session
        keys.provide("undo", session.undo)
        keys.provide("redo", session.redo)
        keys.provide("outlines", self.toggle_outlines)
        keys.provide("peek", self.peek)
        keys.provide("escape", self.leave)
        known = ref(self)
        for digit in range(1, 10):
            keys.provide(f"class_{digit}", lambda place=digit: known().choose_class(place))

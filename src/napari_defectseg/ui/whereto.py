"""`Where`: what of the subject is predicted: the view, a slice, all of it, or what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes

from napari_defectseg.inference.region import Region
from napari_defectseg.ui import words
from napari_defectseg.ui.regions import AREAS, COUNT, in_pixels, regions_of
from napari_defectseg.ui.seen import visible
from napari_defectseg.ui.widgets.segments import Choice

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.stage import Stage

VIEW, SLICE, IMAGE, DRAWN, COLLECTION = "view", "slice", "image", "selection", "collection"
NAME = "what to predict"
"""Of the layer that is drawn in."""


class Where:
    """Turns a choice into a region of the subject.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.session = stage, stage.session

    def choices(self, images: int) -> list[Choice]:
        """Return what can be chosen for the subject, and for so many images of the collection."""
        image = self.session.image
        what = words.subject(image)
        found = [(VIEW, "view", f"Only what you see of the {what}")]
        if self._stacked(image):
            one = "frame" if what == "movie" else "slice"
            found.append((SLICE, one, f"Only the {one} that is shown"))
        found.append((IMAGE, what, f"All of the {what} on top"))
        found.append((DRAWN, "selection", "The box around a shape that you draw or have drawn"))
        if images > 1:
            tip = "All images of the collection that can be opened, one after the other"
            found.append((COLLECTION, words.counted(images, "image"), tip))
        return found

    def region(self, choice: str) -> Region | None:
        """Return the region that is meant now; None: all of the image, or nothing to be had."""
        image, layer = self.session.image, self.stage.image_layer
        if image is None or layer is None or choice in (IMAGE, COLLECTION):
            return None
        if choice == DRAWN:
            box = self._drawn(image)
            return None if box is None else Region.of(image, box)
        box = tuple(
            visible(self.stage, image, layer, axis)
            if choice == VIEW or axis not in ("y", "x")
            else slice(0, image.shape[image.axes.index(axis)])
            for axis in image.label_axes
        )
        return None if any(side.stop <= side.start for side in box) else Region.of(image, box)

    def missing(self, choice: str) -> str:
        """Return why nothing can be predicted there, as a sentence; empty if it can."""
        image = self.session.image
        if image is None:
            return ""
        if choice == DRAWN and self._drawn(image) is None:
            return "Draw a rectangle around what is to be predicted."
        if choice in (VIEW, SLICE) and not self._in_sight(image):
            return "Nothing of the image is in sight."
        return ""

    def begin_drawing(self) -> None:
        """Give a layer to draw in, if nothing is drawn yet."""
        image, like = self.session.image, self.stage.image_layer
        if image is None or like is None or self._drawn(image) is not None:
            return
        viewer = self.stage.viewer
        layer = next((one for one in viewer.layers if one.name == NAME), None)
        if layer is None:
            layer = Shapes(
                ndim=2,
                name=NAME,
                scale=like.scale[-2:],
                translate=like.translate[-2:],
                units=like.units[-2:],
                axis_labels=like.axis_labels[-2:],
                edge_color="white",
                face_color="transparent",
                edge_width=max(1.0, image.shape[image.axes.index("x")] / 400),
            )
            viewer.add_layer(layer)
        viewer.layers.selection.active = layer
        layer.mode = "add_rectangle"

    def drawn_layer(self) -> Shapes | None:
        """Return the layer whose shapes are meant: the active one, ours, or a region to count."""
        viewer = self.stage.viewer
        regions = regions_of(viewer)
        shapes = [one for one in viewer.layers if isinstance(one, Shapes) and _areas(one)]
        active = viewer.layers.selection.active
        for wanted in (
            [one for one in shapes if one is active],
            [one for one in shapes if one.name == NAME],
            [one for one in shapes if regions.role(one) == COUNT],
            shapes[::-1],
        ):
            if wanted:
                return wanted[0]
        return None

    def _drawn(self, image: CalibratedImage) -> Any:
        layer, like = self.drawn_layer(), self.stage.image_layer
        if layer is None or like is None:
            return None
        corners = np.concatenate([in_pixels(one, layer, like) for one in _areas(layer)])
        low, high = np.floor(corners.min(axis=0) + 0.5), np.ceil(corners.max(axis=0) + 0.5)
        plane = dict(zip(("y", "x"), zip(low, high, strict=True), strict=True))
        box = []
        for axis in image.label_axes:
            length = image.shape[image.axes.index(axis)]
            first, last = plane.get(axis, (0, length))
            box.append(slice(max(0, int(first)), min(length, int(last))))
        return None if any(side.stop <= side.start for side in box) else tuple(box)

    def _in_sight(self, image: CalibratedImage) -> bool:
        layer = self.stage.image_layer
        if layer is None:
            return False
        sides = [visible(self.stage, image, layer, axis) for axis in image.label_axes]
        return all(side.stop > side.start for side in sides)

    def _stacked(self, image: CalibratedImage | None) -> bool:
        return image is not None and any(axis in image.axes for axis in ("z", "t"))


def _areas(layer: Shapes) -> list[Any]:
    """Return the corners of the shapes that have an inside."""
    pairs = zip(layer.data, layer.shape_type, strict=True)
    return [corners for corners, kind in pairs if kind in AREAS]

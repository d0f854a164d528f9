"""What is seen of the subject on the canvas, and the layers that a preview of it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.inference.preview import MOST
from napari_defectseg.ui import layers

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.tiling import Box
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.stage import Stage

DEEP = 16
"""Slices around the one that is shown in which a network for volumes is tried."""
PREVIEW = "preview"
"""What the layers' metadata call it."""


@dataclass(frozen=True)
class Seen:
    """A part of the subject.

    Parameters
    ----------
    box : tuple of slice
        Along the label axes of the image.
    cut : bool
        Whether more is in sight than this.
    """

    box: Box
    cut: bool = False


def seen_box(stage: Stage, dims: int) -> Seen | None:
    """Return the visible part of the subject, cut to what is quickly predicted.

    Parameters
    ----------
    stage : Stage
    dims : int
        2: the plane that is shown; 3: a block around it.

    Returns
    -------
    Seen or None
        None without an image, or where nothing of it is in sight.
    """
    image, layer = stage.session.image, stage.image_layer
    if image is None or layer is None:
        return None
    sides, cut = [], False
    for axis in image.label_axes:
        side = visible(stage, image, layer, axis)
        if axis == "z" and dims == 3 and not _displayed(stage, image, layer, axis):
            side = _around(side.start, 0, image.shape[image.axes.index(axis)], DEEP)
        elif side.stop - side.start > MOST[dims]:
            middle = (side.start + side.stop) // 2
            side, cut = _around(middle, side.start, side.stop, MOST[dims]), True
        sides.append(side)
    if any(side.stop <= side.start for side in sides):
        return None
    return Seen(tuple(sides), cut)


def visible(stage: Stage, image: CalibratedImage, layer: Image, axis: str) -> slice:
    """Return which part of an axis is in sight: a range, or the one place that is shown."""
    length = image.shape[image.axes.index(axis)]
    place = _place(image, layer, axis)
    if not _displayed(stage, image, layer, axis):
        at = min(max(int(stage.viewer.dims.current_step[place - layer.ndim]), 0), length - 1)
        return slice(at, at + 1)
    factor = layer.downsample_factors[layer.data_level][place] if layer.multiscale else 1
    low, high = (int(corner[place]) for corner in layer.corner_pixels)
    return slice(max(0, int(low * factor)), min(length, int((high + 1) * factor)))


def _place(image: CalibratedImage, layer: Image, axis: str) -> int:
    names = [str(name) for name in layer.axis_labels]
    if axis in names:
        return names.index(axis)
    # A layer that another reader made may call its axes otherwise, or not at all.
    return layer.ndim - len(image.label_axes) + image.label_axes.index(axis)


def _displayed(stage: Stage, image: CalibratedImage, layer: Image, axis: str) -> bool:
    place = _place(image, layer, axis)
    return place - layer.ndim + stage.viewer.dims.ndim in stage.viewer.dims.displayed


def _around(middle: int, low: int, high: int, most: int) -> slice:
    start = max(low, min(middle - most // 2, high - most))
    return slice(start, min(high, start + most))


def show_preview(stage: Stage, labels: LabelMap, offset: tuple[int, ...], name: str) -> None:
    """Show what a preview found, in layers that belong to nothing else.

    Parameters
    ----------
    stage : Stage
    labels : LabelMap
    offset : tuple of int
        Where they begin in the image.
    name : str
        Of the model.
    """
    like = stage.image_layer
    if like is None:
        return
    made = layers.labels_data(labels, like)
    shown = preview_layers(stage)
    if len(shown) != len(made):
        take_preview_away(stage)
        shown = ()
    active = stage.viewer.layers.selection.active
    with stage.quietly():
        for place, (data, settings, _) in enumerate(made):
            step = np.asarray(settings["scale"]) * np.asarray(offset)
            settings["translate"] = tuple(np.asarray(settings["translate"]) + step)
            if shown:
                _renew(shown[place], data, settings)
                continue
            settings["metadata"] = {layers.KEY: {"kind": PREVIEW}}
            title = f": {settings['name']}" if len(made) > 1 else ""
            settings["name"] = f"preview of {name}{title}"
            layer = stage.viewer.add_labels(data, **settings)
            layers.show_outlines(layer, True)
            layer.editable = False
        if active is not None and active in stage.viewer.layers:
            stage.viewer.layers.selection.active = active


def _renew(layer: Labels, data: Any, settings: dict[str, Any]) -> None:
    layer.colormap = settings["colormap"]
    layer.scale, layer.translate = settings["scale"], settings["translate"]
    layer.data = data


def take_preview_away(stage: Stage) -> None:
    """Take the layers of the preview away."""
    with stage.quietly():
        for layer in preview_layers(stage):
            stage.viewer.layers.remove(layer)


def preview_layers(stage: Stage) -> tuple[Labels, ...]:
    """Return the layers of the preview."""
    return tuple(
        layer
        for layer in stage.viewer.layers
        if layer.metadata.get(layers.KEY, {}).get("kind") == PREVIEW
    )

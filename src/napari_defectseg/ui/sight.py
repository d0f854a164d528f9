"""What of the labels is in sight on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_defectseg.labels.edit import Box
from napari_defectseg.ui.places import world_box, world_factor
from napari_defectseg.ui.stage import stage_of

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap

SMALLEST = 8
"""A region narrower than this many pixels is taken for none."""


def seen_box(viewer: Any, labels: LabelMap) -> Box | None:
    """Return what is seen as slices of a label plane; None if that is next to nothing.

    In a volume these are all slices, in a series the frame in sight.
    """
    layers = stage_of(viewer).labels_layers
    if not layers:
        return None
    layer = layers[0]
    low, high = layer.corner_pixels
    box = [slice(0, length) for length in labels.shape]
    for axis in viewer.dims.displayed:
        place = axis - (viewer.dims.ndim - layer.ndim)
        start = max(0, int(low[place]))
        stop = min(labels.shape[place], int(high[place]) + 1)
        if stop - start < SMALLEST:
            return None
        box[place] = slice(start, stop)
    if "t" in labels.axes:
        at = labels.axes.index("t")
        step = int(viewer.dims.current_step[at - layer.ndim])
        box[at] = slice(step, step + 1)
    return tuple(box)


def fly_to_box(viewer: Any, box: Box, *, room: float = 1.5) -> None:
    """Bring a box of a label plane into the middle, `room` times its size in view."""
    layers = stage_of(viewer).labels_layers
    if not layers:
        return
    layer = layers[0]
    factor = world_factor(viewer, layer)
    low, high = (corner * factor for corner in world_box(layer, box))
    ndim = viewer.dims.ndim
    middle = (low + high) / 2
    point = list(viewer.dims.point)
    point[ndim - middle.size :] = middle
    hidden = list(viewer.dims.not_displayed)
    if hidden:
        viewer.dims.set_point(hidden, [point[axis] for axis in hidden])
    shown = list(viewer.dims.displayed)
    extent = max(float(high[axis - ndim] - low[axis - ndim]) for axis in shown)
    canvas = viewer.canvas.size if hasattr(viewer, "canvas") else (600, 600)
    camera = viewer.scene.camera
    camera.zoom = min(int(n) for n in canvas) / (room * max(extent, 1e-12))
    place = [float(point[axis]) for axis in shown]
    camera.center = (0.0, *place) if len(place) == 2 else tuple(place)

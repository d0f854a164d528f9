"""Where an object is on the canvas, and going there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.ui import layers

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Box
    from napari_defectseg.ui.session import Session

ROOM = 4.0
"""An object that does not fit is shown with as many times its size around it."""
MARGIN = 1.08
"""A whole layer is shown with this many times its size."""


def world_factor(viewer: napari.Viewer, layer: Any) -> np.ndarray:
    """Return how many of the viewer's units one of the layer's is, an entry an axis.

    A layer tells places in its own unit; the viewer shows layers in nm and in µm side by side in
    one unit, and that is what its sliders and its camera use.
    """
    wanted = viewer.layers.extent.units
    if wanted is None:
        return np.ones(layer.ndim)
    pairs = zip(layer.units, wanted[-layer.ndim :], strict=True)
    if any(not own.is_compatible_with(other) for own, other in pairs):
        return np.ones(layer.ndim)
    pairs = zip(layer.units, wanted[-layer.ndim :], strict=True)
    return np.array([float((1.0 * own).to(other).magnitude) for own, other in pairs])


def world_box(layer: Any, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper corner of a box of pixels in world coordinates."""
    low = np.array([side.start for side in box], float) - 0.5
    high = np.array([side.stop for side in box], float) - 0.5
    corners = np.stack([layer.data_to_world(low), layer.data_to_world(high)])
    return corners.min(axis=0), corners.max(axis=0)


def in_sight(viewer: napari.Viewer, layer: Any, box: Box) -> bool:
    """Return whether a box of a layer's pixels reaches into the slice that is shown."""
    point = np.asarray(viewer.dims.point)[-layer.ndim :]
    index = np.rint(layer.world_to_data(point)).astype(int)
    shown = {axis - (viewer.dims.ndim - layer.ndim) for axis in viewer.dims.displayed}
    return all(
        axis in shown or side.start <= index[axis] < side.stop for axis, side in enumerate(box)
    )


def fly_to(viewer: napari.Viewer, session: Session, number: int) -> None:
    """Bring an object into the middle; the zoom stays unless the object does not fit."""
    labels = session.labels
    if labels is None or number not in labels.object_classes:
        return
    layer = layers.labels_layer(viewer, session, labels.plane_of(labels.object_classes[number]))
    if layer is None:
        return
    factor = world_factor(viewer, layer)
    low, high = (corner * factor for corner in world_box(layer, labels.index.box(number)))
    middle = (low + high) / 2
    ndim = viewer.dims.ndim
    point = list(viewer.dims.point)
    point[ndim - middle.size :] = middle
    # Axes in sight have no position to go to; setting one would slice every layer anew.
    hidden = list(viewer.dims.not_displayed)
    if hidden:
        viewer.dims.set_point(hidden, [point[axis] for axis in hidden])
    camera = viewer.scene.camera
    shown = list(viewer.dims.displayed)
    place = [float(point[axis]) for axis in shown]
    extent = max(float(high[axis - ndim] - low[axis - ndim]) for axis in shown)
    canvas = _canvas(viewer)
    if extent * camera.zoom > min(canvas) / 1.5:
        camera.zoom = min(canvas) / (ROOM * max(extent, 1e-12))
    if len(place) == 2:
        whole = np.asarray(layer.extent.world)[:, -2:] * factor[-2:]
        half = np.array(canvas) / (2 * camera.zoom)
        place = [_inside(*values) for values in zip(place, whole[0], whole[1], half, strict=True)]
    camera.center = (0.0, *place) if len(place) == 2 else tuple(place)


def _canvas(viewer: napari.Viewer) -> tuple[int, int]:
    """Return height and width of the canvas in screen pixels."""
    height, width = viewer.canvas.size if hasattr(viewer, "canvas") else (600, 600)
    return int(height), int(width)


def _inside(place: float, low: float, high: float, half: float) -> float:
    """Return the middle of a view that shows `place` and no more emptiness than it must."""
    if high - low <= 2 * half:
        return (low + high) / 2
    return float(np.clip(place, low + half, high - half))


def show_whole(viewer: napari.Viewer, layer: Any) -> None:
    """Bring a whole layer into view, whatever else the viewer holds.

    Layers of other magnification may lie elsewhere in the world, so napari's own reset would
    show all of them and nothing of this one.
    """
    extent = np.asarray(layer.extent.world) * world_factor(viewer, layer)
    middle = extent.mean(axis=0)
    ndim = viewer.dims.ndim
    point = list(viewer.dims.point)
    point[ndim - middle.size :] = [float(value) for value in middle]
    viewer.dims.set_point(range(ndim), point)
    shown = [axis for axis in viewer.dims.displayed if axis >= ndim - middle.size]
    sides = [float(np.ptp(extent[:, axis - ndim])) for axis in shown]
    camera = viewer.scene.camera
    place = [float(point[axis]) for axis in shown]
    camera.center = (0.0, *place) if len(place) == 2 else tuple(place)
    height, width = _canvas(viewer)
    if len(sides) == 2:
        camera.zoom = min(height / max(sides[0], 1e-12), width / max(sides[1], 1e-12)) / MARGIN
    else:
        # A turned box must fit too: its diagonal does, whatever the angles.
        camera.zoom = min(height, width) / (MARGIN * max(float(np.linalg.norm(sides)), 1e-12))

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


def world_box(layer: Any, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper corner of a box of pixels in world coordinates."""
    low = np.array([side.start for side in box], float) - 0.5
    high = np.array([side.stop for side in box], float) - 0.5
    corners = np.stack([layer.data_to_world(low), layer.data_to_world(high)])
    return corners.min(axis=0), corners.max(axis=0)


def fly_to(viewer: napari.Viewer, session: Session, number: int) -> None:
    """Bring an object into the middle; the zoom stays unless the object does not fit."""
    labels = session.labels
    if labels is None or number not in labels.object_classes:
        return
    layer = layers.labels_layer(viewer, session, labels.plane_of(labels.object_classes[number]))
    if layer is None:
        return
    low, high = world_box(layer, labels.index.box(number))
    middle = (low + high) / 2
    ndim = viewer.dims.ndim
    point = list(viewer.dims.point)
    point[ndim - middle.size :] = middle
    viewer.dims.set_point(range(ndim), point)
    camera = viewer.scene.camera
    shown = list(viewer.dims.displayed)
    place = [float(point[axis]) for axis in shown]
    camera.center = (0.0, *place) if len(place) == 2 else tuple(place)
    extent = max(float(high[axis - ndim] - low[axis - ndim]) for axis in shown)
    room = min(viewer.canvas.size) if hasattr(viewer, "canvas") else 600
    if extent * camera.zoom > room / 1.5:
        camera.zoom = room / (ROOM * max(extent, 1e-12))

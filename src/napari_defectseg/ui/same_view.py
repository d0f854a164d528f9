"""The same picture on the canvas before and after a layer was given another scale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer


@contextmanager
def same_view(viewer: napari.Viewer, layer: Layer) -> Iterator[None]:
    """Let camera and slice follow a layer whose scale changes inside the block.

    A pixel size that is typed must not throw the picture out of sight.
    """
    before = np.asarray(layer.scale, float)
    point, center, zoom = viewer.dims.point, viewer.scene.camera.center, viewer.scene.camera.zoom
    yield
    factors = np.asarray(layer.scale, float) / before
    if np.allclose(factors, 1):
        return
    # The axes of a layer are the last ones of the viewer.
    padded = np.concatenate([np.ones(max(0, len(point) - len(factors))), factors])
    for axis in range(min(len(point), len(padded))):
        viewer.dims.set_point(axis, point[axis] * padded[axis])
    shown = len(center)
    middle = np.ones(shown)
    last = padded[-shown:]
    middle[shown - len(last) :] = last
    viewer.scene.camera.center = tuple(np.asarray(center) * middle)
    viewer.scene.camera.zoom = zoom / padded[-1]

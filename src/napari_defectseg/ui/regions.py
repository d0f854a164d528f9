"""`Regions`: layers that say what is counted and what is left out, as the session's space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Labels, Layer, Shapes
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_defectseg.core.classes import PALETTE
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.ui.filled import filled, outline
from napari_defectseg.ui.layers import KEY
from napari_defectseg.ui.stage import stage_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_defectseg.images.image import CalibratedImage

COUNT, EXCLUDE, NONE = "count", "exclude", ""
AREAS = ("polygon", "rectangle", "ellipse")
"""Shapes that have an inside."""
ROLES = ((NONE, "nothing"), (COUNT, "region to count"), (EXCLUDE, "excluded"))
"""What a layer can be, and how it is called."""
NOT_DRAWN = ("objects", "ruler", "preview", "landing")
"""Kinds of layers of ours that nobody has drawn."""
PAUSE = 250
"""Milliseconds without a change until the masks are made anew."""


class Regions:
    """Roles of layers in one viewer; found by `regions_of`.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    changed = Signal()
    """Roles, layers or `failure` changed."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = ref(viewer)
        self.stage = stage_of(viewer)
        self.session = self.stage.session
        self._roles: WeakKeyDictionary[Layer, tuple[str, Any]] = WeakKeyDictionary()
        self.failure: ImageError | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.renew)
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removed.connect(self._on_removed)
        self.session.events.image.connect(self._on_layers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers that can have a role: drawn shapes, and labels that are not our objects."""
        viewer = self._viewer()
        if viewer is None:
            return ()
        return tuple(layer for layer in viewer.layers if _can_have_role(layer))

    def role(self, layer: Layer) -> str:
        """Return what a layer is for the subject."""
        role, owner = self._roles.get(layer, (NONE, None))
        image = self.session.image
        return role if image is not None and owner is image.data else NONE

    def set_role(self, layer: Layer, role: str) -> None:
        """Let a layer be the region to count, an exclusion, or nothing."""
        image = self.session.image
        if image is None or role == self.role(layer):
            return
        if layer not in self._roles:
            for event in (layer.events.data, layer.events.set_data):
                event.connect(self._on_data)
        self._roles[layer] = (role, image.data)
        self.renew()

    def draw(self, role: str) -> Shapes | None:
        """Add a layer to draw a polygon in, with a role."""
        viewer, image = self._viewer(), self.stage.image_layer
        if viewer is None or image is None:
            return None
        colour = PALETTE[0 if role == COUNT else 1][1]
        layer = Shapes(
            ndim=2,
            name=dict(ROLES)[role],
            scale=image.scale[-2:],
            translate=image.translate[-2:],
            units=image.units[-2:],
            axis_labels=image.axis_labels[-2:],
            edge_color=colour,
            face_color="transparent",
            edge_width=max(1.0, image.data.shape[-1] / 400),
        )
        viewer.add_layer(layer)
        self.set_role(layer, role)
        viewer.layers.selection.active = layer
        layer.mode = "add_polygon"
        return layer

    def renew(self) -> None:
        """Make the session's space from the layers as they are now."""
        image, shown = self.session.image, self.stage.image_layer
        if image is None or shown is None:
            return
        try:
            masks = {role: self._mask(role, image, shown) for role in (COUNT, EXCLUDE)}
        except ImageError as error:
            self.failure = error
            self.changed.emit()
            return
        self.failure = None
        empty = all(mask is None for mask in masks.values())
        if not (empty and self.session.space is None):
            self.session.space = (
                None if empty else ReferenceSpace(image.label_shape, masks[COUNT], masks[EXCLUDE])
            )
        self.changed.emit()

    def _mask(self, role: str, image: CalibratedImage, shown: Image) -> Any:
        found = None
        for layer in self.layers:
            if self.role(layer) == role:
                mask = mask_of(layer, image, shown)
                found = mask if found is None else found | mask
        # A region that is not drawn yet is no region: nothing would be counted.
        return None if found is None or not found.any() else found

    def _on_data(self, event: Any = None) -> None:
        self._timer.start()

    def _on_layers(self, event: Any = None) -> None:
        self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        role = self.role(event.value)
        self._roles.pop(event.value, None)
        if role:
            self.renew()
        else:
            self.changed.emit()


def mask_of(layer: Layer, image: CalibratedImage, shown: Image) -> np.ndarray:
    """Return where a layer is, as an array of bool over the label axes of an image.

    A plane holds for every slice and frame.

    Raises
    ------
    ImageError
        If its pixels are not those of the image.
    """
    shape = image.label_shape
    if isinstance(layer, Shapes):
        plane = _drawn(layer, shown, shape[-2:])
    else:
        plane = np.asarray(layer.data) != 0
    if plane.shape not in (shape, shape[-2:]):
        raise ImageError(
            f"The layer {layer.name} has {' × '.join(map(str, plane.shape))} px, the image "
            f"{' × '.join(map(str, shape))}.",
            hint="Draw the region on this image.",
        )
    return np.broadcast_to(plane, shape)


def _drawn(layer: Shapes, shown: Image, shape: tuple[int, ...]) -> np.ndarray:
    """Draw the areas of a shapes layer in the pixels of an image's plane."""
    polygons = [
        outline(in_pixels(corners, layer, shown), kind)
        for corners, kind in zip(layer.data, layer.shape_type, strict=True)
        if kind in AREAS
    ]
    return filled(polygons, shape)


def in_pixels(corners: np.ndarray, layer: Shapes, shown: Image) -> np.ndarray:
    """Return corners in the y-x plane of an image, whatever the scale of their layer."""
    scale, offset = np.asarray(layer.scale[-2:]), np.asarray(layer.translate[-2:])
    world = corners[:, -2:] * scale + offset
    return (world - np.asarray(shown.translate[-2:])) / np.asarray(shown.scale[-2:])


def _can_have_role(layer: Layer) -> bool:
    kind = layer.metadata.get(KEY, {}).get("kind", "")
    return isinstance(layer, Labels | Shapes) and kind not in NOT_DRAWN


_regions: WeakKeyDictionary[Any, Regions] = WeakKeyDictionary()


def regions_of(viewer: napari.Viewer) -> Regions:
    """Return the regions of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _regions:
        _regions[real] = Regions(real)
    return _regions[real]

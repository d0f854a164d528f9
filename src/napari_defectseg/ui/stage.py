"""`Stage`: what a viewer shows follows its session, and the session follows the viewer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari.layers import Image, Labels, Layer

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui import layers
from napari_defectseg.ui.adopt import image_of
from napari_defectseg.ui.clicks import Clicks
from napari_defectseg.ui.display import Display
from napari_defectseg.ui.drawing import Drawing
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.maps import Maps
from napari_defectseg.ui.one_unit import share_unit
from napari_defectseg.ui.places import show_whole
from napari_defectseg.ui.same_view import same_view
from napari_defectseg.ui.session import Session, session_of
from napari_defectseg.ui.windows import at_close

if TYPE_CHECKING:
    import napari

    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.labels.edit import Box, Edit
    from napari_defectseg.labels.labelmap import LabelMap


class Stage:
    """Keeps layers and session in step; one a viewer, found by `stage_of`.

    A new subject gets a layer, and an image layer that is chosen becomes the subject. Labels get
    their layers, an edit is drawn where it touched, and what is drawn with napari's own tools
    becomes an edit.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session

    Attributes
    ----------
    clicks : Clicks
        Who is told of clicks on objects.
    display : Display
        Filled or outlines.
    drawing : Drawing
        What napari's own drawing tools do.
    """

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        self._viewer = ref(viewer)
        self.session = session
        self._images: WeakKeyDictionary[Layer, CalibratedImage] = WeakKeyDictionary()
        self._planes: WeakKeyDictionary[Layer, tuple[Any, int]] = WeakKeyDictionary()
        self._busy = False
        self.drawing = Drawing(self)
        self.clicks = Clicks(viewer, self)
        self.keys = keys_of(viewer)
        self.display = Display(self)
        self.display.provide(self.keys)
        events = session.events
        events.image.connect(self._on_image)
        events.labels.connect(self._on_labels)
        events.edited.connect(self._on_edited)
        events.current_class.connect(self._on_class)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.events.inserted.connect(self._share_unit)
        if session.image is not None:
            self._on_image(session.image)
            self._on_labels(session.labels)
        elif viewer.layers.selection.active is not None:
            self.take(viewer.layers.selection.active)
        self.maps = Maps(self)

    @property
    def viewer(self) -> napari.Viewer:
        """The viewer, which owns this stage."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    @property
    def busy(self) -> bool:
        """Whether layers are being changed by the stage itself."""
        return self._busy

    # -- which layer is what -------------------------------------------------------------

    @property
    def image_layer(self) -> Image | None:
        """The layer of the subject."""
        return self.layer_of(self.session.image)

    def layer_of(self, image: CalibratedImage | None) -> Image | None:
        """Return the layer that shows an image, whatever pixel size it is given."""
        if image is None:
            return None
        shown = [layer for layer, one in self._images.items() if one.data is image.data]
        return next((layer for layer in shown if layer in self.viewer.layers), None)

    @property
    def labels_layers(self) -> tuple[Labels, ...]:
        """The layers of the subject's labels, in the order of the planes; empty without labels."""
        labels = self.session.labels
        count = 0 if labels is None else len(labels.planes)
        found = (layers.labels_layer(self.viewer, self.session, plane) for plane in range(count))
        return tuple(layer for layer in found if layer is not None)

    def layer_of_class(self, value: int) -> Labels | None:
        """Return the layer that objects of a class are drawn in."""
        labels = self.session.labels
        if labels is None:
            return None
        return layers.labels_layer(self.viewer, self.session, labels.plane_of(value))

    def activate_labels(self) -> Labels | None:
        """Make the layer of the current class the active one, to draw in it."""
        layer = self.layer_of_class(self.session.current_class)
        if layer is not None:
            self.viewer.layers.selection.active = layer
        return layer

    def take(self, layer: Layer) -> bool:
        """Make the image of a layer the subject; false if it shows none."""
        owner, _ = self._planes.get(layer, (None, 0))
        if owner is not None:
            image = next((one for one in self._images.values() if one.data is owner), None)
        else:
            image = self._images.get(layer) or self._adopt(layer)
        if image is None:
            return False
        if self.session.image is None or self.session.image.data is not image.data:
            self.session.image = image
        return True

    def _adopt(self, layer: Layer) -> CalibratedImage | None:
        try:
            image = image_of(layer)
        except DefectSegError:
            return None
        self._know(layer, image)
        return image

    def _know(self, layer: Layer, image: CalibratedImage) -> None:
        if layer not in self._images:
            with self.quietly():
                share_unit(self.viewer, layer)
            layer.events.data.connect(self._on_data)
            layer.events.scale.connect(self._on_scale)
            layer.events.units.connect(self._on_scale)
        self._images[layer] = image

    def recolour(self) -> None:
        """Show the colours and names that the classes have now, in the layers of all images."""
        for values in self.session.works():
            labels = values.get("labels")
            for plane, data in enumerate(() if labels is None else labels.planes):
                for layer in [one for one in self._planes if one.data is data]:
                    layers.recolour(layer, labels, plane)
        self.display.follow(self.session.labels)
        self.drawing.offer_number()

    # -- the session changed -------------------------------------------------------------

    def _on_image(self, image: CalibratedImage | None) -> None:
        if image is None:
            return
        layer = self.layer_of(image)
        with self.quietly():
            if layer is None:
                put_away = self._put_away_others(image)
                alone = not self._images
                layer = layers.add_image(self.viewer, image)
                self._know(layer, image)
                if not alone or (put_away and put_away != _extent(layer)):
                    self._put_in_front(layer)
            elif self._images[layer] is not image:
                self._recalibrate(layer, image)
            elif not layer.visible:
                self._put_in_front(layer)
            self._know(layer, image)
            active = self.viewer.layers.selection.active
            if active is not layer and active not in self.labels_layers:
                self.viewer.layers.selection.active = layer

    def _put_in_front(self, layer: Image) -> None:
        """Show an image and its labels, hide those of other subjects, and bring it into view."""
        owner = self.session.image.data if self.session.image is not None else None
        for other in (*self._images, *self._planes):
            if other in self.viewer.layers:
                mine = other in self._planes and self._planes[other][0] is owner
                other.visible = other is layer or mine
        show_whole(self.viewer, layer)

    def _put_away_others(self, image: CalibratedImage) -> tuple[Any, ...]:
        """In a collection one image is shown at a time; work on the others stays in the session.

        Returns
        -------
        tuple
            Where the last one that was put away lay, empty if none was.
        """
        place: tuple[Any, ...] = ()
        collection = self.session.collection
        if collection is None or self.session.index < 0:
            return place
        paths = {entry.path.partition("::")[0] for entry in collection.entries}
        for layer, other in list(self._images.items()):
            if other.data is image.data or other.origin.path not in paths:
                continue
            place = _extent(layer)
            mine = [one for one, (owner, _) in self._planes.items() if owner is other.data]
            for one in (*mine, layer):
                if one in self.viewer.layers:
                    self.viewer.layers.remove(one)
        return place

    def _recalibrate(self, layer: Image, image: CalibratedImage) -> None:
        with same_view(self.viewer, layer):
            layers.recalibrate(layer, image)
            self._place_labels(layer)
            if share_unit(self.viewer, layer):
                self._place_labels(layer)

    def _place_labels(self, layer: Image) -> None:
        """Put the labels where their image lies."""
        for one in self.labels_layers:
            for name, value in layers.geometry(layer, one.ndim).items():
                setattr(one, name, value)

    def _on_labels(self, labels: LabelMap | None) -> None:
        owner = None if self.session.image is None else self.session.image.data
        old = sorted(
            (place[1], id(layer), layer)
            for layer, place in self._planes.items()
            if place[0] is owner and layer in self.viewer.layers
        )
        shown = [layer for _, _, layer in old]
        planes = () if labels is None else labels.planes
        with self.quietly():
            if planes and len(shown) == len(planes):
                if any(layer.data is not plane for layer, plane in zip(shown, planes, strict=True)):
                    self._show_in(shown, labels)
            else:
                for layer in shown:
                    self.viewer.layers.remove(layer)
                if labels is not None:
                    self._add_labels(labels, owner)
        self.display.follow(labels)
        self.drawing.offer_number()

    def _show_in(self, old: list[Labels], labels: LabelMap) -> None:
        name = self.session.image.name if self.session.image is not None else ""
        made = layers.labels_data(labels, self.image_layer, name)
        for layer, (plane, settings, _) in zip(old, made, strict=True):
            layer.colormap = settings["colormap"]
            layer.data = plane
            layer.metadata.update(settings["metadata"])

    def _add_labels(self, labels: LabelMap, owner: Any) -> None:
        active = self.viewer.layers.selection.active
        name = self.session.image.name if self.session.image is not None else ""
        made = layers.add_labels(self.viewer, labels, self.image_layer, name)
        for plane, layer in enumerate(made):
            self._planes[layer] = (owner, plane)
            self.display.dress(layer)
            self.drawing.watch(layer)
            self.keys.bind_layer(layer)
        if active in self.viewer.layers:
            self.viewer.layers.selection.active = active

    def _on_edited(self, edit: Edit | None) -> None:
        labels = self.session.labels
        shown = self.labels_layers
        if labels is None or not shown:
            return
        if edit is None:
            for layer in shown:
                layer.colormap.set_all(labels.class_lookup())
                layer.refresh(extent=False)
        else:
            for layer in shown:
                layers.show_classes(layer, edit.classes_after)
            for plane, box in (*edit.boxes, *_moved(edit, labels)):
                layer = layers.labels_layer(self.viewer, self.session, plane)
                if layer is not None:
                    layers.show_again(layer, box)
        self.drawing.offer_number()

    def _on_class(self, value: int) -> None:
        labels, active = self.session.labels, self.viewer.layers.selection.active
        if labels is None or value not in labels.classes.values:
            return
        if active in self.labels_layers:
            with self.quietly():
                self.activate_labels()
        self.drawing.offer_number()

    # -- the viewer changed --------------------------------------------------------------

    def _on_active(self, event: Any) -> None:
        layer = event.value
        if self._busy or layer is None:
            return
        if self.take(layer) and isinstance(layer, Labels) and len(self.labels_layers) > 1:
            plane = self.labels_layers.index(layer)
            self.session.current_class = self.session.labels.classes.values[plane]

    def _share_unit(self, _: Any = None) -> None:
        """Another layer came: those of ours go on to be clicked where they are drawn."""
        with self.quietly():
            for layer in (*self._images, *self._planes):
                if layer in self.viewer.layers:
                    share_unit(self.viewer, layer)

    def _on_data(self, event: Any) -> None:
        """Somebody gave a layer other pixels: it is another image now."""
        image = self._images.pop(event.source, None)
        current = self.session.image
        if image is not None and current is not None and current.data is image.data:
            self.take(event.source)

    def _on_scale(self, event: Any) -> None:
        """Somebody gave a layer another scale: with a unit of length it is believed."""
        layer = event.source
        image = self._images.get(layer)
        if self._busy or image is None:
            return
        said = image_of(layer).calibration
        if said.calibrated and said.ndim == image.calibration.ndim:
            changed = image.with_calibration(said)
            if self.session.image is image:
                self.session.image = changed
            else:
                self._images[layer] = changed

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        image = self._images.pop(layer, None)
        owner, _ = self._planes.pop(layer, (None, 0))
        self.drawing.leave(layer)
        self.keys.leave_layer(layer)
        current = self.session.image
        if self._busy or current is None:
            return
        if image is not None:
            if current.data is image.data:
                left = [one for one in self.viewer.layers if one in self._images]
                self.session.image = self._images[left[-1]] if left else None
            self.session.forget(image)
        elif owner is current.data and not any(one is owner for one, _ in self._planes.values()):
            self.session.labels = None

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Change layers without the session following."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before


def _extent(layer: Layer) -> tuple[Any, ...]:
    return tuple(layer.extent.world.ravel().round(9).tolist())


def _moved(edit: Edit, labels: LabelMap) -> list[tuple[int, Box]]:
    """Return where objects lie whose class changed and nothing else."""
    return [
        (labels.plane_of(value), labels.index.box(number))
        for number, value in edit.classes_after.items()
        if value is not None
        and edit.classes_before.get(number) is not None
        and labels.index.size(number)
    ]


_stages: WeakKeyDictionary[Any, Stage] = WeakKeyDictionary()


def stage_of(viewer: napari.Viewer) -> Stage:
    """Return the stage of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _stages:
        session = session_of(real)
        _stages[real] = Stage(real, session)
        at_close(real, session.close)
    return _stages[real]

"""Values to napari layers, and what changed in them shown again; the way back is `adopt`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_defectseg.core.axes import Axes
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui.colouring import ClassColormap

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Box
    from napari_defectseg.ui.session import Session

KEY = "napari_defectseg"
"""Under which a layer's metadata say what it is and what made it."""
NAPARI_PIXEL = "pixel"
"""napari's word for no unit; its ``px`` would be a unit of length."""
GLANCE = 1 << 19
"""At most about so many pixels are looked at to choose the contrast."""
FILL_OPACITY, SHADE_OPACITY, OUTLINE_OPACITY, OUTLINE = 0.5, 0.85, 0.95, 2
LayerData = tuple[Any, dict[str, Any], str]
"""What napari's readers return: data, settings, kind."""


# -- image to layer ----------------------------------------------------------------------


def image_data(image: CalibratedImage) -> LayerData:
    """Return the layer of an image, with its pixel size, axis names and origin.

    Colour (a last axis ``c`` of 3 or 4) is shown as colour; other channels become the first
    axis, where napari shows a slider and masks of the image still fit.
    """
    rgb = image.axes[-1] == "c" and image.channels in (3, 4)
    order = _order(image.axes, rgb)
    levels = [_ordered(level, order) for level in (image.data, *image.levels)]
    names = tuple(image.axes[index] for index in order if not (rgb and image.axes[index] == "c"))
    settings: dict[str, Any] = {
        "name": image.name,
        "rgb": rgb,
        "multiscale": len(levels) > 1,
        "metadata": {KEY: _about_image(image)},
        **_geometry_of_image(image, names),
    }
    if not rgb:
        settings["contrast_limits"] = contrast(levels[-1])
        settings["colormap"] = "gray"
    return (levels if len(levels) > 1 else levels[0]), settings, "image"


def add_image(viewer: napari.Viewer, image: CalibratedImage) -> Image:
    """Show an image in a layer of its own."""
    data, settings, _ = image_data(image)
    return viewer.add_image(data, **settings)


def contrast(pixels: Any) -> tuple[float, float]:
    """Return limits that leave out the darkest and brightest 0.1 percent of a middle plane."""
    shape = tuple(int(n) for n in pixels.shape)
    step = max(1, int(np.ceil(np.sqrt(shape[-1] * shape[-2] / GLANCE))))
    middle = tuple(n // 2 for n in shape[:-2])
    plane = np.asarray(pixels[(*middle, slice(None, None, step), slice(None, None, step))])
    plane = np.abs(plane) if np.iscomplexobj(plane) else plane.astype(np.float32)
    values = plane[np.isfinite(plane)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, (0.1, 99.9)))
    return (low, high) if high > low else (low, low + 1.0)


def recalibrate(layer: Layer, image: CalibratedImage) -> None:
    """Give a layer that shows an image (or its labels) the image's pixel size."""
    shown = _names_of(layer, image)
    geometry = _geometry_of_image(image, shown)
    layer.scale, layer.units = geometry["scale"], geometry["units"]
    layer.axis_labels = geometry["axis_labels"]
    if isinstance(layer, Image):
        layer.metadata[KEY] = _about_image(image)


def _names_of(layer: Layer, image: CalibratedImage) -> Axes:
    if isinstance(layer, Image):
        rgb = bool(layer.rgb)
        return tuple(
            image.axes[index]
            for index in _order(image.axes, rgb)
            if not (rgb and image.axes[index] == "c")
        )
    return image.label_axes[-layer.ndim :]


def _order(names: Axes, rgb: bool) -> tuple[int, ...]:
    """Return the order in which the axes are shown: channels first, colour last."""
    if rgb or "c" not in names or names[0] == "c":
        return tuple(range(len(names)))
    channel = names.index("c")
    return (channel, *(index for index in range(len(names)) if index != channel))


def _ordered(data: Any, order: tuple[int, ...]) -> Any:
    if order == tuple(range(len(order))):
        return data
    if isinstance(data, np.ndarray):
        return data.transpose(order)
    if hasattr(data, "transposed"):
        return data.transposed(order)
    import dask.array

    return dask.array.from_array(data, asarray=False).transpose(order)


def _geometry_of_image(image: CalibratedImage, names: Axes) -> dict[str, Any]:
    steps = dict(zip(image.spatial_axes, image.calibration.spacing, strict=True))
    scale, units = [], []
    for name in names:
        size, unit = steps.get(name), image.calibration.unit
        if name == "t":
            size, unit = image.calibration.frame_time, image.calibration.time_unit
        scale.append(size or 1.0)
        units.append(unit if size else NAPARI_PIXEL)
    return {"scale": tuple(scale), "units": tuple(units), "axis_labels": names}


def _about_image(image: CalibratedImage) -> dict[str, Any]:
    return {
        "kind": "image",
        "path": image.origin.path,
        "part": image.origin.part,
        "instrument": image.origin.instrument,
        "pixel_size": image.calibration.describe(),
        "pixel_size_source": image.calibration.source,
        "pixel_size_question": image.calibration.question,
    }


# -- labels to layers --------------------------------------------------------------------


def labels_data(labels: LabelMap, like: Layer | None = None, name: str = "") -> list[LayerData]:
    """Return the layers of a label map: one, or one a class where classes may overlap.

    The planes themselves are shown, not copies: after an edit, `show_again` the box it touched.

    Parameters
    ----------
    labels : LabelMap
    like : Layer, optional
        The layer of the image; scale, translate, units, axis labels are taken from it.
    name : str
        Name of the image, for the provenance.
    """
    place = geometry(like, len(labels.axes)) if like is not None else _geometry_of_labels(labels)
    lookup = labels.class_lookup()
    found: list[LayerData] = []
    for index, plane in enumerate(labels.planes):
        item = None if labels.classes.exclusive else labels.classes.classes[index]
        settings = {
            "name": "defects" if item is None else item.name,
            "colormap": ClassColormap.of(labels.classes, lookup),
            "opacity": FILL_OPACITY,
            "blending": "translucent",
            "metadata": {KEY: _about_labels(labels, name, item.name if item else "")},
            **place,
        }
        found.append((plane, settings, "labels"))
    return found


def add_labels(
    viewer: napari.Viewer, labels: LabelMap, like: Layer | None = None, name: str = ""
) -> tuple[Labels, ...]:
    """Show a label map; see `labels_data`."""
    return tuple(
        viewer.add_labels(data, **settings) for data, settings, _ in labels_data(labels, like, name)
    )


def geometry(layer: Layer, ndim: int) -> dict[str, Any]:
    """Return where a layer lies, for another layer over its last `ndim` axes."""
    last = slice(layer.ndim - ndim, layer.ndim)
    place: dict[str, Any] = {
        "scale": tuple(layer.scale[last]),
        "translate": tuple(layer.translate[last]),
        "units": tuple(layer.units[last]),
        "axis_labels": tuple(layer.axis_labels[last]),
        "affine": layer.affine.set_slice(range(layer.ndim)[last]),
    }
    if ndim == layer.ndim:
        place |= {"rotate": layer.rotate, "shear": layer.shear}
    return place


def recolour(layer: Labels, labels: LabelMap, plane: int = 0) -> None:
    """Show the objects of a layer in the colours and under the names that their classes have."""
    layer.colormap = ClassColormap.of(labels.classes, labels.class_lookup())
    if not labels.classes.exclusive:
        layer.name = labels.classes.classes[plane].name
    said = dict(layer.metadata.get(KEY, {}), classes=labels.classes.as_dict())
    if said.get("class"):
        said["class"] = labels.classes.classes[plane].name
    layer.metadata[KEY] = said


def show_outlines(layer: Labels, outlines: bool, *, shaded: bool = False) -> None:
    """Show objects by their outline at full strength, or filled and half transparent.

    Shaded ones are nearly opaque: their colours are compared with those of a colour bar.
    """
    layer.contour = OUTLINE if outlines else 0
    filled = SHADE_OPACITY if shaded else FILL_OPACITY
    layer.opacity = OUTLINE_OPACITY if outlines else filled


def show_classes(layer: Labels, changed: Mapping[int, int | None]) -> None:
    """Take over the class of objects that appeared, vanished or changed; draws nothing."""
    if isinstance(layer.colormap, ClassColormap):
        layer.colormap.set_some(changed)


def show_again(layer: Labels, box: Box) -> None:
    """Draw a box of a label layer again after its data changed; nothing outside is looked at.

    Parameters
    ----------
    layer : Labels
    box : tuple of slice
        In the axes of the data. What of it is not in the slice shown costs nothing.
    """
    state = getattr(layer, "_slice", None)
    raw = None if state is None else state.image.raw
    if raw is None or layer.multiscale or not np.shares_memory(raw, layer.data):
        layer.refresh(extent=False)
        return
    margin = int(layer.contour)
    shown: list[slice] = []
    for axis, here in layer._get_pt_not_disp().items():
        if not box[axis].start <= here < box[axis].stop:
            return
    for axis, length in zip(layer._slice_input.displayed, raw.shape, strict=True):
        side = box[axis]
        shown.append(slice(max(0, side.start - margin), min(length, side.stop + margin)))
    part = tuple(shown)
    if any(side.stop <= side.start for side in part):
        return
    view = state.image.view
    view[part] = layer._raw_to_displayed(raw, data_slice=part)
    layer.events.labels_update(data=view[part], offset=[side.start for side in part])


def _geometry_of_labels(labels: LabelMap) -> dict[str, Any]:
    image = CalibratedImage(labels.planes[0], labels.axes, labels.calibration)
    return _geometry_of_image(image, labels.axes)


def _about_labels(labels: LabelMap, image: str, class_name: str) -> dict[str, Any]:
    made = labels.provenance
    return {
        "kind": "objects",
        "image": image,
        "class": class_name,
        "classes": labels.classes.as_dict(),
        "provenance": made.as_dict() if made is not None else {},
    }


def labels_layer(viewer: napari.Viewer, session: Session, plane: int = 0) -> Labels | None:
    """Return the layer that shows a plane of the session's label map, None if there is none."""
    if session.labels is None or plane >= len(session.labels.planes):
        return None
    shown = session.labels.planes[plane]
    return next(
        (one for one in viewer.layers if isinstance(one, Labels) and one.data is shown), None
    )

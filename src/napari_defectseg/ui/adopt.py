"""napari layers that others made, as calibrated images; what is said without a unit is offered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari.layers import Image, Layer

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DefectSegError, ImageError
from napari_defectseg.core.units import PIXEL, normalise_length, normalise_time
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.ui.layers import KEY


@dataclass(frozen=True)
class Offer:
    """A pixel size that a layer or its file could mean, for a person to accept.

    Parameters
    ----------
    calibration : Calibration
        What would be taken; without a unit (a layer that says 0.486 of nobody knows what) the
        spacing is 1 and `numbers` holds what the layer says.
    sentence : str
        Where it comes from, in words.
    numbers : tuple of float
        Spacing without a unit, empty if the unit is known.
    """

    calibration: Calibration
    sentence: str
    numbers: tuple[float, ...] = ()


def image_of(layer: Layer) -> CalibratedImage:
    """Return a layer that somebody else made as a calibrated image.

    Units that are lengths are believed. A scale of 1 in pixels means nothing is known; another
    scale in pixels is not believed either, but offered (`offers`).

    Raises
    ------
    ImageError
        If the layer is not an image, or has axes that no image has.
    """
    if not isinstance(layer, Image):
        raise ImageError(f"{layer.name} is a {type(layer).__name__.lower()} layer, not an image.")
    kind = layer.metadata.get(KEY, {}).get("kind", "image")
    if kind != "image":
        raise ImageError(f"{layer.name} is a map of {kind}, not an image.")
    levels = tuple(layer.data) if layer.multiscale else (layer.data,)
    names = _axes_of(layer)
    return CalibratedImage(
        levels[0],
        names,
        _calibration_of(layer, names),
        layer.name,
        _origin_of(layer),
        levels=levels[1:],
    )


def geometry_of(layer: Layer) -> tuple[Axes, Calibration]:
    """Return the axes of a layer of pixels (image or labels) and its pixel size."""
    names = _axes_of(layer)
    return names, _calibration_of(layer, names)


def offers(layer: Layer) -> tuple[Offer, ...]:
    """Return what a layer's scale could mean that is not believed unasked."""
    if not isinstance(layer, Image):
        return ()
    names = _axes_of(layer)
    spatial = axis_names.spatial(names)
    if _calibration_of(layer, names).calibrated:
        return ()
    numbers = tuple(float(layer.scale[names.index(name)]) for name in spatial)
    if all(number == 1 for number in numbers):
        return ()
    words = " × ".join(f"{number:.4g}" for number in numbers[-2:])
    sentence = f"The layer says {words}, but not of which unit."
    return (Offer(Calibration.uncalibrated(len(spatial), "the layer's scale"), sentence, numbers),)


def offer_of_file(path: str, axes: Axes) -> Offer | None:
    """Return the pixel size that the header of a layer's file states; None if it states none.

    Opens the file (its header alone): call it in a worker.

    Parameters
    ----------
    path : str
        ``layer.source.path``.
    axes : tuple of str
        Axes of the image that the size is for.
    """
    from napari_defectseg.images.open import open_lazily

    if not path or not Path(path).exists():
        return None
    try:
        known = open_lazily(path).calibration
    except DefectSegError:
        return None
    count = len(axis_names.spatial(axes))
    if known.ndim != count:
        known = known.in_plane if count == 2 else _with_unknown_z(known, count)
    if not any(value is not None for value in known.spacing):
        return None
    return Offer(known, f"{known.source} says {known.describe()}.")


def _with_unknown_z(known: Calibration, count: int) -> Calibration:
    spacing = (None,) * (count - 2) + known.in_plane.spacing
    unit = known.unit if any(value is not None for value in spacing) else PIXEL
    return Calibration(spacing, unit, known.source, question=known.question)


def _origin_of(layer: Image) -> Origin:
    said = layer.metadata.get(KEY, {})
    path = said.get("path") or layer.source.path or ""
    details = {} if path else {"layer": layer.name}
    return Origin(path, said.get("part", ""), said.get("instrument", ""), details)


def _axes_of(layer: Layer) -> Axes:
    named = tuple(str(name).strip().lower() for name in layer.axis_labels)
    rgb = getattr(layer, "rgb", False)
    colour: Axes = ("c",) if rgb else ()
    try:
        return axis_names.check((*named, *colour), layer.ndim + len(colour))
    except ImageError:
        if rgb:
            return (*axis_names.guess(layer.ndim, 0), "c")
        return axis_names.guess(layer.ndim, 0)


def _calibration_of(layer: Layer, names: Axes) -> Calibration:
    units = [str(unit) for unit in layer.units]
    spatial = axis_names.spatial(names)
    where = [names.index(name) for name in spatial]
    known = Calibration.believed(
        [float(layer.scale[index]) for index in where],
        [units[index] if normalise_length(units[index]) else None for index in where],
        f"layer {layer.name}",
    )
    said = layer.metadata.get(KEY, {})
    if said.get("pixel_size") == known.describe():
        doubt = said.get("pixel_size_question", known.question)
        known = replace(known, source=said["pixel_size_source"], question=doubt)
    if "t" in names:
        time = names.index("t")
        if normalise_time(units[time]) and layer.scale[time] > 0:
            known = known.with_frame_time(float(layer.scale[time]), units[time])
    return known

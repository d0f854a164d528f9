"""The picture of a result: classes in their colours and patterns, with outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stored import StoredLabels

RGB = np.ndarray[Any, np.dtype[np.uint8]]
Plane = np.ndarray[Any, Any]
Bool = np.ndarray[Any, np.dtype[np.bool_]]

LARGEST = 2048
"""Pixels along the longer side; larger images are thinned out."""
SLAB = 1 << 22
"""Pixels that are read at once where a plane is thinned out."""
BAND = 128
"""Rows of the picture that are drawn at once."""
STRENGTH, FAINT = 0.5, 0.2
"""Opacity of a pattern's strokes, and between them."""
STEP = 8
"""Pixels from stroke to stroke."""

PATTERNS: dict[str, Callable[[Plane, Plane], Bool]] = {
    "plain": lambda y, x: (y + x) % 2 >= 0,
    "hatch //": lambda y, x: (y + x) % STEP < 2,
    "hatch \\\\": lambda y, x: (y - x) % STEP < 2,
    "dots": lambda y, x: (y % STEP < 2) & (x % STEP < 2),
    "horizontal lines": lambda y, x: (y + 0 * x) % STEP < 2,
    "vertical lines": lambda y, x: (x + 0 * y) % STEP < 2,
    "grid": lambda y, x: (y % STEP < 1) | (x % STEP < 1),
    "crosses": lambda y, x: ((y + x) % STEP < 1) | ((y - x) % STEP < 1),
    "checks": lambda y, x: (y // (STEP // 2) + x // (STEP // 2)) % 2 == 0,
    "rings": lambda y, x: ((y % STEP - 3) ** 2 + (x % STEP - 3) ** 2) // 5 == 1,
}


def overlay(image: CalibratedImage, mask: Plane, classes: ClassMap) -> RGB:
    """Return the image with its classes drawn over it.

    Parameters
    ----------
    image : CalibratedImage
        Of a volume or movie the plane with most labelled pixels is shown.
    mask : ndarray of uint8
        Class values in the shape of the image without channels; where classes may overlap 0
        and 1 with the classes in front.
    classes : ClassMap

    Returns
    -------
    ndarray of uint8, shape (y, x, 3)
    """
    planes = _by_class(mask, classes)
    at = _fullest(planes)
    step = thinning(planes.shape)
    picture = np.array(_plane(image, at, step))
    insides = [plane[::step, ::step] for plane in _plane_of(planes, at)]
    for band in _bands(picture.shape[0]):
        picture[band] = _drawn(picture[band], band, classes, insides)
    return picture


def _bands(height: int) -> Iterator[slice]:
    yield from (slice(top, min(top + BAND, height)) for top in range(0, height, BAND))


def _drawn(rows: RGB, band: slice, classes: ClassMap, insides: Sequence[Plane]) -> RGB:
    """Return some rows of the picture with the classes drawn over them."""
    picture = rows.astype(np.float32)
    y, x = np.ogrid[band, : rows.shape[1]]
    for item, inside in zip(classes, insides, strict=True):
        colour = np.array([int(item.colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32)
        stroke = PATTERNS.get(item.pattern, PATTERNS["plain"])(y, x)
        opacity = np.where(stroke, STRENGTH, FAINT).astype(np.float32)
        opacity = np.where(_outline(inside, band), np.float32(1), opacity) * inside[band]
        picture += opacity[..., np.newaxis] * (colour - picture)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def without_overlay(image: CalibratedImage, mask: Plane, classes: ClassMap) -> RGB:
    """Return the same plane as `overlay`, in the same pixels, without its classes."""
    planes = _by_class(mask, classes)
    return _plane(image, _fullest(planes), thinning(planes.shape))


def shown(image: CalibratedImage, labels: LabelMap | StoredLabels) -> tuple[CalibratedImage, Plane]:
    """Return an image and its mask as `overlay` takes them; of stored ones the plane it shows.

    That plane is thinned out while it is read, so the picture is the same as that of the whole.
    """
    if not isinstance(labels, StoredLabels):
        return image, labels.class_mask()
    step = thinning(labels.shape)
    at = dict(zip(labels.axes[:-2], labels.fullest, strict=True))
    height, width = labels.shape[-2:]
    rows = max(1, SLAB // (width * step)) * step
    lead = () if labels.classes.exclusive else (slice(None),)
    parts, masks = [], []
    left = [name for name in image.axes if name not in at]
    thin = tuple(slice(None, None, step) if name in ("y", "x") else slice(None) for name in left)
    for start in range(0, height, rows):
        band = slice(start, min(start + rows, height))
        parts.append(image.read(**at, y=band)[thin])
        masks.append(labels.mask[(*lead, *labels.fullest, band)][..., ::step, ::step])
    plane = replace(
        image,
        data=np.concatenate(parts, axis=left.index("y")),
        axes=tuple(left),
        calibration=image.calibration.in_plane,
        levels=(),
    )
    return plane, np.concatenate(masks, axis=-2)


def thinning(shape: tuple[int, ...]) -> int:
    """Return how many pixels of an image of this shape become one of its overlay."""
    return max(1, -(-max(shape[-2:]) // LARGEST))


def _plane(image: CalibratedImage, at: tuple[int, ...], step: int) -> RGB:
    names = [name for name in image.label_axes if name not in ("y", "x")]
    pixels = image.read(**dict(zip(names, at, strict=True)))
    if "c" in image.axes and image.axes.index("c") < image.axes.index("y"):
        pixels = np.moveaxis(pixels, 0, -1)
    return _as_rgb(pixels[::step, ::step])


def _by_class(mask: Plane, classes: ClassMap) -> Bool:
    if classes.exclusive:
        return np.stack([mask == value for value in classes.values])
    return np.asarray(mask == 1)


def _fullest(planes: Bool) -> tuple[int, ...]:
    counts = planes.any(axis=0).sum(axis=(-2, -1))
    if counts.ndim == 0:
        return ()
    best = int(counts.argmax()) if counts.any() else counts.size // 2
    return tuple(int(k) for k in np.unravel_index(best, counts.shape))


def _plane_of(planes: Bool, at: tuple[int, ...]) -> Bool:
    for index in at:
        planes = planes[:, index]
    return planes


def _as_rgb(pixels: Plane) -> RGB:
    if pixels.ndim == 3 and pixels.shape[-1] >= 3 and pixels.dtype == np.uint8:
        return np.asarray(pixels[..., :3])
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3].mean(axis=-1)
    finite = grey[np.isfinite(grey)]
    low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
    level = np.empty((*grey.shape, 3), np.uint8)
    for band in _bands(grey.shape[0]):
        scaled = (np.nan_to_num(grey[band], nan=low) - low) / max(float(high - low), 1e-12)
        level[band] = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)[..., np.newaxis]
    return level


def _outline(whole: Bool, band: slice) -> Bool:
    """Return the pixels of a band that have a neighbour outside, one pixel wide."""
    inside = whole[band]
    around = whole[max(band.start - 1, 0) : band.stop + 1]
    ends = (int(band.start == 0), int(band.stop == whole.shape[0]))
    padded = np.pad(around, (ends, (1, 1)), mode="edge")
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~around)

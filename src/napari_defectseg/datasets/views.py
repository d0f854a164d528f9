"""The flat pictures of a dataset, for forms that know nothing but planes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.datasets.pair import Pair

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class View:
    """One plane of a pair.

    Parameters
    ----------
    name : str
        The pair's, with the plane's place behind it where there are several.
    pixels : ndarray, shape (y, x) or (y, x, channel)
    mask : ndarray of uint8, shape (y, x) or (class, y, x)
    instances : ndarray of int32 or None
        In the layout of the mask.
    pair : Pair
    """

    name: str
    pixels: Array
    mask: Array
    instances: Array | None
    pair: Pair

    def objects(self, classes: ClassMap) -> Iterator[tuple[int, Array]]:
        """Yield class value and mask of each object, connected pixels where none are saved."""
        for n, value in enumerate(classes.values):
            plane = self.mask == value if classes.exclusive else self.mask[n] == 1
            if not plane.any():
                continue
            if self.instances is None:
                numbers = _connected(plane)
            else:
                own = self.instances if classes.exclusive else self.instances[n]
                numbers = np.where(plane, own, 0)
                if (plane & (numbers == 0)).any():
                    numbers = numbers + _connected(plane & (numbers == 0), int(numbers.max()))
            for number in np.unique(numbers[numbers > 0]).tolist():
                yield value, numbers == number

    @property
    def unlabelled(self) -> Array:
        """Where nobody looked."""
        hidden = self.mask == UNLABELLED
        flat: Array = hidden if hidden.ndim == 2 else hidden.all(axis=0)
        return flat


def _connected(plane: Array, after: int = 0) -> Array:
    from scipy.ndimage import label

    numbers, _ = label(plane, np.ones((3, 3)))
    found: Array = np.where(numbers > 0, numbers + after, 0)
    return found


def views(pair: Pair) -> Iterator[View]:
    """Yield the planes of a pair."""
    image, mask, instances = pair.image(), pair.mask(), pair.instances()
    axes = image.label_axes
    pixels = image.read()
    if "c" in image.axes:
        pixels = np.moveaxis(pixels, image.axes.index("c"), -1)
    lead = axes[:-2]
    for place in np.ndindex(*mask.shape[mask.ndim - len(axes) : mask.ndim - 2]):
        words = "".join(f"_{name}{index:04d}" for name, index in zip(lead, place, strict=True))
        front: tuple[Any, ...] = (slice(None),) * (mask.ndim - len(axes))
        yield View(
            pair.id + words,
            pixels[place],
            mask[(*front, *place)],
            None if instances is None else instances[(*front, *place)],
            pair,
        )


def write_picture(pixels: Array, folder: Path, name: str, *, eight_bit: bool = False) -> Path:
    """Write a plane as PNG where that keeps every value, else as TIFF.

    Parameters
    ----------
    eight_bit : bool
        Scale other types to 0 … 255 from their least to their greatest value, for programs
        that read nothing else.
    """
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.images.save import save_array

    if pixels.ndim == 3 and pixels.shape[-1] not in (3, 4):
        pixels = pixels[..., 0]
    if eight_bit and pixels.dtype != np.uint8:
        low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
        scale = 255 / (high - low) if high > low else 0.0
        pixels = np.nan_to_num((pixels.astype(np.float64) - low) * scale).round().astype(np.uint8)
    axes = ("y", "x", "c")[: pixels.ndim]
    path = folder / f"{name}{'.png' if pixels.dtype == np.uint8 else '.tif'}"
    return save_array(pixels, path, axes=axes, calibration=Calibration.uncalibrated(2), name=name)

"""`Grey`: the grey values of an image, slab by slab, in the order of the label axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.image import ArrayLike, CalibratedImage

LUMINANCE = (0.2125, 0.7154, 0.0721)
"""Weights of red, green, blue (ITU-R BT.709), as scikit-image's ``rgb2gray``."""

PLAIN = tuple(np.dtype(name) for name in ("uint8", "uint16", "float32", "float64"))
"""Types that are summed up as they are: each makes the loops be compiled once more."""


@dataclass(frozen=True)
class Grey:
    """Reads grey values; colours become their luminance.

    Parameters
    ----------
    data : array-like
    axes : tuple of str
        Axes of `data`: the label axes, perhaps with ``c`` among them.
    """

    data: ArrayLike
    axes: Axes

    @classmethod
    def of(cls, image: CalibratedImage | NDArray[Any], axes: Axes, shape: tuple[int, ...]) -> Grey:
        """Return the reader of an image that belongs to labels of `axes` and `shape`.

        Raises
        ------
        MeasurementError
            If the image has another shape, or channels that are no colours.
        """
        if isinstance(image, CalibratedImage):
            data, names = image.data, image.axes
        else:
            data = np.asarray(image)
            names = axes if data.ndim == len(axes) else (*axes, "c")
        rest = tuple(name for name in names if name != "c")
        seen = tuple(int(n) for n, name in zip(data.shape, names, strict=False) if name != "c")
        if len(data.shape) != len(names) or rest != axes or seen != shape:
            raise MeasurementError(
                f"The image has the shape {tuple(data.shape)}, the labels have {shape}.",
                hint="Measure labels on the image they were made from.",
            )
        channels = data.shape[names.index("c")] if "c" in names else 1
        if channels not in (1, 3, 4):
            raise MeasurementError(
                f"The image has {channels} channels, which are no colours.",
                hint="Choose the channel whose grey values are to be measured.",
            )
        return cls(data, names)

    def read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Return a part, in a type of `PLAIN` or float64; `key` is an index in the label axes."""
        at = iter(key)
        index = tuple(slice(None) if name == "c" else next(at) for name in self.axes)
        part = np.asarray(self.data[index])
        if "c" not in self.axes:
            return part if part.dtype in PLAIN else part.astype(np.float64)
        kept = [
            name for name, place in zip(self.axes, index, strict=True) if isinstance(place, slice)
        ]
        colours = np.moveaxis(part, kept.index("c"), -1).astype(np.float64)
        if colours.shape[-1] == 1:
            return colours[..., 0]
        grey: NDArray[np.float64] = colours[..., :3] @ np.array(LUMINANCE)
        return grey

"""`ReferenceSpace`: what is counted, the denominator of every fraction and density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class ReferenceSpace:
    """The region of interest minus what is excluded from it.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image's label axes.
    roi : ndarray of bool or None
        The region of interest, of that shape; None: everywhere.
    exclude : ndarray of bool or None
        Vacuum, holes, scale bar, foil edge; None: nothing.

    Raises
    ------
    ImageError
        If a mask has another shape.
    """

    shape: tuple[int, ...]
    roi: Mask | None = None
    exclude: Mask | None = None

    def __post_init__(self) -> None:
        for name, mask in (("region of interest", self.roi), ("exclusion", self.exclude)):
            if mask is not None and tuple(mask.shape) != tuple(self.shape):
                raise ImageError(
                    f"The {name} has the shape {tuple(mask.shape)}; "
                    f"the image has {tuple(self.shape)}."
                )

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> ReferenceSpace:
        """Return the space that is all of an image."""
        return cls(tuple(shape))

    @property
    def is_whole(self) -> bool:
        """Whether nothing limits it."""
        return self.roi is None and self.exclude is None

    def mask(self) -> Mask:
        """Return where is counted, as an array of bool of `shape`."""
        inside = np.ones(self.shape, bool) if self.roi is None else np.array(self.roi, dtype=bool)
        if self.exclude is not None:
            inside &= ~np.asarray(self.exclude, dtype=bool)
        return inside

    @property
    def pixels(self) -> int:
        """Number of pixels that are counted."""
        if self.roi is None and self.exclude is None:
            return int(np.prod(self.shape))
        return int(np.count_nonzero(self.mask()))

"""How the channels of an image become the channels of a network, said aloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import ArrayLike, CalibratedImage

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""
LUMA_BITS = 15
LUMA_FIXED = (9798, 19235, 3735)
"""The same in whole numbers, as OpenCV turns 8 bits into grey; their sum is 2 to the 15."""


@dataclass(frozen=True)
class ChannelPlan:
    """What happens to the channels.

    Parameters
    ----------
    how : str
        ``"same"``, ``"grey"`` (colour to grey), ``"repeat"`` (grey to several channels),
        ``"colours"`` (transparency left out) or ``"one"`` (channel number `chosen`).
    wanted : int
        Number of channels of the network.
    chosen : int
    """

    how: Literal["same", "grey", "repeat", "colours", "one"]
    wanted: int
    chosen: int = 0

    @classmethod
    def of(cls, name: str, channels: int, wanted: int, chosen: int | None) -> ChannelPlan:
        """Return the plan for an image.

        Parameters
        ----------
        name : str
            Of the image, for messages.
        channels : int
            Of the image, 1 for a grey one.
        wanted : int
            Of the network.
        chosen : int or None
            The one channel that the user wants to be used.

        Raises
        ------
        ImageError
            If there is no honest way to make one of the other.
        """
        if chosen is not None:
            if not 0 <= chosen < channels:
                raise ImageError(f"{name} has {channels} channels; there is no channel {chosen}.")
            return cls("one", wanted, chosen)
        if channels == wanted:
            return cls("same", wanted)
        if wanted == 1 and channels in (3, 4):
            return cls("grey", wanted)
        if channels == 1:
            return cls("repeat", wanted)
        if wanted == 3 and channels == 4:
            return cls("colours", wanted)
        raise ImageError(
            f"{name} has {channels} channels; this model needs {wanted}.",
            hint="Choose one channel." if wanted == 1 else "Choose another model.",
        )

    @property
    def sentence(self) -> str:
        """What is done, empty where the channels stay as they are."""
        return {
            "same": "",
            "grey": "The colours were turned into grey (0.299 red, 0.587 green, 0.114 blue).",
            "repeat": f"The grey values were given to the model's {self.wanted} channels alike.",
            "colours": "The transparency was left out.",
            "one": f"Channel {self.chosen} was used." if self.chosen else "",
        }[self.how]

    def apply(self, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the block with the network's channels.

        Parameters
        ----------
        block : ndarray, shape (channel, *spatial)

        Returns
        -------
        ndarray, shape (wanted, *spatial)
            Grey made of colours is rounded to the image's type, so that a grey picture stored
            in colours keeps its values.
        """
        if self.how == "grey":
            return _grey(block[:3])[None]
        if self.how == "colours":
            return block[:3]
        if self.how == "one":
            block = block[self.chosen : self.chosen + 1]
        if block.shape[0] != self.wanted:
            return np.broadcast_to(block, (self.wanted, *block.shape[1:]))
        return block


def _grey(colours: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return grey values of the image's type; those of 8 bits are OpenCV's to the last bit."""
    if colours.dtype == np.uint8:
        mixed = np.tensordot(np.asarray(LUMA_FIXED), colours.astype(np.int64), axes=1)
        return ((mixed + (1 << LUMA_BITS - 1)) >> LUMA_BITS).astype(np.uint8)
    grey = np.tensordot(np.asarray(LUMA), colours.astype(np.float64), axes=1)
    return (np.rint(grey) if colours.dtype.kind in "iu" else grey).astype(colours.dtype)


def greyed(image: CalibratedImage) -> CalibratedImage:
    """Return an image in colours as a grey one; pixels are mixed when they are read."""
    axes = tuple(axis for axis in image.axes if axis != "c")
    return replace(image, data=_GreyArray(image.data, image.axes.index("c")), axes=axes, levels=())


class _GreyArray:
    """Grey values of an array with colours; takes slices alone."""

    def __init__(self, data: ArrayLike, axis: int) -> None:
        self._data, self._axis = data, axis
        self.dtype = data.dtype
        self.shape = tuple(int(n) for place, n in enumerate(data.shape) if place != axis)

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        whole = (*key[: self._axis], slice(0, 3), *key[self._axis :])
        return _grey(np.moveaxis(np.asarray(self._data[whole]), self._axis, 0))

"""How the axes of an image map onto what a network sees at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.channels import ChannelPlan, greyed
from napari_defectseg.inference.resample import Resampling
from napari_defectseg.inference.tiling import Box, Tile

Index = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Which axes the network sees, and which are gone through one by one.

    Parameters
    ----------
    image : CalibratedImage
    seen : tuple of str
        Axes of one pass: ``("y", "x")`` or ``("z", "y", "x")``.
    channels : ChannelPlan
        How the image's channels become the network's.
    resampling : Resampling or None
        The network sees `image` on another grid than that of the scores.
    converted : str
        What was done to the channels before that, see `ChannelPlan`.
    slices : int
        Neighbouring slices that one plane is seen with, an odd number.
    region : tuple of slice or None
        The part of the image that is wanted, along its label axes; None: all of it.
    """

    image: CalibratedImage
    seen: Axes
    channels: ChannelPlan
    resampling: Resampling | None = None
    converted: str = ""
    slices: int = 1
    region: Box | None = None

    @classmethod
    def of(
        cls, image: CalibratedImage, dims: int, channels: ChannelPlan, slices: int = 1
    ) -> Layout:
        """Return the layout for a network of `dims` dimensions.

        Raises
        ------
        ImageError
            If the network needs a volume and the image has no z axis.
        """
        seen: Axes = ("y", "x") if dims == 2 else ("z", "y", "x")
        if dims == 3 and "z" not in image.axes:
            raise ImageError(
                f"{image.name} has the axes {' '.join(image.axes)}; this model needs a volume "
                f"with z, y, x.",
                hint="Open a stack as a volume, or choose a 2D model.",
            )
        return cls(image, seen, channels, slices=slices)

    def on(self, resampling: Resampling | None) -> Layout:
        """Return the layout for a network that sees the image on another grid; None: its own."""
        if resampling is None:
            return self
        image, channels = self.image, self.channels
        if channels.how == "grey":  # first grey, then resized, as everybody does it
            image, channels = greyed(image), ChannelPlan("same", channels.wanted)
        return replace(
            self,
            image=resampling.seen(image),
            channels=channels,
            resampling=resampling,
            converted=self.channels.how,
        )

    def widened(self, halo: int | None, grid: int) -> int | None:
        """Return the halo of tiles with what coming back to the image's own grid needs."""
        if halo is None or self.resampling is None:
            return halo
        return halo + -(-self.resampling.margin // grid) * grid

    def in_image(self, axis: int, place: int) -> int:
        """Return the pixel of the image where a place that the network sees lies."""
        if self.resampling is None:
            return place
        source, target = self.resampling.source[axis], self.resampling.target[axis]
        return min(source - 1, (2 * place + 1) * source // (2 * target))

    @property
    def told(self) -> dict[str, Any]:
        """What a resolved plan says about another grid."""
        if self.resampling is None:
            return {}
        return {"channels": self.converted, "resampled": self.resampling.as_dict()}

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of what the network sees, in the order of `seen`."""
        return tuple(self.image.shape[self.image.axes.index(name)] for name in self.seen)

    @property
    def through(self) -> Axes:
        """Axes that are gone through one by one."""
        return tuple(name for name in self.image.label_axes if name not in self.seen)

    @property
    def count(self) -> int:
        """Number of planes or volumes."""
        return math.prod(len(steps) for steps in self._steps())

    @property
    def wanted(self) -> Box:
        """The part of the image that is wanted, along its label axes."""
        return self.region or tuple(slice(0, n) for n in self.image_shape)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Lengths of the label axes of the image itself, not of what the network sees."""
        lengths = dict(zip(self.image.label_axes, self.image.label_shape, strict=True))
        if self.resampling is not None:
            lengths.update(zip(self.seen, self.resampling.source, strict=True))
        return tuple(lengths[name] for name in self.image.label_axes)

    @property
    def seen_region(self) -> Box | None:
        """The part that is wanted of what the network sees; None: all of it."""
        if self.region is None:
            return None
        at = dict(zip(self.image.label_axes, self.region, strict=True))
        box = tuple(at[name] for name in self.seen)
        if self.resampling is None:
            return box
        lengths = zip(box, self.resampling.source, self.resampling.target, strict=True)
        return tuple(slice(part.start * t // s, -(-part.stop * t // s)) for part, s, t in lengths)

    def _steps(self) -> tuple[range, ...]:
        at = dict(zip(self.image.label_axes, self.wanted, strict=True))
        return tuple(range(at[name].start, at[name].stop) for name in self.through)

    def indices(self) -> Iterator[Index]:
        """Yield the index along `through` of each plane or volume that is wanted."""
        yield from product(*self._steps())

    def everywhere(self) -> Layout:
        """Return the layout of the whole image."""
        return replace(self, region=None)

    def read(self, index: Index, box: Box | None = None) -> np.ndarray[Any, Any]:
        """Return pixels as the network's channels.

        Parameters
        ----------
        index : tuple of int
            Along `through`.
        box : tuple of slice, optional
            Along `seen`; None: all.

        Returns
        -------
        ndarray, shape (in_channels, *seen)
            With several slices, those of the first one first; beyond the ends of the volume
            the last slice stands again.
        """
        if self.slices == 1:
            return self._read(index, box)
        if "z" not in self.through:
            return np.concatenate([self._read(index, box)] * self.slices)
        axis, reach = self.through.index("z"), self.slices // 2
        last = self.image.shape[self.image.axes.index("z")] - 1
        near = [min(max(index[axis] + n, 0), last) for n in range(-reach, reach + 1)]
        return np.concatenate(
            [self._read((*index[:axis], z, *index[axis + 1 :]), box) for z in near]
        )

    def _read(self, index: Index, box: Box | None) -> np.ndarray[Any, Any]:
        at: dict[str, int | slice] = dict(zip(self.through, index, strict=True))
        if box is not None:
            at.update(zip(self.seen, box, strict=True))
        block = self.image.read(**at)
        axes = [name for name in self.image.axes if name not in self.through]
        order = [axes.index(name) for name in ("c", *self.seen) if name in axes]
        block = block.transpose(order)
        return self.channels.apply(block if "c" in axes else block[None])

    def where(self, index: Index, box: Box) -> Box:
        """Return the place of a box in the image, channels in front."""
        at: dict[str, int | slice] = {
            **dict(zip(self.through, index, strict=True)),
            **dict(zip(self.seen, box, strict=True)),
        }
        places = (at[name] for name in self.image.label_axes)
        return (
            slice(None),
            *(slice(p, p + 1) if isinstance(p, int) else p for p in places),
        )

    def shaped(self, scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return scores of shape (channel, *seen) in the order of the image's label axes."""
        axes = self.image.label_axes
        kept = [name for name in axes if name in self.seen]
        order = [0, *(1 + self.seen.index(name) for name in kept)]
        added = tuple(1 + axes.index(name) for name in self.through)
        return np.expand_dims(scores.transpose(order), added)

    def placed(
        self, index: Index, tile: Tile, scores: np.ndarray[Any, Any]
    ) -> tuple[Box, np.ndarray[Any, Any]]:
        """Return the place of a tile in the scores of the image, and what it gives there.

        Parameters
        ----------
        index : tuple of int
            Along `through`.
        tile : Tile
        scores : ndarray, shape (channel, *tile.shape)
        """
        if self.resampling is None:
            box, inside = tile.inner, scores[(slice(None), *tile.local)]
        else:
            box, inside = self.resampling.part(scores, tile)
        return self.cut(self.where(index, box), self.shaped(inside))

    def cut(self, where: Box, scores: np.ndarray[Any, Any]) -> tuple[Box, np.ndarray[Any, Any]]:
        """Return the place in the scores of what lies in a place of the image, and that part of it.

        Parameters
        ----------
        where : tuple of slice
            As `where` gives it.
        scores : ndarray
            Of that shape; what is not wanted is left out.
        """
        if self.region is None:
            return where, scores
        inside, place = [slice(None)], [slice(None)]
        for part, wanted in zip(where[1:], self.region, strict=True):
            first = min(max(part.start, wanted.start), part.stop)
            last = max(first, min(part.stop, wanted.stop))
            inside.append(slice(first - part.start, last - part.start))
            place.append(slice(first - wanted.start, last - wanted.start))
        return tuple(place), scores[tuple(inside)]

    def words(self, index: Index) -> str:
        """Return the place in words: ``"frame 3, slice 17"``, empty for a single one."""
        names = {"t": "frame", "z": "slice"}
        return ", ".join(
            f"{names[axis]} {i + 1}" for axis, i in zip(self.through, index, strict=True)
        )


def cut(item: np.ndarray[Any, Any], tile: Tile, *, already_read: bool) -> np.ndarray[Any, Any]:
    """Return what the network sees of a plane or volume.

    Parameters
    ----------
    item : ndarray, shape (channel, *seen)
        The whole plane or volume, or only ``tile.read`` of it.
    tile : Tile
    already_read : bool
        Whether `item` is ``tile.read`` alone.

    Returns
    -------
    ndarray, shape (channel, *tile.shape)
        Mirrored at the far border where the image ends before the grid does.
    """
    part = item if already_read else item[(slice(None), *tile.read)]
    if not any(tile.pad):
        return part
    return np.pad(part, ((0, 0), *((0, n) for n in tile.pad)), mode="reflect")

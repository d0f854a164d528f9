"""`Source`: blocks of an image, ready for the network."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.inference.finite import Replaced, place_of
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.layout import Index, cut
from napari_defectseg.inference.memory import default_budget
from napari_defectseg.inference.sampling import most_within, sample, sample_of
from napari_defectseg.inference.tiling import Tile, TilePlan
from napari_defectseg.models.preprocess import FittedChain, fit_chain

Array = np.ndarray[Any, Any]
SLAB = 1 << 22
"""Pixels that are looked at at once where values are counted."""
SMALL_SHARE = 4
"""A plane or volume is kept whole if it takes at most this part of the memory."""


class Source:
    """Gives the blocks of one plane or volume after the other, as the network wants them.

    Parameters
    ----------
    job : Job
        Grey values of the image, or an even sample of it, are measured at once where the
        model's preprocessing asks for them.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._scope = job.model.card.scope
        self._fills = job.settings.nan == "mean"
        self._index: Index = ()
        self._item: Array | None = None
        self._fill: Array | None = None
        self._most = most_within(job.settings.memory or default_budget(), job.layout)
        if self._scope == "image" or (self._fills and self._scope != "slice"):
            self._fit(sample(job.layout, self._most))
        elif self._scope == "constant":
            self._chain = self._fitted(np.zeros((1, 1), job.image.dtype))

    def on(self, job: Job) -> Source:
        """Return a source for another part of the same image; what was measured holds there."""
        other = copy(self)
        other._job = job
        return other

    def start(self, index: Index) -> None:
        """Go to the next plane or volume; it is kept in memory where it is small.

        Its own grey values are measured on all of it, or on an even sample where it is large.
        """
        if self._item is not None and index == self._index:
            return
        self._index = index
        job = self._job
        size = np.prod(job.layout.shape) * job.image.dtype.itemsize * job.model.card.in_channels
        # Of a region only what its tiles see is read.
        small = size * SMALL_SHARE <= job.budget
        kept = small and (job.layout.region is None or self._scope == "slice")
        self._item = job.layout.read(index) if kept else None
        if self._scope == "slice":
            item = self._item
            self._fit(sample_of(job.layout, index, self._most) if item is None else item)

    def block(self, tile: Tile) -> tuple[Array, Replaced]:
        """Return what the network sees of a tile, and which of its pixels were replaced.

        Returns
        -------
        ndarray of float32, shape (in_channels, *tile.shape)
        Replaced
            Pixels inside the tile without a finite value.
        """
        if self._item is not None:
            block = cut(self._item, tile, already_read=False)
        else:
            block = cut(self._job.layout.read(self._index, tile.read), tile, already_read=True)
        block, replaced = self._finite(block, tile)
        return self._chain.apply(block), replaced

    def whole(self) -> tuple[Array, Replaced]:
        """Return the plane or volume with its own grey values, and which of them were replaced.

        Returns
        -------
        ndarray, shape (in_channels, *spatial)
        Replaced
            Pixels without a finite value.
        """
        shape = self._job.layout.shape
        (tile,) = TilePlan(shape, shape, 1, 0, shape)
        item = self._job.layout.read(self._index) if self._item is None else self._item
        return self._finite(item, tile)

    @property
    def chain(self) -> FittedChain:
        """The preprocessing, fitted to what the card's scope asks for."""
        return self._chain

    def _fit(self, values: Array) -> None:
        self._chain = self._fitted(values)
        if self._fills and values.dtype.kind == "f":
            flat = np.where(np.isfinite(values), values, np.nan).reshape(values.shape[0], -1)
            self._fill = np.asarray(np.nanmean(flat, axis=1, dtype=np.float64))

    def _fitted(self, values: Array) -> FittedChain:
        try:
            return fit_chain(self._job.model.card.preprocessing, values)
        except ImageError as error:
            raise ImageError(f"{self._job.image.name}: {error.sentence}") from error

    def _finite(self, block: Array, tile: Tile) -> tuple[Array, Replaced]:
        if block.dtype.kind != "f" or np.isfinite(block).all():
            return block, Replaced()
        bad = ~np.isfinite(block)
        if self._fill is None:
            raise self._refusal(np.asarray(bad.any(axis=0)), tile)
        shape = (-1,) + (1,) * (block.ndim - 1)
        inside = np.asarray(bad[(slice(None), *tile.local)].any(axis=0))
        corner = tuple(part.start for part in tile.inner)
        count = int(inside.sum())
        said = Replaced(count, self._place(inside, corner)) if count else Replaced()
        return np.where(bad, self._fill.reshape(shape), block).astype(block.dtype), said

    def _place(self, bad: Array, corner: tuple[int, ...]) -> str:
        at = (int(n) + start for n, start in zip(np.argwhere(bad)[0], corner, strict=True))
        return place_of(self._job.layout, self._index, tuple(at))

    def _refusal(self, bad: Array, tile: Tile) -> ImageError:
        """Return the sentence about a tile; it counts the pixels of the whole plane or volume."""
        corner = tuple(part.start for part in tile.outer)
        first = self._place(bad, corner)
        count = self._count()
        plural = "s" * (count != 1)
        where = self._job.layout.words(self._index)
        return ImageError(
            f"{self._job.image.name} has {count} pixel{plural} without a finite value (NaN or "
            f"infinite){f' in {where}' if where else ''}; the first at {first}.",
            hint="Fill them, or let them get the mean of the others.",
        )

    def _count(self) -> int:
        """Return the number of pixels of the plane or volume without a finite value."""
        layout = self._job.layout
        rows = max(1, SLAB // max(1, int(np.prod(layout.shape[1:]))))
        whole = tuple(slice(0, n) for n in layout.shape[1:])
        count = 0
        for start in range(0, layout.shape[0], rows):
            part = (slice(start, min(start + rows, layout.shape[0])), *whole)
            block = (
                layout.read(self._index, part)
                if self._item is None
                else self._item[(slice(None), *part)]
            )
            count += int((~np.isfinite(block)).any(axis=0).sum())
        return count

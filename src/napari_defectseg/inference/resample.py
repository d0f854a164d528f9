"""`Resampling`: the network sees the image on another grid, its scores come back to the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.images.image import ArrayLike, CalibratedImage
from napari_defectseg.inference.taps import Array, eight_bit, reach_back, taps
from napari_defectseg.inference.tiling import Box, Tile

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Resampling:
    """Two grids over one field.

    Parameters
    ----------
    axes : tuple of str
        What the network sees at once: ``("y", "x")`` or ``("z", "y", "x")``.
    source : tuple of int
        Lengths of the image along them.
    target : tuple of int
        Lengths of what the network sees.
    plain : bool
        Bilinear without smoothing, as OpenCV does it, instead of a spline without aliases.
    """

    axes: Axes
    source: Shape
    target: Shape
    plain: bool = False

    @property
    def margin(self) -> int:
        """Pixels of the network's grid around a tile that its part of the image depends on."""
        pairs = zip(self.target, self.source, strict=True)
        return max(reach_back(t, s, smooth=not self.plain) for t, s in pairs)

    def seen(self, image: CalibratedImage) -> CalibratedImage:
        """Return the image on the network's grid; pixels are computed when they are read."""
        pairs = zip(self.source, self.target, strict=True)
        lengths = dict(zip(self.axes, pairs, strict=True))
        data = ResampledArray(
            image.data, tuple(lengths.get(axis, (0, 0)) for axis in image.axes), self.plain
        )
        known, spacing = image.calibration, list(image.calibration.spacing)
        for place, (axis, step) in enumerate(zip(image.spatial_axes, spacing, strict=True)):
            if step is not None and axis in lengths:
                before, after = lengths[axis]
                spacing[place] = step * before / after
        size = replace(known, spacing=tuple(spacing), question="")
        return replace(image, data=data, calibration=size, levels=())

    def owned(self, inner: Box) -> Box:
        """Return the pixels of the image whose middles lie in a box of the network's grid.

        Boxes that cover the network's grid once cover the image once.
        """
        return tuple(
            slice(_first(part.start, s, t), _first(part.stop, s, t))
            for part, s, t in zip(inner, self.source, self.target, strict=True)
        )

    def back(self, scores: Array, origin: tuple[int, ...], inner: Box) -> Array:
        """Return scores on the image's own grid.

        Parameters
        ----------
        scores : ndarray of float32, shape (channel, *seen)
            On the network's grid, right in `inner` and `margin` pixels around it.
        origin : tuple of int
            Place of their first pixel.
        inner : tuple of slice
            The box that is wanted.

        Returns
        -------
        ndarray of float32, shape (channel, *owned)
            Means of neighbours with weights that are never negative: probabilities stay so.
        """
        result = scores
        for axis, run in enumerate(self.owned(inner)):
            if run.start == run.stop:
                shape = (scores.shape[0], *(part.stop - part.start for part in self.owned(inner)))
                return np.zeros(shape, np.float32)
            found = taps(self.target[axis], self.source[axis], run, "linear", smooth=not self.plain)
            result = found.apply(result, axis + 1, origin[axis])
        return result.astype(np.float32, copy=False)

    def part(self, scores: Array, tile: Tile) -> tuple[Box, Array]:
        """Return the place in the image that a tile gives, and its scores there."""
        origin = tuple(part.start for part in tile.outer)
        lengths = tuple(slice(0, t - o) for t, o in zip(self.target, origin, strict=True))
        # What was mirrored beyond the image's end is not looked at.
        inside = scores[(slice(None), *lengths)]
        return self.owned(tile.inner), self.back(inside, origin, tile.inner)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values that say what was done."""
        return {
            "axes": "".join(self.axes),
            "from": list(self.source),
            "to": list(self.target),
            "how": "bilinear, as OpenCV" if self.plain else "spline, without aliases",
        }


class ResampledArray:
    """An array on another grid; a part is computed when it is asked for.

    Parameters
    ----------
    data : array-like
    lengths : tuple of (int, int)
        Of each axis before and after; (0, 0): as it is.
    plain : bool
        See `Resampling`. Integers of 8 bits are resized in OpenCV's own arithmetic.
    """

    def __init__(self, data: ArrayLike, lengths: tuple[tuple[int, int], ...], plain: bool) -> None:
        self._data, self._lengths, self._plain = data, lengths, plain
        self.dtype: np.dtype[Any] = np.dtype(data.dtype)
        self.shape = tuple(t or int(n) for n, (_, t) in zip(data.shape, lengths, strict=True))

    def __getitem__(self, key: Any) -> Array:
        keys = self._keys(key)
        runs = [slice(k, k + 1) if isinstance(k, int) else k for k in keys]
        axes = [axis for axis, (_, target) in enumerate(self._lengths) if target]
        integers = self.dtype.kind in "iu"
        if self._plain and self.dtype == np.uint8 and len(axes) == 2:
            block = self._eight_bit(runs, axes)
        else:
            block = self._resized(runs, axes)
            if integers:
                limits = np.iinfo(self.dtype)
                block = np.clip(np.rint(block), limits.min, limits.max)
        dropped = tuple(0 if isinstance(k, int) else slice(None) for k in keys)
        return np.asarray(block.astype(self.dtype, copy=False)[dropped])

    def _keys(self, key: Any) -> list[int | slice]:
        given = list(key) if isinstance(key, tuple) else [key]
        given = [slice(None) for _ in self.shape] if given == [...] else given
        given += [slice(None)] * (len(self.shape) - len(given))
        return [
            slice(*part.indices(length)) if isinstance(part, slice) else int(part) % length
            for part, length in zip(given, self.shape, strict=True)
        ]

    def _resized(self, runs: list[slice], axes: list[int]) -> Array:
        found = {
            axis: taps(*self._lengths[axis], runs[axis], "linear" if self._plain else "cubic",
                       smooth=not self._plain)
            for axis in axes
        }  # fmt: skip
        read = tuple(found[n].span if n in found else run for n, run in enumerate(runs))
        block = np.asarray(self._data[read])
        narrow = block.dtype.itemsize <= 2 or block.dtype == np.float32
        block = block.astype(np.float32 if narrow else np.float64)
        # First along the axis that shrinks most, so that the others have less to do.
        for axis in sorted(axes, key=lambda n: self._lengths[n][1] / self._lengths[n][0]):
            block = found[axis].apply(block, axis, found[axis].span.start)
        return block

    def _eight_bit(self, runs: list[slice], axes: list[int]) -> Array:
        read = tuple(slice(None) if n in axes else run for n, run in enumerate(runs))
        block = np.moveaxis(np.asarray(self._data[read]), axes, (-2, -1))
        y, x = axes
        shape = (self._lengths[y][1], self._lengths[x][1])
        return np.moveaxis(eight_bit(block, shape, (runs[y], runs[x])), (-2, -1), axes)


def _first(place: int, source: int, target: int) -> int:
    """Return the first pixel of the source whose middle lies at or behind a place of the target.

    Pixel ``i`` lies in pixel ``floor((2 i + 1) target / (2 source))``; whole numbers alone.
    """
    return min(source, max(0, -(-(2 * source * place - target) // (2 * target))))

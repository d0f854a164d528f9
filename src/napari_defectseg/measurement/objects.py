"""`Objects`: the sums of all objects, as measurements want them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.measurement import moments
from napari_defectseg.measurement.settings import MeasureSettings

if TYPE_CHECKING:
    from napari_defectseg.measurement.bodies import Bodies
    from napari_defectseg.measurement.configurations import Neighbourhoods
    from napari_defectseg.measurement.pixels import Pixels

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Objects:
    """What is known of every object: one entry an object (and frame) in all arrays.

    Parameters
    ----------
    label : ndarray of int64, shape (n,)
    frame, plane : ndarray of int64, shape (n,)
    class_value : ndarray of uint8, shape (n,)
        0 where an object has no class.
    whole, real : ndarray, shape (n, …)
        Sums as `moments` lays them out.
    axes : tuple of str
        Axes of the labels.
    calibration : Calibration
    classes : ClassMap or None
    inputs : frozenset of str
        What there was to measure: ``"image"``, ``"scores"``, ``"time"``, ``"classes"``.
    settings : MeasureSettings
    pixels : Pixels or None
        Where their pixels are found; None where only sums are known.
    columns : mapping of str to ndarray
        Columns computed so far, by name.
    """

    label: NDArray[np.int64]
    frame: NDArray[np.int64]
    plane: NDArray[np.int64]
    class_value: NDArray[np.uint8]
    whole: NDArray[np.int64]
    real: Real
    axes: Axes
    calibration: Calibration
    classes: ClassMap | None = None
    inputs: frozenset[str] = frozenset()
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    pixels: Pixels | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.label.size)

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return self.calibration.ndim

    @property
    def steps(self) -> Real:
        """Size of a pixel along each spatial axis, shape (ndim,)."""
        return np.array(self.calibration.steps)

    @property
    def count(self) -> NDArray[np.int64]:
        """Pixels of each object."""
        return self.whole[:, moments.COUNT]

    @property
    def low(self) -> NDArray[np.int64]:
        """First index along each spatial axis, shape (n, ndim)."""
        return self._spatial(moments.LOW)

    @property
    def high(self) -> NDArray[np.int64]:
        """Last index along each spatial axis, shape (n, ndim)."""
        return self._spatial(moments.HIGH)

    @property
    def cut(self) -> NDArray[np.bool_]:
        """Whether an object touches the border of what is counted."""
        return self.whole[:, moments.CUT] > 0

    @cached_property
    def bodies(self) -> Bodies:
        """Their pixels as runs, read when first asked for."""
        assert self.pixels is not None, "objects known by their sums alone have no pixels"
        return self.pixels.bodies(self)

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """What follows from their neighbourhoods of 2 × 2 (× 2) pixels."""
        from napari_defectseg.measurement.configurations import Neighbourhoods

        return Neighbourhoods(self.bodies)

    @property
    def pixel_shape(self) -> tuple[int, ...]:
        """Pixels along each spatial axis of what was measured."""
        assert self.pixels is not None, "objects known by their sums alone have no image"
        return self.pixels.source.shape[-self.ndim :]

    @cached_property
    def filled(self) -> Real:
        """Pixels and covariances (px²) yy, xx, yx within each outer line, shape (n, 4)."""
        from napari_defectseg.measurement.filling import filled_moments

        out = np.zeros((len(self), 4))
        filled_moments(self.bodies.first, self.bodies.runs, self.bodies.boxes, out)
        return out

    @cached_property
    def thickness(self) -> Real:
        """Mean and largest local thickness, shape (n, 2)."""
        from napari_defectseg.measurement.thickness import thickness_of

        found = [thickness_of(mask, self.steps) for mask in self.bodies.masks(margin=1)]
        return np.array(found, np.float64).reshape(len(self), 2)

    @cached_property
    def neighbours(self) -> tuple[Real, NDArray[np.int64]]:
        """Gap to the nearest object and its row; nan and -1 where there is none."""
        from napari_defectseg.measurement.columns.neighbours import pairs

        return pairs(self)

    def centroid(self) -> Real:
        """Return mean pixel positions, in pixels, shape (n, ndim)."""
        return self._spatial(moments.FIRST) + self._mean_offset()

    def covariance(self) -> Real:
        """Return covariances of pixel positions, in squared length, shape (n, ndim, ndim).

        Only pixel centres count, as in scikit-image: no 1/12 for the size of a pixel.
        """
        second = self.whole[:, moments.SQUARE : moments.SQUARE + 6] / self.count[:, None]
        full = np.empty((len(self), 3, 3))
        for axis in range(3):
            full[:, axis, axis] = second[:, axis]
        for column, (one, other) in enumerate(((0, 1), (0, 2), (1, 2)), start=3):
            full[:, one, other] = full[:, other, one] = second[:, column]
        part = full[:, 3 - self.ndim :, 3 - self.ndim :]
        mean = self._mean_offset()
        centred: Real = part - mean[:, :, None] * mean[:, None, :]
        return centred * (self.steps[:, None] * self.steps[None, :])

    def with_columns(self, columns: Mapping[str, NDArray[Any]]) -> Objects:
        """Return the objects with these columns computed."""
        return replace(self, columns=columns)

    def select(self, keep: NDArray[Any]) -> Objects:
        """Return the objects where `keep` (a mask or indices) says."""
        return replace(
            self,
            label=self.label[keep],
            frame=self.frame[keep],
            plane=self.plane[keep],
            class_value=self.class_value[keep],
            whole=self.whole[keep],
            real=self.real[keep],
            columns={name: values[keep] for name, values in self.columns.items()},
        )

    def with_rows(self, gone: NDArray[np.int64], new: Objects | None) -> Objects:
        """Return these without some rows and with others, by frame, plane and label.

        Parameters
        ----------
        gone : ndarray of int64
            Rows to leave out; few, so that the others are copied in long pieces.
        new : Objects or None
            With the same columns.
        """
        pieces = _pieces(self._rank(), gone, None if new is None else new._rank())

        def merged(mine: NDArray[Any], other: NDArray[Any] | None) -> NDArray[Any]:
            parts = [(other if late else mine)[a:b] for late, a, b in pieces]  # type: ignore[index]
            return np.concatenate(parts) if parts else mine[:0]

        def of(name: str) -> NDArray[Any]:
            return merged(getattr(self, name), None if new is None else getattr(new, name))

        return replace(
            self,
            label=of("label"),
            frame=of("frame"),
            plane=of("plane"),
            class_value=of("class_value"),
            whole=of("whole"),
            real=of("real"),
            columns={
                name: merged(values, None if new is None else new.columns[name])
                for name, values in self.columns.items()
            },
        )

    def _rank(self) -> NDArray[np.int64]:
        """Return numbers that order objects by frame, plane (one a class value) and label."""
        rank: NDArray[np.int64] = (self.frame * 256 + self.plane << 32) + self.label
        return rank

    def _spatial(self, first: int) -> NDArray[np.int64]:
        return self.whole[:, first + 3 - self.ndim : first + 3]

    def _mean_offset(self) -> Real:
        mean: Real = self._spatial(moments.LINEAR) / self.count[:, None]
        return mean


def _pieces(
    ranks: NDArray[np.int64], gone: NDArray[np.int64], new: NDArray[np.int64] | None
) -> list[tuple[bool, int, int]]:
    """Return from which rows a changed table is put together: whether new ones, from, to."""
    places = np.searchsorted(ranks, new) if new is not None else np.zeros(0, np.int64)
    cuts = [(int(place), 0, k) for k, place in enumerate(places.tolist())]
    cuts += [(int(row), 1, -1) for row in gone.tolist()]
    pieces: list[tuple[bool, int, int]] = []
    done = 0
    for at, goes, k in sorted(cuts):
        if at > done:
            pieces.append((False, done, at))
        done = at + goes
        if not goes:
            pieces.append((True, k, k + 1))
    if done < ranks.size:
        pieces.append((False, done, int(ranks.size)))
    return pieces

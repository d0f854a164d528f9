"""`CalibratedImage`: the only form in which pixels travel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import CalibrationError, ImageError
from napari_defectseg.core.provenance import sha256_of_array, sha256_of_file
from napari_defectseg.core.units import PIXEL


class ArrayLike(Protocol):
    """What lazy arrays share: shape, dtype, slicing."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""

    @property
    def dtype(self) -> Any:
        """Type of the values."""

    def __getitem__(self, key: Any) -> Any:
        """Return a part, as something `numpy.asarray` takes."""


@dataclass(frozen=True)
class Origin:
    """Where an image came from.

    Parameters
    ----------
    path : str
        The file or folder; empty for arrays and layers.
    part : str
        Which data set, page or level of it.
    instrument : str
        Camera and magnification as the header tells, to remember a pixel size by.
    details : dict
        Whatever else the header says that a person may want to see.
    """

    path: str = ""
    part: str = ""
    instrument: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CalibratedImage:
    """A lazy array with axis names, pixel size, name and origin.

    Parameters
    ----------
    data : array-like
        Anything with shape, dtype and slicing (numpy, memmap, zarr, h5py, dask).
    axes : tuple of str
        One letter an axis: ``t c z y x``; colour is a ``c`` axis, first or last.
    calibration : Calibration
        One entry for each spatial axis.
    name : str
        What it is called in the window and in files.
    origin : Origin
    acquisition : Acquisition
    levels : tuple of array-like
        Coarser copies for display, finest first, without `data` itself.
    """

    data: ArrayLike
    axes: Axes
    calibration: Calibration
    name: str = "image"
    origin: Origin = field(default_factory=Origin)
    acquisition: Acquisition = field(default_factory=Acquisition)
    levels: tuple[ArrayLike, ...] = ()

    def __post_init__(self) -> None:
        axis_names.check(self.axes, len(self.data.shape))
        if 0 in self.data.shape:
            raise ImageError(f"{self.name} is empty: its shape is {tuple(self.data.shape)}.")
        if self.calibration.ndim != len(self.spatial_axes):
            raise CalibrationError(
                f"{self.name} has {len(self.spatial_axes)} spatial axes but "
                f"{self.calibration.ndim} pixel sizes."
            )

    @classmethod
    def from_array(
        cls,
        data: ArrayLike,
        *,
        axes: Axes | str | None = None,
        calibration: Calibration | None = None,
        name: str = "image",
    ) -> CalibratedImage:
        """Return an image from a bare array; the usual axes are taken where none are named."""
        ndim = len(data.shape)
        names = tuple(axes) if axes else axis_names.guess(ndim, data.shape[-1] if ndim else 0)
        count = len(axis_names.spatial(names))
        return cls(data, names, calibration or Calibration.uncalibrated(count), name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return tuple(int(n) for n in self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        kind: np.dtype[Any] = np.dtype(self.data.dtype)
        return kind

    @property
    def spatial_axes(self) -> Axes:
        """Its spatial axes in order."""
        return axis_names.spatial(self.axes)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        return tuple(self.shape[self.axes.index(name)] for name in self.spatial_axes)

    def size_along(self, axes: Axes) -> Calibration:
        """Return the pixel size along some of the spatial axes, in their order."""
        known = dict(zip(self.spatial_axes, self.calibration.spacing, strict=True))
        spacing = tuple(known[name] for name in axes)
        unit = self.calibration.unit if any(step is not None for step in spacing) else PIXEL
        return replace(self.calibration, spacing=spacing, unit=unit)

    @property
    def frames(self) -> int:
        """Number of time frames, 1 without a time axis."""
        return self.shape[self.axes.index("t")] if "t" in self.axes else 1

    @property
    def channels(self) -> int:
        """Number of channels, 1 without a channel axis."""
        return self.shape[self.axes.index("c")] if "c" in self.axes else 1

    @property
    def label_axes(self) -> Axes:
        """Axes of a mask of this image: all but the channels."""
        return tuple(name for name in self.axes if name != "c")

    @property
    def label_shape(self) -> tuple[int, ...]:
        """Shape of a mask of this image."""
        return tuple(self.shape[self.axes.index(name)] for name in self.label_axes)

    def read(self, **at: int | slice) -> np.ndarray[Any, Any]:
        """Return a part of the pixels as a numpy array.

        Parameters
        ----------
        **at : int or slice
            Axis name to index or slice; other axes are taken whole. An integer drops its axis.
        """
        key = tuple(at.get(name, slice(None)) for name in self.axes)
        return np.asarray(self.data[key])

    def with_calibration(self, calibration: Calibration) -> CalibratedImage:
        """Return the same image with another pixel size."""
        return replace(self, calibration=calibration)

    def with_acquisition(self, acquisition: Acquisition) -> CalibratedImage:
        """Return the same image with other imaging conditions."""
        return replace(self, acquisition=acquisition)

    def sha256(self) -> str:
        """Return the hash of its file, or of its array (read slab by slab) if it has no file."""
        from pathlib import Path

        if self.origin.path and Path(self.origin.path).is_file():
            return sha256_of_file(self.origin.path)
        return sha256_of_array(self.data)

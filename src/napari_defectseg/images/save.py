"""`save_image`, `save_array`: pixels with their axes, pixel size and frame time, whole or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.core.registry import Registry
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.writer import Picture

ROOM = "napari_defectseg.images.writers"
WRITERS: Registry[Any] = Registry(
    "image writer",
    {
        "OME-TIFF": f"{ROOM}.ometiff:write",
        "OME-Zarr": f"{ROOM}.omezarr:write",
        "NRRD": f"{ROOM}.nrrd:write",
        "NumPy": f"{ROOM}.numpy:write",
        "PNG": f"{ROOM}.png:write",
    },
)
SUFFIXES = {
    ".tif": "OME-TIFF",
    ".tiff": "OME-TIFF",
    ".zarr": "OME-Zarr",
    ".nrrd": "NRRD",
    ".npy": "NumPy",
    ".png": "PNG",
}
"""Suffix to writer."""


def save_image(image: CalibratedImage, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write an image in the format of its suffix and return where it is.

    Parameters
    ----------
    image : CalibratedImage
    path : path
        ``.ome.tif``, ``.tif`` (both OME-TIFF), ``.ome.zarr``, ``.zarr``, ``.nrrd``, ``.npy``
        (with a small JSON file beside it), ``.png`` (8 bit, two axes or colour).
    overwrite : bool
        Whether something that exists there may be replaced.

    Raises
    ------
    AlreadyExists
        If something is there and `overwrite` is false.
    NotSaved
        If the format cannot hold this image, or the disk is full or read-only.
    """
    return _save(Picture(image.data, image.axes, image.calibration, image.name), path, overwrite)


def save_array(
    array: Any,
    path: str | Path,
    *,
    axes: Axes | str,
    calibration: Calibration,
    name: str = "",
    colours: Mapping[int, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a mask, labels or channels with the pixel size of the image they belong to.

    Parameters
    ----------
    array : array-like
        Any dtype that the format knows; bool becomes uint8 0 and 1.
    path : path
        As for `save_image`.
    axes : tuple of str or str
        One letter an axis.
    calibration : Calibration
        One entry a spatial axis.
    name : str
        What it is called in the file; by default the file's name.
    colours : mapping of int to str, optional
        Class value to ``#rrggbb``, kept in the metadata where the format can.
    overwrite : bool
        Whether something that exists there may be replaced.
    """
    names = axis_names.check(tuple(axes), len(array.shape))
    title = name or Path(path).name.split(".")[0]
    picture = Picture(array, names, calibration, title, dict(colours or {}), discrete=True)
    return _save(picture, path, overwrite)


def _save(picture: Picture, path: str | Path, overwrite: bool) -> Path:
    target = Path(path).expanduser()
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise NotSaved(
            f"{target.name}: there is no image format {suffix!r} to write.",
            hint=f"Use one of .ome.tif, .ome.zarr, {', '.join(SUFFIXES)}.",
        )
    refuse_existing(target, overwrite)
    WRITERS.get(SUFFIXES[suffix])(picture, target, overwrite)
    return target

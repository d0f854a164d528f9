"""Outlines of objects as ROIs of ImageJ."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.reports.needed import needed
from napari_defectseg.reports.tracing import outer_lines

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of each file in the archive: the same objects give the same bytes."""


def write_outlines(labels: LabelMap, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the outer line of each object as a ``.zip`` that ImageJ's ROI manager opens.

    A line follows the edges of pixels; holes are not in it. Of a volume or movie each slice of
    an object is an ROI at its slice or frame. An object in several parts has one for each.
    Names are ``class-number``.

    Raises
    ------
    NotSaved
        If roifile is not installed, or the file cannot be written.
    AlreadyExists
        If the file exists and `overwrite` is false.
    """
    roifile = needed("roifile", "ROIs of ImageJ")
    names: dict[str, int] = {}
    with (
        atomic_path(path, overwrite=overwrite) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, line, position in outlines(labels):
            count = names[name] = names.get(name, 0) + 1
            unique = name if count == 1 else f"{name}-{count}"
            roi = roifile.ImagejRoi.frompoints(line[:, ::-1].astype(np.int32), name=unique)
            roi.roitype = roifile.ROI_TYPE.POLYGON
            roi.z_position, roi.t_position = position
            archive.writestr(zipfile.ZipInfo(f"{unique}.roi", EPOCH), roi.tobytes())
    return Path(path)


def outlines(labels: LabelMap) -> Iterator[tuple[str, NDArray[np.int64], tuple[int, int]]]:
    """Yield name, corners (y, x) and (slice, frame) of each outline; 0 where there is none."""
    names = _names(labels.classes)
    for plane in labels.planes:
        for index in np.ndindex(plane.shape[:-2]):
            position = dict(zip(labels.axes, (k + 1 for k in index), strict=False))
            where = (position.get("z", 0), position.get("t", 0))
            for number, corner, mask in _objects(plane[index]):
                word = names.get(labels.object_classes.get(number, 0), "object")
                suffix = "".join(f"-{axis}{k}" for axis, k in position.items())
                for line in outer_lines(mask):
                    yield f"{word}-{number:04d}{suffix}", line + corner, where


def _objects(plane: NDArray[Any]) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.bool_]]]:
    from scipy.ndimage import find_objects

    numbers, dense = np.unique(plane, return_inverse=True)
    dense = dense.reshape(plane.shape)
    first = 1 if numbers.size and numbers[0] == 0 else 0
    for index, box in enumerate(find_objects(dense + (1 - first)), start=0):
        number = int(numbers[index + first]) if index + first < numbers.size else 0
        if box is None or not number:
            continue
        corner = np.array([axis.start for axis in box])
        yield number, corner, dense[box] == index + first


def _names(classes: ClassMap) -> dict[int, str]:
    return {item.value: item.name.replace("/", "-").replace(" ", "-") for item in classes}

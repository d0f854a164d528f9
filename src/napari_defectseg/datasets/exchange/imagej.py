"""ImageJ regions: ``.roi`` and ``.zip`` beside an image, or inside its TIFF file."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.canvas import Canvas, Shape
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import natural, pictures_in, set_of, stem_of
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.outline import HALF, along, filled
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

Array = np.ndarray[Any, Any]
SUFFIXES = (".roi", ".zip")
AUTOMATIC = re.compile(r"^(\d+-)*\d+(-\d+)*$|^roi[\s_-]*\d*$|^$", re.IGNORECASE)
"""Names that ImageJ gives by itself; they say nothing about the class."""
OPEN = ("LINE", "FREELINE", "POLYLINE", "ANGLE")


def recognise(path: Path) -> bool:
    """Return whether there are region files whose names are those of images."""
    return path.is_dir() and bool(_matched(path))


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all images with regions; the class is the region's group, or its name.

    Raises
    ------
    DatasetError
        If there are none, or roifile is not installed.
    """
    matched = _matched(path)
    if not matched:
        raise DatasetError(
            f"{path} holds no region files with the name of an image.",
            hint="Save the ROI manager's set as NAME.zip or RoiSet_NAME.zip beside NAME.tif.",
        )
    counts: dict[str, int] = {}
    items = []
    for image, files in matched.items():
        regions = [region for file in files for region in _read(file)]
        for region in regions:
            counts[_key(region)] = counts.get(_key(region), 0) + 1
        read = partial(_truth, regions, files[0])
        items.append(
            Item(stem_of(image), image, partial(open_image, image), read, set_of(image, path))
        )
    marks = tuple(
        Mark(key, "" if key.startswith("group ") or key == "region" else key, "", count)
        for key, count in sorted(counts.items())
    )
    return Found(marks, tuple(items))


def _matched(path: Path) -> dict[Path, list[Path]]:
    images = {stem_of(image).lower(): image for image in pictures_in(path)}
    found: dict[Path, list[Path]] = {}
    files = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
    for file in sorted(files, key=natural):
        stem = re.sub(r"^(roiset|rois?)[_\s-]+|[_\s-]+(roiset|rois?)$", "", file.stem.lower())
        image = images.get(stem) or images.get(file.parent.name.lower())
        if image is not None:
            found.setdefault(image, []).append(file)
    return found


def _read(file: Path) -> list[Any]:
    try:
        from roifile import roiread
    except ImportError as error:
        raise DatasetError(
            f"{file} holds regions of ImageJ, which the package roifile reads.",
            hint="Install it: pip install napari-defectseg[exchange].",
        ) from error
    try:
        found = roiread(file)
    except (ValueError, OSError, KeyError, IndexError, TypeError) as error:
        raise DatasetError(f"{file} cannot be read as regions of ImageJ: {error}.") from error
    return list(found) if isinstance(found, list) else [found]


def _key(region: Any) -> str:
    name = str(region.name or "").strip()
    if not AUTOMATIC.match(name):
        return re.sub(r"[\s_-]*\d+$", "", name) or name
    return f"group {region.group}" if region.group else "region"


def _truth(regions: list[Any], file: Path, image: CalibratedImage, meaning: Meaning) -> Truth:
    canvas = Canvas(image.label_shape, meaning, file.name)
    for region in regions:
        plane = _plane(region, image, file)
        size = (image.label_shape[-2], image.label_shape[-1])
        rows, columns = _pixels(region, size, file)
        canvas.add(Shape(_key(region), rows, columns, plane))
    return canvas.truth()


def _plane(region: Any, image: CalibratedImage, file: Path) -> tuple[int, ...]:
    lead = image.label_shape[:-2]
    if not lead:
        return ()
    stated = {"z": region.z_position, "t": region.t_position}
    one = [stated.get(name, 0) or region.position for name in image.label_axes[:-2]]
    if not all(0 < n <= length for n, length in zip(one, lead, strict=True)):
        raise DatasetError(
            f"{file}: region {region.name!r} does not say in which of the "
            f"{' × '.join(map(str, lead))} planes it lies."
        )
    return tuple(n - 1 for n in one)


def _pixels(region: Any, size: tuple[int, int], file: Path) -> tuple[Array, Array]:
    kind = region.roitype.name
    if kind in OPEN:
        return along(_points(region), size)
    if kind == "POINT":
        return along_each(_points(region), size)
    mask = np.zeros(size, bool)
    try:
        parts = [part for part in region.coordinates(multi=True) if len(part) > 2]
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetError(f"{file}: a region of the kind {kind} cannot be read.") from error
    for part in parts:  # the even-odd rule, as ImageJ fills composite regions
        corners = np.asarray(part, float)[:, ::-1] - HALF
        inside = np.zeros(size, bool)
        inside[filled(corners, size)] = True
        mask ^= inside
    rows, columns = np.nonzero(mask)
    return rows, columns


def _points(region: Any) -> Array:
    return np.asarray(region.coordinates(), float)[:, ::-1] - HALF


def along_each(points: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Return the pixel of each point."""
    found = [along(point[np.newaxis], size) for point in points]
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

"""napari shapes: the CSV file that napari saves of a Shapes layer, beside the image."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.canvas import Canvas, Shape
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import natural, pictures_in, set_of, stem_of
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.outline import along, ellipse_points, filled
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

Array = np.ndarray[Any, Any]
HEADER = ("index", "shape-type", "vertex-index")
UNNAMED = "shape"
KINDS = ("rectangle", "ellipse", "polygon", "line", "path")


def recognise(path: Path) -> bool:
    """Return whether there are shape files whose names begin with those of images."""
    return path.is_dir() and bool(_matched(path))


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all images with shapes; ``NAME_CLASS.csv`` names the class.

    Raises
    ------
    DatasetError
        If there are none.
    """
    matched = _matched(path)
    if not matched:
        raise DatasetError(
            f"{path} holds no shapes of napari with the name of an image.",
            hint="Save the layer as NAME_CLASS.csv beside the image NAME.",
        )
    counts: dict[str, int] = {}
    items = []
    for image, files in matched.items():
        for file, key in files:
            counts[key] = counts.get(key, 0) + len(_shapes(file))
        read = partial(_truth, files)
        items.append(
            Item(stem_of(image), image, partial(open_image, image), read, set_of(image, path))
        )
    marks = tuple(
        Mark(key, "" if key == UNNAMED else key, "", n) for key, n in sorted(counts.items())
    )
    return Found(marks, tuple(items))


def _matched(path: Path) -> dict[Path, list[tuple[Path, str]]]:
    images = {stem_of(image): image for image in pictures_in(path)}
    found: dict[Path, list[tuple[Path, str]]] = {}
    for file in sorted(path.rglob("*.csv"), key=natural):
        if not _is_shapes(file):
            continue
        for name in sorted(images, key=len, reverse=True):
            rest = file.stem.removeprefix(name)
            if rest == file.stem or (rest and rest[0] not in "_- "):
                continue
            key = rest.strip("_- ")
            key = UNNAMED if key.lower() in ("", "shapes") else key
            found.setdefault(images[name], []).append((file, key))
            break
    return found


def _is_shapes(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            first = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError):
        return False
    return tuple(first[:3]) == HEADER


def _shapes(file: Path) -> list[tuple[str, Array]]:
    """Return kind and corners, shape (n, axes), of each shape."""
    found: dict[int, tuple[str, list[list[float]]]] = {}
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            for row in list(csv.reader(lines))[1:]:
                shape = found.setdefault(int(float(row[0])), (row[1], []))
                shape[1].append([float(value) for value in row[3:]])
        return [(kind, np.asarray(points, float)) for kind, points in found.values()]
    except (ValueError, IndexError, OSError) as error:
        raise DatasetError(f"{file} cannot be read as shapes of napari: {error}.") from error


def _truth(files: Sequence[tuple[Path, str]], image: CalibratedImage, meaning: Meaning) -> Truth:
    canvas = Canvas(image.label_shape, meaning, files[0][0].name)
    size = (image.label_shape[-2], image.label_shape[-1])
    for file, key in files:
        for kind, points in _shapes(file):
            plane = _plane(points, image, file)
            rows, columns = _pixels(kind, points[:, -2:], size, file)
            canvas.add(Shape(key, rows, columns, plane))
    return canvas.truth()


def _plane(points: Array, image: CalibratedImage, file: Path) -> tuple[int, ...]:
    count = len(image.label_shape) - 2
    if points.shape[1] < count + 2:
        raise DatasetError(
            f"{file} has shapes in {points.shape[1]} axes; {image.name} has "
            f"{len(image.label_shape)}."
        )
    lead = np.rint(points[:, points.shape[1] - 2 - count : points.shape[1] - 2]).astype(int)
    if count and (lead != lead[0]).any():
        raise DatasetError(f"{file} has a shape that crosses planes; draw shapes in one plane.")
    place = tuple(int(n) for n in lead[0]) if count else ()
    if any(not 0 <= n < length for n, length in zip(place, image.label_shape, strict=False)):
        raise DatasetError(f"{file} has a shape in plane {place}, outside of {image.name}.")
    return place


def _pixels(kind: str, points: Array, size: tuple[int, int], file: Path) -> tuple[Array, Array]:
    if kind in ("polygon", "rectangle"):
        return filled(points, size)
    if kind == "ellipse":
        centre = points.mean(axis=0)
        one, other = points[1] - points[0], points[3] - points[0]
        turn = float(np.arctan2(one[0], one[1]))
        radii = (float(np.hypot(*other)) / 2, float(np.hypot(*one)) / 2)
        return filled(ellipse_points((float(centre[0]), float(centre[1])), radii, turn), size)
    if kind in ("line", "path"):
        return along(points, size)
    raise DatasetError(
        f"{file} holds a {kind}, which is not known.", hint=f"Known: {', '.join(KINDS)}."
    )

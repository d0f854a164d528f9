"""labelme: a JSON file an image, with polygons, boxes, circles, lines and small masks."""

from __future__ import annotations

import base64
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.canvas import Canvas, Shape
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import PICTURES, image_named, natural, set_of
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.outline import HALF, along, ellipse_points, filled
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

Array = np.ndarray[Any, Any]
IGNORED = "__ignore__"
"""labelme's own word for places that do not count."""


def recognise(path: Path) -> bool:
    """Return whether it is a labelme file, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    candidates = [path] if path.is_file() else sorted(path.rglob("*.json"), key=natural)
    return [file for file in candidates if file.suffix.lower() == ".json" and _read(file)]


def _read(file: Path) -> dict[str, Any] | None:
    try:
        words = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = isinstance(words, dict) and isinstance(words.get("shapes"), list)
    return words if fits and "imagePath" in words else None


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all images with labelme files.

    Raises
    ------
    DatasetError
        If there is none, or an image is missing.
    """
    files = _files(path)
    if not files:
        raise DatasetError(f"{path} holds no labelme files: JSON with shapes and imagePath.")
    folder = path if path.is_dir() else path.parent
    counts: dict[str, int] = {}
    items = []
    for file in files:
        words = _read(file) or {}
        for shape in words["shapes"]:
            label = str(shape.get("label", ""))
            counts[label] = counts.get(label, 0) + 1
        image = _image(folder, file, str(words["imagePath"]))
        read = partial(_truth, words["shapes"], file)
        items.append(
            Item(image.stem, image, partial(open_image, image), read, set_of(file, folder))
        )
    counts.pop(IGNORED, None)
    marks = tuple(Mark(name, name, "", count) for name, count in sorted(counts.items()))
    return Found((*marks, Mark(IGNORED, "unlabelled")), tuple(items))


def _image(folder: Path, file: Path, stated: str) -> Path:
    try:
        return image_named(folder, stated, file)
    except DatasetError:
        for place in (file.parent, folder, folder / "images"):
            for suffix in PICTURES:
                if (beside := place / f"{file.stem}{suffix}").is_file():
                    return beside
        raise


def _truth(
    shapes: list[dict[str, Any]], file: Path, image: CalibratedImage, meaning: Meaning
) -> Truth:
    size = image.label_shape
    if len(size) != 2:
        raise DatasetError(f"{file} labels a flat picture; {image.name} has {len(size)} axes.")
    canvas = Canvas(size, meaning, file.name)
    for shape in shapes:
        rows, columns = _pixels(shape, (size[0], size[1]), file)
        group = "" if shape.get("group_id") is None else str(shape["group_id"])
        canvas.add(Shape(str(shape["label"]), rows, columns, group=group))
    return canvas.truth()


def _pixels(shape: dict[str, Any], size: tuple[int, int], file: Path) -> tuple[Array, Array]:
    kind = shape.get("shape_type") or "polygon"
    try:
        points = np.asarray(shape["points"], float).reshape(-1, 2)[:, ::-1] - HALF
        if kind == "polygon":
            return filled(points, size)
        if kind == "rectangle":
            (y0, x0), (y1, x1) = points.min(axis=0), points.max(axis=0)
            return filled(np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)]), size)
        if kind == "circle":
            radius = float(np.hypot(*(points[1] - points[0])))
            return filled(ellipse_points(tuple(points[0]), (radius, radius), 0.0), size)
        if kind in ("line", "linestrip", "point"):
            return along(points, size)
        if kind == "mask":
            return _embedded(shape, points, size)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"{file}: a {kind} cannot be read: {error}.") from error
    raise DatasetError(
        f"{file} holds a {kind}, which is not known.",
        hint="Known: polygon, rectangle, circle, line, linestrip, point, mask.",
    )


def _embedded(shape: dict[str, Any], points: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as picture:
        small = np.asarray(picture.convert("L")) > 0
    y, x = (round(float(value) + HALF) for value in points[0])
    rows, columns = np.nonzero(small)
    rows, columns = rows + y, columns + x
    inside = (rows >= 0) & (columns >= 0) & (rows < size[0]) & (columns < size[1])
    return rows[inside], columns[inside]

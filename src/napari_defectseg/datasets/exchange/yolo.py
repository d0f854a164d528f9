"""YOLO segmentation: ``data.yaml``, ``images`` and ``labels`` with an outline a line."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.canvas import Canvas, Shape
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import pictures_in, set_of, stem_of
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.outline import HALF, filled, has_holes, traced
from napari_defectseg.datasets.views import views, write_picture
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

FOLDERS = {"train": "train", "validation": "val", "test": "test"}
Line = tuple[str, np.ndarray[Any, Any]]


def recognise(path: Path) -> bool:
    """Return whether ``images`` and ``labels`` hold pictures and text files of outlines."""
    return path.is_dir() and (path / "images").is_dir() and bool(_labels(path))


def _labels(path: Path) -> dict[tuple[str, ...], Path]:
    folder = path / "labels"
    if not folder.is_dir():
        return {}
    return {
        (*file.parent.relative_to(folder).parts, file.stem): file for file in folder.rglob("*.txt")
    }


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all images; one without a text file has no objects.

    Raises
    ------
    DatasetError
        If a text file cannot be read, or holds boxes instead of outlines.
    """
    labels = _labels(path)
    names = _names(path)
    counts: dict[str, int] = dict.fromkeys(names, 0)
    items = []
    for image in pictures_in(path / "images"):
        place = image.parent.relative_to(path / "images").parts
        file = labels.get((*place, stem_of(image)))
        lines = [] if file is None else _lines(file)
        for key, _ in lines:
            counts[key] = counts.get(key, 0) + 1
        read = partial(_truth, lines, file or image)
        items.append(
            Item(stem_of(image), image, partial(open_image, image), read, set_of(image, path))
        )
    order = sorted(counts, key=int)
    marks = tuple(Mark(key, names.get(key, ""), "", counts[key]) for key in order)
    return Found(marks, tuple(items))


def _names(path: Path) -> dict[str, str]:
    """Return the names in ``data.yaml``: a list, or number to name."""
    import yaml

    for file in sorted([*path.glob("*.yaml"), *path.glob("*.yml")]):
        try:
            words = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{file} cannot be read: {error}.") from error
        stated = words.get("names") if isinstance(words, dict) else None
        if isinstance(stated, list):
            return {str(n): str(name) for n, name in enumerate(stated)}
        if isinstance(stated, dict):
            return {str(key): str(name) for key, name in stated.items()}
    return {}


def _lines(file: Path) -> list[Line]:
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            key, points = str(int(words[0])), np.asarray(words[1:], float)
        except ValueError as error:
            raise DatasetError(f"Line {number} of {file} cannot be read: {error}.") from error
        if points.size < 6 or points.size % 2:
            raise DatasetError(
                f"Line {number} of {file} is no outline.",
                hint="Boxes say where an object is, not which pixels it has; they cannot be used.",
            )
        found.append((key, points.reshape(-1, 2)))
    return found


def _truth(lines: list[Line], file: Path, image: CalibratedImage, meaning: Meaning) -> Truth:
    if len(image.label_shape) != 2:
        raise DatasetError(f"{file} labels a flat picture; {image.name} is none.")
    size = (image.label_shape[0], image.label_shape[1])
    canvas = Canvas(size, meaning, file.name)
    for key, points in lines:
        rows, columns = filled(points[:, ::-1] * size - HALF, size)
        canvas.add(Shape(key, rows, columns))
    return canvas.truth()


def write_steps(dataset: Dataset, out: Path) -> Steps[list[str]]:
    """Write pictures of 8 bit and outlines; each part of an object is a line of its own."""
    pairs = [pair for pair in dataset.pairs() if pair.split != "unused"]
    holes = hidden = 0
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), "writing for YOLO")
        folder = FOLDERS.get(pair.split or "", "train")
        for view in views(pair):
            write_picture(view.pixels, out / "images" / folder, view.name, eight_bit=True)
            size = np.asarray(view.pixels.shape[:2], float)
            lines = []
            for value, mask in view.objects(dataset.classes):
                holes += has_holes(mask)
                key = dataset.classes.values.index(value)
                lines += [_line(key, outline, size) for outline in _outer(mask)]
            hidden += int(view.unlabelled.any())
            text = "".join(f"{line}\n" for line in lines)
            write_text(out / "labels" / folder / f"{view.name}.txt", text)
    _write_card(dataset, out)
    notes = []
    if holes:
        notes.append(f"{holes} objects have holes, which YOLO's outlines fill.")
    if hidden:
        notes.append(f"{hidden} pictures have unlabelled pixels, which YOLO takes for background.")
    return notes


def _outer(mask: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    from scipy.ndimage import binary_fill_holes

    return traced(binary_fill_holes(mask))


def _line(key: int, outline: np.ndarray[Any, Any], size: np.ndarray[Any, Any]) -> str:
    places = ((outline + HALF) / size)[:, ::-1].ravel()
    return f"{key} {' '.join(f'{value:.8f}' for value in places)}"


def _write_card(dataset: Dataset, out: Path) -> None:
    import yaml

    there = {pair.split for pair in dataset.pairs()}
    words: dict[str, Any] = {"path": ".", "train": "images/train"}
    for split, name in FOLDERS.items():
        if split in there:
            words[name] = f"images/{name}"
    words.setdefault("val", "images/train")
    words["names"] = dict(enumerate(dataset.classes.names))
    write_text(out / "data.yaml", yaml.safe_dump(words, sort_keys=False, allow_unicode=True))

"""COCO: one JSON file with images, categories and the outlines or run lengths of objects."""

from __future__ import annotations

import json
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
from napari_defectseg.datasets.matching import SETS, image_named
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.outline import HALF, filled_mask, has_holes, traced
from napari_defectseg.datasets.runlength import counts_of, mask_of
from napari_defectseg.datasets.views import View, views, write_picture
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

NEEDED = ("images", "annotations", "categories")


def recognise(path: Path) -> bool:
    """Return whether it is a COCO file, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    candidates = [path] if path.is_file() else sorted(path.rglob("*.json"))
    return [file for file in candidates if file.suffix.lower() == ".json" and _is_coco(file)]


def _is_coco(file: Path) -> bool:
    try:
        words = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(words, dict) and all(isinstance(words.get(k), list) for k in NEEDED)


def find(path: Path, settings: ImportSettings) -> Found:
    """Return the images of all COCO files, with the objects of each.

    Raises
    ------
    DatasetError
        If there is no such file, or an image that it names is missing.
    """
    files = _files(path)
    if not files:
        raise DatasetError(f"{path} holds no COCO file: JSON with {', '.join(NEEDED)}.")
    folder = path if path.is_dir() else path.parent
    counts: dict[str, int] = {}
    items: list[Item] = []
    for file in files:
        words = json.loads(file.read_text(encoding="utf-8"))
        items += _items(words, file, folder, counts)
    marks = tuple(Mark(name, name, "", count) for name, count in counts.items())
    return Found(marks, tuple(items))


def _items(words: dict[str, Any], file: Path, folder: Path, counts: dict[str, int]) -> list[Item]:
    try:
        names = {entry["id"]: str(entry["name"]) for entry in words["categories"]}
        for name in names.values():
            counts.setdefault(name, 0)
        objects: dict[Any, list[dict[str, Any]]] = {}
        for entry in words["annotations"]:
            counts[names[entry["category_id"]]] += 1
            objects.setdefault(entry["image_id"], []).append(
                {**entry, "name": names[entry["category_id"]]}
            )
        found = []
        for entry in words["images"]:
            image = image_named(folder, str(entry["file_name"]), file)
            size = (int(entry["height"]), int(entry["width"]))
            read = partial(_truth, objects.get(entry["id"], []), size, file)
            split = SETS.get(file.stem.lower().split("_")[-1]) or SETS.get(
                file.stem.lower().split("_")[0]
            )
            found.append(Item(image.stem, image, partial(open_image, image), read, split))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{file} is no complete COCO file: {error!r}.") from error
    return found


def _truth(
    objects: list[dict[str, Any]],
    size: tuple[int, int],
    file: Path,
    image: CalibratedImage,
    meaning: Meaning,
) -> Truth:
    if image.label_shape != size:
        raise DatasetError(
            f"{file} says that {image.name} has {size[0]} × {size[1]} pixels; it has "
            f"{' × '.join(map(str, image.label_shape))}."
        )
    canvas = Canvas(size, meaning, f"{file.name}, {image.name}")
    for entry in objects:
        rows, columns = np.nonzero(_pixels(entry, size, file))
        canvas.add(Shape(entry["name"], rows, columns, ignored=bool(entry.get("iscrowd"))))
    return canvas.truth()


def _pixels(entry: dict[str, Any], size: tuple[int, int], file: Path) -> np.ndarray[Any, Any]:
    stated = entry.get("segmentation")
    mask = np.zeros(size, bool)
    if isinstance(stated, dict):
        return mask_of(stated["counts"], stated.get("size", size))
    for points in stated or []:
        corners = np.asarray(points, float).reshape(-1, 2)[:, ::-1] - HALF
        mask |= filled_mask(corners, size)
    if not stated:
        raise DatasetError(
            f"{file}: object {entry.get('id')} has a box but no outline.",
            hint="Boxes say where an object is, not which pixels it has; they cannot be used.",
        )
    return mask


def write_steps(dataset: Dataset, out: Path) -> Steps[list[str]]:
    """Write ``images`` and ``annotations/instances_SET.json``; slices become pictures.

    Objects without holes are outlines, others run lengths; both give back the same pixels.
    What is unlabelled becomes a crowd of the first class, which COCO's scores leave out.
    """
    documents: dict[str, dict[str, Any]] = {}
    pairs = dataset.pairs()
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), "writing COCO")
        document = documents.setdefault(pair.split or "all", _empty(dataset))
        for view in views(pair):
            _describe(view, dataset, document, out)
    for name, document in documents.items():
        write_text(out / "annotations" / f"instances_{name}.json", json.dumps(document))
    return []


def _empty(dataset: Dataset) -> dict[str, Any]:
    categories = [
        {"id": item.value, "name": item.name, "supercategory": "defect"} for item in dataset.classes
    ]
    about = {"description": dataset.name, "licence": dataset.card.licence}
    return {"info": about, "images": [], "annotations": [], "categories": categories}


def _describe(view: View, dataset: Dataset, document: dict[str, Any], out: Path) -> None:
    path = write_picture(view.pixels, out / "images", view.name)
    height, width = view.pixels.shape[:2]
    image_id = len(document["images"]) + 1
    document["images"].append(
        {"id": image_id, "file_name": path.name, "height": height, "width": width}
    )
    for value, mask in view.objects(dataset.classes):
        document["annotations"].append(_object(document, image_id, value, mask))
    if view.unlabelled.any():
        crowd = _object(document, image_id, dataset.classes.values[0], view.unlabelled, crowd=True)
        document["annotations"].append(crowd)


def _object(
    document: dict[str, Any],
    image_id: int,
    value: int,
    mask: np.ndarray[Any, Any],
    *,
    crowd: bool = False,
) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    y, x = int(rows.min()), int(columns.min())
    height, width = int(rows.max()) - y + 1, int(columns.max()) - x + 1
    segmentation: Any
    if crowd or has_holes(mask[y : y + height, x : x + width]):
        segmentation = {"size": list(mask.shape), "counts": counts_of(mask)}
    else:
        outlines = traced(mask[y : y + height, x : x + width])
        segmentation = [(c + np.array([y, x]) + HALF)[:, ::-1].ravel().tolist() for c in outlines]
    return {
        "id": len(document["annotations"]) + 1,
        "image_id": image_id,
        "category_id": value,
        "iscrowd": int(crowd),
        "area": int(rows.size),
        "bbox": [x, y, width, height],
        "segmentation": segmentation,
    }

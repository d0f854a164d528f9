"""One black and white picture a class: folders of classes, or names that end in the class."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import (
    ENDINGS,
    IMAGES,
    MASKS,
    SETS,
    folder_named,
    pictures_in,
    set_of,
    stem_of,
)
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

CLASSES = "classes.json"
"""Written beside our own export; only there grey means unlabelled."""
GREY = 128


def recognise(path: Path) -> bool:
    """Return whether every image of ``images`` has class pictures in ``masks``."""
    return path.is_dir() and bool(_planes(path))


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all images with their class pictures.

    Raises
    ------
    DatasetError
        If none of the three arrangements fits.
    """
    planes = _planes(path)
    if not planes:
        raise DatasetError(
            f"{path} does not hold one picture a class.",
            hint="masks/CLASS/NAME.png, masks/NAME/CLASS.png or masks/NAME_CLASS.png.",
        )
    counts: dict[str, int] = {}
    for found in planes.values():
        for name in found:
            counts[name] = counts.get(name, 0) + 1
    told = _told(path)
    order = [*(name for name in told if name in counts), *sorted(set(counts) - set(told))]
    marks = tuple(Mark(name, name, told.get(name, ""), counts[name], "pictures") for name in order)
    ours = (path / CLASSES).is_file()
    items = tuple(
        Item(stem_of(image), image, partial(open_image, image),
             partial(_truth, found, ours), set_of(image, path))
        for image, found in planes.items()
    )  # fmt: skip
    return Found(marks, items, exclusive=not _overlap(planes, ours))


def _planes(path: Path) -> dict[Path, dict[str, Path]]:
    images, masks = folder_named(path, IMAGES), folder_named(path, MASKS)
    if images is None or masks is None:
        return {}
    named = {stem_of(image): image for image in pictures_in(images)}
    found: dict[Path, dict[str, Path]] = {}
    for mask in pictures_in(masks):
        image, name = _belongs(mask, masks, named)
        if image is not None:
            found.setdefault(image, {})[name] = mask
    one_each = all(len(each) == 1 for each in found.values())
    names = {name for each in found.values() for name in each}
    # Masks of the images' own names in a folder of sets are no class pictures.
    return {} if one_each and len(names) < 2 and not _in_class_folders(masks) else found


def _in_class_folders(masks: Path) -> bool:
    folders = [p for p in masks.iterdir() if p.is_dir() and pictures_in(p)]
    return bool(folders) and not any(p.name.lower() in SETS for p in folders)


def _belongs(mask: Path, masks: Path, named: dict[str, Path]) -> tuple[Path | None, str]:
    stem, above = stem_of(mask), mask.parent.name
    inside = mask.parent != masks
    if inside and stem in named and above.lower() not in SETS:
        return named[stem], above
    if inside and above in named:
        return named[above], stem.removeprefix(f"{above}_")
    if stem in named:
        return None, ""
    for name in sorted(named, key=len, reverse=True):
        rest = stem.removeprefix(name)
        spoken = rest.lower() not in ENDINGS and any(map(str.isalpha, rest))
        if rest != stem and rest[:1] in ("_", "-") and spoken:
            return named[name], rest[1:]
    return None, ""


def _told(path: Path) -> dict[str, str]:
    """Return names and colours in the order of our ``classes.json``, if there is one."""
    try:
        words = json.loads((path / CLASSES).read_text(encoding="utf-8"))
        return {str(item["name"]): str(item["colour"]) for item in words["classes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _overlap(planes: dict[Path, dict[str, Path]], ours: bool) -> bool:
    """Return whether any pixel has two classes."""
    for found in planes.values():
        seen = None
        for path in found.values():
            here = open_image(path).read() > (GREY if ours else 0)
            if seen is not None and seen.shape == here.shape and (seen & here).any():
                return True
            seen = here if seen is None or seen.shape != here.shape else seen | here
    return False


def _truth(found: dict[str, Path], ours: bool, image: CalibratedImage, meaning: Meaning) -> Truth:
    classes = meaning.classes
    front = () if classes.exclusive else (len(classes),)
    mask = np.zeros(front + image.label_shape, np.uint8)
    for name, path in found.items():
        value = meaning.value(name, str(path))
        opened = open_image(path)
        plane = opened.read()
        if "c" in opened.axes:
            plane = plane.max(axis=opened.axes.index("c"))
        if plane.shape != image.label_shape:
            raise DatasetError(
                f"{path} has the shape {plane.shape}; its image needs {image.label_shape}."
            )
        hidden = plane == GREY if ours else np.zeros(plane.shape, bool)
        shown = (plane > 0) & ~hidden
        at = slice(None) if value not in classes.values else classes.values.index(value)
        if classes.exclusive:
            mask[shown], mask[hidden] = value, UNLABELLED
        else:
            mask[at, shown] = 1 if value in classes.values else value
            mask[at, hidden] = UNLABELLED
    return Truth(mask)

"""Folders of images and masks: palette, colour or numbers; and the same written plainly."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.classes import BACKGROUND, UNLABELLED, ClassMap
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import (
    ENDINGS,
    IMAGES,
    MASKS,
    by_stem,
    folder_named,
    pictures_in,
    set_of,
    stem_of,
)
from napari_defectseg.datasets.meaning import NOT_LOOKED_AT, NOTHING, Mark, Meaning
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image

Array = np.ndarray[Any, Any]
MOST = 64
"""More marks than this are no classes but smeared colours."""
CLASSES = "classes.json"
"""Ours: values, names and colours beside exported pairs."""
GREY = 128
"""In our black and white masks: nobody looked."""


def recognise(path: Path) -> bool:
    """Return whether there are masks beside images, in folders or by their names."""
    return path.is_dir() and bool(_matched(path))


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all pairs, and every colour or number that the masks hold with its share.

    Raises
    ------
    DatasetError
        If there are no pairs, or the masks are smeared.
    """
    matched = _matched(path)
    if not matched:
        raise DatasetError(
            f"{path} holds no images with masks of the same name.",
            hint="Put them into the folders images and masks, or call a mask NAME_mask.png.",
        )
    lonely = [key for key, (image, mask) in matched.items() if image is None or mask is None]
    pairs = {key: (i, m) for key, (i, m) in matched.items() if i is not None and m is not None}
    told = _told(path)
    items = tuple(
        Item(stem_of(image), image, partial(open_image, image), partial(_truth, mask),
             set_of(image, path))
        for image, mask in pairs.values()
    )  # fmt: skip
    notes = (f"{len(lonely)} without a partner left out: {', '.join(lonely[:5])}.",)
    return Found(
        _marks([mask for _, mask in pairs.values()], told), items, notes=notes if lonely else ()
    )


def _matched(path: Path) -> dict[str, tuple[Path | None, Path | None]]:
    images, masks = folder_named(path, IMAGES), folder_named(path, MASKS)
    if images is not None and masks is not None:
        one, other = by_stem(pictures_in(images), images), by_stem(pictures_in(masks), masks)
        if not set(one) & set(other):
            return {}
        return {key: (one.get(key), other.get(key)) for key in dict.fromkeys([*one, *other])}
    everything = pictures_in(path, deep=False)
    labels = [p for p in everything if stem_of(p).lower().endswith(ENDINGS)]
    one = by_stem((p for p in everything if p not in labels), path)
    other = by_stem(labels, path)
    return {key: (one.get(key), mask) for key, mask in other.items()}


def _told(path: Path) -> dict[str, dict[str, str]]:
    """Return what a ``classes.json`` of ours says about the numbers."""
    try:
        words = json.loads((path / CLASSES).read_text(encoding="utf-8"))
        return {str(item["value"]): item for item in words["classes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _marks(masks: list[Path], told: dict[str, dict[str, str]]) -> tuple[Mark, ...]:
    counts: Counter[str] = Counter()
    colours: dict[str, str] = {}
    for path in masks:
        keys, inverse, palette = marked(path)
        counts.update(dict(zip(keys, np.bincount(inverse.ravel()).tolist(), strict=False)))
        colours |= palette
        if len(counts) > MOST:
            raise DatasetError(
                f"{path} is no mask: more than {MOST} colours or numbers were met up to it.",
                hint="Masks saved as JPEG have smeared colours; use PNG or TIFF.",
            )
    total = sum(counts.values())
    only = {"0", "255"} == set(counts) or {"255"} == set(counts)
    marks = []
    for key in sorted(counts, key=_order):
        stated = told.get(key, {})
        name = NOTHING if key in ("0", "#000000") else stated.get("name", "")
        if key == "255" and not only and not name:
            name = NOT_LOOKED_AT
        colour = stated.get("colour", "") or colours.get(key, "")
        marks.append(Mark(key, name, colour, counts[key] / total, "pixels"))
    return tuple(marks)


def _order(key: str) -> tuple[int, str]:
    return (0, f"{int(key):06d}") if key.isdigit() else (1, key)


def marked(path: Path) -> tuple[list[str], Array, dict[str, str]]:
    """Return the marks of a mask: keys, the index of each pixel's key, colours of keys.

    A palette counts as numbers with colours; colour pictures as colours; alpha is ignored.

    Raises
    ------
    DatasetError
        If it holds fractions.
    """
    palette: dict[str, str] = {}
    if path.suffix.lower() in (".png", ".bmp"):
        from PIL import Image

        with Image.open(path) as picture:
            if picture.mode == "P":
                colours = np.asarray(picture.getpalette() or [], np.uint8).reshape(-1, 3)
                palette = {str(n): _hex(colour) for n, colour in enumerate(colours)}
                return *_numbers(np.asarray(picture)), palette
            if picture.mode == "1":
                return *_numbers(np.asarray(picture.convert("L"))), {}
    opened = open_image(path)
    array = opened.read()
    if "c" in opened.axes:
        return _colours(np.moveaxis(array, opened.axes.index("c"), -1))
    if array.dtype.kind == "f" and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise DatasetError(f"{path} holds {array.dtype} and is no mask of whole numbers.")
    return *_numbers(array), {}


def _numbers(array: Array) -> tuple[list[str], Array]:
    values, inverse = np.unique(array, return_inverse=True)
    return [str(int(value)) for value in values], inverse.reshape(array.shape)


def _colours(array: Array) -> tuple[list[str], Array, dict[str, str]]:
    rgb = array[..., :3].astype(np.uint32)
    packed = (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., -1]
    if rgb.shape[-1] == 3 and (rgb == rgb[..., :1]).all():
        return *_numbers(rgb[..., 0]), {}
    values, inverse = np.unique(packed, return_inverse=True)
    keys = [f"#{int(value):06x}" for value in values]
    return keys, inverse.reshape(packed.shape), {key: key for key in keys}


def _hex(colour: Array) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)


def _truth(path: Path, image: CalibratedImage, meaning: Meaning) -> Truth:
    keys, inverse, _ = marked(path)
    if inverse.shape != image.label_shape:
        raise DatasetError(
            f"{path} has the shape {inverse.shape}; its image {image.name} needs "
            f"{image.label_shape}."
        )
    values = np.asarray([meaning.value(key, str(path)) for key in keys], np.uint8)
    mask = values[inverse]
    if meaning.classes.exclusive:
        return Truth(mask)
    planes = [np.where(mask == UNLABELLED, UNLABELLED, mask == v) for v in meaning.classes.values]
    return Truth(np.stack(planes).astype(np.uint8))


def write_steps(dataset: Dataset, out: Path) -> Steps[list[str]]:
    """Write ``images`` and ``masks`` of numbers, and ``classes.json``; one folder a set.

    Pictures of one plane and 8 bit become PNG, with the classes' colours as palette; the rest
    becomes TIFF. Overlapping classes get a black and white mask each, grey where unlabelled.
    """
    pairs = dataset.pairs()
    text = json.dumps(dataset.classes.as_dict(), indent=2, ensure_ascii=False)
    write_text(out / CLASSES, text + "\n")
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), "writing pairs")
        image, mask = pair.image(), pair.mask()
        place = Path(pair.split) if pair.split in ("train", "validation", "test") else Path()
        _write_image(image, out / "images" / place, pair.id)
        if dataset.classes.exclusive:
            _write_mask(mask, image, dataset.classes, out / "masks" / place, pair.id)
            continue
        for item, plane in zip(dataset.classes, mask, strict=True):
            shown = np.where(plane == UNLABELLED, GREY, plane * np.uint8(255)).astype(np.uint8)
            folder = out / "masks" / place / pair.id
            _write_mask(shown, image, None, folder, item.name)
    return []


def _write_image(image: CalibratedImage, folder: Path, name: str) -> None:
    from napari_defectseg.images.save import save_image

    plane = image.axes in (("y", "x"), ("y", "x", "c")) and image.channels in (1, 3)
    small = image.dtype == np.uint8 and plane
    save_image(image, folder / f"{name}{'.png' if small else '.tif'}")


def _write_mask(
    mask: Array, image: CalibratedImage, classes: ClassMap | None, folder: Path, name: str
) -> None:
    from napari_defectseg.images.save import save_array

    if mask.ndim == 2 and classes is not None:
        write_palette(mask, classes, folder / f"{name}.png")
        return
    path = folder / f"{name}{'.png' if mask.ndim == 2 else '.tif'}"
    save_array(mask, path, axes=image.label_axes, calibration=image.calibration, name=name)


def write_palette(mask: Array, classes: ClassMap, path: Path) -> None:
    """Write a mask of class values as PNG whose palette holds the classes' colours."""
    from PIL import Image

    from napari_defectseg.core.atomic import atomic_path

    colours = np.zeros((256, 3), np.uint8)
    colours[UNLABELLED] = 128
    colours[BACKGROUND] = 0
    for item in classes:
        colours[item.value] = [int(item.colour[k : k + 2], 16) for k in (1, 3, 5)]
    picture = Image.fromarray(mask)
    picture.putpalette(colours.ravel().tolist())
    with atomic_path(path, overwrite=False) as part, part.open("wb") as file:
        picture.save(file, format="PNG")

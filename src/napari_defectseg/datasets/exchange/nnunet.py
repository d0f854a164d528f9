"""nnU-Net raw: ``imagesTr``, ``labelsTr`` and ``dataset.json``, one file a channel."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset, Split
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.matching import natural
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.datasets.volumefile import open_volume
from napari_defectseg.images.image import CalibratedImage

Array = np.ndarray[Any, Any]
CARD = "dataset.json"
SETS: tuple[tuple[str, Split | None], ...] = (("Tr", None), ("Ts", "test"))


def recognise(path: Path) -> bool:
    """Return whether it is a folder of nnU-Net's raw data."""
    return (path / CARD).is_file() and (path / "imagesTr").is_dir() and _card(path) is not None


def _card(path: Path) -> dict[str, Any] | None:
    try:
        words = json.loads((path / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = isinstance(words, dict) and isinstance(words.get("labels"), dict)
    return words if fits else None


def find(path: Path, settings: ImportSettings) -> Found:
    """Return all cases that have labels; those of ``labelsTs`` go to the test set.

    Raises
    ------
    DatasetError
        If the folder is incomplete.
    """
    words = _card(path)
    if words is None:
        raise DatasetError(f"{path} has no {CARD} with labels, as nnU-Net writes it.")
    labels = _labels(words["labels"], path)
    ending = str(words.get("file_ending", ".nii.gz"))
    channels = words.get("channel_names", words.get("modality", {"0": ""}))
    items: list[Item] = []
    for name, split in SETS:
        items += _items(path, name, split, ending, len(channels), labels)
    if not items:
        raise DatasetError(f"{path} has no labels that end in {ending}.")
    ignored = words["labels"].get("ignore")
    marks = [
        Mark(name, "background" if values == [0] else name)
        for name, values in labels.items()
        if name != "ignore"
    ]
    if ignored is not None:
        marks.append(Mark("ignore", "unlabelled"))
    several = any(len(values) > 1 for values in labels.values())
    return Found(tuple(marks), tuple(items), exclusive=not several)


def _labels(stated: dict[str, Any], path: Path) -> dict[str, list[int]]:
    """Return the values of each name; the older form has them the other way round."""
    try:
        if all(str(key).isdigit() for key in stated):
            return {str(name): [int(key)] for key, name in stated.items()}
        return {
            str(name): [int(v) for v in value] if isinstance(value, list) else [int(value)]
            for name, value in stated.items()
        }
    except (TypeError, ValueError) as error:
        raise DatasetError(f"The labels in {path / CARD} cannot be read: {error}.") from error


def _items(
    path: Path,
    name: str,
    split: Split | None,
    ending: str,
    channels: int,
    labels: dict[str, list[int]],
) -> list[Item]:
    found = []
    for label in sorted((path / f"labels{name}").glob(f"*{ending}"), key=natural):
        case = label.name.removesuffix(ending)
        files = [path / f"images{name}" / f"{case}_{n:04d}{ending}" for n in range(channels)]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise DatasetError(f"{path / f'images{name}'} lacks {', '.join(missing)}.")
        read = partial(_truth, label, labels)
        found.append(Item(case, files[0], partial(_image, files, case), read, split))
    return found


def _image(files: list[Path], case: str) -> CalibratedImage:
    first = open_volume(files[0])
    if len(files) == 1:
        return first
    stack = np.stack([open_volume(file).read() for file in files], axis=-1)
    axes = (*first.axes, "c")
    return CalibratedImage(stack, axes, first.calibration, case, first.origin)


def _truth(
    label: Path, labels: dict[str, list[int]], image: CalibratedImage, meaning: Meaning
) -> Truth:
    array = open_volume(label).read()
    if array.size != np.prod(image.label_shape):
        raise DatasetError(
            f"{label} has the shape {array.shape}; its image needs {image.label_shape}."
        )
    array = array.reshape(image.label_shape)
    classes = meaning.classes
    known = {value for values in labels.values() for value in values}
    strange = sorted(set(np.unique(array).tolist()) - known)
    if strange:
        raise DatasetError(f"{label} holds {strange}, which {CARD} does not name.")
    front = () if classes.exclusive else (len(classes),)
    mask = np.zeros(front + array.shape, np.uint8)
    for name, values in labels.items():
        value = meaning.value(name, str(label))
        here = np.isin(array, values)
        if classes.exclusive:
            mask[here] = value
        elif value in classes.values:
            mask[classes.values.index(value)][here] = 1
        elif value == UNLABELLED:
            mask[:, here] = value
    return Truth(mask)


def write_steps(dataset: Dataset, out: Path) -> Steps[list[str]]:
    """Write raw data for nnU-Net: test pairs as ``Ts``, all others as ``Tr``.

    Volumes become NRRD, pictures TIFF; the values of classes become 1, 2, …, and what is
    unlabelled nnU-Net's own ``ignore`` label.

    Raises
    ------
    DatasetError
        If classes overlap: nnU-Net has no such masks.
    """
    if not dataset.classes.exclusive:
        raise DatasetError(
            f"{dataset.path} has classes that overlap, which nnU-Net cannot hold.",
            hint="Export it as COCO or as pairs.",
        )
    pairs = [pair for pair in dataset.pairs() if pair.split != "unused"]
    ending = ".nrrd" if any("z" in pair.axes or "t" in pair.axes for pair in pairs) else ".tif"
    counts = {"Tr": 0, "Ts": 0}
    hidden = any(pair.event.pixels.get("unlabelled") for pair in pairs)
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), "writing raw data for nnU-Net")
        name = "Ts" if pair.split == "test" else "Tr"
        counts[name] += 1
        _write(pair, dataset, out, name, ending)
    labels = {"background": 0, **{item.name: n for n, item in enumerate(dataset.classes, 1)}}
    if hidden:
        labels["ignore"] = len(labels)
    image = pairs[0].image()
    document = {
        "name": dataset.name,
        "channel_names": {str(n): "grey" for n in range(image.channels)},
        "labels": labels,
        "numTraining": counts["Tr"],
        "file_ending": ending,
        "licence": dataset.card.licence,
    }
    write_text(out / CARD, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return (
        [] if ending == ".nrrd" else ["The pixel size of flat pictures is not in nnU-Net's form."]
    )


def _write(pair: Pair, dataset: Dataset, out: Path, name: str, ending: str) -> None:
    from napari_defectseg.images.save import save_array

    case = re.sub(r"[^A-Za-z0-9-]+", "-", pair.id)
    image = pair.image()
    pixels = image.read()
    if "c" in image.axes:
        pixels = np.moveaxis(pixels, image.axes.index("c"), 0)
    else:
        pixels = pixels[np.newaxis]
    axes, calibration = image.label_axes, image.calibration
    for number, channel in enumerate(pixels):
        path = out / f"images{name}" / f"{case}_{number:04d}{ending}"
        save_array(channel, path, axes=axes, calibration=calibration, name=case)
    lookup = np.zeros(256, np.uint8)
    for number, value in enumerate(dataset.classes.values, start=1):
        lookup[value] = number
    lookup[UNLABELLED] = len(dataset.classes) + 1
    path = out / f"labels{name}" / f"{case}{ending}"
    save_array(lookup[pair.mask()], path, axes=axes, calibration=calibration, name=case)

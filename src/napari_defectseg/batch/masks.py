"""Masks on disk to compare: single files, folders of them, results, datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.atomic import BESIDE
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, MeasurementError
from napari_defectseg.datasets.card import CARD
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.images.collection import STORES
from napari_defectseg.images.open import can_open, open_image
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.stored import StoredResult, labels_from, read_result

Masks: TypeAlias = LabelMap | np.ndarray[Any, Any]
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Opened:
    """A mask that has been read.

    Parameters
    ----------
    masks : LabelMap or ndarray
        Objects with their classes where those are known, else the values of the file.
    calibration : Calibration
    planes : bool
        Whether the first axis of an array is the class.
    """

    masks: Masks
    calibration: Calibration
    planes: bool = False


@dataclass(frozen=True)
class MaskOnDisk:
    """One mask, known by its name, read when asked for.

    Parameters
    ----------
    stem : str
        What it is matched by.
    path : Path
        For messages.
    read : callable
    """

    stem: str
    path: Path
    read: Callable[[], Opened]


def masks_in(path: str | Path) -> dict[str, MaskOnDisk]:
    """Return what can be compared at `path`, by stem.

    Parameters
    ----------
    path : path
        A mask, a folder of masks, a result folder (or that of one image in it), or a dataset.

    Raises
    ------
    FileMissing
        If nothing is there.
    MeasurementError
        If a folder holds no masks, or two of one name.
    """
    place = Path(path)
    if not place.exists():
        raise FileMissing(f"{place} is not there.", hint="Check the name and the folder.")
    if not place.is_dir() or place.suffix.lower() in STORES:
        return _by_stem([_of_file(place)], place)
    if (place / CARD).is_file():
        return _by_stem((_of_pair(pair) for pair in Dataset.open(place).pairs()), place)
    if (place / SUMMARY).is_file() or any(place.glob(f"*/{SUMMARY}")):
        return _by_stem((_of_result(found) for found in read_result(place)[1]), place)
    files = sorted(
        item
        for item in place.iterdir()
        if not item.name.startswith((".", BESIDE))
        and (item.is_file() or item.suffix.lower() in STORES)
        and can_open(item)
    )
    return _by_stem((_of_file(file) for file in files), place)


def _by_stem(found: Iterable[MaskOnDisk], place: Path) -> dict[str, MaskOnDisk]:
    known: dict[str, MaskOnDisk] = {}
    for mask in found:
        if mask.stem in known:
            raise MeasurementError(
                f"{known[mask.stem].path} and {mask.path} have the same name.",
                hint="Keep one mask of each name in the folder.",
            )
        known[mask.stem] = mask
    if not known:
        raise MeasurementError(f"{place} holds no masks.", hint="Give the folder they lie in.")
    return known


def _of_file(path: Path) -> MaskOnDisk:
    if (path.parent / SUMMARY).is_file() and path.name.startswith(("mask.", "labels.")):
        return _of_result(read_result(path.parent)[1][0])

    def read() -> Opened:
        picture = open_image(path)
        if "c" in picture.axes and picture.axes[0] != "c":
            raise MeasurementError(
                f"{path} is a colour picture, not a mask.",
                hint="Give a mask with one number a pixel, or planes in front.",
            )
        return Opened(picture.read(), picture.calibration, "c" in picture.axes)

    return MaskOnDisk(stem_of(path), path, read)


def _of_result(found: StoredResult) -> MaskOnDisk:
    def read() -> Opened:
        labels = found.labels()
        return Opened(labels, labels.calibration)

    return MaskOnDisk(found.folder.name, found.folder, read)


def _of_pair(pair: Pair) -> MaskOnDisk:
    def read() -> Opened:
        axes = tuple(name for name in pair.axes if name != "c")
        mask, objects = pair.mask(), pair.instances()
        if objects is None:
            labels = from_mask(mask, pair.classes, axes, pair.calibration)
        else:
            labels = labels_from(objects, mask, pair.classes, axes, pair.calibration)
        return Opened(labels, pair.calibration)

    return MaskOnDisk(pair.id, pair.path("mask") or pair.folder, read)

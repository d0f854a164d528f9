"""`Found`: a dataset of another program, looked at but not yet read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_defectseg.core.progress import Steps
from napari_defectseg.core.registry import Registry
from napari_defectseg.datasets.dataset import Dataset, Split
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.images.image import CalibratedImage

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Truth:
    """What foreign labels say about one image.

    Parameters
    ----------
    mask : ndarray of uint8
        Class values, or class planes of 0, 1, 255 where classes overlap.
    instances : ndarray of int32 or None
        Objects in the same layout, where the labels tell them apart.
    notes : tuple of str
        What could not be kept.
    """

    mask: Array
    instances: Array | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One image with its labels.

    Parameters
    ----------
    name : str
    path : Path
        Of the image, for its specimen and origin.
    image : callable
        Opens the image.
    truth : callable
        Reads its labels, given the opened image and what the marks mean.
    split : str or None
        The set that the files put it into.
    detail : mapping
        Kept with the pair's origin.
    """

    name: str
    path: Path
    image: Callable[[], CalibratedImage]
    truth: Callable[[CalibratedImage, Meaning], Truth]
    split: Split | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a folder or file holds.

    Parameters
    ----------
    marks : tuple of Mark
        Everything that stands for a class.
    items : tuple of Item
    exclusive : bool
        False where one pixel may have several marks by the form of the labels.
    notes : tuple of str
        What was left out, and why.
    """

    marks: tuple[Mark, ...]
    items: tuple[Item, ...]
    exclusive: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportSettings:
    """How foreign labels are read.

    Parameters
    ----------
    form : str
        Name of the form; ``"auto"``: recognised.
    names : mapping of str to str
        Mark (colour, number or name) to the name of a class.
    overlapping : bool
        Whether objects of two classes may overlap.
    specimen_of : str
        Where the specimen stands in the path of an image, as for ``measure``.
    every : int
        Of the layers of a build, take one in so many.
    part : str
        Which camera picture of a build.
    licence : str
        Under what terms the data may be used.
    """

    form: str = "auto"
    names: Mapping[str, str] = field(default_factory=dict)
    overlapping: bool = False
    specimen_of: str = ""
    every: int = 1
    part: str = ""
    licence: str = ""


class Form(Protocol):
    """A form that can be read; a module of `datasets.exchange` is one."""

    def recognise(self, path: Path) -> bool:
        """Return whether the folder or file has this form."""

    def find(self, path: Path, settings: ImportSettings) -> Found:
        """Look at everything in it; read no image."""


class Writer(Protocol):
    """A form that can be written."""

    def write_steps(self, dataset: Dataset, out: Path) -> Steps[list[str]]:
        """Write all pairs into the empty folder `out`; return what could not be kept."""


ROOM = "napari_defectseg.datasets.exchange"
FORMS: Registry[Form] = Registry(
    "form of labels",
    {
        "peregrine": f"{ROOM}.peregrine",
        "nnunet": f"{ROOM}.nnunet",
        "yolo": f"{ROOM}.yolo",
        "coco": f"{ROOM}.coco",
        "labelme": f"{ROOM}.labelme",
        "napari": f"{ROOM}.napari_shapes",
        "imagej": f"{ROOM}.imagej",
        "planes": f"{ROOM}.planes",
        "pairs": f"{ROOM}.pairs",
    },
)
"""In the order in which they are asked whether they know a folder: the surest first."""
WRITERS: Registry[Writer] = Registry(
    "form of export",
    {
        "coco": f"{ROOM}.coco",
        "nnunet": f"{ROOM}.nnunet",
        "yolo": f"{ROOM}.yolo",
        "pairs": f"{ROOM}.pairs",
    },
)

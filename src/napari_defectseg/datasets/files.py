"""The files of a pair: written whole, hashed as they lie on the disk, taken back on failure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_path, not_saved
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.datasets.cut import Cut
from napari_defectseg.datasets.manifest import ROLES, Event, Manifest
from napari_defectseg.images.image import CalibratedImage

SUFFIX = ".ome.tif"
UNLABELLED_COLOUR = "#808080"
LONGEST = 60


def free_id(folder: Path, name: str, taken: set[str]) -> str:
    """Return a short file name for `name` that nothing in the dataset has yet."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name.strip())[:LONGEST].strip("-_") or "image"
    used = {each.casefold() for each in taken}
    used |= {path.name.split(".")[0].casefold() for path in (folder / "images").glob("*")}
    found, number = plain, 1
    while found.casefold() in used:
        number += 1
        found = f"{plain}-{number}"
    return found


def free_version(folder: Path, pair_id: str) -> str:
    """Return the file name of the next truth of a pair: ``"A3.2"``, then ``"A3.3"``."""
    number = 2
    while (folder / "masks" / f"{pair_id}.{number}{SUFFIX}").exists():
        number += 1
    return f"{pair_id}.{number}"


class Writer:
    """Writes the files of one pair into a dataset folder.

    Parameters
    ----------
    folder : Path
        The dataset folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: dict[str, str] = {}
        self._all: set[str] = set()

    def image(self, name: str, image: CalibratedImage) -> None:
        """Write the image of the next pair."""
        from napari_defectseg.images.save import save_image

        self.written = {}
        save_image(image, self._announce("image", f"images/{name}{SUFFIX}"))

    def truth(
        self,
        name: str,
        made: Cut,
        classes: ClassMap,
        objects: Mapping[str, Sequence[Any]] | None,
    ) -> None:
        """Write mask, objects and the list of objects, as far as there are any."""
        colours = {item.value: item.colour for item in classes}
        self._array("mask", f"masks/{name}{SUFFIX}", made.mask, made, colours)
        if made.instances is not None:
            self._array("instances", f"instances/{name}{SUFFIX}", made.instances, made, None)
        if objects is not None:
            write_columns(self._announce("objects", f"objects/{name}.csv"), objects)

    def record(self, before: Event | None = None) -> dict[str, Any]:
        """Return paths, hashes and sizes for an event; the image's are those of `before`."""
        files = {} if before is None else {"image": before.image}
        files |= self.written
        paths = {role: self.folder / name for role, name in files.items()}
        return {
            **{role: files.get(role, "") for role in ROLES},
            "sha256": {role: sha256_of_file(path) for role, path in paths.items()},
            "size": {role: path.stat().st_size for role, path in paths.items()},
        }

    def take_back(self) -> None:
        """Remove what was written, unless an event names it already."""
        named = {name for event in Manifest(self.folder).read() for name in event.files.values()}
        for name in self._all - named:
            (self.folder / name).unlink(missing_ok=True)

    def _announce(self, role: str, name: str) -> Path:
        self.written[role] = name
        self._all.add(name)
        return self.folder / name

    def _array(
        self,
        role: str,
        name: str,
        array: np.ndarray[Any, Any],
        made: Cut,
        colours: Mapping[int, str] | None,
    ) -> None:
        from napari_defectseg.images.save import save_array

        save_array(
            array,
            self._announce(role, name),
            axes=made.mask_axes,
            calibration=made.image.calibration,
            name=made.image.name,
            colours=None if colours is None else {**colours, UNLABELLED: UNLABELLED_COLOUR},
        )


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """Give a `Writer`; if the block fails, what it wrote is taken back.

    Raises
    ------
    NotSaved
        If the disk is full, read-only or gone.
    """
    writer = Writer(folder)
    try:
        yield writer
    except BaseException as error:
        writer.take_back()
        if isinstance(error, OSError) and not isinstance(error, NotSaved):
            raise not_saved(folder, error) from error
        raise


def write_columns(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of equal length as CSV in UTF-8, whole or not at all."""
    rows = zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)
    with (
        atomic_path(path, overwrite=False) as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

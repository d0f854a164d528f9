"""A result opened again: labels, table, settings, and the image it was made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import ClassError, FileMissing, RecipeError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.inference.region import Region
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.region import Region as CountedRegion
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.folder import EDITS, FORMATS
from napari_defectseg.results.recipe import Recipe
from napari_defectseg.results.register import Entry, read_entries


@dataclass(frozen=True)
class StoredResult:
    """The result of one image, as it lies on the disk.

    Parameters
    ----------
    folder : Path
        Its own folder, ``<result>/<stem>``.
    summary : dict
        What ``summary.json`` holds.
    entry : Entry
        Its row of ``collection.csv``.
    """

    folder: Path
    summary: dict[str, Any]
    entry: Entry

    @property
    def classes(self) -> ClassMap:
        """The classes it tells apart."""
        return ClassMap.from_dict(self.summary["class_map"])

    @property
    def calibration(self) -> Calibration:
        """The pixel size that was used."""
        return _calibration(self.summary["image"])

    @property
    def journal(self) -> Path | None:
        """The folder that holds the journal of edits, None if it was not corrected."""
        return self.folder if (self.folder / EDITS).is_file() else None

    @property
    def image_path(self) -> Path:
        """The image file it was made of."""
        return Path(self.summary["image"]["path"])

    def image(self) -> CalibratedImage:
        """Open what it was made of, with the pixel size that was used; see `original`.

        Of an image of which a region was predicted, that part.
        """
        image = self.original().with_calibration(self.calibration)
        region = ((self.summary.get("settings") or {}).get("predict") or {}).get("region")
        if region and list(image.shape) != self.summary["image"]["shape"]:
            return Region.parse(region).part(image)
        return image

    def original(self) -> CalibratedImage:
        """Open the image it was made of, with the pixel size that its file says.

        Raises
        ------
        FileMissing
            If it is no longer there.
        RecipeError
            If it is another image now.
        """
        from napari_defectseg.images.open import open_image

        known = self.summary["image"]
        if not known["path"]:
            raise FileMissing(f"{self.folder} was made of an image that was never a file.")
        image = open_image(known["path"], part=known.get("part") or None)
        if image.sha256() != known["sha256"]:
            raise RecipeError(
                f"{known['path']} has changed since {self.folder} was made of it.",
                hint="Bring the old image back, or analyse the new one.",
            )
        return image

    def labels(self) -> LabelMap:
        """Return its objects, with their classes and which of them were checked."""
        axes = tuple(name for name in self.summary["image"]["axes"] if name != "c")
        return labels_from(
            self.array("labels"),
            self.array("mask"),
            self.classes,
            axes,
            self.calibration,
            checked=set(self.summary.get("checked", ())),
        )

    def space(self) -> ReferenceSpace | None:
        """Return what was counted; None where that was all of the image."""
        if not any((self.folder / f"region{suffix}").exists() for suffix in FORMATS.values()):
            return None
        counted = self.array("region") > 0
        return ReferenceSpace(counted.shape, roi=counted)

    def table(self) -> RegionTable:
        """Return its table of objects, with what was counted."""
        table = RegionTable.read_csv(self.folder / "objects.csv")
        return replace(
            table,
            calibration=self.calibration,
            classes=self.classes,
            region=_region(self.summary),
        )

    def measured_table(self) -> RegionTable:
        """Return the table that ``defectseg measure`` left, with what was counted.

        Of several masks the images are its fields, so that it can be summarised again. Where
        their pixel sizes differ it has no region.

        Raises
        ------
        DefectSegError
            If it cannot be read.
        """
        table = RegionTable.read_csv(self.folder / "objects.csv")
        known = self.summary.get("image") or (self.summary.get("images") or [None])[0]
        region, fields = _region(self.summary), _fields(self.summary, table)
        if known is None or (fields is not None and np.any(fields < 0)):
            region = fields = None
        elif region is not None:
            table = replace(table, calibration=_calibration(known))
        classes = tuple(self.summary.get("classes") or ())
        if "class" in table and classes:
            table = replace(table, classes=ClassMap.of(classes))
        return replace(table, region=region, fields=fields)

    def array(self, role: str) -> np.ndarray[Any, Any]:
        """Return its ``"mask"``, ``"labels"`` or ``"region"``, in whatever format they are.

        Raises
        ------
        FileMissing
            If there are none.
        """
        from napari_defectseg.images.open import open_image

        for suffix in FORMATS.values():
            path = self.folder / f"{role}{suffix}"
            if path.exists():
                return open_image(path).read()
        raise FileMissing(f"{self.folder} holds no {role}.", hint="Run the analysis again.")


def read_result(folder: str | Path) -> tuple[Recipe | None, tuple[StoredResult, ...]]:
    """Open a result folder.

    Parameters
    ----------
    folder : str or Path
        A result folder, or the folder of one image in it.

    Returns
    -------
    tuple of Recipe or None, and of StoredResult
        What was done, and the result of each image that has one.

    Raises
    ------
    FileMissing, RecipeError
        If there is no result, or it cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileMissing(f"{folder} is no folder.", hint="Open a result folder.")
    if (folder / "summary.json").is_file():
        return _recipe(folder.parent), (_stored(folder, _entries(folder.parent)),)
    known = _entries(folder)
    places = [folder / name for name in known] or sorted(folder.iterdir())
    found = [_stored(place, known) for place in places if (place / "summary.json").is_file()]
    if not found:
        raise RecipeError(
            f"{folder} holds no result: no folder in it has a summary.json.",
            hint="Open the folder that was given as --out.",
        )
    return _recipe(folder), tuple(found)


def _recipe(folder: Path) -> Recipe | None:
    return Recipe.read(folder) if (folder / "recipe.json").is_file() else None


def read_measured(folder: str | Path) -> StoredResult | None:
    """Return what ``defectseg measure`` left in a folder; None if something else is there.

    It holds numbers and objects, no classes of its own, no mask and no labels.

    Raises
    ------
    RecipeError
        If its ``summary.json`` cannot be read.
    """
    place = Path(folder)
    file = place / "summary.json"
    if not file.is_file():
        return None
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{file} cannot be read: {error}.") from error
    if not isinstance(summary, dict) or summary.get("engine") != "measure":
        return None
    return StoredResult(place, summary, Entry(place.name, ""))


def _calibration(known: dict[str, Any]) -> Calibration:
    """Return the pixel size that the block of an image says."""
    calibration = Calibration(
        tuple(known["pixel_size"]), known["unit"], known.get("pixel_size_source") or ""
    )
    if known.get("frame_time") is None:
        return calibration
    return calibration.with_frame_time(known["frame_time"], known["time_unit"])


def _entries(folder: Path) -> dict[str, Entry]:
    return {entry.folder: entry for entry in read_entries(folder)}


def _stored(place: Path, known: dict[str, Entry]) -> StoredResult:
    file = place / "summary.json"
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        ClassMap.from_dict(summary["class_map"])
        image = summary["image"]
        entry = known.get(place.name, Entry(place.name, image["path"], image["sha256"]))
    except (OSError, ValueError, KeyError, TypeError, ClassError) as error:
        raise RecipeError(f"{file} cannot be read: {error}.") from error
    return StoredResult(place, summary, entry)


def _region(summary: dict[str, Any]) -> CountedRegion | None:
    """Return what was counted, as ``summary.json`` says; None if it does not say all of it."""
    try:
        return CountedRegion.from_dict(summary["region"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _fields(summary: dict[str, Any], table: RegionTable) -> NDArray[np.int64] | None:
    """Return the place of each row's image among those that were measured together."""
    names = list(summary.get("by_image") or ())
    if "image" not in table or not names:
        return None
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(name, -1) for name in table["image"].tolist()], np.int64)


def labels_from(
    objects: np.ndarray[Any, Any],
    mask: np.ndarray[Any, Any],
    classes: ClassMap,
    axes: Axes,
    calibration: Calibration,
    *,
    checked: set[int] | None = None,
) -> LabelMap:
    """Return the objects of an image of numbers beside its class mask.

    Parameters
    ----------
    objects : ndarray of int
        Object numbers; one plane a class in front where classes may overlap.
    mask : ndarray of uint8
        Class values in the same layout, 255 unlabelled.
    classes : ClassMap
    axes : tuple of str
        Axes of a plane.
    calibration : Calibration
    checked : set of int, optional
        Objects that a person has decided about.
    """
    shape = objects.shape[-len(axes) :]
    planes = objects.reshape(-1, *shape).astype(np.int32)
    masks = mask.reshape(-1, *shape)
    hidden = (masks == UNLABELLED).any(axis=0)
    return LabelMap(
        tuple(planes),
        _object_classes(planes, masks, classes),
        classes,
        axes,
        calibration,
        checked=checked or set(),
        unlabelled=hidden if hidden.any() else None,
    )


def _object_classes(
    planes: np.ndarray[Any, Any], masks: np.ndarray[Any, Any], classes: ClassMap
) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, (plane, mask) in enumerate(zip(planes, masks, strict=True)):
        numbers, first = np.unique(plane, return_index=True)
        values = mask.reshape(-1)[first]
        for number, value in zip(numbers.tolist(), values.tolist(), strict=True):
            if number:
                found[number] = value if classes.exclusive else classes.values[index]
    return found

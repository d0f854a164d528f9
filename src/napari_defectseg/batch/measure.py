"""Masks and label images on disk → one table and one summary."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import refuse_existing, write_text
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError, RecipeError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import now, sha256_of_file, versions
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.images.specimen import specimen_of
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.further import (
    FurtherSettings,
    picture_statistics_steps,
    table_statistics_steps,
)
from napari_defectseg.measurement.picture import ClassPicture, class_pictures
from napari_defectseg.measurement.populations import NO_CLASSES, Summary, summarise
from napari_defectseg.measurement.regions import measure_regions, take_in
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.naming import stems
from napari_defectseg.results.recipe import PixelSize
from napari_defectseg.results.stored import read_result
from napari_defectseg.results.summary import as_text, describe_image

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class MeasureJob:
    """What to measure, and how.

    Parameters
    ----------
    masks : sequence of path
        Class masks or label images.
    image : path or None
        Grey values for a single mask.
    classes : sequence of str
        Names of the class values 1, 2, …
    pixel_size : PixelSize or None
        Instead of the files' own.
    roi, exclude : path or None
        Masks of what is counted and of what is not; one for all.
    foil : Foil or None
        Thickness of the foil and what does not show in it.
    settings : MeasureSettings
    further : FurtherSettings
        Statistics beyond the summary.
    specimens : mapping of str to str
        Path to specimen, where known.
    """

    masks: Sequence[str | Path]
    image: str | Path | None = None
    classes: Sequence[str] = ()
    pixel_size: PixelSize | None = None
    roi: str | Path | None = None
    exclude: str | Path | None = None
    foil: Foil | None = None
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    further: FurtherSettings = field(default_factory=FurtherSettings)
    specimens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """The table of all masks, and what ``summary.json`` holds.

    Parameters
    ----------
    table : RegionTable
        Of several masks with columns ``image`` and ``specimen`` in front.
    summary : dict
    """

    table: RegionTable
    summary: dict[str, Any]


def measure_steps(job: MeasureJob) -> Steps[Measured]:
    """Measure masks one after the other and put them under one another.

    Raises
    ------
    MeasurementError, ImageError, FileMissing
        If a file cannot be used; the sentence names it.
    """
    began = time.perf_counter()
    if job.image is not None and len(job.masks) > 1:
        raise MeasurementError(
            f"One image was given for {len(job.masks)} masks.", hint="Measure one mask at a time."
        )
    tables, images, pictured = [], [], {}
    names = stems(job.masks)
    for number, path in enumerate(job.masks):
        yield Step(number, len(job.masks), f"measuring {Path(path).name}")
        taken, picture = _take(job, path)
        tables.append(taken.table())
        images.append(describe_image(picture))
        if job.further.of_pictures:
            pictured[names[number]] = yield from picture_statistics_steps(
                taken.pictures(), job.further, job.foil
            )
    summary = _together(job, tables, names)
    further = yield from _further(job, tables, pictured)
    values: dict[str, Any] = {
        "image": images[0] if len(images) == 1 else None,
        "images": images,
        "acquisition": _acquisition(job.foil),
        "model": None,
        "settings": _settings(job),
        **summary,
        **({"statistics": further} if further else {}),
        "engine": "measure",
        "seconds": round(time.perf_counter() - began, 3),
        "created": now(),
        "versions": versions(),
    }
    yield Step(len(job.masks), len(job.masks), "measured")
    return Measured(_stacked(job, tables, names), values)


def specimens_of(masks: Sequence[str | Path], pattern: str) -> dict[str, str]:
    """Return the specimen of each mask, by its path.

    Parameters
    ----------
    masks : sequence of path
    pattern : str
        Where the name stands; see `images.specimen.specimen_of`. It sees each path from the
        folder that holds all of them.

    Raises
    ------
    MeasurementError
        If it finds no specimen in a path.
    """
    places = [Path(path).absolute() for path in masks]
    root = os.path.commonpath([place.parent for place in places])
    found = {
        str(path): specimen_of(place, pattern, root)
        for path, place in zip(masks, places, strict=True)
    }
    for path, name in found.items():
        if not name:
            raise MeasurementError(
                f"{path} names no specimen where {pattern!r} looks for it.",
                hint="Write it like {specimen}_* , or as a regular expression with one group.",
            )
    return found


def write_measured(measured: Measured, out: str | Path, *, overwrite: bool = False) -> Path:
    """Write ``objects.csv`` and ``summary.json`` into a folder.

    Raises
    ------
    AlreadyExists, NotSaved
        If one exists and `overwrite` is false, or cannot be written.
    """
    out = Path(out)
    for name in ("objects.csv", "summary.json"):
        refuse_existing(out / name, overwrite)
    measured.table.write_csv(out / "objects.csv", overwrite=overwrite)
    write_text(out / "summary.json", as_text(measured.summary), overwrite=overwrite)
    return out


@dataclass(frozen=True)
class _Taken:
    """What is measured of one file."""

    labels: Any
    image: CalibratedImage
    classes: ClassMap | None
    space: ReferenceSpace | None
    settings: MeasureSettings

    def table(self) -> RegionTable:
        """Measure it."""
        return measure_regions(
            self.labels,
            image=self.image,
            classes=self.classes,
            space=self.space,
            settings=self.settings,
        )

    def pictures(self) -> list[ClassPicture]:
        """Return the objects of each class as a picture."""
        source = take_in(self.labels, self.image, classes=self.classes, settings=self.settings)
        return class_pictures(source, self.space, NO_CLASSES)


def _take(job: MeasureJob, path: str | Path) -> tuple[_Taken, CalibratedImage]:
    picture = open_image(path)
    calibration = picture.calibration
    image = None if job.image is None else open_image(job.image)
    if image is not None and not calibration.calibrated:
        calibration = image.calibration
    if job.pixel_size is not None:
        calibration = job.pixel_size.applied(calibration)
    picture = picture.with_calibration(calibration)
    known = _known_labels(path, job)
    # A mask's own axes and pixel size travel as those of an image.
    frame = replace(_without_channel(picture), calibration=calibration)
    taken = _Taken(
        picture.read() if known is None else replace(known, calibration=calibration),
        frame if image is None else replace(image, calibration=calibration),
        None if known is not None else _classes(job, picture),
        _space(job, picture.label_shape),
        job.settings if image is not None else replace(job.settings, intensity=False),
    )
    return taken, picture


def _further(
    job: MeasureJob, tables: Sequence[RegionTable], pictured: dict[str, Any]
) -> Steps[dict[str, Any]]:
    """Compute what the further settings ask for; nothing where they ask for nothing."""
    found: dict[str, Any] = {}
    if job.further.of_tables:
        table = RegionTable.stack(tables) if len(tables) > 1 else tables[0]
        if table.region is None:
            raise MeasurementError(
                "The images have different pixel sizes: their objects have no common statistics.",
                hint="Measure those of one pixel size together.",
            )
        names = table.classes.names if table.classes is not None else (NO_CLASSES,)
        found = yield from table_statistics_steps(
            table, names, job.further, foil=job.foil is not None
        )
    return found | ({"by_image": pictured} if pictured else {})


def _known_labels(path: str | Path, job: MeasureJob) -> LabelMap | None:
    """Return the objects with their classes where `path` lies in a result of ours."""
    file = Path(path)
    if job.classes or not file.name.startswith("labels.") or not file.parent.is_dir():
        return None
    if not (file.parent / "summary.json").is_file():
        return None
    try:
        _, found = read_result(file.parent)
        return found[0].labels()
    except RecipeError:
        return None


def _classes(job: MeasureJob, picture: CalibratedImage) -> ClassMap | None:
    planes = picture.channels if "c" in picture.axes else 0
    if planes and picture.axes[0] != "c":
        raise MeasurementError(
            f"{picture.name} is a colour picture, not a mask.",
            hint="Give a mask with one number a pixel, or planes in front.",
        )
    names = list(job.classes) or [f"class {k + 1}" for k in range(planes)]
    if planes and len(names) != planes:
        raise MeasurementError(f"{picture.name} has {planes} planes; {len(names)} classes named.")
    return ClassMap.of(names, exclusive=not planes) if names else None


def _without_channel(picture: CalibratedImage) -> CalibratedImage:
    if "c" not in picture.axes:
        return picture
    return replace(picture, data=picture.read(c=0), axes=picture.label_axes, levels=())


def _space(job: MeasureJob, shape: tuple[int, ...]) -> ReferenceSpace | None:
    if job.roi is None and job.exclude is None:
        return None
    return ReferenceSpace(
        roi=_region(job.roi, shape), exclude=_region(job.exclude, shape), shape=shape
    )


def _region(path: str | Path | None, shape: tuple[int, ...]) -> Array | None:
    if path is None:
        return None
    array = open_image(path).read()
    if array.shape != shape and array.shape != shape[-array.ndim :]:
        raise MeasurementError(
            f"{path} has the shape {array.shape}; the labels have {shape}.",
            hint="A region is a mask of the same size.",
        )
    return np.broadcast_to(array != 0, shape)


def _stacked(job: MeasureJob, tables: Sequence[RegionTable], names: Sequence[str]) -> RegionTable:
    if len(tables) == 1:
        return tables[0]
    specimens = [job.specimens.get(str(path), "") for path in job.masks]
    return RegionTable.stack(
        [
            table.with_front(image=name, specimen=specimen)
            for table, name, specimen in zip(tables, names, specimens, strict=True)
        ]
    )


def _together(
    job: MeasureJob, tables: Sequence[RegionTable], names: Sequence[str]
) -> dict[str, Any]:
    if len(tables) == 1:
        return summarise(tables[0], foil=job.foil).as_dict()
    each: dict[str, Summary] = {
        name: summarise(table, foil=job.foil) for name, table in zip(names, tables, strict=True)
    }
    stacked = RegionTable.stack(tables)
    if stacked.region is None:
        notes = ["The images have different pixel sizes, so their numbers are given one by one."]
        total: dict[str, Any] = {"region": {}, "classes": {}, "warnings": notes}
    else:
        total = summarise(stacked, foil=job.foil).as_dict()
    return {**total, "by_image": {name: found.as_dict() for name, found in each.items()}}


def _acquisition(foil: Foil | None) -> dict[str, Any]:
    if foil is None:
        return {}
    thickness = foil.thickness
    plain = {"value": thickness.value, "sigma": thickness.sigma, "unit": thickness.unit}
    return {"thickness": plain}


def _settings(job: MeasureJob) -> dict[str, Any]:
    from dataclasses import asdict

    regions = {"roi": job.roi, "exclude": job.exclude, "image": job.image}
    return {
        "measure": asdict(job.settings),
        "foil": None if job.foil is None else asdict(job.foil),
        "further": asdict(job.further),
        "classes": list(job.classes),
        "pixel_size": job.pixel_size.model_dump(mode="json") if job.pixel_size else None,
        **{
            name: None
            if path is None
            else {"path": str(Path(path).resolve()), "sha256": _hash(path)}
            for name, path in regions.items()
        },
        "specimens": {str(Path(path).resolve()): name for path, name in job.specimens.items()},
    }


def _hash(path: str | Path) -> str:
    file = Path(path)
    return sha256_of_file(file) if file.is_file() else ""


def calibration_note(calibration: Calibration) -> str:
    """Return what is used as pixel size, for a person."""
    source = f", {calibration.source}" if calibration.source else ""
    return f"{calibration.describe()}{source}"

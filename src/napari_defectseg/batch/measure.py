"""Masks and label images on disk → one table and one summary."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from napari_defectseg.batch.taking import MeasureJob, take
from napari_defectseg.core.atomic import refuse_existing, write_text
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import now, sha256_of_file, versions
from napari_defectseg.images.specimen import specimen_of
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.further import (
    picture_statistics_steps,
    table_statistics_steps,
)
from napari_defectseg.measurement.movies.movie import MovieStatistics
from napari_defectseg.measurement.movies.summary import summary_of_movie
from napari_defectseg.measurement.populations import NO_CLASSES, Summary, summarise
from napari_defectseg.measurement.statistics.nested import over_specimens
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.naming import stems
from napari_defectseg.results.summary import as_text, describe_image

FRAMES, TRACKS = "frames.csv", "tracks.csv"


@dataclass(frozen=True)
class Measured:
    """The table of all masks, and what ``summary.json`` holds.

    Parameters
    ----------
    table : RegionTable
        Of several masks with columns ``image`` and ``specimen`` in front.
    summary : dict
    more : mapping of str to RegionTable
        Further tables by file name: ``frames.csv`` and ``tracks.csv`` of movies.
    """

    table: RegionTable
    summary: dict[str, Any]
    more: Mapping[str, RegionTable] = field(default_factory=dict)


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
    tables: list[RegionTable] = []
    images: list[dict[str, Any]] = []
    pictured: dict[str, Any] = {}
    movies: dict[str, MovieStatistics] = {}
    names = stems(job.masks)
    for number, path in enumerate(job.masks):
        yield Step(number, len(job.masks), f"measuring {Path(path).name}")
        taken, picture = take(job, path)
        table = taken.table()
        if job.movie.wanted:
            movies[names[number]] = yield from taken.movie_steps(table, job.movie)
            table = movies[names[number]].with_tracks(table)
        tables.append(table)
        images.append(describe_image(picture))
        if job.further.of_pictures:
            pictured[names[number]] = yield from picture_statistics_steps(
                taken.pictures(), job.further, job.foil
            )
    summary = _together(job, tables, names)
    further = yield from _further(job, tables, pictured)
    if movies:
        further |= {"movies": {name: summary_of_movie(one) for name, one in movies.items()}}
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
    specimens = [job.specimens.get(str(path), "") for path in job.masks]
    more = {
        FRAMES: [movie.frames for movie in movies.values()],
        TRACKS: [movie.tracks.table for movie in movies.values() if movie.tracks is not None],
    }
    return Measured(
        _stacked(tables, names, specimens),
        values,
        {name: _stacked(found, names, specimens) for name, found in more.items() if found},
    )


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
    """Write ``objects.csv``, ``summary.json`` and further tables into a folder.

    Raises
    ------
    AlreadyExists, NotSaved
        If one exists and `overwrite` is false, or cannot be written.
    """
    out = Path(out)
    for name in ("objects.csv", "summary.json", *measured.more):
        refuse_existing(out / name, overwrite)
    measured.table.write_csv(out / "objects.csv", overwrite=overwrite)
    for name, table in measured.more.items():
        table.write_csv(out / name, overwrite=overwrite)
    write_text(out / "summary.json", as_text(measured.summary), overwrite=overwrite)
    return out


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


def _stacked(
    tables: Sequence[RegionTable], names: Sequence[str], specimens: Sequence[str]
) -> RegionTable:
    if len(tables) == 1:
        return tables[0]
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
    plain = {name: found.as_dict() for name, found in each.items()}
    return {**total, **_by_specimen(job, tables), "by_image": plain}


def _by_specimen(job: MeasureJob, tables: Sequence[RegionTable]) -> dict[str, Any]:
    """Return the numbers of each specimen that is named, and over specimens as units."""
    groups: dict[str, list[RegionTable]] = {}
    for path, table in zip(job.masks, tables, strict=True):
        groups.setdefault(job.specimens.get(str(path), ""), []).append(table)
    stacked = {name: RegionTable.stack(found) for name, found in groups.items() if name}
    if not stacked or any(table.region is None for table in stacked.values()):
        return {}
    found = {name: summarise(table, foil=job.foil) for name, table in stacked.items()}
    over = over_specimens(list(found.values()))
    return {
        "by_specimen": {name: one.as_dict()["classes"] for name, one in found.items()},
        "over_specimens": {
            name: {key: value.as_dict() for key, value in numbers.items()}
            for name, numbers in over.items()
        },
    }


def _acquisition(foil: Foil | None) -> dict[str, Any]:
    if foil is None:
        return {}
    thickness = foil.thickness
    plain = {"value": thickness.value, "sigma": thickness.sigma, "unit": thickness.unit}
    return {"thickness": plain}


def _settings(job: MeasureJob) -> dict[str, Any]:
    regions = {"roi": job.roi, "exclude": job.exclude, "image": job.image}
    return {
        "measure": asdict(job.settings),
        "foil": None if job.foil is None else asdict(job.foil),
        "further": asdict(job.further),
        "movie": asdict(job.movie),
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

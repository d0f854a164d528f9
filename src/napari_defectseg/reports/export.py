"""`export_steps`: tables, outlines and surfaces of results, as other programs want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.errors import NotSaved
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.meshes import Form, write_meshes
from napari_defectseg.reports.outlines import write_outlines
from napari_defectseg.reports.tables import write_table
from napari_defectseg.results.stored import StoredResult, read_measured, read_result


@dataclass(frozen=True)
class ExportSettings:
    """What is written, and where.

    Parameters
    ----------
    tables : tuple of path
        One table of all objects, in the form of each suffix: ``.csv``, ``.parquet``, ``.xlsx``.
    outlines : path or None
        Folder for ROIs of ImageJ, one ``.zip`` an image.
    meshes : path or None
        Folder for surfaces, a folder an image in it, a file an object.
    mesh_form : {"stl", "ply"}
    overwrite : bool
    """

    tables: tuple[str | Path, ...] = ()
    outlines: str | Path | None = None
    meshes: str | Path | None = None
    mesh_form: Form = "stl"
    overwrite: bool = False


def export_steps(
    folders: Sequence[str | Path], settings: ExportSettings
) -> Steps[tuple[Path, ...]]:
    """Write the objects of result folders in other forms.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    FileMissing, RecipeError, MeasurementError
        If a result cannot be read, or its objects are not of the kind.
    AlreadyExists, NotSaved
        If something is there, cannot be written, or its package is not installed.
    """
    results = [one for folder in folders for one in _opened(folder)]
    written: list[Path] = []
    if settings.tables:
        yield Step(0, len(results), "writing the table")
        table = _stacked(results)
        over = settings.overwrite
        written += [write_table(table, path, overwrite=over) for path in settings.tables]
    for number, one in enumerate(results):
        yield Step(number, len(results), f"writing {one.folder.name}")
        for path, write in _of_labels(one, settings):
            written.append(write(one.labels(), path))
    return tuple(written)


def _of_labels(
    one: StoredResult, settings: ExportSettings
) -> list[tuple[Path, Callable[[LabelMap, Path], Path]]]:
    """Return what is to be written of the labels of a result."""
    wanted = settings.outlines is not None or settings.meshes is not None
    if wanted and "class_map" not in one.summary:
        raise NotSaved(
            f"{one.folder} holds numbers alone, no objects to draw.",
            hint="Outlines and surfaces are written from results of predict or of the window.",
        )
    found: list[tuple[Path, Callable[[LabelMap, Path], Path]]] = []
    over = settings.overwrite
    if settings.outlines is not None:
        path = Path(settings.outlines) / f"{one.folder.name}.zip"
        found.append((path, lambda labels, at: write_outlines(labels, at, overwrite=over)))
    if settings.meshes is not None:
        path, form = Path(settings.meshes) / one.folder.name, settings.mesh_form
        found.append((path, lambda labels, at: write_meshes(labels, at, form=form, overwrite=over)))
    return found


def _stacked(results: Sequence[StoredResult]) -> RegionTable:
    if len(results) == 1:
        return _table(results[0])
    tables = [(one, _table(one)) for one in results]
    return RegionTable.stack(
        [
            table
            if "image" in table
            else table.with_front(image=one.folder.name, specimen=one.entry.specimen)
            for one, table in tables
        ]
    )


def _table(one: StoredResult) -> RegionTable:
    if "class_map" in one.summary:
        return one.table()
    return RegionTable.read_csv(one.folder / "objects.csv")


def _opened(folder: str | Path) -> Sequence[StoredResult]:
    measured = read_measured(folder)
    return [measured] if measured is not None else read_result(folder)[1]

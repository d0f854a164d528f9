"""The result folder: one folder an image, written whole, read again as it was."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_folder, not_saved, write_text
from napari_defectseg.core.errors import AlreadyExists, DefectSegError, NotSaved
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.extras import PLACES, needs_scores, write_extras
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.overlay import overlay
from napari_defectseg.results.register import register
from napari_defectseg.results.summary import as_text, summary_of

FORMATS = {"tiff": ".ome.tif", "nrrd": ".nrrd", "zarr": ".ome.zarr"}
EDITS, EDIT_BLOCKS = "edits.jsonl", "edits"
OURS = (
    *(f"{role}{suffix}" for role in ("mask", "labels") for suffix in FORMATS.values()),
    "scores.zarr",
    *(f"disagreement{suffix}" for suffix in FORMATS.values()),
    *(f"region{suffix}" for suffix in FORMATS.values()),
    *PLACES,
    "overlay.png",
    "objects.csv",
    "summary.json",
    EDITS,
    EDIT_BLOCKS,
)
"""Everything that a result may hold; nothing else in its folder is touched."""


def write_result(
    folder: str | Path,
    analysis: Analysis,
    *,
    stem: str = "",
    form: str = "tiff",
    also: Collection[str] = (),
    overwrite: bool = False,
) -> Path:
    """Write an analysis as ``folder/<stem>/``, whole or not at all, and list it.

    Parameters
    ----------
    folder : str or Path
        The result folder.
    analysis : Analysis
    stem : str
        Name of the image's folder; that of the image file by default.
    form : {"tiff", "nrrd", "zarr"}
        Of mask and labels.
    also : collection of str
        Other files that are wanted, see `extras.EXTRAS`. Where one of them needs the scores,
        these are written themselves only with ``"scores"``.
    overwrite : bool
        Replace a result that is there. Corrections are never replaced by a result without.

    Returns
    -------
    Path
        The image's folder.

    Raises
    ------
    AlreadyExists
        If there is a result and it may not be replaced.
    NotSaved
        If the disk is full or read-only; what was there is as it was.
    """
    if form not in FORMATS:
        raise DefectSegError(f"There is no format {form!r}.", hint=f"Use {', '.join(FORMATS)}.")
    folder = Path(folder)
    name = stem or stem_of(analysis.image.origin.path or analysis.image.name)
    place = folder / name
    check_free(place, overwrite=overwrite, corrected=analysis.journal is not None)
    if place.exists():
        _replace(place, analysis, form, also)
    else:
        with atomic_folder(place) as part:
            _fill(part, analysis, form, also)
    if analysis.recipe is not None:
        write_text(folder / "recipe.json", as_text(analysis.recipe.as_dict()))
    register(folder, name, analysis)
    return place


def check_free(place: Path, *, overwrite: bool, corrected: bool = False) -> None:
    """Refuse a place where something lies that may not be replaced.

    Raises
    ------
    AlreadyExists
        If a result is there and `overwrite` is false, or it holds corrections.
    """
    if not place.exists():
        return
    if (place / EDITS).exists() and not corrected:
        raise AlreadyExists(
            f"{place} holds corrections made by hand and was left as it is.",
            hint="Choose another folder, or move the corrected result away first.",
        )
    taken = [name for name in OURS if (place / name).exists()] if place.is_dir() else [place.name]
    if taken and not overwrite:
        raise AlreadyExists(
            f"{place} holds a result already and was left as it is.",
            hint="Choose another folder, or allow overwriting.",
        )


def _replace(place: Path, analysis: Analysis, form: str, also: Collection[str]) -> None:
    """Make the new result beside the old one, then put its files in the old ones' place."""
    fresh = place.with_name(f".part-{place.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        with atomic_folder(fresh) as part:
            _fill(part, analysis, form, also)
        for name in OURS:
            new, old = fresh / name, place / name
            if old.is_dir():
                shutil.rmtree(old)
            elif not new.exists():
                old.unlink(missing_ok=True)
            if new.exists():
                new.replace(old)
    except OSError as error:
        if isinstance(error, DefectSegError):
            raise
        raise not_saved(place, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fill(part: Path, analysis: Analysis, form: str, also: Collection[str]) -> None:
    mask = analysis.labels.class_mask()
    _write_labels(part, analysis, mask, FORMATS[form])
    analysis.table.write_csv(part / "objects.csv")
    _write_overlay(part / "overlay.png", analysis, mask)
    if analysis.scores is not None and ("scores" in also or not needs_scores(also)):
        _write_scores(part / "scores.zarr", analysis)
    if analysis.disagreement is not None:
        _write_disagreement(part / f"disagreement{FORMATS[form]}", analysis)
    if analysis.space is not None and not analysis.space.is_whole:
        _write_region(part / f"region{FORMATS[form]}", analysis.space, analysis)
    write_extras(part, analysis, also)
    if analysis.journal is not None:
        copy_journal(analysis.journal, part)
    write_text(part / "summary.json", as_text(summary_of(analysis)))


def _write_labels(part: Path, analysis: Analysis, mask: np.ndarray[Any, Any], suffix: str) -> None:
    from napari_defectseg.images.save import save_array

    labels = analysis.labels
    axes = labels.axes if labels.classes.exclusive else ("c", *labels.axes)
    objects = labels.planes[0] if labels.classes.exclusive else np.stack(labels.planes)
    colours = {item.value: item.colour for item in labels.classes}
    pixel_size = analysis.image.calibration
    save_array(mask, part / f"mask{suffix}", axes=axes, calibration=pixel_size, colours=colours)
    save_array(objects, part / f"labels{suffix}", axes=axes, calibration=pixel_size)


def _write_overlay(path: Path, analysis: Analysis, mask: np.ndarray[Any, Any]) -> None:
    import imageio.v3 as iio

    picture = overlay(analysis.image, mask, analysis.labels.classes)
    iio.imwrite(path, picture, extension=".png")


def _write_scores(path: Path, analysis: Analysis) -> None:
    from napari_defectseg.images.store import create_store, finish_store

    calibration = analysis.image.calibration
    scores = analysis.scores
    known = {
        "axes": ["c", *analysis.labels.axes],
        "pixel_size": list(calibration.spacing),
        "unit": calibration.unit,
        "classes": list(analysis.labels.classes.names),
    }
    store = create_store(path, scores.shape, scores.dtype, attributes=known)
    store[...] = scores[...]
    finish_store(store)


def _write_disagreement(path: Path, analysis: Analysis) -> None:
    from napari_defectseg.images.save import save_array

    save_array(
        analysis.disagreement,
        path,
        axes=analysis.labels.axes,
        calibration=analysis.image.calibration,
        name="disagreement",
    )


def _write_region(path: Path, space: ReferenceSpace, analysis: Analysis) -> None:
    from napari_defectseg.images.save import save_array

    save_array(
        space.mask().astype(np.uint8),
        path,
        axes=analysis.labels.axes,
        calibration=analysis.image.calibration,
        name="region",
    )


def copy_journal(source: Path, target: Path) -> None:
    """Copy ``edits.jsonl`` and ``edits/`` into a result.

    Raises
    ------
    NotSaved
        If they are not there.
    """
    if not (source / EDITS).is_file():
        raise NotSaved(f"{source} holds no {EDITS}, so the corrections cannot be kept.")
    shutil.copy2(source / EDITS, target / EDITS)
    if (source / EDIT_BLOCKS).is_dir():
        shutil.copytree(source / EDIT_BLOCKS, target / EDIT_BLOCKS)

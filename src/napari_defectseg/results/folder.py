"""The result folder: one folder an image, written whole, read again as it was."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_folder, not_saved, write_text
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.boxes import cut, sides_within
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, DefectSegError, NotSaved
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.stored import StoredLabels
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.extras import PLACES, needs_scores, write_extras
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.overlay import overlay, shown
from napari_defectseg.results.register import register
from napari_defectseg.results.summary import as_text, summary_of

FORMATS = {"tiff": ".ome.tif", "nrrd": ".nrrd", "zarr": ".ome.zarr"}
SCORES = "scores.zarr"
PART = 1 << 24
"""Scores that are copied at once."""
EDITS, EDIT_BLOCKS = "edits.jsonl", "edits"
OURS = (
    *(f"{role}{suffix}" for role in ("mask", "labels") for suffix in FORMATS.values()),
    SCORES,
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
    image, mask = shown(analysis.image, analysis.labels)
    if isinstance(analysis.labels, StoredLabels):
        mask_of_all: Any = analysis.labels.mask
    else:
        mask_of_all = mask
    _write_labels(part, analysis, mask_of_all, FORMATS[form])
    analysis.table.write_csv(part / "objects.csv")
    _write_overlay(part / "overlay.png", image, mask, analysis)
    if analysis.scores is not None and ("scores" in also or not needs_scores(also)):
        _write_scores(part / SCORES, analysis)
    if analysis.disagreement is not None:
        _write_disagreement(part / f"disagreement{FORMATS[form]}", analysis)
    if analysis.space is not None and not analysis.space.is_whole:
        _write_region(part / f"region{FORMATS[form]}", analysis.space, analysis)
    write_extras(part, analysis, also)
    if analysis.journal is not None:
        copy_journal(analysis.journal, part)
    write_text(part / "summary.json", as_text(summary_of(analysis)))
    # Last, so that whatever fails before leaves them where a run can go on with them.
    for name, place in analysis.ready.items():
        place.replace(part / name)


def _write_labels(part: Path, analysis: Analysis, mask: Any, suffix: str) -> None:
    from napari_defectseg.images.save import save_array

    labels = analysis.labels
    exclusive = labels.classes.exclusive
    axes = labels.axes if exclusive else ("c", *labels.axes)
    if isinstance(labels, StoredLabels):
        objects: Any = labels.numbers
    else:
        objects = labels.planes[0] if exclusive else np.stack(labels.planes)
    colours = {item.value: item.colour for item in labels.classes}
    for role, array in (("mask", mask), ("labels", objects)):
        if f"{role}{suffix}" not in analysis.ready:
            save_array(
                array,
                part / f"{role}{suffix}",
                axes=axes,
                calibration=analysis.image.calibration,
                colours=colours if role == "mask" else None,
            )


def _write_overlay(
    path: Path, image: CalibratedImage, mask: np.ndarray[Any, Any], analysis: Analysis
) -> None:
    import imageio.v3 as iio

    iio.imwrite(path, overlay(image, mask, analysis.labels.classes), extension=".png")


def scores_known(image: CalibratedImage, axes: Axes, classes: ClassMap) -> dict[str, Any]:
    """Return what is said beside the scores of a result."""
    return {
        "axes": ["c", *axes],
        "pixel_size": list(image.calibration.spacing),
        "unit": image.calibration.unit,
        "classes": list(classes.names),
    }


def _write_scores(path: Path, analysis: Analysis) -> None:
    from napari_defectseg.images.store import create_store, finish_store

    if path.name in analysis.ready:
        return
    scores, labels = analysis.scores, analysis.labels
    known = scores_known(analysis.image, labels.axes, labels.classes)
    store = create_store(path, scores.shape, scores.dtype, attributes=known)
    for box in cut(store.shape, sides_within(store.shape, store.chunks, PART)):
        store[box] = np.asarray(scores[box])
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

"""What ``defectseg measure`` left, measured again as its summary says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from napari_defectseg.batch.measure import measure_steps, write_measured
from napari_defectseg.batch.taking import MeasureJob
from napari_defectseg.core.errors import FileMissing, MeasurementError, RecipeError
from napari_defectseg.core.progress import Steps
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.open import open_image
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.further import FurtherSettings
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.results.recipe import PixelSize
from napari_defectseg.results.stored import StoredResult

Settings = TypeVar("Settings", MeasureSettings, FurtherSettings, MovieSettings)


def remeasure_steps(stored: StoredResult, out: Path, *, overwrite: bool = False) -> Steps[Path]:
    """Measure the same masks with the same settings into another folder.

    Raises
    ------
    FileMissing, RecipeError
        If a mask is gone or has changed, or the summary does not say enough.
    """
    job = job_of(stored)
    measured = yield from measure_steps(job)
    return write_measured(measured, out, overwrite=overwrite)


def job_of(stored: StoredResult) -> MeasureJob:
    """Return what was measured, with every file checked by its hash.

    Raises
    ------
    FileMissing, RecipeError
        If a file is gone or has changed, or the summary does not say enough.
    """
    file = stored.folder / "summary.json"
    try:
        settings = stored.summary["settings"]
        masks = [_mask(block) for block in stored.summary["images"]]
        return MeasureJob(
            masks=masks,
            image=_file(settings["image"]),
            classes=tuple(settings["classes"]),
            pixel_size=_pixel_size(settings["pixel_size"]),
            roi=_file(settings["roi"]),
            exclude=_file(settings["exclude"]),
            foil=_foil(settings["foil"]),
            settings=_of(MeasureSettings, settings["measure"], file),
            further=_of(FurtherSettings, settings["further"], file),
            movie=_of(MovieSettings, settings.get("movie") or {}, file),
            specimens=settings.get("specimens") or {},
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RecipeError | FileMissing | MeasurementError):
            raise
        raise RecipeError(f"{file} does not say how it was measured: {error}.") from error


def _mask(block: Mapping[str, Any]) -> str:
    path, part = block["path"], block.get("part")
    found = f"{path}::{part}" if part else path
    if not Path(path).exists():
        raise FileMissing(f"The mask {path} is not there any more.")
    if open_image(found).sha256() != block["sha256"]:
        raise RecipeError(f"{path} has changed since it was measured.")
    return str(found)


def _file(known: Mapping[str, Any] | None) -> Path | None:
    if known is None:
        return None
    path = Path(known["path"])
    if not path.exists():
        raise FileMissing(f"{path} is not there any more.")
    if known["sha256"] and sha256_of_file(path) != known["sha256"]:
        raise RecipeError(f"{path} has changed since it was used.")
    return path


def _pixel_size(known: Mapping[str, Any] | None) -> PixelSize | None:
    return None if known is None else PixelSize.model_validate(known)


def _foil(known: Mapping[str, Any] | None) -> Foil | None:
    if known is None:
        return None
    return Foil(**{name: _quantity(value) for name, value in known.items()})


def _quantity(value: Any) -> Any:
    return Quantity(**value) if isinstance(value, Mapping) else value


def _of(kind: type[Settings], known: Mapping[str, Any], file: Path) -> Settings:
    """Return settings from their JSON values; lists were tuples."""
    strange = set(known) - {field.name for field in fields(kind)}
    if strange:
        raise RecipeError(f"{file} sets {', '.join(sorted(strange))}, which is not known here.")
    values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in known.items()}
    return kind(**values)

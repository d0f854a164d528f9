"""Pixel sizes remembered for an instrument: a small file in the user's settings folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_defectseg.core.atomic import not_saved, write_text
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.provenance import now, person

NAME = "instruments.json"
PATIENCE = 10.0
"""Seconds to wait for another window that is writing."""


def remembered_file() -> Path:
    """Return where pixel sizes are remembered."""
    from platformdirs import user_config_path

    return user_config_path("napari-defectseg", appauthor=False) / NAME


def remember(instrument: str, calibration: Calibration, *, file: Path | None = None) -> None:
    """Keep the pixel size in the plane for images of this instrument that state none.

    Parameters
    ----------
    instrument : str
        Camera and magnification, `Origin.instrument`.
    calibration : Calibration
        Its last two axes (y, x) are kept.
    file : Path, optional
        Another file than the user's.

    Raises
    ------
    CalibrationError
        If the instrument has no name, or the pixel size is not known.
    NotSaved
        If the file cannot be written.
    """
    from filelock import FileLock

    plane = calibration.in_plane
    if not instrument.strip():
        raise CalibrationError("This image does not say which instrument took it.")
    if not plane.calibrated:
        raise CalibrationError("There is no pixel size to remember.", hint="Type it first.")
    place = file or remembered_file()
    entry = {"spacing": list(plane.steps), "unit": plane.unit, "who": person(), "when": now()}
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock", timeout=PATIENCE):
            _write(place, {**_read(place), instrument.strip(): entry})
    except OSError as error:
        raise not_saved(place, error) from error


def recall(instrument: str, ndim: int = 2, *, file: Path | None = None) -> Calibration | None:
    """Return the pixel size remembered for an instrument, None if there is none.

    Parameters
    ----------
    instrument : str
    ndim : int
        Number of spatial axes wanted; those before y and x stay unknown.
    file : Path, optional
        Another file than the user's.

    Raises
    ------
    CalibrationError
        If the file of remembered sizes is damaged.
    """
    place = file or remembered_file()
    entry = _read(place).get(instrument.strip())
    if entry is None:
        return None
    try:
        day = str(entry["when"])[:10]
        source = f"remembered for {instrument.strip()}, typed by {entry['who']} on {day}"
        plane = Calibration.of(entry["spacing"], entry["unit"], source)
        spacing = (None,) * (ndim - 2) + plane.spacing
        return Calibration(spacing, plane.unit, source)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(place) from error


def forget(instrument: str, *, file: Path | None = None) -> None:
    """Remember nothing for an instrument any more."""
    from filelock import FileLock

    place = file or remembered_file()
    if not place.exists():
        return
    with FileLock(f"{place}.lock", timeout=PATIENCE):
        kept = _read(place)
        if kept.pop(instrument.strip(), None) is not None:
            _write(place, kept)


def _read(place: Path) -> dict[str, Any]:
    if not place.is_file():
        return {}
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(place) from error
    if not isinstance(values, dict):
        raise _damaged(place)
    return values


def _write(place: Path, values: dict[str, Any]) -> None:
    write_text(place, json.dumps(values, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _damaged(place: Path) -> CalibrationError:
    return CalibrationError(
        f"{place} cannot be read: the pixel sizes remembered in it are lost.",
        hint="Remove the file; sizes can then be remembered anew.",
    )

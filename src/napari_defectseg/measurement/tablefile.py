"""``objects.csv``: UTF-8, a header ``name [unit]``, numbers that read back as they were."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import FileMissing, MeasurementError
from napari_defectseg.measurement.columns.measurement import MEASUREMENTS
from napari_defectseg.measurement.table import Column, RegionTable

_HEADING = re.compile(r"(?P<name>.*?)(?: \[(?P<unit>[^\]]*)\])?")
_WHOLE = re.compile(r"[-+]?\d+")
_TEXTS = ("class", "image", "specimen")


def write_csv(table: RegionTable, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a table, whole or not at all.

    Decimal numbers are written with as many digits as tell them apart (``repr``), undefined
    ones as ``nan``.

    Raises
    ------
    AlreadyExists, NotSaved
        If the file exists and `overwrite` is false, or cannot be written.
    """
    path = Path(path)
    columns = [_texts(table[name]) for name in table.names]
    with (
        atomic_path(path, overwrite=overwrite) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([table.heading(name) for name in table.names])
        writer.writerows(zip(*columns, strict=True))
    return path


def read_csv(path: str | Path) -> RegionTable:
    """Read a table written by `write_csv`.

    Units and definitions come back; what was counted is not in the file, so that the table
    has no `region` and its calibration only knows its unit by the columns.

    Raises
    ------
    FileMissing, MeasurementError
        If there is no such file, or it is no such table.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError as error:
        raise FileMissing(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MeasurementError(f"{path} cannot be read as a table: {error}.") from error
    if not rows or not rows[0]:
        raise MeasurementError(f"{path} is empty: a table has a line of headings.")
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise MeasurementError(
                f"Line {number} of {path} has {len(row)} values; the headings are {width}."
            )
    columns = {}
    for index, heading in enumerate(rows[0]):
        name, unit = _split(heading)
        texts = [row[index] for row in rows[1:]]
        columns[name] = Column(_values(name, texts), unit, _definition(name))
    ndim = 3 if "centroid-2" in columns else 2
    return RegionTable(columns, Calibration.uncalibrated(ndim), _classes(columns))


def _texts(values: NDArray[Any]) -> list[str]:
    if values.dtype.kind == "f":
        return [repr(value) for value in values.astype(np.float64).tolist()]
    return [str(value) for value in values.tolist()]


def _split(heading: str) -> tuple[str, str]:
    found = _HEADING.fullmatch(heading)
    assert found is not None
    return found["name"], found["unit"] or ""


def _values(name: str, texts: list[str]) -> NDArray[Any]:
    if name in _TEXTS:
        return np.array(texts, dtype=str)
    if texts and all(text in ("True", "False") for text in texts):
        return np.array([text == "True" for text in texts])
    if all(_WHOLE.fullmatch(text) for text in texts) and texts:
        return np.array(texts, dtype=np.int64)
    try:
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError:
        return np.array(texts, dtype=str)


def _definition(name: str) -> str:
    base = re.sub(r"-\d+$", "", name)
    for known, item in MEASUREMENTS.items():
        if known in (name, base):
            return item.definition
    return ""


def _classes(columns: dict[str, Column]) -> ClassMap | None:
    if "class" not in columns:
        return None
    names = list(dict.fromkeys(name for name in columns["class"].values.tolist() if name))
    return ClassMap.of(names) if names else None

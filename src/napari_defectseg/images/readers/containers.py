"""Microscope containers through rosettasciio, an extra that people install by choice."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import check_shape, listening, reading
from napari_defectseg.images.described import AxisFact, image_axes
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.parts import Part, PartNeeded, find_part
from napari_defectseg.images.reader import BY_NAME, NO, head, stem

PLUGINS = {
    ".dm3": ("digitalmicrograph", "DigitalMicrograph"),
    ".dm4": ("digitalmicrograph", "DigitalMicrograph"),
    ".ser": ("tia", "TIA"),
    ".emi": ("tia", "TIA"),
    ".blo": ("blockfile", "NanoMEGAS block file"),
    ".img": ("jeol", "JEOL image"),
    ".mib": ("quantumdetector", "Merlin"),
    ".tvips": ("tvips", "TVIPS"),
    ".sur": ("digitalsurf", "Digital Surf"),
    ".prz": ("pantarhei", "Panta Rhei"),
}
"""Suffix to the module of rosettasciio that reads it, and the name of the kind."""
FOREIGN = {
    ".txrm": "a Zeiss X-ray projection file",
    ".txm": "a Zeiss X-ray tomogram",
    ".xrm": "a Zeiss X-ray image",
}
"""Kinds that nothing here reads."""
COMMAND = 'pip install "napari-defectseg[containers]"'


def recognise(path: Path) -> int:
    """Return whether its name is that of a container, whether the extra is there or not."""
    known = path.suffix.lower() in (*PLUGINS, *FOREIGN)
    return BY_NAME if known and path.is_file() and head(path, 1) else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the records in a container."""
    with _records(path) as records:
        return _parts(path, records)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return one record of a container; spectra and scans are refused.

    Raises
    ------
    ImageError
        If it holds no image, several (`PartNeeded`), or the extra is not installed.
    """
    with _records(path) as records:
        named = _parts(path, records)
        index = _choose(path, named) if part is None else find_part(path, named, part)
        return _image(path, records, named, index, axes)


@contextmanager
def _records(path: Path) -> Iterator[list[dict[str, Any]]]:
    kind = PLUGINS.get(path.suffix.lower(), ("", "container"))[1]
    with reading(path, kind):
        yield load(str(path))


def load(path: str) -> list[dict[str, Any]]:
    """Return the records of a container with lazy pixels where its module can.

    Raises
    ------
    ImageError
        If rosettasciio is not installed, or nothing here reads this kind.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in FOREIGN:
        raise ImageError(
            f"{file.name} is {FOREIGN[suffix]}, which is not read here.",
            hint="Export it from the microscope's program as TIFF, and type the pixel size.",
        )
    plugin, kind = PLUGINS[suffix]
    try:
        module = importlib.import_module(f"rsciio.{plugin}")
    except ImportError as error:
        raise ImageError(
            f"{file.name} is a {kind} file, which is read by an extra that is not installed "
            "(rosettasciio, under the GPL).",
            hint=f"{COMMAND}, then open it again; or save it as TIFF.",
        ) from error
    with warnings.catch_warnings(), listening(f"rsciio.{plugin}._api"):
        # What it cannot know it warns of; here that shows as an unknown size or a refusal.
        warnings.simplefilter("ignore")
        records: list[dict[str, Any]] = module.file_reader(path, lazy=True)
    return records


def _parts(path: Path, records: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    if not records:
        raise ImageError(f"{path.name} holds no image.")
    return tuple(
        Part(
            _title(record) or f"record {index}",
            tuple(int(length) for length in record["data"].shape),
            str(record["data"].dtype),
        )
        for index, record in enumerate(records)
    )


def _title(record: Mapping[str, Any]) -> str:
    general = (record.get("metadata") or {}).get("General") or {}
    return str(general.get("title") or "").strip()


def _choose(path: Path, named: Sequence[Part]) -> int:
    pictures = [index for index, part in enumerate(named) if len(part.shape) in (2, 3)]
    if len(pictures) > 1:
        raise PartNeeded(path, [named[index] for index in pictures])
    return pictures[0] if pictures else 0


def _image(
    path: Path, records: Sequence[Any], named: Sequence[Part], index: int, axes: str | None
) -> CalibratedImage:
    record, several = records[index], len(records) > 1
    kind = PLUGINS[path.suffix.lower()][1]
    facts = tuple(
        _fact(axis, length) for axis, length in zip(record["axes"], named[index].shape, strict=True)
    )
    names, calibration = image_axes(path, facts, f"{kind} axes, scale", axes)
    dtype = np.dtype(record["data"].dtype)
    if dtype.kind not in "buif":
        raise ImageError(f"{path.name} holds values of type {dtype}, which are not pixels.")
    check_shape(path, named[index].shape)
    data = LazyArray(
        str(path),
        kind,
        named[index].shape,
        dtype.newbyteorder("="),
        partial(_pixels, str(path), index),
    )
    name = f"{stem(path)} {_title(record)}".strip() if several else stem(path)
    part = named[index].name if several else ""
    origin = Origin(str(path), part, _instrument(record), {"format": kind})
    return CalibratedImage(data, names, calibration, name, origin)


def _fact(axis: Mapping[str, Any], length: int) -> AxisFact:
    return AxisFact(
        length,
        str(axis.get("name") or ""),
        axis.get("scale"),
        str(axis.get("units") or "") or None,
        bool(axis.get("navigate")),
    )


def _instrument(record: Mapping[str, Any]) -> str:
    acquisition = (record.get("metadata") or {}).get("Acquisition_instrument") or {}
    microscope = acquisition.get("TEM") or acquisition.get("SEM") or {}
    words = [microscope.get("microscope"), microscope.get("magnification")]
    return " ".join(str(word) for word in words if word)


def _pixels(path: str, index: int) -> Any:
    return load(path)[index]["data"]

"""Velox EMD (Thermo Fisher): images with a JSON record of the microscope."""

from __future__ import annotations

import json
from typing import Any

from napari_defectseg.images.described import AxisFact, Described
from napari_defectseg.images.hdf.tree import Tree

IMAGES = "Data/Image/"
LONGEST = 1 << 24


def find(tree: Tree) -> list[Described]:
    """Return the images of a Velox file; frames come last in the file and first here."""
    return [
        _image(tree, path, array)
        for path, array in tree.arrays.items()
        if path.startswith(IMAGES) and path.endswith("/Data") and array.ndim == 3
    ]


def _image(tree: Tree, path: str, array: Any) -> Described:
    record = _record(tree.arrays.get(path.removesuffix("Data") + "Metadata"))
    result = _section(record, "BinaryResult")
    size = _section(result, "PixelSize")
    y = AxisFact(array.shape[0], "y", size.get("height"), result.get("PixelUnitY"))
    x = AxisFact(array.shape[1], "x", size.get("width"), result.get("PixelUnitX"))
    frames = AxisFact(array.shape[2], "time", _frame_time(record, result), "s")
    movie = array.shape[2] > 1
    facts = (frames, y, x) if movie else (y, x)
    instrument = _section(record, "Instrument")
    detector = str(result.get("Detector", ""))
    words = [instrument.get("Manufacturer"), instrument.get("InstrumentClass"), detector]
    return Described(
        path,
        tuple(fact.size for fact in facts),
        str(array.dtype),
        facts,
        "Velox metadata, BinaryResult PixelSize",
        detector,
        " ".join(str(word) for word in words if word),
        (2, 0, 1) if movie else (0, 1),
    )


def _record(array: Any) -> dict[str, Any]:
    if array is None or array.ndim != 2 or array.size == 0 or array.shape[0] > LONGEST:
        return {}
    try:
        values = json.loads(array[:, 0].tobytes().split(b"\x00")[0])
    except ValueError:
        # Pixels without a readable record are still pixels, without a size.
        return {}
    return values if isinstance(values, dict) else {}


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    inside = values.get(name)
    return inside if isinstance(inside, dict) else {}


def _frame_time(record: dict[str, Any], result: dict[str, Any]) -> Any:
    """Return seconds from frame to frame: of the scan, or the exposure of the camera."""
    scan = _section(record, "Scan").get("FrameTime")
    if scan:
        return scan
    detector = _section(_section(record, "Detectors"), f"Detector-{result.get('DetectorIndex')}")
    return detector.get("ExposureTime")

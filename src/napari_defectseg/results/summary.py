"""``summary.json``: what was counted in which image, how, and what came out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.provenance import now, versions
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.measurement.audit import estimate_audit
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.people import people_of

SETTINGS = ("predict", "decode", "measure", "acquisition", "pixel_size")
"""Fields of the recipe that ``summary.json`` repeats, so that it alone is enough."""


def describe_image(image: CalibratedImage, sha256: str = "") -> dict[str, Any]:
    """Return the block ``image``: path, hash (computed if not given), shape, axes, pixel size."""
    calibration = image.calibration
    path = image.origin.path
    return {
        "path": str(Path(path).resolve()) if path else "",
        "part": image.origin.part,
        "name": image.name,
        "sha256": sha256 or image.sha256(),
        "shape": list(image.shape),
        "axes": "".join(image.axes),
        "dtype": str(image.dtype),
        "pixel_size": list(calibration.spacing),
        "unit": calibration.unit,
        "pixel_size_source": calibration.source,
        "frame_time": calibration.frame_time,
        "time_unit": calibration.time_unit if calibration.frame_time is not None else None,
    }


def summary_of(analysis: Analysis) -> dict[str, Any]:
    """Return everything that ``summary.json`` holds, as plain JSON values."""
    numbers = analysis.summary.as_dict()
    image = analysis.image
    warnings = [*analysis.warnings, *numbers["warnings"]]
    if image.calibration.question:
        warnings.insert(0, image.calibration.question)
    values = {
        "image": describe_image(image, analysis.sha256()),
        "region": numbers["region"],
        "acquisition": conditions(image.acquisition, image),
        "model": analysis.model.as_dict() if analysis.model else None,
        "settings": settings_of(analysis),
        "plan": dict(analysis.plan),
        "classes": numbers["classes"],
        "class_map": analysis.labels.classes.as_dict(),
        "engine": analysis.engine,
        "seconds": round(analysis.seconds, 3),
        "created": now(),
        "versions": versions(),
        "warnings": list(dict.fromkeys(warnings)),
        "disagreement": _disagreement(analysis),
        "checked": sorted(analysis.labels.checked),
        "corrected": analysis.journal is not None,
        "people": people_of(analysis.journal),
        "audit": _audit(analysis),
    }
    return dict(tidy(values))


def _audit(analysis: Analysis) -> dict[str, Any] | None:
    """Return what a random sample says of these labels, and the verdicts it rests on."""
    audit = analysis.audit
    if audit is None or not any(audit.judged):
        return None
    objects, places = audit.judged
    return {
        "judged_objects": objects,
        "judged_places": places,
        **estimate_audit(audit).as_dict(),
        "sample": audit.as_dict(),
    }


def _disagreement(analysis: Analysis) -> dict[str, Any] | None:
    """Return how far several models lie apart: over the image, and inside the objects of a class.

    Standard deviation of their probabilities, 0 (all agree) to 0.5.
    """
    spread = analysis.disagreement
    if spread is None:
        return None
    total, largest, count = 0.0, 0.0, 0
    inside = {name: [0.0, 0] for name in analysis.labels.classes.names}
    mask = analysis.labels.class_mask()
    for index in range(spread.shape[0]):
        rows = np.asarray(spread[index])
        total, count = total + float(rows.sum(dtype=np.float64)), count + rows.size
        largest = max(largest, float(rows.max()))
        for plane, item in enumerate(analysis.labels.classes):
            if analysis.labels.classes.exclusive:
                found = rows[np.asarray(mask[index]) == item.value]
            else:
                found = rows[np.asarray(mask[plane, index]) == 1]
            inside[item.name][0] += float(found.sum(dtype=np.float64))
            inside[item.name][1] += found.size
    return {
        "mean": total / count,
        "largest": largest,
        "in_objects": {name: one[0] / one[1] if one[1] else None for name, one in inside.items()},
    }


def conditions(acquisition: Acquisition, image: CalibratedImage) -> dict[str, Any]:
    """Return the block ``acquisition``: what is known, the frame rate with it."""
    known = acquisition.as_dict()
    calibration = image.calibration
    if calibration.frame_time is not None:
        known["frame_time"] = {
            "value": calibration.frame_time,
            "sigma": 0.0,
            "unit": calibration.time_unit,
        }
    return known


def settings_of(analysis: Analysis) -> dict[str, Any]:
    """Return what was set: model as opened, prediction, decoding, measuring, conditions."""
    if analysis.recipe is None:
        return {}
    plain = analysis.recipe.as_dict()
    return {
        "model": plain["model"],
        **{name: plain[name] for name in SETTINGS},
    }


def tidy(value: Any) -> Any:
    """Return plain JSON values: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(name): tidy(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_text(values: Mapping[str, Any]) -> str:
    """Return `values` as the text of a JSON file."""
    return json.dumps(tidy(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

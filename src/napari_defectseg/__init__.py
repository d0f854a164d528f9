"""Find, correct and measure defects in materials micrographs and tomograms.

Names are loaded on first use: importing this package imports neither torch, napari nor Qt.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC: dict[str, str] = {
    "Acquisition": "core.acquisition",
    "Calibration": "core.calibration",
    "ClassMap": "core.classes",
    "DefectSegError": "core.errors",
    "drive": "core.progress",
    "CalibratedImage": "images.image",
    "ReferenceSpace": "images.space",
    "Collection": "images.collection",
    "open_image": "images.open",
    "save_image": "images.save",
    "ModelCard": "models.card",
    "open_model": "models.open",
    "save_model": "models.save",
    "phantom": "phantoms.make",
    "LabelMap": "labels.labelmap",
    "DecodeSettings": "labels.decode",
    "Prediction": "inference.prediction",
    "predict": "inference.predict",
    "predict_steps": "inference.predict",
    "PredictSettings": "inference.settings",
    "RegionTable": "measurement.table",
    "MeasureSettings": "measurement.settings",
    "measure_regions": "measurement.regions",
    "summarise": "measurement.populations",
    "evaluate": "measurement.metrics",
    "Dataset": "datasets.dataset",
    "Recipe": "results.recipe",
    "Analysis": "results.analysis",
    "analyse": "batch.analyse",
    "watch": "batch.watch",
    "watch_steps": "batch.watch",
    "WatchSettings": "batch.watch",
    "write_report": "reports.report",
    "rerun": "batch.rerun",
    "diff_results": "results.diff",
    "TrainingPlan": "training.plan",
    "train": "training.fit",
    "train_steps": "training.fit",
}

__all__ = sorted(_PUBLIC)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""What the Train dock does in the worker: look at the dataset, forecast, train."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.plan import TrainingPlan

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model, TorchModel
    from napari_defectseg.training.forecast import Forecast


def look_steps(dataset: Dataset) -> Steps[tuple[dict[str, int], int]]:
    """Count the pairs of each set and see how many dimensions they have."""
    yield Step(0, 1, "Reading the dataset")
    counts: dict[str, int] = {}
    dims = 2
    for pair in dataset.pairs():
        counts[pair.event.split] = counts.get(pair.event.split, 0) + 1
        dims = 3 if "z" in pair.axes else 2
    return counts, dims


def fit_steps(
    dataset: Dataset,
    plan: TrainingPlan,
    out: Path,
    start_from: Model | str | None,
    stop: Callable[[], bool],
) -> Steps[TorchModel]:
    """Open the model to start from, and train."""
    from napari_defectseg.training.fit import TrainSettings, train_steps

    opened = yield from opened_steps(start_from)
    settings = TrainSettings(start_from=opened, stop=stop)
    return (yield from train_steps(dataset, plan, out, settings))


def try_steps(
    dataset: Dataset, plan: TrainingPlan, start_from: Model | str | None
) -> Steps[Forecast]:
    """Open the model to start from, and measure how long a training takes."""
    from napari_defectseg.training.fit import TrainSettings
    from napari_defectseg.training.forecast import forecast_steps

    opened = yield from opened_steps(start_from)
    return (yield from forecast_steps(dataset, plan, TrainSettings(start_from=opened)))


def opened_steps(start_from: Model | str | None) -> Steps[TorchModel | None]:
    """Open a shipped model by its name; a model is itself."""
    from napari_defectseg.models.model import torch_model
    from napari_defectseg.models.open import open_model

    if not isinstance(start_from, str):
        return None if start_from is None else torch_model(start_from)
    yield Step(0, 0, f"opening {start_from}")
    return torch_model(open_model(start_from), "trained on")


def free_folder(dataset: Dataset) -> Path:
    """Return a folder beside the dataset that does not exist yet."""
    base = dataset.path.parent / f"{dataset.path.name}-model-{datetime.now():%Y-%m-%d}"
    place, number = base, 2
    while place.exists():
        place, number = base.with_name(f"{base.name}-{number}"), number + 1
    return place

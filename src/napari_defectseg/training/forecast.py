"""How long a training will take, measured by a few of its own steps."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.fit import TrainSettings
from napari_defectseg.training.plan import TrainingPlan

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.training.example import Example

TRIED = 3
"""Steps that are measured; the first is left out, it prepares what the others reuse."""


@dataclass(frozen=True)
class Forecast:
    """What a training costs on this computer.

    Parameters
    ----------
    step : float
        Seconds a step.
    check : float
        Seconds that looking at all validation images takes, once a round.
    plan : TrainingPlan
    device : str
        What it was measured on.
    """

    step: float
    check: float
    plan: TrainingPlan
    device: str = "cpu"

    @property
    def most(self) -> float:
        """Seconds if every round is needed."""
        return self._of(self.plan.epochs)

    @property
    def least(self) -> float:
        """Seconds if nothing gets better after the first round."""
        return self._of(min(self.plan.epochs, self.plan.patience + 1))

    def _of(self, rounds: int) -> float:
        return rounds * (self.plan.steps_per_epoch * self.step + self.check)


def forecast_steps(
    dataset: Dataset, plan: TrainingPlan, settings: TrainSettings | None = None
) -> Steps[Forecast]:
    """Measure a few steps on noise of the size of the plan's patches.

    Reading the images at the beginning and judging the test images at the end are left out.

    Parameters
    ----------
    dataset : Dataset
        Split into train, validation and test.
    plan : TrainingPlan
    settings : TrainSettings, optional

    Raises
    ------
    TrainingError
        If a set is empty, or dataset, plan and model do not fit together.
    """
    from napari_defectseg.inference.devices import choose
    from napari_defectseg.training.assemble import job_of
    from napari_defectseg.training.loop import fit_steps
    from napari_defectseg.training.sets import sets_of
    from napari_defectseg.training.start import start, threads_limited

    settings = settings or TrainSettings()
    sets = sets_of(dataset)
    yield Step(0, TRIED, "measuring how long it takes")
    with threads_limited(settings.threads):
        network, card = start(dataset, plan, settings.start_from)
        noise = [_noise(card, plan)]
        short = plan.with_changes(epochs=1, steps_per_epoch=TRIED)
        device = choose(settings.device).name
        job = job_of(network, card, short, (noise, noise), device, settings)
        times = [time.monotonic()]
        for step in fit_steps(job):
            times.append(time.monotonic())
            yield Step(step.done, TRIED, "measuring how long it takes")
    _, *spent = np.diff(times).tolist()
    one = float(np.mean(spent[:-1]))
    pixels = sum(math.prod(pair.label_shape) for pair in sets.validation)
    share = pixels / math.prod(plan.patch)
    return Forecast(one, max(0.0, spent[-1] - one) * share, plan, device)


def _noise(card: ModelCard, plan: TrainingPlan) -> Example:
    """Return a picture with every class in it, of the size of a patch."""
    from napari_defectseg.training.example import Example

    rng = np.random.default_rng(0)
    image = rng.standard_normal((card.in_channels, *plan.patch)).astype(np.float32)
    if card.task == "exclusive":
        target = rng.integers(0, len(card.classes) + 1, plan.patch).astype(np.uint8)
    else:
        target = rng.integers(0, 2, (len(card.classes), *plan.patch)).astype(np.uint8)
    return Example(image, target)

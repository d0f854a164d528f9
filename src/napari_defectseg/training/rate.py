"""The learning rate at which a network learns fastest, found by raising it (Smith 2017)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.plan import TrainingPlan

if TYPE_CHECKING:
    from napari_defectseg.training.fit import TrainSettings

LOWEST, HIGHEST = 1e-6, 1.0
TRIED = 60
SMOOTHING = 0.8
RUN_AWAY = 4.0
"""Times the least loss at which the search ends."""


@dataclass(frozen=True)
class RateFound:
    """What was seen while the rate rose.

    Parameters
    ----------
    rates, losses : tuple of float
        Of each step; losses are smoothed.
    suggested : float
        The rate at which the loss fell most steeply.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float


def find_rate_steps(
    dataset: Dataset, plan: TrainingPlan, settings: TrainSettings, *, tried: int = TRIED
) -> Steps[RateFound]:
    """Train a copy with a rate that rises from 1e-6 to 1, and see where the loss falls most.

    Parameters
    ----------
    dataset : Dataset
        Split into train, validation and test.
    plan : TrainingPlan
    settings : TrainSettings
    tried : int
        Steps.

    Raises
    ------
    TrainingError
        If the loss never falls.
    """
    from napari_defectseg.inference.devices import choose
    from napari_defectseg.training.assemble import freeze, job_of
    from napari_defectseg.training.loop import Run
    from napari_defectseg.training.patches import PatchSampler
    from napari_defectseg.training.prepare import load_steps
    from napari_defectseg.training.sets import sets_of
    from napari_defectseg.training.start import start, threads_limited

    constant = plan.with_changes(schedule="constant")
    rates = np.geomspace(LOWEST, HIGHEST, tried)
    losses: list[float] = []
    with threads_limited(settings.threads):
        network, card = start(dataset, constant, settings.start_from)
        freeze(network, card, settings.part)
        train = yield from load_steps(sets_of(dataset).train, card, "training")
        device = choose(settings.device).name
        alone = replace(settings, keep=None)
        run = Run(job_of(network, card, constant, (train, train), device, alone))
        sampler = PatchSampler(train, constant)
        for step, rate in enumerate(rates):
            for group in run.optimiser.param_groups:
                group["lr"] = float(rate)
            try:
                value = run.learn(sampler.batch(step))
            except TrainingError:
                break  # it has run away: what is higher is of no use
            before = losses[-1] if losses else value
            losses.append(SMOOTHING * before + (1 - SMOOTHING) * value)
            yield Step(step + 1, tried, "looking for the learning rate")
            if losses[-1] > RUN_AWAY * min(losses):
                break
    return RateFound(tuple(rates[: len(losses)].tolist()), tuple(losses), _steepest(rates, losses))


def _steepest(rates: np.ndarray[tuple[int], np.dtype[np.float64]], losses: list[float]) -> float:
    if len(losses) < 8 or min(losses) >= losses[0]:
        raise TrainingError(
            "The loss fell at no learning rate.",
            hint="Check the labels, or start from new weights.",
        )
    end = int(np.argmin(losses)) + 1
    slope = np.gradient(np.asarray(losses[: max(end, 3)]), np.log(rates[: max(end, 3)]))
    return float(rates[int(np.argmin(slope))])

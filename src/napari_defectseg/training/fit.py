"""Train a network on a dataset and write it as a model folder with its honest scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import now, sha256_of_file, versions
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.plan import TrainingPlan, plan_of
from napari_defectseg.training.progress import write_curves
from napari_defectseg.training.sets import Sets, sets_of

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.models.model import TorchModel
    from napari_defectseg.training.loop import Fitted


def _never() -> bool:
    return False


@dataclass(frozen=True)
class TrainSettings:
    """Where and from what a training starts.

    Parameters
    ----------
    start_from : TorchModel or None
        A model whose weights are the beginning; None: new weights.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, …
    threads : int or None
        Threads of the processor; the same number gives the same weights on one machine.
    stop : callable
        Asked after each step; true ends the training and keeps the best weights so far.
    name : str
        What the model is called; the dataset's name where empty.
    overwrite : bool
        Whether an existing folder may be replaced.
    part : str
        Which weights learn: all, those behind the coarsest level, or the last layer.
    teacher : TorchModel or None
        Whose opinion a plan with distillation follows.
    replay : Dataset or None
        Earlier data, drawn from beside the new so that it is not forgotten.
    replay_share : float
        Share of the patches that come from it.
    keep : Path or None
        A checkpoint file: written after each round, and gone on from if it is there. It is
        removed when the model is written.
    """

    start_from: TorchModel | None = None
    device: str = "auto"
    threads: int | None = None
    stop: Callable[[], bool] = _never
    name: str = ""
    overwrite: bool = False
    part: Literal["all", "decoder", "head"] = "all"
    teacher: TorchModel | None = None
    replay: Dataset | None = None
    replay_share: float = 0.5
    keep: Path | None = None


def train_steps(
    dataset: Dataset,
    plan: str | TrainingPlan,
    out: str | Path,
    settings: TrainSettings | None = None,
) -> Steps[TorchModel]:
    """Train on a dataset; write the best epoch's model folder; return the model.

    The step that ends an epoch carries a `Progress` as its `partial`. Closing the generator
    writes nothing; `TrainSettings.stop` ends it early and keeps the best.

    Parameters
    ----------
    dataset : Dataset
        Split into train, validation and test.
    plan : str or TrainingPlan
        A plan, its name, or a JSON file.
    out : str or Path
        The model folder to write: weights, card with the scores on the test images, curves.
    settings : TrainSettings, optional

    Raises
    ------
    TrainingError
        If a set is empty, the same place is in two sets, or the loss runs away.
    AlreadyExists
        If `out` exists and may not be overwritten.
    """
    from napari_defectseg.inference.devices import choose
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.model import TorchModel
    from napari_defectseg.training.assemble import freeze, identity_of, job_of, replayed_steps
    from napari_defectseg.training.guard import guard_steps
    from napari_defectseg.training.judge import Shrunk, judge_steps
    from napari_defectseg.training.loop import fit_steps
    from napari_defectseg.training.prepare import load_steps
    from napari_defectseg.training.start import start, threads_limited

    settings = settings or TrainSettings()
    plan = plan_of(plan)
    refuse_existing(Path(out), settings.overwrite)
    sets = sets_of(dataset)
    yield Step(0, 0, "preparing the network")
    with threads_limited(settings.threads):
        network, card = start(dataset, plan, settings.start_from)
        freeze(network, card, settings.part)
        train = yield from load_steps(sets.train, card, "training")
        validation = yield from load_steps(sets.validation, card, "validation")
        device = choose(settings.device).name
        train += yield from replayed_steps(card, train, settings)
        belongs = identity_of(dataset, plan, settings)
        job = job_of(network, card, plan, (train, validation), device, settings, belongs)
        fitted = yield from fit_steps(job)
    card = _told(card, dataset, plan, sets, fitted, settings)
    model = TorchModel.from_network(card, network.cpu().eval())
    wanted = PredictSettings(device=settings.device, threads=settings.threads)
    pairs = [Shrunk(pair, plan.patch) for pair in sets.test] if plan.whole else sets.test
    scores = yield from judge_steps(model, pairs, wanted)
    card = card.replaced(source="card", scores=scores)
    if settings.start_from is not None:
        earlier = settings.replay.pairs(split="test") if settings.replay else ()
        found = yield from guard_steps(settings.start_from, model, pairs, earlier, wanted)
        card = card.replaced(source="card", training={**card.training, "guard": found.as_dict()})
    written = _write(model.with_card(card), out, fitted)
    if settings.keep is not None:
        settings.keep.unlink(missing_ok=True)
    return written


def train(
    dataset: Dataset,
    plan: str | TrainingPlan = "unet",
    out: str | Path = "model",
    settings: TrainSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TorchModel:
    """Train on a dataset and return the model; see `train_steps`."""
    return drive(train_steps(dataset, plan, out, settings), on_step, cancelled)


def _told(
    card: ModelCard,
    dataset: Dataset,
    plan: TrainingPlan,
    sets: Sets,
    fitted: Fitted,
    settings: TrainSettings,
) -> ModelCard:
    """Return the card with how the model was made."""
    best = next(epoch for epoch in reversed(fitted.epochs) if epoch.best)
    told: dict[str, Any] = {
        "plan": plan.as_dict(),
        "dataset": dataset.name,
        "dataset_sha256": sha256_of_file(dataset.path / "manifest.jsonl"),
        "images": sets.count(),
        "parent_sha256": settings.start_from.sha256 if settings.start_from else "",
        "best_epoch": best.epoch,
        "epochs": len(fitted.epochs),
        "ended": fitted.stopped_because or "all epochs done",
        "validation_dice": {n: v if v == v else None for n, v in best.scores.items()},
        "seconds": round(fitted.epochs[-1].seconds, 1),
        "created": now(),
        "versions": versions(),
    }
    if sets.shared:
        told["warning"] = (
            f"{', '.join(sets.shared)} is in several sets, at different places: "
            "the scores say nothing about a new specimen."
        )
    if settings.replay is not None:
        told["replay"] = settings.replay.name
    if settings.part != "all":
        told["part"] = settings.part
    if settings.teacher is not None:
        told["teacher_sha256"] = settings.teacher.sha256
    if plan.batch_statistics:
        card = card.replaced(source="card", batch_norm="image")
    licences = {"licence": dataset.card.licence} if dataset.card.licence else {}
    return card.replaced(
        source="card", name=settings.name or dataset.name, training=told, **licences
    )


def _write(model: TorchModel, out: str | Path, fitted: Fitted) -> TorchModel:
    from napari_defectseg.models.model import torch_model
    from napari_defectseg.models.open import open_model
    from napari_defectseg.models.save import save_model

    folder = save_model(model, out, overwrite=True)
    write_curves(folder / "curves.csv", fitted.epochs)
    return torch_model(open_model(folder), "trained on")

"""``defectseg train``: a model from a dataset."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from napari_defectseg.cli.options import Device
from napari_defectseg.cli.work import STOPPED, Debug, Json, Overwrite, Quiet, Work, working

if TYPE_CHECKING:
    from napari_defectseg.core.progress import Step
    from napari_defectseg.datasets.dataset import Dataset
    from napari_defectseg.models.model import TorchModel
    from napari_defectseg.training.fit import TrainSettings
    from napari_defectseg.training.plan import TrainingPlan

Variant: TypeAlias = Literal["as-published", "as-meant"]
PartName: TypeAlias = Literal["all", "decoder", "head"]
EXAMPLE = "Example: defectseg train steel --out steel-model --plan unet --epochs 30 --seed 1"


def train(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A dataset that is split.")],
    out: Annotated[Path, typer.Option("--out", help="The model folder to make.")],
    *,
    plan: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="How it is trained: unet, unet3d, movie, am-segnet, defectsegnet, mff-metal, "
            "pbf-unet, dcnn3d, or a JSON file.",
        ),
    ] = "",
    start_from: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="Go on from this model's weights.")
    ] = "",
    epochs: Annotated[int | None, typer.Option(min=1, help="Most rounds.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed gives the same weights.")
    ] = None,
    variant: Annotated[
        Variant | None, typer.Option(help="Of a published plan whose way has a fault.")
    ] = None,
    reduced: Annotated[
        bool, typer.Option(help="A published plan at widths for a processor of two cores.")
    ] = False,
    teacher: Annotated[
        str, typer.Option(metavar="MODEL", help="Whose opinion mff-metal follows too.")
    ] = "",
    part: Annotated[PartName, typer.Option(help="Which weights learn, with --from.")] = "all",
    replay: Annotated[
        Path | None,
        typer.Option(metavar="DATASET", help="Earlier data, learnt from beside the new."),
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Keep a checkpoint beside OUT, and go on from it.")
    ] = False,
    find_rate: Annotated[
        bool, typer.Option("--find-rate", help="Look for the learning rate first, and use it.")
    ] = False,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network on a dataset and write it as a model folder.

    The scores in its card are those on the test images, which chose nothing. Ctrl-C ends the
    training and keeps the best round so far; a second Ctrl-C keeps nothing.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.dataset import Dataset
        from napari_defectseg.models.model import torch_model
        from napari_defectseg.models.open import open_model
        from napari_defectseg.training.fit import TrainSettings, train_steps

        opened = Dataset.open(dataset)
        chosen = _plan(plan, opened, epochs, seed, variant or "", reduced)
        parent = torch_model(open_model(start_from), "trained on") if start_from else None
        with stopping(work) as asked:
            settings = TrainSettings(
                start_from=parent,
                device=device,
                stop=asked.is_set,
                overwrite=overwrite,
                part=part,
                teacher=torch_model(open_model(teacher), "used as a teacher") if teacher else None,
                replay=Dataset.open(replay) if replay else None,
                keep=out.with_name(f"{out.name}.checkpoint") if resume else None,
            )
            if find_rate:
                chosen = _with_rate(work, opened, chosen, settings)
            model = work.run(train_steps(opened, chosen, out, settings), _Rounds(work))
        work.result(_document(model, out), _words(model, out))
        if asked.is_set():
            work.note(f"Stopped. The best round so far is in {out}.")
            raise typer.Exit(STOPPED)


@contextmanager
def stopping(work: Work) -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second interrupts as usual."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        work.note("Stopping after this round; press Ctrl-C again to stop at once.")

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not in the main thread, where nobody presses Ctrl-C
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


class _Rounds:
    """Says a line after each round.

    Parameters
    ----------
    work : Work
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, step: Step) -> None:
        from napari_defectseg.training.progress import Progress

        seen = step.partial
        if not isinstance(seen, Progress):
            return
        dice = ", ".join(f"{name} {value:.3f}" for name, value in seen.scores.items())
        mark = "  best so far" if seen.best else ""
        self._work.note(
            f"round {seen.epoch}: loss {seen.train_loss:.4f}, validation "
            f"{seen.validation_loss:.4f}, Dice {dice}{mark}"
        )


def _with_rate(
    work: Work, dataset: Dataset, plan: TrainingPlan, settings: TrainSettings
) -> TrainingPlan:
    from napari_defectseg.training.rate import find_rate_steps

    found = work.run(find_rate_steps(dataset, plan, settings))
    work.note(f"Learning rate {found.suggested:.2g}.")
    return plan.with_changes(learning_rate=found.suggested)


def _plan(
    name: str,
    dataset: Dataset,
    epochs: int | None,
    seed: int | None,
    variant: str,
    reduced: bool,
) -> TrainingPlan:
    from napari_defectseg.training.plan import plan_of

    if not name:
        volumes = all("z" in pair.axes for pair in dataset.pairs())
        name = "unet3d" if volumes and dataset.pairs() else "unet"
    changes: dict[str, Any] = {"epochs": epochs, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    return plan_of(name, variant=variant, reduced=reduced).with_changes(**given)


def _document(model: TorchModel, out: Path) -> dict[str, Any]:
    card = model.card
    return {
        "model": str(out),
        "name": card.name,
        "sha256": model.sha256,
        "classes": list(card.classes.names),
        "parameters": card.parameters,
        "scores": card.scores,
        "training": card.training,
    }


def _guarded(found: dict[str, Any]) -> list[str]:
    """Return what the comparison with the model it began from says, a line a class."""
    if not found:
        return []
    lines = []
    for where, said in (("hold_out", "on the hold-out"), ("earlier", "on earlier data")):
        for one in found[where]:
            if one["old"] is None or one["new"] is None:
                continue
            lines.append(
                f"  {one['name']} {said}: {one['verdict']} "
                f"(Dice {one['old']:.3f} before, {one['new']:.3f} now)"
            )
    end = "better, and nothing is worse" if found["accepted"] else "not clearly better everywhere"
    return [*lines, f"  Beside the model it began from: {end}. The old model is as it was."]


def _words(model: TorchModel, out: Path) -> str:
    lines = [f"{model.card.name} in {out}"]
    for name, scores in model.card.scores.get("classes", {}).items():
        dice, objects = scores.get("dice"), scores.get("object_f1")
        shown = [f"{what} {value:.3f}" for what, value in (("Dice", dice), ("object F1", objects))
                 if value is not None]  # fmt: skip
        lines.append(f"  {name} on test images: {', '.join(shown) or 'not in them'}")
    lines += _guarded(model.card.training.get("guard") or {})
    if warning := model.card.training.get("warning"):
        lines.append(f"  {warning}")
    return "\n".join(lines)

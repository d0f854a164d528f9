"""The question whether a program in a model file may run, and what was answered before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.graphs.code import HoldsCode
from napari_defectseg.models.trust.consent import (
    NotTrusted,
    program_in_file,
    revoke_file,
    trust_file,
)
from napari_defectseg.ui import recent
from napari_defectseg.ui.code_question import CodeQuestion
from napari_defectseg.ui.widgets.strip import Action

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model
    from napari_defectseg.models.trust.examine import Examined

WEIGHTS, TRUST, LATER = "Take the weights only", "Trust this file and run it", "Not now"


@dataclass(frozen=True)
class Question:
    """A program that a person has to decide about.

    Parameters
    ----------
    where : str
        The file.
    found : Examined
    model : Model or None
        Our own network with its weights; None: they fit none.
    """

    where: str
    found: Examined
    model: Model | None

    @property
    def sentence(self) -> str:
        """What the file is, what would run, and what keeps it from the rest of the machine."""
        from napari_defectseg.models.worker.confine import confinement_here

        name = Path(self.where).name
        first = f"{name} contains a program, not only weights. It is closed until you trust it."
        runs = " ".join(self.found.runs)
        fits = (
            "Its weights alone fit a network of ours: nothing of it need be run."
            if self.model is not None
            else "Its weights alone fit no network of ours."
        )
        return "\n".join(
            [
                first,
                f"Inside: {self.found.what}. {runs}",
                f"If you trust it, {_lower(confinement_here())}",
                fits,
                f"SHA-256 {self.found.sha256[:16]}…",
            ]
        )

    def actions(
        self, take: Callable[[], object], trust: Callable[[], object], later: Callable[[], object]
    ) -> list[Action]:
        """Return the links that answer it; weights are only offered where they fit."""
        first = [(WEIGHTS, take)] if self.model is not None else []
        return [*first, (TRUST, trust), (LATER, later)]


def open_steps(where: str, *, ask: bool = True) -> Steps[Model | Question | CodeQuestion]:
    """Open a model with what was said about it before, or return the question; in the worker.

    Parameters
    ----------
    where : str
    ask : bool
        Whether a program that is neither trusted nor put aside as weights is asked about.
    """
    yield Step(0, 0, "reading weights")
    question: Question | CodeQuestion | None = None
    try:
        model = recent.open_answered(where)
    except NotTrusted as error:
        question = Question(where, error.found, None)
    except HoldsCode as error:
        question = CodeQuestion.of(where, error)
    else:
        if ask and model.trust == "program" and not isinstance(model, ArrayModel):
            found = program_in_file(where)
            if found is not None and not recent.weights_only(found.sha256):
                question = Question(where, found, model)
    yield Step(1, 1, "reading weights")
    return question or model


def trust_steps(where: str) -> Steps[Model]:
    """Trust the program in a file and open it; in the worker."""
    yield Step(0, 0, "keeping a private copy")
    trust_file(where)
    yield Step(0, 0, "starting it in a process of its own")
    return recent.open_answered(where)


def revoke_steps(model: Model) -> Steps[str]:
    """Take the trust in a model's program back; in the worker. Returns where it lies."""
    yield Step(0, 0, "taking trust back")
    model.close()
    revoke_file(model.sha256)
    return model.path


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def trust_of(model: Model) -> tuple[str, str, str]:
    """Return the icon, the words and the whole sentence about how a model runs."""
    if isinstance(model, ArrayModel):
        from napari_defectseg.models.worker.confine import confinement_here

        if model.trust == "program":
            return "warning", "a program you trusted", f"You trusted it. {confinement_here()}"
        return "ok", "operators, no code", f"It runs no code of its author. {confinement_here()}"
    if model.trust == "program":
        said = "The file is a program; only its weights were read, and nothing in it was run."
        return "ok", "weights of a program", said
    return "ok", "only weights, no code", "Weights were read as numbers alone; nothing was run."

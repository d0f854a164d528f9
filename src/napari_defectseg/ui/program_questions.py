"""The Model dock's questions about code in files: asked in a strip, answered, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.ui import consent, recent
from napari_defectseg.ui.code_question import CodeQuestion

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.model import ModelDock
    from napari_defectseg.ui.widgets.strip import Action

LANE = "model"


class ProgramQuestions:
    """Asks whether programs in model files may run, and what layers of code do.

    Parameters
    ----------
    page : ModelDock
    take : callable
        Called with the model that was opened.
    failed : callable
        Called with the path and the error.
    """

    def __init__(
        self,
        page: ModelDock,
        take: Callable[[Any], None],
        failed: Callable[[str, Exception], None],
    ) -> None:
        self._page = page
        self._take = take
        self._failed = failed
        self._question: consent.Question | CodeQuestion | None = None

    def ask(self, question: consent.Question | CodeQuestion) -> None:
        """Ask; the safe answer about a program is the primary button."""
        self._question = question
        if isinstance(question, CodeQuestion):
            links = question.actions(self.say_what_it_does, self.put_aside)
            strip = self._page.messages.say("consent", "warning", question.sentence, links)
            strip.closed.connect(self.put_aside)
            return
        actions = question.actions(self.take_weights, self.trust, self.put_aside)
        strip = self._page.messages.say("consent", "warning", question.sentence, actions)
        strip.closed.connect(self.put_aside)
        if question.model is not None:
            self._page.footer.offer(
                consent.WEIGHTS, "Read its weights as numbers; nothing in it is run"
            )

    def take_weights(self) -> bool:
        """Take the weights alone, now and whenever these bytes are opened; false: none fit."""
        question = self._question
        if not isinstance(question, consent.Question) or question.model is None:
            return False
        self._close()
        recent.remember_weights_only(question.found.sha256)
        self._take(question.model)
        return True

    def trust(self) -> None:
        """Trust the program that was asked about, and run it from now on."""
        question = self._question
        self._close()
        if question is not None:
            self._run(question.where)

    def say_what_it_does(self, word: str) -> None:
        """Keep what the layer of code does, and open the model with a layer of ours instead."""
        question = self._question
        self._close()
        if isinstance(question, CodeQuestion):
            question.remember(word)
            self._page.open(question.where)

    def put_aside(self) -> None:
        """Leave the question open; the file stays closed."""
        if self._close():
            self._page.refresh()

    def say_trust(self) -> None:
        """Say what the model in front may do, with the way to change it."""
        model = self._page.session.model
        _, _, sentence = consent.trust_of(model)
        actions: list[Action] = []
        if model.trust == "program" and isinstance(model, ArrayModel):
            actions = [("Take the trust back", self.take_back)]
        elif model.trust == "program":
            actions = [(consent.TRUST, lambda: self._run(model.path))]
        self._page.messages.say("evidence", "info", sentence, actions)

    def take_back(self) -> None:
        """Take the trust in the program in front back; it is asked about anew."""
        model = self._page.session.model
        self._page.run(
            LANE,
            consent.revoke_steps(model),
            text="Taking the trust back",
            on_done=self._page.open,
            on_failed=lambda error: self._failed(model.path, error),
        )

    def _run(self, where: str) -> None:
        self._page.run(
            LANE,
            consent.trust_steps(where),
            text="Starting the program",
            on_done=self._take,
            on_failed=lambda error: self._failed(where, error),
        )

    def _close(self) -> bool:
        """Take the question away; return whether there was one."""
        asked, self._question = self._question, None
        self._page.messages.take_back("consent")
        return asked is not None

"""`ModelWork`: what the Model dock does beside opening a model: add, save, explain."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QMenu

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.several import SeveralModels, why_recognised
from napari_defectseg.ui import consent, evidence, exporting, recent
from napari_defectseg.ui.code_question import CodeQuestion
from napari_defectseg.ui.combining import beside, without
from napari_defectseg.ui.program_questions import Way

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model
    from napari_defectseg.ui.docks.model import ModelDock

ADDING, SAVING, WHY, CALIBRATING = "add model", "save model", "why", "calibrate"


class ModelWork:
    """Works on the session's model in the worker, and tells the page what came of it.

    Parameters
    ----------
    page : ModelDock
    """

    def __init__(self, page: ModelDock) -> None:
        self.page = page
        self.session = page.session

    # -- several models ------------------------------------------------------------------

    def fill_adding(self, menu: QMenu) -> None:
        """Offer models to put beside the one that is chosen."""
        menu.addAction("Model file…", self._ask_file)
        menu.addAction("Model folder…", self._ask_folder)
        menu.addSeparator()
        for words_, path in self.page.known():
            menu.addAction(words_, partial(self.add, path))

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.page, "Add a model")
        if path:
            self.add(path)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self.page, "Add a model folder")
        if path:
            self.add(path)

    def add(self, path: str) -> None:
        """Open another model and put it beside the chosen one; code in it is asked about."""
        file = Path(path)
        where = str(file.parent) if file.name == "card.json" else str(path)
        self.page.programs.put_aside()
        self.page.run(
            ADDING,
            consent.open_steps(where),
            text=f"Reading {evidence.title_at(where)}",
            on_done=self._put_beside,
            primary=False,
        )

    def _put_beside(self, other: Model | consent.Question | CodeQuestion) -> None:
        if isinstance(other, consent.Question | CodeQuestion):
            self.page.programs.ask(other, Way(self._put_beside, self.add, self._not_added))
            return
        if self.session.model is None:
            return
        try:
            both = beside(self.session.model, other)
        except DefectSegError as error:
            self.page.refresh()  # a question may have changed what the primary button offers
            self._not_added(other.path, error)
            return
        self.session.model = recent.with_answers(both)

    def _not_added(self, _: str, error: Exception) -> None:
        self.page.say_error(ADDING, error)

    def take_out(self, place: int) -> None:
        """Go on without one of the models."""
        if isinstance(self.session.model, SeveralModels):
            self.session.model = recent.with_answers(without(self.session.model, place))

    # -- statistics, reasons, files ------------------------------------------------------

    def calibrate(self) -> None:
        """Measure batch statistics on the image and go on with them."""
        from napari_defectseg.inference.calibrate import calibrate

        model, image, page = self.session.model, self.session.image, self.page
        if image is None:
            page.messages.say(CALIBRATING, "info", "Open an image to calibrate on first.")
            return

        def steps() -> Steps[Model]:
            yield Step(0, 0, "measuring")
            return calibrate(model, image)

        def done(found: Model) -> None:
            if self.session.model is model:
                self.session.model = found
                page.messages.say(
                    CALIBRATING,
                    "info",
                    f"Calibrated on {image.name}. Save it as a folder to use it again.",
                    [("Save a copy with this card…", self.save_copy)],
                )

        page.run(CALIBRATING, steps(), text="Calibrating", on_done=done, primary=False)

    def explain(self) -> None:
        """Say why the model was taken for what it is; reads its weights."""
        model, page = self.session.model, self.page

        def steps() -> Steps[tuple[str, ...]]:
            yield Step(0, 0, "looking at the tensors")
            return why_recognised(model)

        def done(told: tuple[str, ...]) -> None:
            page.messages.say("evidence", "info", "\n".join(told))

        page.run(WHY, steps(), text="Looking at the tensors", on_done=done, primary=False)

    def save_copy(self) -> None:
        """Ask where to, and write weights and card as a model folder."""
        path, _ = QFileDialog.getSaveFileName(self.page, "Save the model as a folder", "")
        if path:
            self.save(path)

    def save(self, path: str) -> None:
        """Write weights and card as a model folder, and go on with it where there was none."""
        from napari_defectseg.models.open import open_model
        from napari_defectseg.models.save import save_model

        model, page = self.session.model, self.page

        def steps() -> Steps[Model]:
            yield Step(0, 0, "writing the model")
            return open_model(save_model(model, path))

        def done(saved: Model) -> None:
            recent.remember_model(saved.path)
            if not model.path and self.session.model is model:
                self.session.model = saved
            page.messages.say("saved", "info", f"Saved as {saved.path}.")

        page.run(SAVING, steps(), text="Writing the model", on_done=done, primary=False)

    def ask_export(self) -> None:
        """Ask where to and as what, and write the model for other programs."""
        path, chosen = QFileDialog.getSaveFileName(
            self.page, "Export the model", "", ";;".join(exporting.FILTERS)
        )
        if path:
            to, place, asked = exporting.resolved(path, chosen)
            self.export(to, place, overwrite=asked)

    def export(self, to: str, path: str, *, overwrite: bool = False) -> None:
        """Write the model for other programs, in the worker."""
        page = self.page
        steps = exporting.export_steps(self.session.model, to, path, overwrite=overwrite)
        page.run(
            "export model",
            steps,
            text="Exporting the model",
            on_done=lambda done: page.messages.say("exported", "info", exporting.sentence(done)),
            primary=False,
        )

    def save_card_beside(self, *, overwrite: bool = False) -> None:
        """Write the card beside the model's file; one that is there is replaced when asked."""
        from napari_defectseg.core.errors import AlreadyExists
        from napari_defectseg.models.beside import write_card_beside

        page = self.page
        page.messages.take_back("saved")
        try:
            place = write_card_beside(self.session.model, overwrite=overwrite)
        except AlreadyExists as error:
            again = [("Replace it", partial(self.save_card_beside, overwrite=True))]
            page.messages.say("saved", "warning", str(error), again)
        except DefectSegError as error:
            page.say_error("saved", error)
        else:
            page.messages.say("saved", "info", f"Saved as {place}.")

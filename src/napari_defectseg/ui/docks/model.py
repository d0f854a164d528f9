"""The Model dock: open a model and check what its classes mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, ModelMissing
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.ensemble import combine_models
from napari_defectseg.models.open import shipped_models, with_other_network
from napari_defectseg.models.several import SeveralModels
from napari_defectseg.ui import consent, evidence, icons, recent, theme, words
from napari_defectseg.ui.code_question import CodeQuestion
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.model_work import ModelWork
from napari_defectseg.ui.previewing import preview_of
from napari_defectseg.ui.program_questions import ProgramQuestions, Way
from napari_defectseg.ui.renaming import rename_classes
from napari_defectseg.ui.widgets.class_editor import ClassEditor
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.model_card import ModelView
from napari_defectseg.ui.widgets.model_members import ModelMembers
from napari_defectseg.ui.widgets.model_more import ModelMore
from napari_defectseg.ui.widgets.preview_row import PreviewRow
from napari_defectseg.ui.widgets.strip import Action
from napari_defectseg.ui.widgets.text import Link, name, section, text

LANE = "model"
FILES = "Models (*.safetensors *.pt *.pth *.ckpt *.onnx *.zip card.json);;All files (*)"
SHOWN_RECENT = 3
EMPTY = "Drop a model file here. Without one you can start with those that come with the program."


class ModelDock(DockPage):
    """Open a model and check its classes."""

    key, title, icon = "model", "Model", "model"
    tip = "Open a model and check its classes"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out the card, the classes and the rest, and tie them to the session."""
        self._opening = ""
        self.programs = ProgramQuestions(self, Way(self._take, self.open, self._on_failed))
        self.work = ModelWork(self)
        self.setAcceptDrops(True)
        self.card = ModelView()
        self.body.addWidget(self.card)
        self.members = ModelMembers()
        self.body.addWidget(self.members)
        self.body.addLayout(self._build_fit())
        self.body.addWidget(section("Classes"))
        self.classes = ClassEditor()
        self.body.addWidget(self.classes)
        self.preview = PreviewRow(preview_of(self.viewer))
        self.body.addWidget(self.preview)
        self.more = ModelMore()
        self.body.addWidget(self.more)
        self._build_foot()
        self.classes.valueChanged.connect(self._on_classes)
        self.classes.evidence_asked.connect(lambda: self.show_evidence("classes"))
        self.card.evidence_asked.connect(self.show_evidence)
        self.more.evidence_asked.connect(self.show_evidence)
        self.more.asked.connect(self.set_field)
        self.more.saving_asked.connect(self.work.save_copy)
        self.more.exporting_asked.connect(self.work.ask_export)
        self.more.forgetting_asked.connect(self.forget_answers)
        self.more.card_asked.connect(lambda: self.work.save_card_beside())
        self.more.calibrating_asked.connect(self.work.calibrate)
        self.more.why_asked.connect(self.work.explain)
        self.members.menu_asked.connect(self.work.fill_adding)
        self.members.removing_asked.connect(self.work.take_out)
        self.listen(self.session.events.model, self._on_model)
        self.listen(self.session.events.image, self._show_fit)

    def _build_fit(self) -> QVBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.fit_sign = QLabel()
        self.fit_sign.setFixedWidth(18)
        self.fit = text("", "second")
        row.addWidget(self.fit_sign)
        row.addWidget(self.fit, 1)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(row)
        ways = [
            Link(words_) for words_ in ("Resample for the model", "Go on as it is", "Warn only")
        ]
        for link in ways:
            link.clicked.connect(lambda _=False, link=link: self._choose_policy(link.text()))
        self.ways = Links(ways)
        column.addWidget(self.ways)
        return column

    def _choose_policy(self, words_: str) -> None:
        known = dict(evidence.ways_out(self.session.model.card, self.session.image))
        self.set_field("pixel_policy", known[words_])

    def _build_foot(self) -> None:
        self.open_button = QPushButton("Open…")
        tip = "Open another model: a file, a folder, or one of those before"
        name(self.open_button, "Open a model…", tip)
        self.menu = QMenu(self.open_button)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.open_button.setMenu(self.menu)
        self.footer.add_before(self.open_button)

    def _fill_menu(self) -> None:
        self.menu.clear()
        self.menu.addAction("Model file…", self.ask_file)
        self.menu.addAction("Model folder…", self.ask_folder)
        self.menu.addSeparator()
        for words_, path in self.known():
            self.menu.addAction(words_, lambda path=path: self.open(path))

    def known(self) -> list[tuple[str, str]]:
        """Return the models that come with the program, and those opened lately."""
        shipped = [(evidence.SHIPPED.get(one, one), one) for one in shipped_models()]
        own = [path for path in recent.recent_models() if Path(path).name not in shipped_models()]
        return [*shipped, *((f"Lately: {evidence.title_at(path)}", path) for path in own)]

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_model(self.session.model)

    def _on_model(self, model: Any) -> None:
        self.open_button.setVisible(model is not None)
        self.messages.take_back("evidence")
        if model is None:
            self._show_nothing()
            return
        self.show_controls()
        self.footer.offer("Use this model", "Go on to Predict")
        self.card.show_model(model, evidence.title_of(model))
        self.classes.setValue(model.card.classes, model.card.sources.get("classes", "card"))
        self.members.show_model(model)
        self.more.show_card(model.card)
        own = model.path and Path(model.path, "card.json").is_file()
        self.more.show_file(beside=bool(model.path) and not own, forget=recent.can_forget(model))
        icons.repaint(self, theme.colours_of(self))
        self._show_fit()
        self._ask(model)
        self.set_mark("done")

    def _show_nothing(self) -> None:
        links: list[Action] = [
            (words_, lambda path=path: self.open(path)) for words_, path in self.known()[:5]
        ]
        links.append(("Open a model folder…", self.ask_folder))
        self.show_empty(EMPTY, links)
        self.footer.offer("Open a model…", "Open a model file; nothing in it is run")
        self.messages.take_back("question")
        self.set_mark("")

    def _show_fit(self, _: Any = None) -> None:
        image, model = self.session.image, self.session.model
        shown = image is not None and model is not None
        self.fit.setVisible(shown)
        self.fit_sign.setVisible(shown)
        if shown:
            kind, sentence = evidence.fit_of(model.card, image)
            icons.set_icon(self.fit_sign, kind, size=14)
            self.fit.setText(sentence)
        ways = evidence.ways_out(model.card, image) if shown else ()
        offered = [words_ for words_, _ in ways]
        self.ways.setVisible(bool(ways))
        self.ways.show_only([link for link in self.ways.all if link.text() in offered])

    def _ask(self, model: Any) -> None:
        sentence = evidence.question(model.card)
        if not sentence:
            self.messages.take_back("question")
            return
        doubt = "architecture" in model.card.missing
        other: tuple[Action, ...] = (("The other network", self.take_other),) if doubt else ()
        links: tuple[Action, ...] = (
            ("All as shown", self.confirm),
            *other,
            ("Change…", self._show_answers),
            ("Why?", lambda: self._why(model.card.missing)),
        )
        self.messages.say("question", "warning", sentence, links)

    # -- opening -------------------------------------------------------------------------

    def act(self) -> None:
        """Go on with this model, or ask for one; a question is answered the safe way."""
        if self.programs.take_weights():
            return
        if self.session.model is None:
            self.ask_file()
        else:
            self.session.go_to("predict")

    def ask_file(self) -> None:
        """Ask for a model file; a folder is opened by its card."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", FILES)
        if path:
            self.open(path)

    def ask_folder(self) -> None:
        """Ask for a model folder."""
        path = QFileDialog.getExistingDirectory(self, "Open a model folder")
        if path:
            self.open(path)

    def open(self, path: str, *, ask: bool = True) -> None:
        """Open a model by its path or the name of a shipped one.

        Nothing in it is run, unless it is a program that was trusted; with `ask` one that was
        not is asked about.
        """
        file = Path(path)
        where = str(file.parent) if file.name == "card.json" else str(path)
        self._opening = evidence.title_at(where)
        self.programs.put_aside()
        self.messages.take_back("question")
        self.run(
            LANE,
            consent.open_steps(where, ask=ask),
            text=f"Reading {self._opening}",
            on_done=self._take,
            on_failed=lambda error: self._on_failed(where, error),
        )
        self.messages.say(LANE, "info", f"Reading {self._opening}{_size(where)} …", closable=False)

    def stop(self) -> None:
        """Stop reading; a file that is being read is put down when it has been read."""
        self.session.jobs.stop(LANE, drop=True)
        self.footer.set_working(False)
        self.messages.say(LANE, "info", f"Stopped; {self._opening} was not opened.")
        self.refresh()

    def _take(self, model: Any) -> None:
        self.messages.take_back(LANE)
        if isinstance(model, consent.Question | CodeQuestion):
            self.programs.ask(model)
            return
        if model.path:
            recent.remember_model(model.path)
        self.session.model = model

    def _on_failed(self, where: str, error: Exception) -> None:
        actions: list[Action] = [("Open another…", self.ask_file)]
        if not isinstance(error, ModelMissing):
            actions.append(("Copy this text", lambda: _copy(str(error))))
        self.say_error(LANE, error, actions)
        if self.session.model is not None:
            self._ask(self.session.model)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One file or folder is welcome."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped as a model."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open(paths[0])

    # -- what a person says about the model ----------------------------------------------

    def _on_classes(self, classes: ClassMap) -> None:
        old = self.session.model
        try:
            card = old.card.with_classes(classes)
        except DefectSegError as error:
            self.say_error("answer", error)
            return
        self._answer(card)
        rename_classes(self.session, old.card.classes, card.classes)
        self.stage.recolour()

    def set_field(self, field: str, words_: str) -> None:
        """Set a field of the card as a person said it, and keep it for these weights."""
        from napari_defectseg.models.settings import with_settings

        model = self.session.model
        try:
            if field == "shading":
                card = model.card.replaced(preprocessing=_shaded(model.card, bool(words_)))
            else:
                card = with_settings(model.card, {field: words_})
        except DefectSegError as error:
            self.say_error("answer", error)
            self.more.show_card(model.card)
            return
        self.messages.take_back("answer")
        self._answer(card)

    def confirm(self) -> None:
        """Say that everything that was asked is as it is shown."""
        card = self.session.model.card
        self._answer(card.replaced(**{one: getattr(card, one) for one in card.missing}))

    def take_other(self) -> None:
        """Take the next network that has exactly these tensors, in the worker."""
        model = self.session.model

        def steps() -> Steps[Any]:
            yield Step(0, 0, "reading weights")
            return with_other_network(model).card

        self.run(LANE, steps(), text="Looking for the other network", on_done=self._answer)

    def _answer(self, card: Any) -> None:
        model = self.session.model.with_card(card)
        recent.remember_answers(model)
        self.session.model = model

    def forget_answers(self) -> None:
        """Go back to what the file itself says."""
        model = self.session.model
        try:
            recent.forget_answers(model)
        except DefectSegError as error:
            self.say_error("answer", error)
            return
        if model.path:
            self.open(model.path)
        elif isinstance(model, SeveralModels):
            self.session.model = combine_models(model.models, model.combine)

    def show_evidence(self, field: str) -> None:
        """Say how a field of the card is known, or what the model may do (``"trust"``)."""
        if field == "trust":
            self.programs.say_trust()
            return
        sentence = evidence.evidence(self.session.model, field)
        self.messages.say("evidence", "info", sentence)

    def _why(self, fields: tuple[str, ...]) -> None:
        model = self.session.model
        sentences = [evidence.evidence(model, one) for one in fields if one in evidence.ASKED]
        self.messages.say("evidence", "info", "\n".join(sentences))

    def _show_answers(self) -> None:
        self.more.set_open(True)
        field = self.classes.rows[0].edit if "classes" in self.session.model.card.missing else None
        (field or self.more.scaling).setFocus()


def _size(where: str) -> str:
    file = Path(where)
    return f", {words.size(file.stat().st_size)}" if file.is_file() else ""


def _shaded(card: Any, inverted: bool) -> tuple[Any, ...]:
    from napari_defectseg.models.preprocess import Invert

    steps = tuple(step for step in card.preprocessing if step.kind != "invert")
    zscore = any(getattr(step, "method", "") == "zscore" for step in steps)
    return (*steps, Invert(about=0.0 if zscore else 0.5)) if inverted else steps


def _copy(words_: str) -> None:
    QGuiApplication.clipboard().setText(words_)

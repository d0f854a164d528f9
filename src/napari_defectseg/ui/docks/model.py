"""The Model dock: open a model and check what its classes mean."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_defectseg.models.open import open_model, shipped_models
from napari_defectseg.ui import icons, numbers, theme
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.facts import Facts
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, section, text

SHIPPED = {"tem-defects": "TEM defects", "tomogram-pores": "Pores in tomograms"}
FILES = "Models (*.safetensors *.pt *.pth *.ckpt card.json);;All files (*)"


class ModelDock(DockPage):
    """Open a model and check its classes."""

    key, title, icon = "model", "Model", "model"
    tip = "Open a model and check its classes"

    def build(self) -> None:
        """Lay out the card and the classes."""
        self.facts = Facts()
        self.body.addWidget(self.facts)
        self.body.addWidget(section("Classes"))
        self.classes = QWidget()
        self._rows = Card()
        self._rows.setProperty("ds", "")
        self._rows.column.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self._rows)
        self.open_button = QPushButton("Open…")
        name(self.open_button, "Open a model…", "Open a model file or folder; nothing in it is run")
        self.open_button.clicked.connect(self.ask_file)
        self.footer.add_before(self.open_button)
        self.listen(self.session.events.model, self._on_model)

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_model(self.session.model)

    def act(self) -> None:
        """Go on with this model, or ask for one."""
        if self.session.model is None:
            self.ask_file()
        else:
            self.session.go_to("predict")

    def ask_file(self) -> None:
        """Ask for a model file; a folder is opened by its card."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", FILES)
        if path:
            self.open(path)

    def open(self, path: str) -> None:
        """Open a model by its path or the name of a shipped one."""
        from pathlib import Path

        file = Path(path)
        where = str(file.parent) if file.name == "card.json" else path

        def take(model: Any) -> None:
            self.session.model = model

        def steps() -> Any:
            from napari_defectseg.core.progress import Step

            yield Step(0, 0, "reading weights")
            return open_model(where)

        self.run("model", steps(), text="reading weights", on_done=take)

    def _on_model(self, model: Any) -> None:
        self.open_button.setVisible(model is not None)
        if model is None:
            self.show_empty(
                "Open a model file here. Without one you can start with those that come with "
                "the program.",
                [
                    (SHIPPED.get(one, one), lambda one=one: self.open(one))
                    for one in shipped_models()
                ],
            )
            self.footer.offer("Open a model…", "Open a model file or folder")
            self.set_mark("")
            return
        self.show_controls()
        self.footer.offer("Use this model", "Go on to Predict")
        self.facts.show_facts(_facts(model))
        self._show_classes(model.card)
        self.set_mark("done")

    def _show_classes(self, card: Any) -> None:
        while self._rows.column.count():
            widget = self._rows.column.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        for item in card.classes:
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(theme.GAP)
            row.addWidget(Swatch(item))
            row.addWidget(ElidedLabel(item.name), 1)
            row.addWidget(text(card.sources.get("classes", "card"), "second", wrap=False))
            self._rows.column.addWidget(line)
        icons.repaint(self._rows, theme.colours_of(self))


def _facts(model: Any) -> list[tuple[str, str]]:
    card = model.card
    size = "not stated"
    if card.pixel_size is not None:
        size = f"{numbers.span(*card.pixel_size)} {card.pixel_unit}/px"
    learnt = f"{card.parameters / 1e6:.1f} M values" if card.parameters else ""
    return [
        ("Name", card.name),
        ("Kind", " · ".join(p for p in (f"{card.dims}D {card.architecture}", learnt) if p)),
        ("Trained at", size),
        ("Trust", "only weights, no code"),
        ("From", model.path or "made here"),
    ]

"""Begin without objects: name the classes, then draw."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name, named, text


class BeginForm(QWidget):
    """A sentence, a line for names of classes, and a button to draw from nothing."""

    asked = Signal(object)
    """The names of classes that a person wants to draw, a list of str."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(text("No objects yet. Predict first, or draw: name the classes."))
        self.names = QLineEdit()
        self.names.setPlaceholderText("void, precipitate, loop")
        self.names.setMinimumWidth(60)
        self.names.returnPressed.connect(self._ask)
        column.addWidget(named(text("Classes to draw, with commas", wrap=False), self.names))
        column.addWidget(self.names)
        self.draw = QPushButton("Start drawing")
        name(self.draw, "Start drawing", "Begin without objects and draw them")
        self.draw.clicked.connect(self._ask)
        column.addWidget(self.draw)

    def suggest(self, classes: ClassMap | None) -> None:
        """Fill in the names of known classes unless something stands there."""
        if classes is not None and not self.names.text():
            self.names.setText(", ".join(classes.names))

    def _ask(self) -> None:
        found = [part.strip() for part in self.names.text().split(",")]
        self.asked.emit([part for part in found if part])

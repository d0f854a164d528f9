"""Remove many objects at once by a rule: too small, or cut by the border."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_defectseg.labels.tools.clean import CleanSettings
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import ElidedLabel, name, named, text

LARGEST = 10**6


class CleanForm(QWidget):
    """Smallest size, border, and the button that removes; one step in the history."""

    asked = Signal(object)
    """The `CleanSettings` that a person wants applied."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.smallest = QSpinBox()
        self.smallest.setRange(0, LARGEST)
        self.smallest.setSuffix(" px")
        label = text("Remove below", wrap=False)
        row.addWidget(named(label, self.smallest, tip="Objects with fewer pixels are removed"))
        row.addWidget(self.smallest, 1)
        self.border = QCheckBox("and at the border")
        name(self.border, "Remove at the border", "Objects that touch the image's edge are removed")
        self.remove = QPushButton("Clean")
        name(self.remove, "Clean", "Remove these objects, as one step that can be undone")
        self.remove.clicked.connect(lambda: self.asked.emit(self.value))
        self.told = ElidedLabel(role="second")
        last = QHBoxLayout()
        last.setSpacing(theme.SPACE)
        last.addWidget(self.remove)
        last.addWidget(self.told, 1)
        column.addLayout(row)
        column.addWidget(self.border)
        column.addLayout(last)

    @property
    def value(self) -> CleanSettings:
        """What is removed; checked objects never are."""
        return CleanSettings(float(self.smallest.value()), border=self.border.isChecked())

    def tell(self, sentence: str) -> None:
        """Say what came of it."""
        self.told.setText(sentence)

"""Remove many objects at once by a rule: too small, or cut by the border."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_defectseg.labels.tools.clean import CleanSettings
from napari_defectseg.ui import theme
from napari_defectseg.ui.forms import form_for
from napari_defectseg.ui.widgets.text import ElidedLabel, name


class CleanForm(QWidget):
    """Smallest size, border, and the button that removes; one step in the history."""

    asked = Signal(object)
    """The `CleanSettings` that a person wants applied."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.form = form_for(CleanSettings, shown=("min_size", "border"))
        self.smallest = self.form.fields["min_size"].focus
        self.border = self.form.fields["border"].focus
        self.remove = QPushButton("Clean")
        name(self.remove, "Clean", "Remove these objects, as one step that can be undone")
        self.remove.clicked.connect(lambda: self.asked.emit(self.value))
        self.told = ElidedLabel(role="second")
        last = QHBoxLayout()
        last.setSpacing(theme.SPACE)
        last.addWidget(self.remove)
        last.addWidget(self.told, 1)
        column.addWidget(self.form)
        column.addLayout(last)

    @property
    def value(self) -> CleanSettings:
        """What is removed; checked objects never are."""
        return self.form.value

    def tell(self, sentence: str) -> None:
        """Say what came of it."""
        self.told.setText(sentence)

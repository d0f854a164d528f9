"""The models that are put together, and the way to add another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QMenu, QVBoxLayout, QWidget

from napari_defectseg.models.several import SeveralModels
from napari_defectseg.ui import evidence, theme
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model

ADD = "Add another model…"
WAYS = {
    "join": "Side by side: each finds its own classes, which may overlap.",
    "ensemble": "Their mean; where they disagree is kept as a map.",
}


class ModelMembers(QWidget):
    """Signals ``menu_asked(QMenu)``: fill it with models to add; ``removing_asked(int)``."""

    menu_asked = Signal(object)
    removing_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GAP)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self.way = text("", "second")
        self.add = Link(ADD, "Put another model beside this one: both look at the image")
        self.add.clicked.connect(self._offer)
        column.addLayout(self._grid)
        column.addWidget(self.way)
        column.addWidget(self.add)
        self.removers: list[Link] = []

    def show_model(self, model: Model) -> None:
        """Show what a model is put together from; nothing for a single one."""
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        self.removers = []
        several = isinstance(model, SeveralModels)
        self.way.setVisible(several)
        if not isinstance(model, SeveralModels):
            return
        self.way.setText(WAYS[model.combine])
        for row, one in enumerate(model.models):
            title = evidence.title_of(one)
            label = ElidedLabel(f"{row + 1}  {title}: {', '.join(one.card.classes.names)}")
            label.setToolTip(f"{label.toolTip()}\n{one.path or 'made here, not saved'}")
            remove = Link("Take out")
            name(remove, f"Take out {title}", "Go on without this model")
            remove.clicked.connect(lambda _=False, row=row: self.removing_asked.emit(row))
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(remove, row, 1)
            self.removers.append(remove)

    def _offer(self) -> None:
        menu = QMenu(self.add)
        self.menu_asked.emit(menu)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.add.mapToGlobal(self.add.rect().bottomLeft()))

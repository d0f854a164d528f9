"""Which of the images inside a file: a list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton

from napari_defectseg.images.parts import Part
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text

ROW, MOST_ROWS = 24, 7


class PartList(Card):
    """Asks for a part; sends ``chosen(path, name)`` or ``closed()``."""

    chosen = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._path = ""
        self.title = ElidedLabel(role="strong")
        self.column.addWidget(self.title)
        self.column.addWidget(text("Which one is the picture?", "second"))
        self.list = QListWidget()
        self.list.setMinimumWidth(120)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        name(self.list, "Images in the file", "Enter or a double click opens one")
        self.list.itemActivated.connect(self._choose)
        self.column.addWidget(self.list)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.open_button = QPushButton("Open this one")
        name(self.open_button, "Open this one", "Open the image that is marked")
        self.open_button.clicked.connect(self._choose)
        cancel = Link("put aside", "Open none of them")
        cancel.clicked.connect(self.put_aside)
        row.addWidget(self.open_button)
        row.addWidget(cancel)
        row.addStretch(1)
        self.column.addLayout(row)

    def ask(self, path: str, parts: Sequence[Part]) -> None:
        """Ask which part of a file."""
        self._path = path
        self.title.setText(f"{Path(path).name} holds {len(parts)} images")
        self.setAccessibleName(self.title.text())
        self.list.clear()
        for part in parts:
            item = QListWidgetItem(str(part))
            item.setData(Qt.ItemDataRole.UserRole, part.name)
            item.setToolTip(str(part))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setFixedHeight(ROW * min(MOST_ROWS, len(parts)) + 8)
        self.show()
        self.list.setFocus()

    def put_aside(self) -> None:
        """Ask no more."""
        self.hide()
        self.closed.emit()

    def _choose(self, _: object = None) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.hide()
            self.chosen.emit(self._path, item.data(Qt.ItemDataRole.UserRole))

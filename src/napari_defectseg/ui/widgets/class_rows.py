"""One row a class: its sign, name, number of objects and key; the chosen one is drawn."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

HEIGHT = 26
KEYS = 9
"""Classes that have a key."""


class ClassRows(QWidget):
    """Choose the class to draw.

    Signals
    -------
    chosen : int
        Class value, by a click or a key.
    hide_asked : int
        Right click on a class, or the menu key: hide it, or show it again.
    """

    chosen = Signal(int)
    hide_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Draw as")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._group = QButtonGroup(self)
        self._rows: dict[int, _Row] = {}
        self._classes: ClassMap | None = None

    def show_classes(self, classes: ClassMap) -> None:
        """Show the rows of some classes."""
        if classes == self._classes:
            return
        self._classes = classes
        for row in self._rows.values():
            self._group.removeButton(row)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = {}
        for place, item in enumerate(classes, start=1):
            row = _Row(item, f"Ctrl+{place}" if place <= KEYS else "")
            row.clicked.connect(lambda _=False, value=item.value: self.chosen.emit(value))
            row.customContextMenuRequested.connect(
                lambda _, value=item.value: self.hide_asked.emit(value)
            )
            self._group.addButton(row)
            self._column.addWidget(row)
            self._rows[item.value] = row

    def set_counts(self, counts: Mapping[int, int]) -> None:
        """Show how many objects there are of each class."""
        for value, row in self._rows.items():
            row.set_count(counts.get(value, 0))

    def set_current(self, value: int) -> None:
        """Mark the class that is drawn."""
        if value in self._rows:
            self._rows[value].setChecked(True)

    def set_hidden(self, values: frozenset[int]) -> None:
        """Mark classes that are not shown."""
        for value, row in self._rows.items():
            row.set_hidden(value in values)

    def row(self, value: int) -> QPushButton:
        """Return the row of a class."""
        return self._rows[value]


class _Row(QPushButton):
    def __init__(self, item: DefectClass, key: str) -> None:
        super().__init__()
        self._item, self._key, self._count, self._is_hidden = item, key, 0, False
        self.setProperty("ds", "row")
        self.setCheckable(True)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
        row.setSpacing(theme.GAP)
        self._name = ElidedLabel(item.name)
        self._told = text("0", wrap=False)
        theme.tabular(self._told)
        self._badge = text(key, "key", wrap=False)
        for widget in (Swatch(item), self._name, self._told, self._badge):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row.addWidget(widget, 1 if widget is self._name else 0)
        self._badge.setVisible(bool(key))
        self._describe()

    def minimumSizeHint(self):
        """Return what the labels need: the name gives way."""
        hint = super().minimumSizeHint()
        hint.setWidth(self.layout().minimumSize().width())
        return hint

    def set_count(self, count: int) -> None:
        if count != self._count:
            self._count = count
            self._told.setText(numbers.count(count))
            self._describe()

    def set_hidden(self, hidden: bool) -> None:
        self._is_hidden = hidden
        self._name.setText(f"{self._item.name} (hidden)" if hidden else self._item.name)
        self._describe()

    def _describe(self) -> None:
        key = f" ({self._key})" if self._key else ""
        hidden = ", hidden" if self._is_hidden else ""
        name(
            self,
            f"{self._item.name}, {numbers.count(self._count)} objects{hidden}",
            f"Draw as {self._item.name}{key}. Right click: {'show' if hidden else 'hide'}",
        )

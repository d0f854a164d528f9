"""One row a class: its sign to choose, its name to type, and how both are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QIcon, QKeyEvent
from qtpy.QtWidgets import QGridLayout, QLineEdit, QMenu, QWidget

from napari_defectseg.core.classes import PALETTE, ClassMap, DefectClass
from napari_defectseg.core.errors import ClassError
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.swatch import SwatchButton, border_of, describe, picture
from napari_defectseg.ui.widgets.text import Link, name, text

CHOOSE = "Click to choose another colour and pattern"


class ClassEditor(QWidget):
    """The classes of a model or dataset, to be named and coloured.

    ``valueChanged`` is sent with a `ClassMap` when a person has changed something that may be;
    ``evidence_asked`` when a source word was clicked. Two classes of one name, or one without,
    are not sent: a sentence below says why.
    """

    valueChanged = Signal(object)  # noqa: N815 (Qt's own manner)
    evidence_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Classes")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.SPACE)
        self._grid.setVerticalSpacing(theme.SPACE)
        self._grid.setColumnStretch(2, 1)
        self._classes: ClassMap | None = None
        self.rows: list[_Row] = []
        self.complaint = text("", "strong")
        self.complaint.hide()

    @property
    def value(self) -> ClassMap | None:
        """The classes that hold; names that were refused are not among them."""
        return self._classes

    def setValue(self, classes: ClassMap, source: str = "card") -> None:
        """Show classes and where they come from; nothing is sent."""
        if self._classes is None or len(self.rows) != len(classes):
            self._rebuild(classes)
        self._classes = classes
        for row, item in zip(self.rows, classes, strict=True):
            row.show(item, source)
        self._complain(-1, "")

    def _rebuild(self, classes: Sequence[DefectClass] | ClassMap) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            if widget is not self.complaint:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        for place, item in enumerate(classes):
            row = _Row(item)
            row.edit.editingFinished.connect(lambda place=place: self._on_name(place))
            row.swatch.clicked.connect(lambda _=False, place=place: self._offer_signs(place))
            row.source.clicked.connect(self.evidence_asked)
            for column, widget in enumerate((row.swatch, row.number, row.edit, row.source)):
                self._grid.addWidget(widget, place, column)
            self.rows.append(row)
        self._grid.addWidget(self.complaint, len(self.rows), 0, 1, 4)

    def _on_name(self, place: int) -> None:
        typed = self.rows[place].edit.text().strip()
        if self._classes is not None and typed != self._classes.classes[place].name:
            self._change(place, name=typed)

    def _offer_signs(self, place: int) -> None:
        row = self.rows[place]
        menu = QMenu(row.swatch)
        for word, colour, pattern in PALETTE:
            item = replace(row.swatch.item, colour=colour, pattern=pattern)
            sign = QIcon(picture(item, border_of(self)))
            action = menu.addAction(sign, f"{word}, {pattern}")
            action.triggered.connect(
                lambda _=False, item=item: self._change(
                    place, colour=item.colour, pattern=item.pattern
                )
            )
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(row.swatch.mapToGlobal(row.swatch.rect().bottomLeft()))

    def choose_sign(self, place: int, colour: str, pattern: str) -> None:
        """Give the class in a row another colour and pattern."""
        self._change(place, colour=colour, pattern=pattern)

    def _change(self, place: int, **changes: str) -> None:
        if self._classes is None:
            return
        items = list(self._classes.classes)
        items[place] = replace(items[place], **changes)
        try:
            changed = ClassMap(tuple(items), self._classes.exclusive)
        except ClassError as error:
            self._complain(place, str(error))
            return
        self._complain(-1, "")
        if changed != self._classes:
            self._classes = changed
            self.rows[place].show(items[place], "you")
            self.valueChanged.emit(changed)

    def _complain(self, place: int, sentence: str) -> None:
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence))
        for number, row in enumerate(self.rows):
            theme.hook(row.edit, wrong=number == place)


class _Row:
    def __init__(self, item: DefectClass) -> None:
        self.swatch = SwatchButton(item, CHOOSE)
        self.number = text(str(item.value), wrap=False)
        self.edit = _Name()
        self.source = Link("card")

    def show(self, item: DefectClass, source: str) -> None:
        self.swatch.show_class(item)
        self.number.setText(str(item.value))
        self.edit.was = item.name
        if self.edit.text() != item.name:
            self.edit.setText(item.name)
        name(
            self.edit,
            f"Name of {describe(item)}",
            "Its name in this window, in tables and in files",
        )
        sign = " ⚠" if source == "guess" else ""
        self.source.setText(source + sign)
        name(self.source, f"Name of class {item.value}: {source}", "How this is known")


class _Name(QLineEdit):
    """A name; `Escape` brings back what it was."""

    def __init__(self) -> None:
        super().__init__()
        self.was = ""
        self.setMinimumWidth(48)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take `Return` and `Escape` for the field alone: they are no command of the page."""
        if event.key() == Qt.Key.Key_Escape and self.text() != self.was:
            self.setText(self.was)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.editingFinished.emit()
        else:
            super().keyPressEvent(event)

"""A line to type an expression into: completes names, marks what it does not understand."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, QStringListModel, Qt, QTimer, Signal
from qtpy.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name, text

PAUSE = 250
"""Milliseconds without a key until the expression is tried."""


class FilterLine(QWidget):
    """Filter field with its complaint below; `changed` is sent when typing pauses."""

    changed = Signal(str)
    focused = Signal(bool)
    """Whether a person is about to type here."""

    def __init__(self, example: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(f"Filter: {example}")
        self.edit.setClearButtonEnabled(True)
        self.edit.setMinimumWidth(60)
        self.edit.installEventFilter(self)
        name(self.edit, "Filter", f"Show only objects for which this holds, for example {example}")
        self.complaint = text("", "second")
        self.complaint.hide()
        column.addWidget(self.edit)
        column.addWidget(self.complaint)
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setWidget(self.edit)
        self._completer.activated.connect(self._complete)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(lambda: self.changed.emit(self.edit.text().strip()))
        self.edit.textEdited.connect(self._on_typed)
        self.edit.textChanged.connect(lambda _: self._timer.start())
        self.edit.returnPressed.connect(self._timer.stop)
        self.edit.returnPressed.connect(lambda: self.changed.emit(self.edit.text().strip()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell when the field gets the keys, and when it loses them."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.focused.emit(event.type() == QEvent.Type.FocusIn)
        return False

    def set_words(self, words: Sequence[str]) -> None:
        """Offer these names while typing."""
        if list(words) != self._words.stringList():
            self._words.setStringList(list(words))

    def set_example(self, example: str) -> None:
        """Show another example while it is empty."""
        self.edit.setPlaceholderText(f"Filter: {example}")

    def complain(self, sentence: str) -> None:
        """Mark it as not understood and say why; an empty sentence takes it back."""
        theme.hook(self.edit, wrong=bool(sentence))
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence))
        self.edit.setAccessibleDescription(sentence)

    def _word_start(self) -> int:
        before = self.edit.text()[: self.edit.cursorPosition()]
        start = len(before)
        while start and (before[start - 1].isalnum() or before[start - 1] in "_-"):
            start -= 1
        return start

    def _on_typed(self, typed: str) -> None:
        word = typed[self._word_start() : self.edit.cursorPosition()]
        if len(word) < 2 or word[0].isdigit():
            self._completer.popup().hide()
            return
        self._completer.setCompletionPrefix(word)
        if self._completer.completionCount() and self._completer.currentCompletion() != word:
            self._completer.complete()
        else:
            self._completer.popup().hide()

    def _complete(self, word: str) -> None:
        typed, start, end = self.edit.text(), self._word_start(), self.edit.cursorPosition()
        self.edit.setText(typed[:start] + word + typed[end:])
        self.edit.setCursorPosition(start + len(word))

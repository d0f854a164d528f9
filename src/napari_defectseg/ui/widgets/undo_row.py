"""Undo, redo, and how many edits there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.widgets.text import name, text

if TYPE_CHECKING:
    from napari_defectseg.labels.history import History
    from napari_defectseg.ui.keys import Keys


class UndoRow(QWidget):
    """Names what the next undo and redo would do; undo held down lists the last steps.

    Parameters
    ----------
    keys : Keys
        Which keys the tooltips name.
    """

    undo_asked = Signal(int)
    """How many steps a person wants back."""
    redo_asked = Signal()

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._history: History | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        self.undo = _button("undo")
        self.undo.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.menu = QMenu(self.undo)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.undo.setMenu(self.menu)
        self.undo.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        self.redo = _button("redo")
        self.undo.clicked.connect(lambda: self.undo_asked.emit(1))
        self.redo.clicked.connect(lambda: self.redo_asked.emit())
        self.edits = text("", "second", wrap=False)
        theme.tabular(self.edits)
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        row.addStretch(1)
        row.addWidget(self.edits)

    def show_history(self, history: History | None) -> None:
        """Name the last step, the one before it that was undone, and the count."""
        self._history = history
        back = history.undo_name if history is not None else ""
        again = history.redo_name if history is not None else ""
        self.undo.setText(f"Undo {back}".strip())
        self.undo.setEnabled(bool(back))
        self.redo.setEnabled(bool(again))
        tip = f"{self._told('Undo', back, 'undo')}; hold for the last steps"
        name(self.undo, f"Undo {back}".strip(), tip)
        name(self.redo, f"Redo {again}".strip(), self._told("Redo", again, "redo"))
        count = len(history.entries) if history is not None else 0
        self.edits.setText(words.counted(count, "edit"))

    def _told(self, verb: str, tool: str, command: str) -> str:
        key = self._keys.key(command)
        return f"{verb} {tool}".strip() + (f" ({key})" if key else "")

    def _fill_menu(self) -> None:
        self.menu.clear()
        for steps, tool in enumerate(self._history.undo_names if self._history else (), start=1):
            action = self.menu.addAction(f"Undo {tool}")
            action.triggered.connect(lambda _=False, steps=steps: self.undo_asked.emit(steps))


def _button(icon: str) -> QToolButton:
    button = QToolButton()
    icons.set_icon(button, icon, size=14)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

"""Tools side by side: icon, word and key; at most one is in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import name


@dataclass(frozen=True)
class Tool:
    """A tool as its button shows it.

    Parameters
    ----------
    key : str
        Its name in code.
    words, icon, shortcut, tip : str
    holds : bool
        Whether it stays in hand; others do something at once.
    """

    key: str
    words: str
    icon: str
    shortcut: str
    tip: str
    holds: bool = True


class ToolGrid(QWidget):
    """Buttons of tools in rows; keyboard focus goes back to the canvas by itself."""

    chosen = Signal(str)

    def __init__(self, tools: Sequence[Tool], columns: int = 3) -> None:
        super().__init__()
        self.setAccessibleName("Tools")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.SPACE)
        self._buttons: dict[str, QToolButton] = {}
        for place, tool in enumerate(tools):
            button = QToolButton()
            button.setProperty("ds", "tool")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setText(f"{tool.words}  {tool.shortcut}".rstrip())
            button.setCheckable(tool.holds)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(50)
            # The Tab key reaches it, a click leaves the keys where they are.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            icons.set_icon(button, tool.icon, size=18)
            tip = f"{tool.tip} ({tool.shortcut})" if tool.shortcut else tool.tip
            name(button, tool.words, tip)
            button.clicked.connect(lambda _=False, key=tool.key: self.chosen.emit(key))
            grid.addWidget(button, place // columns, place % columns)
            self._buttons[tool.key] = button

    def set_in_hand(self, key: str) -> None:
        """Mark the tool that is in hand; an empty or unknown key marks none."""
        for name_of, button in self._buttons.items():
            if button.isCheckable():
                button.setChecked(name_of == key)

    def button(self, key: str) -> QToolButton:
        """Return the button of a tool."""
        return self._buttons[key]

"""Whether what is seen is predicted at once, and what was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name, text

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_defectseg.ui.previewing import LivePreview

WORDS = "Preview what you see"
TIP = (
    "Predicts the part of the image that you see, again whenever you move, zoom, or change slice, "
    "model or threshold; nothing of your work is touched"
)


class PreviewRow(QWidget):
    """A switch of the viewer's `LivePreview`, which works while the row is in sight.

    Parameters
    ----------
    preview : LivePreview
    """

    def __init__(self, preview: LivePreview) -> None:
        super().__init__()
        self._preview = preview
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.switch = QCheckBox(WORDS)
        name(self.switch, WORDS, TIP)
        self.result = text("", "second")
        column.addWidget(self.switch)
        column.addWidget(self.result)
        self.switch.toggled.connect(preview.set_on)
        preview.changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Show whether it is on, and what it found."""
        self.switch.blockSignals(True)
        self.switch.setChecked(self._preview.on)
        self.switch.blockSignals(False)
        self.result.setText(self._preview.words)
        self.result.setVisible(bool(self._preview.words))

    def showEvent(self, event: QShowEvent) -> None:
        """Preview from now on."""
        super().showEvent(event)
        self._preview.enter(self)

    def hideEvent(self, event: QHideEvent) -> None:
        """Preview no more."""
        super().hideEvent(event)
        self._preview.leave(self)

"""Parts of a page below each other in a narrow dock, beside each other in a wide one."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Signal
from qtpy.QtWidgets import QBoxLayout, QWidget

from napari_defectseg.ui import theme

WIDE = 480
"""Width from which the parts stand side by side."""


class SideBySide(QWidget):
    """Turns by its own width.

    Parameters
    ----------
    parts : sequence of (QWidget, int, int)
        Each with its share of the height in a narrow dock, and of the width in a wide one.
    """

    turned = Signal(bool)
    """Whether the parts now stand side by side."""

    def __init__(self, parts: Sequence[tuple[QWidget, int, int]]) -> None:
        super().__init__()
        self.wide = False
        self._parts = list(parts)
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.GAP)
        # The parts beside each other need more than a narrow dock has; asking for that much
        # would keep a wide dock from ever becoming narrow again.
        self._row.setSizeConstraint(QBoxLayout.SizeConstraint.SetNoConstraint)
        for part, narrow, _ in self._parts:
            self._row.addWidget(part, narrow)

    def minimumSizeHint(self) -> QSize:
        """Return what the widest part needs."""
        hints = [part.minimumSizeHint() for part, _, _ in self._parts if part.isVisibleTo(self)]
        width = max((hint.width() for hint in hints), default=0)
        heights = [hint.height() for hint in hints]
        gaps = theme.GAP * max(0, len(heights) - 1)
        height = max(heights, default=0) if self.wide else sum(heights) + gaps
        return QSize(width, height)

    def resizeEvent(self, event) -> None:
        """Turn where there is room, and back."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE
        if wide == self.wide:
            return
        self.wide = wide
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.LeftToRight if wide else direction.TopToBottom)
        for place, (_, narrow, broad) in enumerate(self._parts):
            self._row.setStretch(place, broad if wide else narrow)
        self.turned.emit(wide)
        self.updateGeometry()

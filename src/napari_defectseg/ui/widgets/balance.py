"""How much of a dataset each class is, and the form for a new dataset."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QRectF, QSize
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QWidget

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.patterns import class_brush
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

HEIGHT = 10
NAME = 90
"""Width in px up to which the name of a class is not cut."""


class ShareBar(QWidget):
    """A share as a bar in the colour and pattern of a class."""

    def __init__(self, item: DefectClass, share: float) -> None:
        super().__init__()
        self._item, self._share = item, min(1.0, max(0.0, share))
        self.setFixedHeight(HEIGHT + 2)
        self.setMinimumWidth(30)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        name(self, f"{item.name} {per_cent(share)}")

    def sizeHint(self) -> QSize:
        """Return a modest width."""
        return QSize(60, HEIGHT + 2)

    def paintEvent(self, event) -> None:
        """Paint the track and the share."""
        painter = QPainter(self)
        track = QRectF(0.5, 0.5, self.width() - 1, HEIGHT)
        painter.fillRect(track, theme.colour(self, "primary"))
        part = QRectF(track)
        part.setWidth(max(1.0, track.width() * self._share))
        painter.fillRect(part, class_brush(self._item))
        painter.setPen(QPen(theme.colour(self, "text"), 1))
        painter.drawRect(part)
        painter.end()


class Balance(QWidget):
    """One line a class: sign, name, bar, share of what was looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Share of each class")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.GAP)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self._shown: tuple[object, ...] = ()

    def show_shares(self, classes: ClassMap, shares: Mapping[str, float]) -> None:
        """Show other shares, 0 to 1; the bars are relative to the largest."""
        wanted = (classes, tuple(shares.items()))
        if wanted == self._shown:
            return
        self._shown = wanted
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        largest = max(shares.values(), default=0.0) or 1.0
        for row, item in enumerate(classes):
            share = shares.get(item.name, 0.0)
            label = ElidedLabel(item.name)
            wanted = label.fontMetrics().horizontalAdvance(item.name) + theme.SPACE
            label.setMinimumWidth(min(wanted, NAME))
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
            told = text(per_cent(share), wrap=False)
            theme.tabular(told)
            bar = ShareBar(item, share / largest)
            name(bar, f"{item.name} {per_cent(share)}")
            for column, widget in enumerate((Swatch(item), label, bar, told)):
                self._grid.addWidget(widget, row, column)


def per_cent(share: float) -> str:
    """Return a share as a person reads it: two digits, ``"61 %"``, ``"0.4 %"``."""
    return f"{numbers.plain(100 * share, 2)} %"

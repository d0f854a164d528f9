"""`Rose`: directions of objects, half a turn around; a wedge gives its objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor, QPainterPath
from qtpy.QtWidgets import QGraphicsPathItem, QWidget

from napari_defectseg.ui import numbers
from napari_defectseg.ui.plots.base import Plot, QuietViewBox


@dataclass(frozen=True)
class Wedges:
    """What a rose shows.

    Parameters
    ----------
    edges : ndarray of float, shape (k + 1,)
        Directions in degrees, 0 to 180, anticlockwise from the right.
    lengths : ndarray of float, shape (k,)
    name, counted : str
        What has a direction, and what the lengths are.
    mean, strength : float
        Mean direction in degrees, and how much they are of one: 0 not at all, 1 wholly.
    objects : int
    """

    edges: np.ndarray
    lengths: np.ndarray
    name: str
    counted: str
    mean: float
    strength: float
    objects: int

    def summary(self) -> str:
        """Return what a person who does not see the rose should hear."""
        if not self.objects:
            return f"Rose of the {self.name}: no objects."
        text = f"Rose of the {self.name}: {numbers.count(self.objects)} objects"
        if math.isfinite(self.mean):
            text += f", mean {self.mean:.0f}°, strength {self.strength:.2f}"
        return text + "."


class Rose(Plot):
    """A half rose; a click gives the objects of a wedge.

    Signals
    -------
    range_chosen : float, float, bool
        Directions from and to in degrees, and whether to add to the selection.
    cleared
        A click beside the wedges, or Escape.
    delete_asked
        `Delete` was pressed while the plot had the focus.
    """

    range_chosen = Signal(float, float, bool)
    cleared = Signal()
    delete_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        view = _ClickBox()
        super().__init__(parent, view)
        self.setAccessibleName("Rose of directions")
        self.setToolTip("Click a wedge: its objects are selected. 0° is to the right, 90° up")
        self.wedges: Wedges | None = None
        view.setAspectLocked(True)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        view.clicked.connect(self._on_click)

    def show_wedges(self, wedges: Wedges) -> None:
        """Draw another rose."""
        self.wedges = wedges
        self.plotItem.clear()
        longest = float(wedges.lengths.max(initial=0)) or 1.0
        edge = pg.mkPen(self.roles.get("text"), width=1)
        fill = QColor(self.roles.get("current", QColor("gray")))
        pairs = zip(wedges.edges[:-1], wedges.edges[1:], strict=True)
        for (low, high), length in zip(pairs, wedges.lengths / longest, strict=True):
            if length > 0:
                item = QGraphicsPathItem(_wedge(low, high, math.sqrt(length)))
                item.setPen(edge)
                item.setBrush(fill)
                self.addItem(item)
        self._draw_frame(wedges)
        self.setRange(xRange=(-1.15, 1.15), yRange=(-0.12, 1.15), padding=0)
        self.setAccessibleDescription(wedges.summary())

    def set_theme(self, colours, font_size: float = 9.0) -> None:
        """Take over the theme's colours."""
        super().set_theme(colours, font_size)
        if self.wedges is not None:
            self.show_wedges(self.wedges)

    def keyPressEvent(self, event) -> None:
        """Delete asks for deletion, Escape puts the selection aside."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_asked.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cleared.emit()
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def _draw_frame(self, wedges: Wedges) -> None:
        ink = self.roles.get("secondary", QColor("gray"))
        turn = np.radians(np.linspace(0, 180, 91))
        self.addItem(pg.PlotCurveItem(np.cos(turn), np.sin(turn), pen=pg.mkPen(ink)))
        self.addItem(pg.PlotCurveItem(np.array([-1.0, 1.0]), np.zeros(2), pen=pg.mkPen(ink)))
        for degrees in (0, 45, 90, 135, 180):
            text = pg.TextItem(f"{degrees}°", self.roles.get("text"), anchor=(0.5, 0.5))
            angle = math.radians(degrees)
            text.setPos(1.1 * math.cos(angle), 1.08 * math.sin(angle))
            self.addItem(text)
        if math.isfinite(wedges.mean):
            angle = math.radians(wedges.mean)
            ends = np.array([0.0, math.cos(angle)]), np.array([0.0, math.sin(angle)])
            pen = pg.mkPen(self.roles.get("text"), width=2, style=Qt.PenStyle.DashLine)
            self.addItem(pg.PlotCurveItem(*ends, pen=pen))

    def _on_click(self, where: QPointF, add: bool) -> None:
        wedges = self.wedges
        away = math.hypot(where.x(), where.y())
        if wedges is None or where.y() < 0 or not 0 < away <= 1:
            self.cleared.emit()
            return
        degrees = math.degrees(math.atan2(where.y(), where.x()))
        place = min(int(np.searchsorted(wedges.edges, degrees, side="right")) - 1,
                    wedges.lengths.size - 1)  # fmt: skip
        if not wedges.lengths[place]:
            self.cleared.emit()
            return
        low, high = (float(edge) for edge in wedges.edges[place : place + 2])
        self.range_chosen.emit(low, high, add)


class _ClickBox(QuietViewBox):
    """Turns the mouse into clicks."""

    clicked = Signal(object, bool)

    def mouseClickEvent(self, event) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        add = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.clicked.emit(self.mapToView(event.pos()), add)


def _wedge(low: float, high: float, radius: float) -> QPainterPath:
    """Return a wedge from the middle; areas, not radii, are the numbers."""
    path = QPainterPath(QPointF(0, 0))
    for degrees in np.linspace(low, high, 12):
        angle = math.radians(degrees)
        path.lineTo(radius * math.cos(angle), radius * math.sin(angle))
    path.closeSubpath()
    return path

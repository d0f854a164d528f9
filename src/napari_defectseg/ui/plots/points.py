"""Objects as points: sizes up to which objects lie, or one column against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.ui import numbers
from napari_defectseg.ui.plots.base import Plot, QuietViewBox

MOST = 20_000
"""Points that are drawn; of more every second, third, … is."""
NEAR = 8
"""Distance in px within which a click takes a point."""
SIZE, CHOSEN_SIZE = 6, 11
SYMBOLS = "ostd+xph"


@dataclass(frozen=True)
class Cloud:
    """What is shown.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        In the unit of their columns; not finite: not shown.
    kinds : ndarray of int, shape (n,)
        Index into `classes`; -1: of none, not shown.
    classes : sequence of DefectClass
    x_title, y_title : str
        With units.
    logarithmic : bool
        Whether the horizontal axis is.
    stepped : bool
        Points of a class are joined by steps.
    """

    x: np.ndarray
    y: np.ndarray
    kinds: np.ndarray
    classes: Sequence[DefectClass]
    x_title: str
    y_title: str
    logarithmic: bool = False
    stepped: bool = False

    @property
    def across(self) -> np.ndarray:
        """Places on the horizontal axis."""
        if not self.logarithmic:
            return self.x
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(self.x)

    @property
    def shown(self) -> np.ndarray:
        """Indices of the points that have a place."""
        return np.flatnonzero(np.isfinite(self.across) & np.isfinite(self.y) & (self.kinds >= 0))


class Points(Plot):
    """Points; a click takes the nearest one, dragging those in a frame.

    Signals
    -------
    points_chosen : ndarray of int64, bool
        Their indices, and whether to add to the selection.
    cleared
        A click where no point is, or Escape.
    delete_asked
        `Delete` was pressed while the plot had the focus.
    """

    points_chosen = Signal(object, bool)
    cleared = Signal()
    delete_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        view = _FrameViewBox()
        super().__init__(parent, view)
        self.setAccessibleName("Plot of objects")
        self.setToolTip("Click a point or drag a frame: the objects are selected")
        self.cloud: Cloud | None = None
        self._items: list[pg.GraphicsObject] = []
        self._marks = pg.ScatterPlotItem(size=CHOSEN_SIZE, symbol="o", brush=None)
        self._frame = pg.PlotCurveItem()
        view.dragged.connect(self._on_drag)
        view.clicked.connect(self._on_click)

    def show_cloud(self, cloud: Cloud) -> None:
        """Draw other points."""
        self.cloud = cloud
        self.plotItem.clear()
        shown = cloud.shown
        self.getAxis("bottom").setLogMode(x=cloud.logarithmic, y=False)
        self.set_titles(left=cloud.y_title, bottom=cloud.x_title)
        for kind, item in enumerate(cloud.classes):
            self._add(kind, item, shown[cloud.kinds[shown] == kind])
        self.addItem(self._marks)
        self.addItem(self._frame)
        self._frame.setData([], [])
        if shown.size:
            self.setXRange(*_span(cloud.across[shown]), padding=0.04)
            low, high = _span(cloud.y[shown])
            self.setYRange(0 if cloud.stepped else low, high, padding=0.04)
        self.setAccessibleDescription(
            f"{cloud.y_title} against {cloud.x_title}: {numbers.count(shown.size)} objects."
        )

    def mark(self, rows: np.ndarray) -> None:
        """Ring the points of some rows."""
        if self.cloud is None:
            return
        rows = np.intersect1d(rows, self.cloud.shown)
        self._marks.setData(self.cloud.across[rows], self.cloud.y[rows])

    def set_theme(self, colours, font_size: float = 9.0) -> None:
        """Take over the theme's colours."""
        super().set_theme(colours, font_size)
        self._marks.setPen(pg.mkPen(self.roles["text"], width=2))
        self._frame.setPen(pg.mkPen(self.roles["text"], style=Qt.PenStyle.DashLine))
        if self.cloud is not None:
            self.show_cloud(self.cloud)

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

    def _add(self, kind: int, item: DefectClass, rows: np.ndarray) -> None:
        if not rows.size:
            return
        x, y = self.cloud.across[rows], self.cloud.y[rows]
        colour = QColor(item.colour) if item.colour else self.roles.get("icon")
        edge = pg.mkPen(self.roles.get("text"), width=1)
        if self.cloud.stepped:
            order = np.argsort(x, kind="stable")
            for pen in (pg.mkPen(self.roles.get("text"), width=4), pg.mkPen(colour, width=2)):
                self.addItem(_steps(x[order], y[order], pen))
            return
        step = -(-rows.size // MOST)
        self.addItem(
            pg.ScatterPlotItem(
                x[::step],
                y[::step],
                size=SIZE,
                symbol=SYMBOLS[kind % len(SYMBOLS)],
                brush=pg.mkBrush(colour),
                pen=edge,
            )
        )

    def _on_click(self, where: QPointF, add: bool) -> None:
        if self.cloud is None:
            return
        rows = self.cloud.shown
        pixel = self.plotItem.vb.viewPixelSize()
        away = np.hypot(
            (self.cloud.across[rows] - where.x()) / pixel[0],
            (self.cloud.y[rows] - where.y()) / pixel[1],
        )
        if not away.size or away.min() > NEAR:
            self.cleared.emit()
        else:
            self.points_chosen.emit(rows[[int(away.argmin())]], add)

    def _on_drag(self, frame: QRectF, finished: bool, add: bool) -> None:
        if self.cloud is None:
            return
        left, right, top, bottom = frame.left(), frame.right(), frame.top(), frame.bottom()
        corners = ([left, right, right, left, left], [top, top, bottom, bottom, top])
        self._frame.setData(*(([], []) if finished else corners))
        if finished:
            rows = self.cloud.shown
            x, y = self.cloud.across[rows], self.cloud.y[rows]
            inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
            self.points_chosen.emit(rows[inside], add)


class _FrameViewBox(QuietViewBox):
    """Turns the mouse into clicks and frames."""

    dragged = Signal(object, bool, bool)
    clicked = Signal(object, bool)

    def mouseDragEvent(self, event, axis=None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        start, end = self.mapToView(event.buttonDownPos()), self.mapToView(event.pos())
        frame = QRectF(QPointF(start), QPointF(end)).normalized()
        self.dragged.emit(frame, event.isFinish(), _adds(event))

    def mouseClickEvent(self, event) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        self.clicked.emit(self.mapToView(event.pos()), _adds(event))


def _steps(x: np.ndarray, y: np.ndarray, pen) -> pg.PlotCurveItem:  # type: ignore[no-untyped-def]
    across = np.repeat(x, 2)
    up = np.concatenate([[0.0], np.repeat(y, 2)[:-1]])
    return pg.PlotCurveItem(across, up, pen=pen)


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _adds(event) -> bool:  # type: ignore[no-untyped-def]
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)

"""Objects as points or as a picture: one column against another, curves over time."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.ui import numbers
from napari_defectseg.ui.plots.base import Plot, QuietViewBox
from napari_defectseg.ui.plots.cloud import Cloud, picture_of, span_of, within

MOST = 20_000
"""Points that are drawn one by one; more become a picture of how many lie where."""
NEAR = 8
"""Distance in px within which a click takes a point."""
SIZE, CHOSEN_SIZE = 6, 11
SYMBOLS = "ostd+xph"


class Points(Plot):
    """Points; a click takes the nearest one, dragging those in a frame or within a drawn line.

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
        self.setToolTip(
            "Click a point or drag a frame: the objects are selected. With Ctrl a line is drawn "
            "around them, with Shift they are added"
        )
        self.cloud: Cloud | None = None
        self._items: list[pg.GraphicsObject] = []
        self._marks = pg.ScatterPlotItem(size=CHOSEN_SIZE, symbol="o", brush=None)
        self._frame = pg.PlotCurveItem()
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._at: float | None = None
        view.dragged.connect(self._on_drag)
        view.drawn.connect(self._on_line)
        view.clicked.connect(self._on_click)

    def show_cloud(self, cloud: Cloud) -> None:
        """Draw other points."""
        self.cloud = cloud
        self.plotItem.clear()
        shown = cloud.shown
        self.getAxis("bottom").setLogMode(x=cloud.logarithmic, y=False)
        self.set_titles(left=cloud.y_title, bottom=cloud.x_title)
        if shown.size > MOST and not cloud.stepped and not cloud.joined:
            self.addItem(picture_of(cloud, shown, self._inks(cloud)))
        else:
            for kind, item in enumerate(cloud.classes):
                self._add(kind, item, shown[cloud.kinds[shown] == kind])
        self._add_spread(cloud)
        self.addItem(self._marks)
        self.addItem(self._frame)
        self._frame.setData([], [])
        if shown.size:
            self.setXRange(*span_of(cloud.across[shown]), padding=0.04)
            self.setYRange(*self._heights(cloud, shown), padding=0.04)
        self.show_cursor(self._at)
        self.setAccessibleDescription(
            f"{cloud.y_title} against {cloud.x_title}: {numbers.count(shown.size)} {cloud.counted}."
        )

    def show_cursor(self, at: float | None) -> None:
        """Draw a line across the horizontal axis, or none; for what is in sight elsewhere."""
        self._at = at
        there = at is not None and self.cloud is not None and self.cloud.joined
        if there and self._cursor not in self.plotItem.items:
            self.addItem(self._cursor)
        self._cursor.setVisible(there)
        if there:
            self._cursor.setPos(at)

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
        self._cursor.setPen(pg.mkPen(self.roles["text"], width=2))
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
        if self.cloud.joined:
            own = np.flatnonzero(self.cloud.kinds == kind)
            line = self.cloud.across[own], self.cloud.y[own]
            for pen in (pg.mkPen(self.roles.get("text"), width=4), pg.mkPen(colour, width=2)):
                self.addItem(pg.PlotCurveItem(*line, pen=pen, connect="finite"))
        if self.cloud.stepped:
            order = np.argsort(x, kind="stable")
            for pen in (pg.mkPen(self.roles.get("text"), width=4), pg.mkPen(colour, width=2)):
                self.addItem(_steps(x[order], y[order], pen))
            return
        self.addItem(
            pg.ScatterPlotItem(
                x,
                y,
                size=SIZE,
                symbol=SYMBOLS[kind % len(SYMBOLS)],
                brush=pg.mkBrush(colour),
                pen=edge,
            )
        )

    def _add_spread(self, cloud: Cloud) -> None:
        if cloud.spread is None:
            return
        low, high = cloud.spread
        good = np.isfinite(low) & np.isfinite(high) & np.isfinite(cloud.across)
        if good.any():
            bars = pg.ErrorBarItem(
                x=cloud.across[good],
                y=(low + high)[good] / 2,
                height=(high - low)[good],
                pen=pg.mkPen(self.roles.get("text"), width=1),
            )
            self.addItem(bars)

    def _heights(self, cloud: Cloud, shown: np.ndarray) -> tuple[float, float]:
        values = [cloud.y[shown]]
        if cloud.spread is not None:
            values += [end[np.isfinite(end)] for end in cloud.spread]
        low, high = span_of(np.concatenate(values))
        return (0 if cloud.stepped or cloud.spread is not None else low), high

    def _inks(self, cloud: Cloud) -> list[QColor]:
        plain = self.roles.get("icon", QColor("gray"))
        return [QColor(item.colour) if item.colour else plain for item in cloud.classes]

    def _on_line(self, line: list[QPointF], finished: bool, add: bool) -> None:
        """Take the points within a line that was drawn around them."""
        if self.cloud is None:
            return
        corners = np.array([(point.x(), point.y()) for point in line])
        closed = np.vstack([corners, corners[:1]])
        self._frame.setData(*(([], []) if finished else closed.T))
        if finished and len(corners) > 2:
            rows = self.cloud.shown
            self.points_chosen.emit(
                rows[within(corners, self.cloud.across[rows], self.cloud.y[rows])], add
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
    """Turns the mouse into clicks, frames and, with Ctrl, drawn lines."""

    dragged = Signal(object, bool, bool)
    drawn = Signal(object, bool, bool)
    clicked = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__()
        self._line: list[QPointF] = []
        self._draws = False

    def mouseDragEvent(self, event, axis=None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        start, end = self.mapToView(event.buttonDownPos()), self.mapToView(event.pos())
        if event.isStart():
            self._line = []
            self._draws = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self._draws:
            self._line = [*(self._line or [QPointF(start)]), QPointF(end)]
            self.drawn.emit(self._line, event.isFinish(), _adds(event))
            return
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


def _adds(event) -> bool:  # type: ignore[no-untyped-def]
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)

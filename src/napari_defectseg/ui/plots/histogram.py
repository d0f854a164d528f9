"""Size histogram: stacked classes, one selection with table and canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.ui import numbers
from napari_defectseg.ui.patterns import class_brush, hatch_brush
from napari_defectseg.ui.plots.base import Plot, QuietViewBox

HEADROOM = 1.06
"""Room above the highest bar, so that its outline is seen whole."""


@dataclass(frozen=True)
class Bars:
    """What the histogram shows.

    Parameters
    ----------
    edges : ndarray, shape (bins + 1,)
        In the unit of the column.
    heights : ndarray, shape (classes, bins)
    classes : sequence of DefectClass
        One a row of `heights`, stacked from the bottom.
    name, unit : str
        Of the column.
    height_name : str
        Of the vertical axis, with what it is per: ``"objects per 1 nm"``.
    logarithmic : bool
        Whether the edges are spaced by factors.
    unreliable_below : float or None
        Sizes below are drawn as not to be trusted, in the unit of the column.
    """

    edges: np.ndarray
    heights: np.ndarray
    classes: Sequence[DefectClass]
    name: str
    unit: str
    height_name: str = "objects"
    logarithmic: bool = False
    unreliable_below: float | None = None
    unreliable_text: str = "below 7 px"
    median: float | None = None
    objects: int = 0

    @property
    def positions(self) -> np.ndarray:
        """Edges on the axis: their logarithms where it is logarithmic."""
        return np.log10(self.edges) if self.logarithmic else self.edges

    def bin_of(self, value: float) -> int | None:
        """Return the bin that holds `value`; the last edge belongs to the last bin."""
        if not np.isfinite(value) or not self.edges[0] <= value <= self.edges[-1]:
            return None
        found = int(np.searchsorted(self.edges, value, side="right")) - 1
        return min(found, self.edges.size - 2)

    def summary(self) -> str:
        """Return what a person who does not see the bars should hear."""
        if not self.objects:
            return f"Histogram of {self.name}: no objects."
        text = f"Histogram of {self.name}: {numbers.count(self.objects)} objects"
        if self.median is not None:
            text += f", median {numbers.with_unit(self.median, self.unit)}"
        top = int(self.heights.sum(axis=0).argmax())
        low, high = self.edges[top], self.edges[top + 1]
        return f"{text}, highest bar {numbers.span(low, high)} {self.unit}."


class Histogram(Plot):
    """Stacked bars; a click gives the objects of a bar, dragging those of a range.

    Signals
    -------
    range_chosen : float, float, bool
        Lower and upper end in the unit of the column, and whether to add to the selection.
    cleared
        The range was put aside (Escape, or a click beside the bars).
    delete_asked
        `Delete` was pressed while the plot had the focus.
    """

    range_chosen = Signal(float, float, bool)
    cleared = Signal()
    delete_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        view = _RangeViewBox()
        super().__init__(parent, view)
        self.setAccessibleName("Histogram")
        self.setToolTip("Click a bar or drag over several: their objects are selected (← → Enter)")
        self._bars: Bars | None = None
        self._item = _BarsItem()
        self.addItem(self._item)
        self._cursor: int | None = None
        view.dragged.connect(self._on_drag)
        view.clicked.connect(self._on_click)

    @property
    def bars(self) -> Bars | None:
        """What is shown."""
        return self._bars

    def show_bars(self, bars: Bars) -> None:
        """Draw other bars; the selection stays where the axis is the same."""
        same_axis = self._bars is not None and (self._bars.name, self._bars.unit) == (
            bars.name,
            bars.unit,
        )
        self._bars = bars
        if not same_axis:
            self._item.chosen = None
        self._item.set_bars(bars)
        self.getAxis("bottom").setLogMode(x=bars.logarithmic, y=False)
        self.set_titles(left=bars.height_name, bottom=numbers.header(bars.name, bars.unit))
        low, high = self._limits(bars)
        top = float(bars.heights.sum(axis=0).max(initial=0.0)) * HEADROOM or 1.0
        self.setXRange(low, high, padding=0.02)
        self.setYRange(0, top, padding=0)
        self.setAccessibleDescription(bars.summary())

    def mark(self, values: Sequence[float]) -> None:
        """Outline the bars that hold the selected objects."""
        bars = self._bars
        found = () if bars is None else tuple({bars.bin_of(value) for value in values} - {None})
        self._item.marked = found
        self._item.update()

    def show_range(self, low: float | None, high: float | None) -> None:
        """Shade a range, or none."""
        self._item.chosen = None if low is None or high is None else (low, high)
        self._item.update()

    def set_theme(self, colours, font_size: float = 9.0) -> None:
        """Take over the theme's colours."""
        super().set_theme(colours, font_size)
        self._item.set_colours(self.roles)

    def keyPressEvent(self, event) -> None:
        """Move over the bars with the arrows, choose with Enter, put aside with Escape."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._bars is not None:
            self._move_cursor(-1 if key == Qt.Key.Key_Left else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cursor is not None:
            add = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._choose_bin(self._cursor, add)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_asked.emit()
        elif key == Qt.Key.Key_Escape and self._item.chosen is not None:
            self._clear()
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def focusOutEvent(self, event) -> None:
        """Hide the keyboard's bar."""
        self._item.cursor = None
        self._item.update()
        super().focusOutEvent(event)

    @staticmethod
    def _limits(bars: Bars) -> tuple[float, float]:
        low, high = float(bars.positions[0]), float(bars.positions[-1])
        if bars.unreliable_below and not bars.logarithmic:
            low = min(low, 0.0)
        return low, high

    def _move_cursor(self, step: int) -> None:
        count = self._bars.edges.size - 1
        start = self._cursor if self._cursor is not None else (-1 if step > 0 else count)
        self._cursor = min(max(start + step, 0), count - 1)
        self._item.cursor = self._cursor
        self._item.update()
        low, high = self._bars.edges[self._cursor : self._cursor + 2]
        height = self._bars.heights[:, self._cursor].sum()
        self.setAccessibleDescription(
            f"{numbers.span(low, high)} {self._bars.unit}: {numbers.plain(float(height))} "
            f"{self._bars.height_name}"
        )

    def _choose_bin(self, index: int, add: bool) -> None:
        low, high = (float(value) for value in self._bars.edges[index : index + 2])
        self._item.chosen = (low, high)
        self._item.update()
        self.range_chosen.emit(low, high, add)

    def _on_click(self, position: float, add: bool) -> None:
        if self._bars is None:
            return
        index = self._bars.bin_of(self._value(position))
        if index is None or not self._bars.heights[:, index].sum():
            self._clear()
        else:
            self._choose_bin(index, add)

    def _on_drag(self, start: float, end: float, finished: bool, add: bool) -> None:
        if self._bars is None:
            return
        low, high = sorted((self._value(start), self._value(end)))
        self.show_range(low, high)
        if finished:
            self.range_chosen.emit(low, high, add)

    def _clear(self) -> None:
        self.show_range(None, None)
        self.cleared.emit()

    def _value(self, position: float) -> float:
        return 10.0**position if self._bars.logarithmic else position


class _RangeViewBox(QuietViewBox):
    """Turns the mouse into clicks and ranges on the horizontal axis."""

    dragged = Signal(float, float, bool, bool)
    clicked = Signal(float, bool)

    def mouseDragEvent(self, event, axis=None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        start = self.mapToView(event.buttonDownPos()).x()
        end = self.mapToView(event.pos()).x()
        self.dragged.emit(start, end, event.isFinish(), _adds(event))

    def mouseClickEvent(self, event) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        self.clicked.emit(self.mapToView(event.pos()).x(), _adds(event))


def _adds(event) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)


@dataclass
class _Inks:
    """The theme's colours that the bars need."""

    text: QColor = field(default_factory=lambda: QColor(Qt.GlobalColor.black))
    soft: QColor = field(default_factory=lambda: QColor(Qt.GlobalColor.gray))
    ground: QColor = field(default_factory=lambda: QColor(Qt.GlobalColor.lightGray))
    chosen: QColor = field(default_factory=lambda: QColor(Qt.GlobalColor.blue))


class _BarsItem(pg.GraphicsObject):
    """Draws the bars with patterns that keep their size on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.marked: tuple[int, ...] = ()
        self.chosen: tuple[float, float] | None = None
        self.cursor: int | None = None
        self._bars: Bars | None = None
        self._inks = _Inks()

    def set_bars(self, bars: Bars) -> None:
        self.prepareGeometryChange()
        self._bars = bars
        self.update()

    def set_colours(self, roles: dict[str, QColor]) -> None:
        self._inks = _Inks(roles["text"], roles["icon"], roles["foreground"], roles["current"])
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect()) if self._bars is not None else QRectF()

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, *_args) -> None:
        if self._bars is None:
            return
        # Bars are drawn in device pixels: textures keep their size and edges stay sharp.
        self._to_device = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._paint_unreliable(painter)
        self._paint_range(painter)
        self._paint_stacks(painter)
        self._paint_outlines(painter)
        painter.restore()

    def _device(self, x0: float, y0: float, x1: float, y1: float) -> QRectF:
        first = self._to_device.map(QPointF(x0, y0))
        second = self._to_device.map(QPointF(x1, y1))
        left, right = round(first.x()), round(second.x())
        top, bottom = sorted((round(first.y()), round(second.y())))
        return QRectF(left, top, max(1, right - left), bottom - top)

    def _position(self, value: float) -> float:
        return float(np.log10(value)) if self._bars.logarithmic else value

    def _column(self, low: float, high: float) -> QRectF:
        view = self.viewRect()
        left, right = max(low, view.left()), min(high, view.right())
        return self._device(left, view.top(), right, view.bottom())

    def _paint_unreliable(self, painter: QPainter) -> None:
        limit = self._bars.unreliable_below
        if not limit or self._position(limit) <= self.viewRect().left():
            return
        area = self._column(self.viewRect().left(), self._position(limit))
        painter.fillRect(area, self._inks.ground)
        painter.fillRect(area, hatch_brush(_faint(self._inks.soft, 0.35)))
        metrics = painter.fontMetrics()
        text = self._bars.unreliable_text
        if area.width() < metrics.height() or area.height() < metrics.horizontalAdvance(text) + 8:
            return
        painter.save()
        painter.translate(area.center().x() + metrics.height() / 3, area.top() + 6)
        painter.rotate(-90)
        box = QRectF(-metrics.horizontalAdvance(text) - 2, -metrics.ascent(),
                     metrics.horizontalAdvance(text) + 4, metrics.height())  # fmt: skip
        painter.fillRect(box, self._inks.ground)
        painter.setPen(self._inks.text)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_range(self, painter: QPainter) -> None:
        if self.chosen is None:
            return
        low, high = (self._position(value) for value in self.chosen)
        area = self._column(low, high)
        painter.fillRect(area, _faint(self._inks.chosen, 0.35))
        painter.setPen(QPen(self._inks.text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.topRight(), area.bottomRight())

    def _paint_stacks(self, painter: QPainter) -> None:
        positions = self._bars.positions
        tops = np.cumsum(self._bars.heights, axis=0)
        brushes = [class_brush(item) for item in self._bars.classes]
        border = QPen(_faint(self._inks.text, 0.55), 1)
        for row, column in zip(*np.nonzero(self._bars.heights), strict=True):
            top = tops[row, column]
            area = self._device(
                positions[column], top - self._bars.heights[row, column], positions[column + 1], top
            )
            painter.fillRect(area, brushes[row])
            if area.width() > 3:
                painter.setPen(border)
                painter.drawRect(area)

    def _paint_outlines(self, painter: QPainter) -> None:
        positions = self._bars.positions
        totals = self._bars.heights.sum(axis=0)
        bars = [(index, Qt.PenStyle.SolidLine) for index in self.marked]
        if self.cursor is not None:
            bars.append((self.cursor, Qt.PenStyle.DotLine))
        for index, style in bars:
            if index >= totals.size:
                continue
            area = self._device(positions[index], 0, positions[index + 1], totals[index])
            painter.setPen(QPen(self._inks.text, 2, style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(-1, -1, 1, 0))


def _faint(colour: QColor, alpha: float) -> QColor:
    faint = QColor(colour)
    faint.setAlphaF(alpha)
    return faint

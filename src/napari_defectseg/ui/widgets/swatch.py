"""The sign of a class: its colour and its pattern, with a border that any theme shows."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QToolButton, QWidget

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name

SIZE = 14
STEP = 4.0
"""Distance of the lines of a pattern, in px."""


def describe(item: DefectClass) -> str:
    """Return a class in words: ``"class 2, precipitate, blue, hatch //"``."""
    from napari_defectseg.core.classes import PALETTE

    colour = next((word for word, code, _ in PALETTE if code == item.colour), "own colour")
    return f"class {item.value}, {item.name}, {colour}, {item.pattern}"


class Swatch(QWidget):
    """Shows the sign of one class."""

    def __init__(self, item: DefectClass | None = None, size: int = SIZE) -> None:
        super().__init__()
        self._size = size
        self.setFixedSize(QSize(size + 2, size + 2))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.item: DefectClass | None = None
        if item is not None:
            self.show_class(item)

    def show_class(self, item: DefectClass) -> None:
        """Show another class."""
        self.item = item
        name(self, describe(item), describe(item))
        self.update()

    def paintEvent(self, event) -> None:
        """Paint colour, pattern and border."""
        if self.item is not None:
            painter = QPainter(self)
            paint(painter, QRectF(1, 1, self._size, self._size), self.item, border_of(self))
            painter.end()


class SwatchButton(QToolButton):
    """A swatch that can be clicked."""

    def __init__(self, item: DefectClass, tip: str) -> None:
        super().__init__()
        self.setProperty("ds", "bare")
        self._tip = tip
        self.setFixedSize(QSize(24, 24))
        self.show_class(item)

    def show_class(self, item: DefectClass) -> None:
        """Show another class."""
        self.item = item
        name(self, describe(item), f"{describe(item)}. {self._tip}")
        self.update()

    def paintEvent(self, event) -> None:
        """Paint the button, then the sign."""
        super().paintEvent(event)
        painter = QPainter(self)
        paint(painter, QRectF(5, 5, SIZE, SIZE), self.item, border_of(self))
        painter.end()


def border_of(widget: QWidget) -> QColor:
    """Return the colour of a swatch's border: the theme's text colour."""
    return theme.colour(widget, "text")


def picture(item: DefectClass, border: QColor, size: int = SIZE) -> QPixmap:
    """Return the sign of a class as a pixmap, for tables and menus."""
    found = QPixmap(QSize(2 * (size + 2), 2 * (size + 2)))
    found.fill(QColor(0, 0, 0, 0))
    found.setDevicePixelRatio(2)
    painter = QPainter(found)
    paint(painter, QRectF(1, 1, size, size), item, border)
    painter.end()
    return found


def paint(painter: QPainter, box: QRectF, item: DefectClass, border: QColor) -> None:
    """Paint the sign of a class into `box`."""
    fill = QColor(item.colour)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.fillRect(box, fill)
    dark = fill.lightnessF() < 0.6
    ink = QColor(Qt.GlobalColor.white if dark else Qt.GlobalColor.black)
    painter.save()
    painter.setClipRect(box)
    painter.setPen(QPen(ink, 1.2))
    _PATTERNS.get(item.pattern, _plain)(painter, box)
    painter.restore()
    painter.setPen(QPen(border, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 2, 2)


def _steps(length: float) -> list[float]:
    return [STEP * number for number in range(int(length // STEP) + 1)]


def _plain(painter: QPainter, box: QRectF) -> None:
    pass


def _hatch(painter: QPainter, box: QRectF, sign: int = 1) -> None:
    for at in _steps(2 * box.width()):
        x = box.left() + at if sign > 0 else box.right() - at
        painter.drawLine(QPointF(x, box.top()), QPointF(x - sign * box.height(), box.bottom()))


def _back_hatch(painter: QPainter, box: QRectF) -> None:
    _hatch(painter, box, -1)


def _horizontal(painter: QPainter, box: QRectF) -> None:
    for at in _steps(box.height()):
        y = box.top() + at + 1.5
        painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))


def _vertical(painter: QPainter, box: QRectF) -> None:
    for at in _steps(box.width()):
        x = box.left() + at + 1.5
        painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))


def _grid(painter: QPainter, box: QRectF) -> None:
    _horizontal(painter, box)
    _vertical(painter, box)


def _spots(box: QRectF) -> list[QPointF]:
    return [
        QPointF(box.left() + x + 3, box.top() + y + 3)
        for x in _steps(box.width())
        for y in _steps(box.height())
    ]


def _dots(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(painter.pen().color())
    for spot in _spots(box):
        painter.drawEllipse(spot, 0.5, 0.5)


def _crosses(painter: QPainter, box: QRectF) -> None:
    _hatch(painter, box)
    _back_hatch(painter, box)


def _checks(painter: QPainter, box: QRectF) -> None:
    side = box.width() / 4
    for row in range(4):
        for column in range(row % 2, 4, 2):
            painter.fillRect(
                QRectF(box.left() + column * side, box.top() + row * side, side, side),
                painter.pen().color(),
            )


def _rings(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(box.center(), 4.5, 4.5)
    painter.drawEllipse(box.center(), 1.5, 1.5)


_PATTERNS = {
    "plain": _plain,
    "hatch //": _hatch,
    "hatch \\\\": _back_hatch,
    "dots": _dots,
    "horizontal lines": _horizontal,
    "vertical lines": _vertical,
    "grid": _grid,
    "crosses": _crosses,
    "checks": _checks,
    "rings": _rings,
}

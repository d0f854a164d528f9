"""The pattern of a class as a brush: classes differ by more than colour."""

from __future__ import annotations

from functools import lru_cache

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPixmap

from napari_defectseg.core.classes import DefectClass

TILE = 8
"""Side of the repeated tile in logical pixels."""
SHARPNESS = 2
"""Device pixels a logical pixel of the tile, so that it is crisp on dense screens."""


def class_brush(item: DefectClass) -> QBrush:
    """Return the brush of a class: its colour, and its pattern in a contrasting ink."""
    return pattern_brush(item.colour, item.pattern)


@lru_cache(maxsize=128)
def pattern_brush(colour: str, pattern: str) -> QBrush:
    """Return a brush of `colour` with `pattern` over it; ``"plain"`` has none."""
    if pattern == "plain":
        return QBrush(QColor(colour))
    pixmap = QPixmap(TILE * SHARPNESS, TILE * SHARPNESS)
    pixmap.setDevicePixelRatio(SHARPNESS)
    pixmap.fill(QColor(colour))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink_on(QColor(colour)), 1.6))
    _draw(painter, pattern)
    painter.end()
    return QBrush(pixmap)


def ink_on(colour: QColor) -> QColor:
    """Return a half-transparent black or white, whichever is seen on `colour`."""
    light = 0.299 * colour.redF() + 0.587 * colour.greenF() + 0.114 * colour.blueF()
    ink = QColor(Qt.GlobalColor.black if light > 0.55 else Qt.GlobalColor.white)
    ink.setAlphaF(0.75)
    return ink


def hatch_brush(colour: QColor) -> QBrush:
    """Return a hatch without ground, for ranges that are not to be trusted."""
    pixmap = QPixmap(TILE * SHARPNESS, TILE * SHARPNESS)
    pixmap.setDevicePixelRatio(SHARPNESS)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.0))
    _lines(painter, rising=True)
    painter.end()
    return QBrush(pixmap)


def _draw(painter: QPainter, pattern: str) -> None:
    if pattern == "hatch //":
        _lines(painter, rising=True)
    elif pattern == "hatch \\\\":
        _lines(painter, rising=False)
    elif pattern == "dots":
        _dots(painter)
    elif pattern in ("horizontal lines", "grid"):
        painter.drawLine(QPointF(0, TILE / 2), QPointF(TILE, TILE / 2))
    if pattern in ("vertical lines", "grid"):
        painter.drawLine(QPointF(TILE / 2, 0), QPointF(TILE / 2, TILE))
    if pattern == "crosses":
        painter.drawLine(QPointF(1.5, 1.5), QPointF(6.5, 6.5))
        painter.drawLine(QPointF(1.5, 6.5), QPointF(6.5, 1.5))
    elif pattern == "checks":
        half = TILE / 2
        for x, y in ((0, 0), (half, half)):
            painter.fillRect(QRectF(x, y, half, half), painter.pen().color())
    elif pattern == "rings":
        painter.drawEllipse(QPointF(TILE / 2, TILE / 2), 2.4, 2.4)


def _lines(painter: QPainter, *, rising: bool) -> None:
    """Draw diagonals that meet over the edges of the tile."""
    for shift in (-TILE, 0, TILE):
        start, end = (TILE, 0) if rising else (0, TILE)
        painter.drawLine(QPointF(shift, start), QPointF(shift + TILE, end))


def _dots(painter: QPainter) -> None:
    path = QPainterPath()
    for centre in (QPointF(2, 2), QPointF(6, 6)):
        path.addEllipse(centre, 1.2, 1.2)
    painter.fillPath(path, painter.pen().color())

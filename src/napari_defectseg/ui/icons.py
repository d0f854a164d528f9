"""Own line icons on a 24 px grid, painted in the theme's colour."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from qtpy.QtCore import QByteArray, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QAbstractButton, QLabel, QWidget

from napari_defectseg.ui import theme

SCALE = 2
"""Pixmaps are painted at twice their size, for sharp lines on dense screens."""


@lru_cache(maxsize=128)
def shape(name: str) -> str:
    """Return the SVG text of an icon, drawn in ``currentColor``."""
    return files("napari_defectseg.ui").joinpath("svg", f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, rgb: str, size: int) -> QPixmap:
    """Return an icon as a pixmap of `size` by `size` px.

    Parameters
    ----------
    name : str
        Of a file in ``svg``.
    rgb : str
        A theme colour, ``"rgb(1, 2, 3)"``.
    size : int
    """
    svg = shape(name).replace("currentColor", rgb)
    found = QPixmap(QSize(size * SCALE, size * SCALE))
    found.fill(QColor(0, 0, 0, 0))
    painter = QPainter(found)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    found.setDevicePixelRatio(SCALE)
    return found


def set_icon(widget: QWidget, name: str, *, size: int = 16, role: str = "text") -> None:
    """Show an icon on a button or label, in a theme colour that follows the theme.

    Parameters
    ----------
    widget : QAbstractButton or QLabel
    name : str
        Of a file in ``svg``; empty takes the icon away.
    size : int
    role : str
        The theme's colour: ``"text"`` or ``"icon"``.
    """
    widget.setProperty("ds_icon", name)
    widget.setProperty("ds_icon_size", size)
    widget.setProperty("ds_icon_role", role)
    _paint(widget, theme.colours_of(widget))


def repaint(top: QWidget, colours: dict[str, str]) -> None:
    """Paint every icon below `top` again, after the theme has changed."""
    for widget in (top, *top.findChildren(QWidget)):
        if widget.property("ds_icon") is not None:
            _paint(widget, colours)


def _paint(widget: QWidget, colours: dict[str, str]) -> None:
    name, size = widget.property("ds_icon"), int(widget.property("ds_icon_size"))
    rgb = colours[widget.property("ds_icon_role")]
    if isinstance(widget, QAbstractButton):
        widget.setIcon(QIcon(pixmap(name, rgb, size)) if name else QIcon())
        widget.setIconSize(QSize(size, size))
    elif isinstance(widget, QLabel):
        widget.setPixmap(pixmap(name, rgb, size) if name else QPixmap())
        widget.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)

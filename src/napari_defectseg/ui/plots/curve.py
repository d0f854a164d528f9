"""Training curves: the score against minutes, the loss against rounds, growing while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_defectseg.ui import numbers
from napari_defectseg.ui.plots.base import Plot

STYLES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
"""Curves differ by line style as well as by colour and name."""


@dataclass
class _Line:
    item: pg.PlotDataItem
    x: list[float]
    y: list[float]
    colour: str
    style: Qt.PenStyle
    width: float


class Curve(Plot):
    """Named lines over one axis, appended point by point.

    Parameters
    ----------
    parent : QWidget, optional
    bottom, left : str
        Axis titles, with unit in brackets.
    """

    def __init__(
        self, parent: QWidget | None = None, *, bottom: str = "minutes", left: str = "score"
    ) -> None:
        super().__init__(parent)
        self._left, self._bottom = left, bottom
        self._lines: dict[str, _Line] = {}
        self._best: tuple[float, float] | None = None
        self._dot = pg.ScatterPlotItem(size=9, symbol="o")
        self._dot.setZValue(10)
        self.addItem(self._dot)
        self.set_titles(left=left, bottom=bottom)
        self.setAccessibleName(f"{left} against {bottom}")
        self.set_y_range(None, None)

    def set_y_range(self, low: float | None, high: float | None) -> None:
        """Fix the vertical axis, or let it follow the lines."""
        if low is None or high is None:
            self.enableAutoRange("xy")
        else:
            self.enableAutoRange("x")
            self.setYRange(low, high, padding=0.02)

    def clear_lines(self) -> None:
        """Take all lines away."""
        for line in self._lines.values():
            self.removeItem(line.item)
        self._lines.clear()
        self._best = None
        self._dot.setData([], [])
        self._describe()

    def set_line(self, name: str, x: Sequence[float], y: Sequence[float], colour: str = "") -> None:
        """Show other points in the line `name`, which is made if there is none yet."""
        line = self._line(name, colour, 1.8)
        line.x, line.y = [float(one) for one in x], [float(one) for one in y]
        line.item.setData(line.x, line.y, connect="finite")
        self._describe()

    def append(self, name: str, x: float, y: float, colour: str = "", width: float = 1.8) -> None:
        """Add a point to the line `name`, which is made on its first point.

        Parameters
        ----------
        name : str
        x, y : float
            A `y` that is not finite leaves a gap.
        colour : str
            ``"#rrggbb"`` of a class; empty: the theme's text colour.
        """
        line = self._line(name, colour, width)
        line.x.append(float(x))
        line.y.append(float(y))
        line.item.setData(line.x, line.y, connect="finite")
        self._describe()

    def _line(self, name: str, colour: str, width: float) -> _Line:
        line = self._lines.get(name)
        if line is None:
            style = STYLES[len(self._lines) % len(STYLES)]
            line = _Line(self.plot([], [], connect="finite"), [], [], colour, style, width)
            self._lines[name] = line
            self._set_pen(line)
        return line

    def extend(self, name: str, x: Sequence[float], y: Sequence[float], colour: str = "") -> None:
        """Add many points at once."""
        for one_x, one_y in zip(x, y, strict=True):
            self.append(name, one_x, one_y, colour)

    def mark_best(self, x: float, y: float) -> None:
        """Put the dot of the best state kept so far."""
        self._best = (x, y)
        self._dot.setData([x], [y])
        self._describe()

    def points(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return what a line shows."""
        line = self._lines[name]
        return np.asarray(line.x), np.asarray(line.y)

    @property
    def names(self) -> tuple[str, ...]:
        """Lines in order of appearance."""
        return tuple(self._lines)

    def line_style(self, name: str) -> Qt.PenStyle:
        """Return the style a legend should show."""
        return self._lines[name].style

    def set_theme(self, colours: Mapping[str, str], font_size: float = 9.0) -> None:
        """Take over the theme's colours."""
        super().set_theme(colours, font_size)
        for line in self._lines.values():
            self._set_pen(line)
        self._dot.setPen(pg.mkPen(self.roles["text"], width=1.5))
        self._dot.setBrush(pg.mkBrush(self.roles["current"]))

    def _set_pen(self, line: _Line) -> None:
        colour = QColor(line.colour) if line.colour else self.roles.get("text", QColor("gray"))
        line.item.setPen(pg.mkPen(colour, width=line.width, style=line.style))

    def _describe(self) -> None:
        parts = [
            f"{name} {numbers.plain(line.y[-1])}"
            for name, line in self._lines.items()
            if line.y and np.isfinite(line.y[-1])
        ]
        text = f"{self._left} against {self._bottom}: " + (", ".join(parts) or "nothing yet")
        if self._best is not None:
            text += f"; best {numbers.plain(self._best[1])} at {numbers.plain(self._best[0])}"
        self.setAccessibleDescription(text + ".")

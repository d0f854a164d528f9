"""What our plots share: the theme's colours and fonts, and no controls of pyqtgraph's own."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pyqtgraph as pg
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_defectseg.ui import numbers, theme


class QuietViewBox(pg.ViewBox):
    """A view box without menu, wheel zoom or dragging of its own."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)

    def wheelEvent(self, event, axis=None) -> None:  # type: ignore[no-untyped-def]
        """Leave the wheel to the page, which scrolls."""
        event.ignore()


class NumberAxis(pg.AxisItem):
    """An axis that writes numbers as the rest of the window does."""

    def logTickValues(self, minVal, maxVal, size, stdTicks):  # type: ignore[no-untyped-def]
        """Return 1, 2 and 5 of each decade in sight."""
        decades = range(math.floor(minVal) - 1, math.ceil(maxVal) + 1)
        ticks = [d + math.log10(digit) for d in decades for digit in (1, 2, 5)]
        return [(1.0, [tick for tick in ticks if minVal <= tick <= maxVal])]

    def tickStrings(self, values, scale, spacing):  # type: ignore[no-untyped-def]
        """Return the tick labels, with thin spaces and a true minus."""
        if self.logMode:
            return [f"{10.0**value:.6g}".replace("-", numbers.MINUS) for value in values]
        places = max(0, -int(f"{spacing * scale:e}".split("e")[1]))
        return [numbers.fixed(value * scale, places) for value in values]


class Plot(pg.PlotWidget):
    """A plot in the colours of the theme.

    Parameters
    ----------
    parent : QWidget, optional
    view : ViewBox, optional
        Where the mouse goes; without one the plot only shows.
    """

    def __init__(self, parent: QWidget | None = None, view: pg.ViewBox | None = None) -> None:
        axes = {side: NumberAxis(side) for side in ("left", "bottom")}
        super().__init__(parent, viewBox=view or QuietViewBox(), axisItems=axes)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMinimumSize(QSize(120, 120))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
        self.roles: dict[str, QColor] = {}
        self._titles = {"left": "", "bottom": ""}

    def sizeHint(self) -> QSize:
        """Return a modest size; pyqtgraph would like 640 × 480."""
        return QSize(213, 150)

    def minimumSizeHint(self) -> QSize:
        """Return what a narrow dock has."""
        return QSize(120, 120)

    def set_titles(self, *, left: str, bottom: str) -> None:
        """Set what stands beside the axes."""
        self._titles = {"left": left, "bottom": bottom}
        self._write_titles()

    def set_theme(self, colours: Mapping[str, str], font_size: float = 9.0) -> None:
        """Take over background, pens and fonts; call it again when the theme changes.

        Parameters
        ----------
        colours : mapping
            Theme role (``background``, ``foreground``, ``text``, ``icon``, ``secondary``,
            ``current``, …) to ``rgb(r, g, b)``.
        font_size : float
            In points.
        """
        self.roles = {
            role: theme.as_colour(value)
            for role, value in colours.items()
            if value.startswith("rgb")
        }
        self.setBackground(self.roles["background"])
        font = QFont(self.font())
        font.setPointSizeF(max(6.0, font_size - 1))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(self.roles["secondary"]))
            axis.setTextPen(pg.mkPen(self.roles["text"]))
            axis.setStyle(tickFont=font, tickLength=-4, autoExpandTextSpace=True)
            axis.label.setFont(font)
        self._write_titles()

    def theme_changed(self) -> None:
        """Take over the theme it is shown in; called by `theme.apply`."""
        colours = theme.colours_of(self)
        self.set_theme(colours, float(colours["font_size"].removesuffix("pt")))

    def _write_titles(self) -> None:
        ink = self.roles.get("text")
        style = {"color": ink.name()} if ink is not None else {}
        for side, text in self._titles.items():
            self.getAxis(side).setLabel(text, **style)

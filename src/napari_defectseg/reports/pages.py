"""`Pages`: A4 pages that are filled from top to bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.reports.letters import Letters
from napari_defectseg.reports.plot import WIDTH, Plot
from napari_defectseg.reports.sheet import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = (8.27, 11.69)
"""A4 in inches."""
MARGIN = (PAPER[0] - WIDTH) / 2
TOP, BOTTOM = 0.8, 0.9
LEADING = 1.35
"""Height of a line in its letters' size."""
POINT = 1 / 72
INK, GREY = "0.1", "0.4"
GAP = 0.12
"""Inches between the columns of a table."""
AIR = 0.07
"""Inches between the texts of two rows; the rule is in the middle."""
CELL = 7.0
"""Points of the letters in tables."""


class Pages:
    """Pages that are filled from top to bottom.

    Parameters
    ----------
    title : str
        Stands at the foot of each page.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._pages: list[Figure] = []
        self._letters = Letters()
        self._y = 0.0
        self._new()

    def finished(self) -> list[Figure]:
        """Return the pages, with their numbers at the foot."""
        for number, page in enumerate(self._pages, start=1):
            text = f"{self._title}  ·  {number} of {len(self._pages)}"
            page.text(0.5, 0.5 / PAPER[1], text, size=7, color=GREY, ha="center")
        return self._pages

    def heading(self, text: str, below: float = 0.8) -> None:
        """Begin a part; it stands on one page with what is `below` it, in inches."""
        self._room(below + 0.5)
        self._y += 0.14
        self.text(text, 12, bold=True)

    def text(self, text: str, size: float = 9, *, bold: bool = False, grey: bool = False) -> None:
        """Write a paragraph."""
        colour, weight = (GREY if grey else INK), ("bold" if bold else "normal")
        for line in self._letters.wrapped(text, size, WIDTH, bold=bold):
            self._room(size * LEADING * POINT)
            self._write(line, MARGIN, size, colour, weight)
            self._y += size * LEADING * POINT
        self._y += 0.06

    def sheet(self, sheet: Sheet) -> None:
        """Write a table; a row is never cut, and headings are repeated on a new page."""
        widths = self._letters.widths(sheet, CELL, WIDTH, GAP)
        self._room(1.0)
        self._y += 0.06
        self.text(sheet.title, 9, bold=True)
        self._row(sheet.headings, widths, sheet, bold=True)
        for row in sheet.rows:
            if self._y + self._height(row, widths) > PAPER[1] - BOTTOM:
                self._new()
                self._row(sheet.headings, widths, sheet, bold=True)
            self._row(row, widths, sheet)
        self._y += 0.06
        if sheet.note:
            self.text(sheet.note, CELL, grey=True)

    def plot(self, plot: Plot) -> None:
        """Draw a plot with its caption below."""
        lines = self._letters.wrapped(plot.caption, 8, WIDTH)
        self._room(plot.height + len(lines) * 8 * LEADING * POINT + 0.2)
        page = self._pages[-1]
        bottom = 1 - (self._y + plot.height) / PAPER[1]
        share = WIDTH / PAPER[0] / plot.panels
        plain = plot.height / PAPER[1]
        axes = []
        for number in range(plot.panels):
            left = MARGIN / PAPER[0] + number * share
            axes.append(page.add_axes((left, bottom, share * 0.97, plain)))
        plot.draw(tuple(axes))
        for number, axis in enumerate(axes):
            if axis.axison:
                # Room for the labels of the axes, which lie outside of them.
                left = MARGIN / PAPER[0] + number * share + 0.07
                axis.set_position((left, bottom + 0.045, share - 0.09, plain - 0.055))
        self._y += plot.height
        self.text(plot.caption, 8, grey=True)

    def _row(
        self, cells: tuple[str, ...], widths: list[float], sheet: Sheet, *, bold: bool = False
    ) -> None:
        height = self._height(cells, widths, bold=bold)
        self._room(height)
        left = MARGIN
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            lines = self._letters.wrapped(cell, CELL, width, bold=bold)
            right = index in sheet.numeric
            for number, line in enumerate(lines):
                self._write(
                    line,
                    left + width if right else left,
                    CELL,
                    INK,
                    "bold" if bold else "normal",
                    down=number * CELL * LEADING * POINT,
                    align="right" if right else "left",
                )
            left += width + GAP
        self._y += height
        self._rule(INK if bold else "0.85")

    def _height(self, cells: tuple[str, ...], widths: list[float], *, bold: bool = False) -> float:
        lines = max(
            len(self._letters.wrapped(cell, CELL, width, bold=bold))
            for cell, width in zip(cells, widths, strict=True)
        )
        return lines * CELL * LEADING * POINT + AIR

    def _rule(self, colour: str) -> None:
        from matplotlib.lines import Line2D

        y = 1 - (self._y - AIR / 2) / PAPER[1]
        span = (MARGIN / PAPER[0], 1 - MARGIN / PAPER[0])
        self._pages[-1].add_artist(Line2D(span, (y, y), color=colour, lw=0.5))

    def _write(
        self,
        text: str,
        left: float,
        size: float,
        colour: str,
        weight: str,
        *,
        down: float = 0.0,
        align: str = "left",
    ) -> None:
        x, y = left / PAPER[0], 1 - (self._y + down) / PAPER[1]
        self._pages[-1].text(x, y, text, size=size, color=colour, weight=weight, ha=align, va="top")

    def _room(self, height: float) -> None:
        if self._y + height > PAPER[1] - BOTTOM:
            self._new()

    def _new(self) -> None:
        from matplotlib.figure import Figure

        self._pages.append(Figure(figsize=PAPER))
        self._y = TOP

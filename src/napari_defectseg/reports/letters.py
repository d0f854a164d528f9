"""`Letters`: how wide texts are, and where their lines break."""

from __future__ import annotations

from functools import lru_cache

from napari_defectseg.reports.sheet import Sheet

POINT = 1 / 72
NARROWEST = 0.45
"""Inches that a column has at least."""


class Letters:
    """Measures texts in the font of the report."""

    def __init__(self) -> None:
        self.width = lru_cache(maxsize=100_000)(self._width)

    def wrapped(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        """Return the lines of a text; a word that is wider than a line is cut.

        Parameters
        ----------
        text : str
        size : float
            In points.
        width : float
            In inches.
        bold : bool
        """
        lines, line = [], ""
        for word in text.split(" "):
            joined = f"{line} {word}" if line else word
            if self.width(joined, size, bold) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *cut, line = self._cut(word, size, width, bold)
            lines += cut
        return [*lines, line]

    def widths(self, sheet: Sheet, size: float, room: float, gap: float) -> list[float]:
        """Return the widths of the columns of a table: as wide as needed, no wider than the room.

        What is wanted is given to narrow columns first; wide ones share the rest.
        """
        wanted = [
            max([self.width(sheet.headings[k], size, True)]
                + [self.width(row[k], size, False) for row in sheet.rows])
            for k in range(len(sheet.headings))
        ]  # fmt: skip
        left = room - gap * (len(wanted) - 1)
        found = [0.0] * len(wanted)
        open_ = sorted(range(len(wanted)), key=lambda k: wanted[k])
        while open_:
            share = left / len(open_)
            k = open_.pop(0)
            found[k] = max(min(wanted[k], share), min(NARROWEST, share))
            left -= found[k]
        return found

    def _cut(self, word: str, size: float, width: float, bold: bool) -> list[str]:
        parts = []
        while len(word) > 1 and self.width(word, size, bold) > width:
            count = max(1, int(len(word) * width / self.width(word, size, bold)))
            while count > 1 and self.width(word[:count], size, bold) > width:
                count -= 1
            parts.append(word[:count])
            word = word[count:]
        return [*parts, word]

    def _width(self, text: str, size: float, bold: bool) -> float:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextToPath

        font = FontProperties(family="sans-serif", size=size, weight="bold" if bold else "normal")
        width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
        return float(width) * POINT

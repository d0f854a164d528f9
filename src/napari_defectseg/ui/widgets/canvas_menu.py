"""What of the table is shown on the canvas: colours by a column, ranks of the largest."""

from __future__ import annotations

from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QMenu, QWidget

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns
from napari_defectseg.ui.canvas_columns import CIVIDIS, CLASS, LARGEST, VIRIDIS, CanvasColumns
from napari_defectseg.ui.widgets.text import Link

TIP = "Colour objects by a column, with a colour bar, or number the largest"


class CanvasMenu(Link):
    """A link that opens the list of columns.

    Parameters
    ----------
    canvas : CanvasColumns
    """

    def __init__(self, canvas: CanvasColumns, parent: QWidget | None = None) -> None:
        super().__init__("Colour by…", TIP, parent)
        self.canvas = canvas
        self.menu_of_columns = QMenu(self)
        self.menu_of_columns.aboutToShow.connect(self._fill)
        self.clicked.connect(self._open)
        self._table: RegionTable | None = None

    def show_table(self, table: RegionTable | None) -> None:
        """Offer the columns of a table, and show what is chosen on the canvas."""
        self._table = table
        self.canvas.show_table(table)

    def fill(self) -> QMenu:
        """Return the menu as it opens."""
        self._fill()
        return self.menu_of_columns

    def _fill(self) -> None:
        menu, table = self.menu_of_columns, self._table
        menu.clear()
        group = QActionGroup(menu)
        keys = [] if table is None else columns.plottable(table)
        for key in (CLASS, *keys):
            told = key if table is None or key == CLASS else columns.title(table, key, long=True)
            action = self._add(told, key == self.canvas.key)
            group.addAction(action)
            action.triggered.connect(lambda _, chosen=key: self.canvas.colour_by(chosen))
        menu.addSeparator()
        other = self._add("Scale from blue to yellow (cividis)", self.canvas.scale == CIVIDIS)
        other.triggered.connect(
            lambda on: self.canvas.colour_by(self.canvas.key, CIVIDIS if on else VIRIDIS)
        )
        menu.addSeparator()
        largest = self._add(f"Number the {LARGEST} largest", bool(self.canvas.ranked))
        largest.triggered.connect(lambda on: self.canvas.rank_by(self._rank_key() if on else ""))

    def _add(self, told: str, ticked: bool) -> QAction:
        action = self.menu_of_columns.addAction(told)
        action.setCheckable(True)
        action.setChecked(ticked)
        return action

    def _rank_key(self) -> str:
        """Return the column that ranks: the one that colours, else the diameter."""
        return columns.DIAMETER if self.canvas.key == CLASS else self.canvas.key

    def _open(self) -> None:
        self.menu_of_columns.popup(self.mapToGlobal(self.rect().bottomLeft()))

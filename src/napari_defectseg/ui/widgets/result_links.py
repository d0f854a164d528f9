"""What can be done with all objects: report, more columns, recipe, another result."""

from __future__ import annotations

from qtpy.QtCore import Signal

from napari_defectseg.measurement.settings import GROUPS
from napari_defectseg.ui.canvas_columns import CanvasColumns
from napari_defectseg.ui.desk import Desk
from napari_defectseg.ui.reporting import Reporter
from napari_defectseg.ui.widgets.canvas_menu import CanvasMenu
from napari_defectseg.ui.widgets.column_groups import ColumnGroups
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.text import Link

RECIPE_TIP, NO_MODEL = "Settings and model, for other images", "No model is chosen"


class ResultLinks(Links):
    """A row of links that flows into a second one where there is no room.

    Parameters
    ----------
    desk : Desk
    reporter : Reporter
    canvas : CanvasColumns

    Signals
    -------
    columns_chosen : tuple of str
        What is to be measured beyond the basic columns.
    """

    columns_chosen = Signal(object)

    def __init__(self, desk: Desk, reporter: Reporter, canvas: CanvasColumns) -> None:
        self.report = Link("Report…", "Methods, numbers, pictures and provenance as one page")
        self.groups = ColumnGroups()
        self.recipe = Link("Save recipe…", RECIPE_TIP)
        self.open = Link("Open result…", "Image, model, objects and settings as they were")
        self.canvas = CanvasMenu(canvas)
        super().__init__((self.report, self.groups, self.canvas, self.recipe, self.open))
        self._columns: tuple[str, ...] = ()
        self.report.clicked.connect(reporter.ask)
        self.recipe.clicked.connect(desk.ask_to_save_recipe)
        self.open.clicked.connect(desk.ask_to_open)
        self.groups.groups_chosen.connect(self._on_groups)

    def show_columns(self, columns: tuple[str, ...]) -> None:
        """Tick what is measured."""
        self._columns = columns
        self.groups.show_groups(columns)

    def show_model(self, chosen: bool) -> None:
        """Offer the recipe where there is a model."""
        self.recipe.setEnabled(chosen)
        self.recipe.setToolTip(RECIPE_TIP if chosen else NO_MODEL)

    def _on_groups(self, groups: tuple[str, ...]) -> None:
        """Measure the ticked groups, and single measurements as before."""
        known = {name for name, _ in GROUPS}
        others = tuple(one for one in self._columns if one not in known)
        self.columns_chosen.emit((*groups, *others))

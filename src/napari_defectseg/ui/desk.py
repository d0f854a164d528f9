"""`Desk`: saves and opens results and recipes, and says so on its page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_defectseg.core.errors import AlreadyExists, DefectSegError
from napari_defectseg.results.recipe import ReportSettings
from napari_defectseg.ui import words
from napari_defectseg.ui.follow import follower_of
from napari_defectseg.ui.keeper import keeper_of
from napari_defectseg.ui.plots.keeping import FORMS, save_plot
from napari_defectseg.ui.reopening import Reopened, reopen_steps, take
from napari_defectseg.ui.saving import SaveSettings, recipe_of, save_steps, snapshot_of

if TYPE_CHECKING:
    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.ui.docks.base import DockPage
    from napari_defectseg.ui.plots.keeping import Shown

SAVE, OPEN, RECIPE, TABLE, PLOT = "save result", "open result", "recipe", "csv", "plot"
"""Lanes, and topics of messages."""
TABLES = "CSV (*.csv);;Excel (*.xlsx);;Parquet (*.parquet)"
"""Forms of a table, for the system's dialog."""


class Desk:
    """The session on the disk, for one page.

    Parameters
    ----------
    page : DockPage
        Shows the questions and what came of it.
    """

    def __init__(self, page: DockPage) -> None:
        self._page = ref(page)
        self._last = ""

    @property
    def page(self) -> DockPage:
        """The page."""
        page = self._page()
        assert page is not None
        return page

    # -- result --------------------------------------------------------------------------

    def ask_to_save(self) -> None:
        """Ask for a folder and save the result there."""
        path = QFileDialog.getExistingDirectory(self.page, "Save the result in", self._last)
        if path:
            self.save(SaveSettings(Path(path)))

    def save(self, where: SaveSettings) -> None:
        """Write image, model, labels, settings, table and edits into a result folder."""
        page = self.page
        try:
            taken = snapshot_of(page.session, follower_of(page.session).settings)
        except DefectSegError as error:
            page.say_error(SAVE, error)
            return
        if taken is None:
            return

        def done(place: Path) -> None:
            self._last = str(where.folder)
            page.session.recipe = taken.recipe or page.session.recipe
            keeper_of(page.session).note_saved(taken.history, taken.revision)
            page.messages.say(SAVE, "info", f"The result is in {place}.")
            page.set_mark("done")

        page.run(
            SAVE,
            save_steps(taken, where),
            text=f"saving {taken.image.name}",
            on_done=done,
            on_failed=lambda error: self._on_not_saved(where, error),
        )

    def _on_not_saved(self, where: SaveSettings, error: Exception) -> None:
        other = ("Another folder…", self.ask_to_save)
        if not isinstance(error, AlreadyExists):
            self.page.say_error(SAVE, error, (other,))
            return
        if "another model" in error.sentence:
            again = ("Save there", lambda: self.save(replace(where, mixed=True)))
        else:
            again = ("Replace it", lambda: self.save(replace(where, overwrite=True)))
        self.page.messages.say(SAVE, "warning", error.sentence, (again, other))

    def ask_to_open(self) -> None:
        """Ask for a result folder and open it."""
        path = QFileDialog.getExistingDirectory(self.page, "Open a result", self._last)
        if path:
            self.open(Path(path))

    def open(self, folder: Path) -> None:
        """Bring a result back: image, model, labels with their edits, settings, table."""
        page = self.page

        def done(found: Reopened) -> None:
            self._last = str(folder)
            take(page.session, follower_of(page.session), found)
            kind = "warning" if found.notes else "info"
            page.messages.say(OPEN, kind, " ".join((f"{folder} is open.", *found.notes)))

        page.run(
            OPEN,
            reopen_steps(folder, page.session.image),
            text=f"opening {folder.name}",
            on_done=done,
            on_failed=lambda error: page.say_error(
                OPEN, error, (("Another folder…", self.ask_to_open),)
            ),
        )

    # -- table ---------------------------------------------------------------------------

    def ask_to_save_table(self, table: RegionTable) -> None:
        """Ask for a file and write a table, in the form of its suffix."""
        image = self.page.session.image
        stem = image.name if image is not None else "objects"
        path, _ = QFileDialog.getSaveFileName(
            self.page, "Save the table", f"{stem}-objects.csv", TABLES
        )
        if path:
            # The system's dialog has asked about overwriting.
            self.save_table(Path(path), table)

    def save_table(self, path: Path, table: RegionTable) -> None:
        """Write a table as CSV, Excel or Parquet and say so."""
        from napari_defectseg.reports.tables import write_table

        try:
            written = write_table(table, path, overwrite=True)
        except DefectSegError as error:
            self.page.say_error(TABLE, error)
            return
        rows = words.counted(len(table), "row")
        self.page.messages.say(TABLE, "info", f"{rows} in {written}.")
        self.page.set_mark("done")

    # -- plot ----------------------------------------------------------------------------

    def ask_to_save_plot(self, plot: QWidget, shown: Shown) -> None:
        """Ask for a file and write a plot as picture or data."""
        path, _ = QFileDialog.getSaveFileName(self.page, "Save the plot", "plot.png", FORMS)
        if path:
            # The system's dialog has asked about overwriting.
            self.save_plot(Path(path), plot, shown)

    def save_plot(self, path: Path, plot: QWidget, shown: Shown) -> None:
        """Write a plot as picture or data and say so."""
        try:
            written = save_plot(plot, shown, path)
        except DefectSegError as error:
            self.page.say_error(PLOT, error)
            return
        self.page.messages.say(PLOT, "info", f"The plot is in {written}.")

    # -- recipe --------------------------------------------------------------------------

    def ask_to_save_recipe(self) -> None:
        """Ask for a file and write the recipe."""
        path, _ = QFileDialog.getSaveFileName(
            self.page, "Save the recipe", "recipe.json", "Recipe (*.json)"
        )
        if path:
            # The system's dialog has asked about overwriting.
            self.save_recipe(Path(path))

    def save_recipe(self, path: Path) -> None:
        """Write what ``defectseg run`` takes."""
        page = self.page
        try:
            recipe = recipe_of(page.session, follower_of(page.session).settings)
            whole = recipe.model_copy(update={"report": ReportSettings()})
            whole.write(path, overwrite=True)
        except DefectSegError as error:
            page.say_error(RECIPE, error)
            return
        page.session.recipe = recipe
        page.messages.say(
            RECIPE,
            "info",
            f"The recipe is in {path}. Elsewhere: defectseg run {path.name} IMAGES --out FOLDER",
        )

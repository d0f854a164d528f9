"""Edits that are not on the disk: why, and what can be done, in a strip of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtWidgets import QFileDialog

from napari_defectseg.core.errors import DefectSegError

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.base import DockPage

TOPIC, MOVED = "journal", "journal moved"
KEPT = "They are kept in memory, and drawing goes on; they are written as soon as it is possible."


class UnsavedEdits:
    """Follows the keeper of the page's session.

    Parameters
    ----------
    page : DockPage
    """

    def __init__(self, page: DockPage) -> None:
        self._page = ref(page)
        page.listen(page.keeper.changed, self.show)
        self.show()

    @property
    def page(self) -> DockPage:
        """The page that shows it."""
        page = self._page()
        assert page is not None
        return page

    def show(self) -> None:
        """Say why edits are not on the disk; nothing if all are."""
        page, problem = self.page, self.page.keeper.problem
        if not problem:
            page.messages.take_back(TOPIC)
            return
        links = (("Try again", page.keeper.retry), ("Another folder…", self.ask_to_move))
        page.messages.say(TOPIC, "error", f"Edits are not on the disk: {problem} {KEPT}", links)

    def ask_to_move(self) -> None:
        """Ask for a folder and keep the edits there from now on."""
        path = QFileDialog.getExistingDirectory(self.page, "Keep the edits in this folder")
        if not path:
            return
        try:
            self.page.keeper.move(Path(path))
        except DefectSegError as error:
            self.page.say_error(MOVED, error)
            return
        self.page.messages.take_back(MOVED)

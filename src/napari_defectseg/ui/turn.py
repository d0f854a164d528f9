"""`Turn`: what the keys of Review do while one of its pages is in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtWidgets import QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui.places import fly_to

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.review import ReviewDock


class Turn:
    """One page of Review: go on, go back, find right, find wrong, all by the same keys.

    Parameters
    ----------
    dock : ReviewDock
        Known weakly: it owns its turns.
    """

    def __init__(self, dock: ReviewDock) -> None:
        self._dock = ref(dock)
        self.session, self.viewer = dock.session, dock.viewer
        self.hand, self.reviewer = dock.hand, dock.reviewer

    @property
    def dock(self) -> ReviewDock:
        """The dock it belongs to."""
        dock = self._dock()
        assert dock is not None
        return dock

    page: QWidget

    def show(self) -> None:
        """Show everything as it is."""

    def act(self) -> None:
        """Do what the primary button says."""
        self.next()

    def next(self) -> None:
        """Go on."""

    def back(self) -> None:
        """Go back by the way one came."""

    def accept(self) -> None:
        """Find right what is looked at."""

    def reject(self) -> None:
        """Find wrong what is looked at."""

    def next_class(self) -> None:
        """Give what is looked at another class."""

    def show_pictures(self) -> None:
        """Show small pictures; they are cut once the keys have been answered."""

    def leave(self) -> None:
        """Make room for another page, or for other labels."""

    def visit(self, number: int | None) -> None:
        """Select an object and bring it into the middle."""
        if number is not None:
            self.session.select([number])
            self.hand.stage.activate_labels()
            fly_to(self.viewer, self.session, number)

    def safely(self, step: Callable[[], object]) -> None:
        """Do something that may be refused, and say so."""
        try:
            step()
        except DefectSegError as error:
            self.dock.say_error("review", error)
            return
        self.dock.messages.take_back("review")

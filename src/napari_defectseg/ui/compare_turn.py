"""`CompareTurn`: one difference after the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtWidgets import QFileDialog

from napari_defectseg.ui.comparing import Comparing
from napari_defectseg.ui.sight import fly_to_box
from napari_defectseg.ui.turn import Turn
from napari_defectseg.ui.widgets.compare_page import ComparePage

if TYPE_CHECKING:
    from napari_defectseg.review.merge import Merge
    from napari_defectseg.ui.docks.review import ReviewDock


class CompareTurn(Turn):
    """What is done on the page that compares."""

    def __init__(self, dock: ReviewDock) -> None:
        super().__init__(dock)
        self.comparing = Comparing(self.viewer)
        self.page = ComparePage()
        self.page.chosen.connect(self.compare_with)
        self.page.took.connect(self.take)
        self.page.merging.connect(self.choose_edits)

    def show(self) -> None:
        """Show what there is to compare with, and the difference that is looked at."""
        names = self.comparing.look()
        comparison = self.comparing.comparison
        self.page.offer(names, max(0, self.page.other.currentIndex()))
        self.page.show_comparison(comparison)
        if comparison is None:
            tip = "Find where they differ" if names else "There is nothing to compare with yet"
            self.dock.footer.offer("Compare", tip, enabled=bool(names))
            self.dock.checked.hide()
            return
        left = len(comparison.open)
        total = len(comparison.differences)
        self.dock.checked.show_progress(total - left, total, word="settled")
        tip = "Go to the next difference" if left else "All differences are settled"
        self.dock.footer.offer("Next difference   N", tip, enabled=bool(left))

    def compare_with(self, place: int) -> None:
        """Compare the labels with something else."""
        if not 0 <= place < len(self.comparing.others):
            return
        self.comparing.close()
        steps = self.comparing.steps(self.comparing.others[place])
        self.dock.run("compare", steps, text="Comparing", on_done=self._on_compared)

    def _on_compared(self, found: Any) -> None:
        if self.dock.turn is self and found[0].left is self.session.labels:
            self.comparing.show(found)
            self.show()

    def choose_edits(self) -> None:
        """Ask for the folder of another person's result, and merge its edits."""
        path = QFileDialog.getExistingDirectory(self.dock, "Merge the edits of a result")
        if path:
            self.merge_with(Path(path))

    def merge_with(self, folder: Path) -> None:
        """Take what another person has decided alone, and go through the contradictions."""
        self.comparing.close()
        steps = self.comparing.merge_steps(folder)
        self.dock.run("compare", steps, text="Merging", on_done=self._on_merged)

    def _on_merged(self, found: tuple[Merge, int]) -> None:
        merge, revision = found
        labels = self.session.labels
        if labels is not merge.comparison.left:
            return
        if labels.revision != revision:
            self.dock.messages.say(
                "review",
                "warning",
                "The labels were changed while the edits were read. Nothing was merged; try again.",
            )
            return
        self.safely(lambda: self.session.edit(merge.edit))
        if merge.comparison.differences and self.dock.turn is self:
            self.comparing.show(self.comparing.differences_of(merge.comparison))
        self.dock.messages.say("merged", "info", merge.sentence)
        self.show()

    def _go_there(self) -> None:
        comparison = self.comparing.comparison
        current = comparison.current if comparison is not None else None
        if current is not None:
            self.session.select([current.left] if current.left else [])
            self.hand.stage.activate_labels()
            fly_to_box(self.viewer, current.box, room=4.0)
        self.show()

    def take(self, side: Literal["left", "right"]) -> None:
        """Settle the difference: ``"left"`` keeps what is here, ``"right"`` takes the other."""
        comparison = self.comparing.comparison
        if comparison is None or comparison.current is None:
            return

        def step() -> None:
            self.session.edit(comparison.take(side))
            self.comparing.show_again(comparison.left)
            self.next()

        self.safely(step)
        self.show()

    def act(self) -> None:
        """Compare, or go to the next difference."""
        if self.comparing.comparison is None:
            self.compare_with(self.page.other.currentIndex())
        else:
            self.next()

    def next(self) -> None:
        """Go to the next difference that is not settled."""
        if self.comparing.comparison is not None:
            self.comparing.comparison.next()
            self._go_there()

    def back(self) -> None:
        """Go to the one before."""
        if self.comparing.comparison is not None:
            self.comparing.comparison.back()
            self._go_there()

    def accept(self) -> None:
        """Keep what is here."""
        self.take("left")

    def reject(self) -> None:
        """Take what the other has."""
        self.take("right")

    def leave(self) -> None:
        """Take the differences off the canvas."""
        self.comparing.close()

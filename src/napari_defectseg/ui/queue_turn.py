"""`QueueTurn`: one object after the other, in the order of doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels.tools.complete import complete, is_complete, reopen
from napari_defectseg.review.queue import Order, Queue
from napari_defectseg.ui import words
from napari_defectseg.ui.crops import crops
from napari_defectseg.ui.sight import seen_box
from napari_defectseg.ui.turn import Turn
from napari_defectseg.ui.widgets.queue_page import QueuePage

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.review import ReviewDock


class QueueTurn(Turn):
    """What is done on the page of the queue."""

    def __init__(self, dock: ReviewDock) -> None:
        super().__init__(dock)
        self.page = QueuePage()
        card = self.page.card
        card.accepted.connect(self.accept)
        card.rejected.connect(self.reject)
        card.class_asked.connect(self.next_class)
        card.fix_asked.connect(self.fix)
        card.skipped.connect(self.skip)
        self.page.arranged.connect(self.arrange)
        self.page.level_changed.connect(self.show_bulk)
        self.page.bulk_asked.connect(self.accept_above)
        self.page.complete_asked.connect(self.set_complete)

    def show(self) -> None:
        """Show the object that is looked at, and how far the queue has come."""
        labels, reviewer = self.session.labels, self.reviewer
        assert labels is not None
        done, count = reviewer.progress
        self.dock.checked.show_progress(done, count, reviewer.seconds_left)
        number = self.number()
        if number:
            place = f"{words.count(done + (number not in labels.checked))} of {words.count(count)}"
            self.page.card.show_object(labels, number, place, reviewer.doubt(number))
        else:
            self.page.card.show_nothing("Press N to go to the most doubtful object.")
        self.dock.pictures.start(0)
        self.show_bulk(self.page.level.value())
        self.show_complete()
        if count and done == count:
            self.dock.footer.offer("Statistics →", f"All {words.count(count)} are checked")
            self.page.told.setText(f"{words.count(count)} checked.")
            self.dock.set_mark("done")
        else:
            tip = "Go to the next object in this order" if count else "The filter leaves none"
            self.dock.footer.offer("Next doubtful   N", tip, enabled=bool(count))
            self.page.told.setText("" if count else "The filter leaves no object.")
            self.dock.set_mark("")

    def number(self) -> int:
        """Return the one object that is selected; 0: none or several."""
        chosen = self.hand.selected()
        return chosen[0] if len(chosen) == 1 else 0

    def show_pictures(self) -> None:
        """Show the small pictures; they are cut once the keys have been answered."""
        number = self.number()
        self.page.card.show_pictures(crops(self.session, number) if number else [])

    def show_bulk(self, level: float) -> None:
        """Say how many objects would be accepted from a level on."""
        queue = self.reviewer.queue
        self.page.show_bulk(0 if queue is None else len(queue.above(level)))

    def arrange(self, order: Order, text: str) -> None:
        """Choose what comes first, and what is looked at at all."""
        try:
            self.reviewer.arrange(order, text)
        except DefectSegError as error:
            self.page.filter.complain(str(error))
            return
        self.page.filter.complain("")

    def accept_above(self, level: float) -> None:
        """Accept all waiting objects whose mean score reaches a level, as one step."""
        queue = self.reviewer.queue
        if queue is not None:
            self.safely(lambda: queue.accept_above(level))

    def set_complete(self, wanted: bool) -> None:
        """Say that what is in sight is complete, or take it back."""
        labels = self.session.labels
        box = None if labels is None else seen_box(self.viewer, labels)
        if labels is not None and box is not None:
            act = complete if wanted else reopen
            self.safely(lambda: self.session.edit(act(labels, box)))
        self.show_complete()

    def next_class(self) -> None:
        """Give the object the next class."""
        queue = self._at_selected()
        if queue is not None:
            self.safely(queue.next_class)

    def fix(self) -> None:
        """Go to the tools of Correct with this object."""
        self.session.go_to("correct")

    def skip(self) -> None:
        """Look at the object later."""
        self.reviewer.put_off(self.hand.selected())
        self.next()

    def show_complete(self) -> None:
        """Show whether what is in sight is complete."""
        labels = self.session.labels
        box = None if labels is None else seen_box(self.viewer, labels)
        done = labels is not None and box is not None and is_complete(labels, box)
        self.page.show_complete(done, box is not None)

    def act(self) -> None:
        """Go to the next object; where all are checked, on to Statistics."""
        done, count = self.reviewer.progress
        if done == count > 0:
            self.session.go_to("statistics")
        else:
            self.next()

    def next(self) -> None:
        """Go to the next object in this order."""
        self.visit(self.reviewer.next())

    def back(self) -> None:
        """Go to the object that was visited before."""
        self.visit(self.reviewer.back())

    def accept(self) -> None:
        """Find the object right, and go to the next."""
        self._decide("accept")

    def reject(self) -> None:
        """Remove the object, and go to the next."""
        self._decide("reject")

    def _decide(self, what: str) -> None:
        queue = self._at_selected()
        if queue is not None:
            self.safely(getattr(queue, what))
            self.next()

    def _at_selected(self) -> Queue | None:
        """Return the queue, standing at the selected object; None if none is selected."""
        queue, number = self.reviewer.queue, self.number()
        if queue is None or not number:
            return None
        if queue.at != number:
            queue.visit(number)
        return queue

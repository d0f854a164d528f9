"""`AuditTurn`: a random sample, judged one after the other, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.review.audit import AuditSettings
from napari_defectseg.ui import words
from napari_defectseg.ui.auditing import Auditing
from napari_defectseg.ui.sight import fly_to_box
from napari_defectseg.ui.turn import Turn
from napari_defectseg.ui.widgets.audit_page import AuditPage

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.review import ReviewDock


class AuditTurn(Turn):
    """What is done on the page of the five-minute review."""

    def __init__(self, dock: ReviewDock) -> None:
        super().__init__(dock)
        self.auditing = Auditing(self.session)
        self.page = AuditPage()
        self.page.judged.connect(self.judge)
        self.page.class_asked.connect(self.next_class)

    def done(self) -> bool:
        """Whether everything is judged."""
        done, total = self.auditing.progress
        return done == total > 0

    def show(self) -> None:
        """Show what is to be judged, and what the verdicts say so far."""
        auditing = self.auditing
        if not auditing.running and not auditing.resume():
            self.page.show_nothing()
            self.dock.checked.hide()
            self.dock.footer.offer("Start", "Draw the sample and show one after the other")
            return
        done, total = auditing.progress
        self.dock.checked.hide()
        self._say_task(done, total)
        estimate = auditing.estimate
        if estimate is not None:
            self.page.show_estimate(estimate)
        if self.done():
            self.dock.footer.offer("New sample", "Begin anew; what was decided stays")
        else:
            self.dock.footer.offer("Next   N", "Go to the next one; this one comes again")

    def _say_task(self, done: int, total: int) -> None:
        auditing, labels = self.auditing, self.session.labels
        title = f"{words.count(min(done + 1, total))} of {words.count(total)}"
        if auditing.number and labels is not None:
            value = labels.object_classes.get(auditing.number, 0)
            called = labels.classes.by_value(value).name if value else "removed"
            task = f"Is this framed object there, and is it: {called}?"
            if value and value != auditing.class_value:
                was = labels.classes.by_value(auditing.class_value).name
                task = f"It was called {was}; now it is {called}. Right accepts it so."
            self.page.show_task(done, total, title, task, place=False)
        elif auditing.place is not None:
            task = (
                f"Look through this place to the last object ({len(auditing.place.predicted)} were "
                "predicted). Draw what is missing, delete what is false; then it is complete."
            )
            self.page.show_task(done, total, title, task, place=True)
        else:
            self.page.show_task(done, total, "All judged", "This is the estimate:", place=False)
            self.page.enable(False)

    def start(self) -> None:
        """Draw the sample."""
        settings = AuditSettings(objects=self.page.objects.value(), places=self.page.places.value())
        self.safely(lambda: self.auditing.start(settings))
        self._go_there()

    def judge(self, right: bool) -> None:
        """Give the verdict about what is looked at, and go on."""
        if self.auditing.running:
            self.safely(lambda: self.auditing.judge(right))
            self._go_there()

    def next_class(self) -> None:
        """Say that the object is of another class: give it the next one."""
        if self.auditing.running and self.auditing.number:
            self.safely(self.auditing.next_class)
            self.show()

    def _go_there(self) -> None:
        number, box = self.auditing.number, self.auditing.box
        if number:
            self.visit(number)
        elif box is not None:
            self.session.select([])
            self.hand.stage.activate_labels()
            fly_to_box(self.viewer, box, room=1.2)
        self.show()

    def act(self) -> None:
        """Draw a sample, go on in it, or put it away when all is judged."""
        if not self.auditing.running:
            self.start()
        elif self.done():
            self.auditing.discard()
            self.show()
        else:
            self.next()

    def next(self) -> None:
        """Go to the next one that is not judged."""
        if self.auditing.running:
            self.auditing.next()
            self._go_there()

    def back(self) -> None:
        """Look at the one before again."""
        if self.auditing.running:
            self.auditing.back()
            self._go_there()

    def accept(self) -> None:
        """Find the object right, or the place complete."""
        self.judge(True)

    def reject(self) -> None:
        """Find the object wrong; in a place, remove what is selected."""
        if self.auditing.number:
            self.judge(False)
        else:
            self.hand.delete()

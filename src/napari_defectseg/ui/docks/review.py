"""The Review dock: queue of doubt, gallery, two masks compared, and the five-minute review."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QPushButton

from napari_defectseg.ui import icons
from napari_defectseg.ui.audit_turn import AuditTurn
from napari_defectseg.ui.compare_turn import CompareTurn
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.gallery_turn import GalleryTurn
from napari_defectseg.ui.hand import Hand, hand_of
from napari_defectseg.ui.queue_turn import QueueTurn
from napari_defectseg.ui.reviewing import reviewer_of
from napari_defectseg.ui.turn import Turn
from napari_defectseg.ui.widgets.checked_bar import CheckedBar
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import name

PAGES = (
    ("queue", "queue", "One object after the other, most doubtful first"),
    ("gallery", "gallery", "All objects as tiles, sorted by any column, decided many at once"),
    ("compare", "compare", "Two masks, models or people: one difference after the other"),
    ("audit", "5 min", "Five minutes: a random sample says how good the labels are"),
)


class ReviewDock(DockPage):
    """Look at the most doubtful objects first."""

    key, title, icon = "review", "Review", "review"
    tip = "Look at the most doubtful objects first"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out the pages and tie them to hand and session."""
        self.hand: Hand = hand_of(self.viewer)
        self.reviewer = reviewer_of(self.session)
        self.pages = Segments("Page", PAGES, even=False)
        self.pages.valueChanged.connect(self._on_page)
        self.body.addWidget(self.pages)
        self.checked = CheckedBar()
        self.footer.column.insertWidget(0, self.checked)
        self.back = QPushButton()
        icons.set_icon(self.back, "left", size=14)
        name(self.back, "Previous", "Go back by the way you came (Shift+N)")
        self.back.clicked.connect(self.previous)
        self.footer.add_before(self.back)
        self.queue, self.gallery = QueueTurn(self), GalleryTurn(self)
        self.compare, self.audit = CompareTurn(self), AuditTurn(self)
        self.turns: dict[str, Turn] = {}
        for key, turn in (
            ("queue", self.queue), ("gallery", self.gallery),
            ("compare", self.compare), ("audit", self.audit),
        ):  # fmt: skip
            self.turns[key] = turn
            self.body.addWidget(turn.page)
            turn.page.setVisible(key == "queue")
        self.pictures = QTimer(self)
        self.pictures.setSingleShot(True)
        self.pictures.timeout.connect(self._show_pictures)
        self._offer_keys()
        self._listen()

    def _listen(self) -> None:
        events = self.session.events
        self.listen(events.labels, self._on_labels)
        self.listen(events.image, self._show)
        self.listen(events.edited, self.gallery.forget)
        self.listen(events.edited, self._show)
        self.listen(events.selection, self._show)
        self.listen(self.reviewer.changed, self._on_doubts)
        self.listen(self.hand.failed, self._on_failed)
        self.listen(self.viewer.scene.camera.events.center, self._on_moved)
        self.listen(self.viewer.scene.camera.events.zoom, self._on_moved)
        self.listen(self.viewer.dims.events.current_step, self._on_moved)

    # -- what the session says -----------------------------------------------------------

    @property
    def turn(self) -> Turn:
        """What is done on the page in front."""
        return self.turns[str(self.pages.value)]

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_labels(self.session.labels)

    def _on_labels(self, _: Any) -> None:
        for turn in self.turns.values():
            turn.leave()
        self.audit.auditing.stop()
        self._show()

    def _on_page(self, page: str) -> None:
        for key, turn in self.turns.items():
            turn.page.setVisible(key == page)
            if key != page:
                turn.leave()
        self._show()

    def _on_doubts(self) -> None:
        self._show()

    def _on_moved(self, _: Any) -> None:
        if self.isVisible() and self.turn is self.queue:
            self.queue.show_complete()

    def _on_failed(self, error: Exception) -> None:
        if self.isVisible():
            self.say_error("review", error)

    def _show_pictures(self) -> None:
        if not self.released and self.session.labels is not None:
            self.turn.show_pictures()

    def _show(self, _: Any = None) -> None:
        """Show the page in front; the others are shown when they come."""
        labels = self.session.labels
        some = labels is not None and bool(labels.object_classes)
        self.checked.setVisible(some)
        self.back.setVisible(some)
        if some:
            self.show_controls()
            self.turn.show()
            return
        links = (("Predict →", lambda: self.session.go_to("predict")),)
        self.show_empty("Nothing to review: predict or open labels.", links)
        self.footer.offer("Next doubtful   N", "There are no objects yet", enabled=False)
        self.set_mark("")

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Do what the page in front offers."""
        self.turn.act()

    def previous(self) -> None:
        """Go back by the way one came."""
        self.turn.back()

    # -- keys ----------------------------------------------------------------------------

    def _offer_keys(self) -> None:
        for command, act in (
            ("accept", self.key_accept),
            ("delete", self.key_reject),
            ("relabel", self.key_class),
            ("next", self.key_next),
            ("back", self.key_back),
            ("skip", self.key_skip),
        ):
            self.provide(command, act)
        for command, widget in self.queue.page.card.buttons.items():
            if command != "fix":
                self.keys.follow(widget, command, widget.toolTip())
        self.keys.follow(self.back, "back", "Go back by the way you came")

    def key_accept(self) -> bool | None:
        """Accept by key, while this dock is in front."""
        return self.turn.accept() if self.isVisible() else False

    def key_reject(self) -> bool | None:
        """Reject by key, while this dock is in front."""
        return self.turn.reject() if self.isVisible() else False

    def key_next(self) -> bool | None:
        """Go on by key, while this dock is in front."""
        return self.turn.next() if self.isVisible() else False

    def key_back(self) -> bool | None:
        """Go back by key, while this dock is in front."""
        return self.turn.back() if self.isVisible() else False

    def key_class(self) -> bool | None:
        """Change the class by key, while a page that knows one object or more is in front."""
        if not self.isVisible() or self.turn is self.compare:
            return False
        return self.turn.next_class()

    def key_skip(self) -> bool | None:
        """Look at the object later by key, while the queue is in front."""
        return self.queue.skip() if self._in_queue() else False

    def _in_queue(self) -> bool:
        return self.isVisible() and self.turn is self.queue

    def showEvent(self, event: QShowEvent) -> None:
        """Make the labels the active layer and show what changed meanwhile."""
        super().showEvent(event)
        if not event.spontaneous():
            self.hand.stage.activate_labels()
            self._show()

    def show_place(self, place: str) -> None:
        """Bring a page to the front."""
        if place in {key for key, _, _ in PAGES}:
            self.pages.setValue(place)

    def release(self) -> None:
        """Take the differences off the canvas."""
        self.compare.leave()
        super().release()

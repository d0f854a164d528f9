"""`Reviewer`: the queue of a session, and its doubts computed in the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.review.doubt import Doubt, object_doubts_steps
from napari_defectseg.review.queue import Order, Queue
from napari_defectseg.ui.decoding import PREDICTION
from napari_defectseg.ui.follow import follower_of

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session

LANE = "doubt"
PAUSE = 200
"""Milliseconds without a change until doubts are computed."""


class Reviewer(QObject):
    """One a session, found by `reviewer_of`; Correct and Review go through the same queue.

    Doubts are computed when labels come, when a prediction or threshold changed them as a whole,
    and once their table is there. A person's own edits change no doubts: lists do not re-sort
    under the pointer.

    Parameters
    ----------
    session : Session
    """

    changed = Signal()
    """Doubts, order or labels are others."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.queue: Queue | None = None
        self.order: Order = "doubt"
        self.filter = ""
        self._remade: set[int] = set()
        self._with_table = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._compute)
        follower_of(session)
        events = session.events
        events.labels.connect(self._on_labels)
        events.edited.connect(self._on_edited)
        events.table.connect(self._on_table)
        events.closed.connect(self._on_closed)
        self._on_labels(session.labels)

    def doubt(self, number: int) -> Doubt | None:
        """Return the doubt of an object; None where it is not known (yet)."""
        return None if self.queue is None else self.queue.doubts.get(number)

    @property
    def at(self) -> int:
        """The object that was visited last; 0: none."""
        return 0 if self.queue is None else self.queue.at

    @property
    def progress(self) -> tuple[int, int]:
        """Number of checked objects, and of all that are looked at."""
        return (0, 0) if self.queue is None else self.queue.progress

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes; None while that is not known."""
        return None if self.queue is None else self.queue.seconds_left

    def next(self) -> int | None:
        """Visit the next object."""
        return None if self.queue is None else self.queue.next()

    def back(self) -> int | None:
        """Visit the object before."""
        return None if self.queue is None else self.queue.back()

    def put_off(self, numbers: Iterable[int]) -> None:
        """Look at objects later."""
        if self.queue is not None:
            self.queue.later.update(numbers)

    def arrange(self, order: Order, text: str = "") -> None:
        """Choose what comes first, and by an expression on the table what is looked at at all.

        Raises
        ------
        MeasurementError
            If the expression cannot be understood; order and filter stay as they were.
        """
        keep: Callable[[int], bool] | None = None
        table = self._session.table
        if text and table is not None:
            # Objects that are drawn later are not in the table yet and are looked at.
            chosen = set(table.where(text)["label"].tolist())
            left_out = set(table["label"].tolist()) - chosen
            keep = lambda number: number not in left_out  # noqa: E731
        self.order, self.filter = order, text
        if self.queue is not None:
            self.queue.arrange(order, keep)
        self.changed.emit()

    def _on_closed(self) -> None:
        self._timer.stop()

    def _on_labels(self, labels: LabelMap | None) -> None:
        self._session.jobs.stop(LANE, drop=True)
        self._remade, self._with_table = set(), False
        self.queue = None
        self.filter = ""
        if labels is not None:
            self.queue = Queue(labels, self._session.edit, {})
            self.queue.arrange(self.order)
            self._timer.start()
        self.changed.emit()

    def _on_edited(self, edit: Edit | None) -> None:
        if self.queue is None:
            return
        if edit is not None and edit.decided:
            if self.queue.at in edit.objects:
                self.queue.note_decision()
            return
        if edit is not None and edit.tool == PREDICTION:
            labels = self.queue.labelmap
            # The first prediction of an image makes everything; only later ones change something.
            known = self._remade or labels.checked or self.queue.doubts
            self._remade = set(edit.objects) if known else set()
        self._with_table = False
        self._timer.start()

    def _on_table(self, table: Any) -> None:
        if table is not None and not self._with_table:
            self._timer.start()

    def _compute(self) -> None:
        queue, session = self.queue, self._session
        if queue is None or session.labels is not queue.labelmap:
            return
        prediction, labels = session.prediction, queue.labelmap
        scores = prediction.scores if prediction is not None else None
        if scores is not None and prediction.shape != labels.shape:
            scores = None
        revision, table = labels.revision, session.table

        def done(doubts: dict[int, Doubt]) -> None:
            if self.queue is not queue:
                return
            self._with_table = table is not None
            queue.take_doubts(doubts)
            self.changed.emit()

        def failed(error: Exception) -> None:
            # Edits while it was computed: what was seen may have been half of each.
            if labels.revision != revision or isinstance(error, DefectSegError):
                self._with_table = False
                self.changed.emit()

        steps = object_doubts_steps(labels, scores, table=table, changed=self._remade)
        session.jobs.start(LANE, steps, owner=self, on_done=done, on_failed=failed)


_reviewers: WeakKeyDictionary[Any, Reviewer] = WeakKeyDictionary()


def reviewer_of(session: Session) -> Reviewer:
    """Return the reviewer of a session, made at the first call."""
    if session not in _reviewers:
        _reviewers[session] = Reviewer(session)
    return _reviewers[session]

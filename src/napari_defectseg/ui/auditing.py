"""`Auditing`: goes through the sample of a five-minute review and keeps the verdicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.audit import Audit
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.complete import complete
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.measurement.audit import AuditEstimate, estimate_audit
from napari_defectseg.review.audit import (
    AuditSettings,
    box_of,
    draw_audit,
    judge_object_by_edits,
    judge_place_by_edits,
)
from napari_defectseg.ui.keeper import keeper_of

if TYPE_CHECKING:
    from napari_defectseg.labels.audit import AuditPlace
    from napari_defectseg.labels.edit import Box, Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session


FILE = "audit.json"
"""File beside a journal with the sample and its verdicts."""


class Auditing:
    """Objects first, then places, in the random order in which they were drawn.

    A verdict is an edit of the labels too: *right* accepts the object, *wrong* removes it, and a
    place that was looked through is a complete region. An object that was given another class
    before it was accepted is at the right place only. What was drawn in a place since it came up
    was missed, what was deleted there was false. Every verdict is kept beside the journal, so
    that the review goes on after a restart.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.audit: Audit | None = None
        self._labels: LabelMap | None = None
        self.at = -1

    @property
    def running(self) -> bool:
        """Whether a sample of the labels in hand was drawn."""
        return self.audit is not None and self._labels is self._session.labels

    def start(self, settings: AuditSettings) -> None:
        """Draw a sample.

        Raises
        ------
        LabelError
            If there are no objects.
        """
        labels = self._session.labels
        assert labels is not None
        table = self._session.table
        scores = None
        if table is not None and "mean_score" in table:
            scores = dict(zip(table["label"].tolist(), table["mean_score"].tolist(), strict=True))
        self.audit = draw_audit(labels, scores, settings)
        self._labels = labels
        self.at = -1
        self._keep()
        self.next()

    def resume(self) -> bool:
        """Go on with the sample that was kept for these labels; false if there is none."""
        labels = self._session.labels
        kept = None if self.running or labels is None else kept_audit(self._session)
        if kept is None:
            return False
        self.audit, self._labels, self.at = kept, labels, -1
        self.next()
        return True

    def next_class(self) -> None:
        """Give the object the class behind its own; accepted then, it counts as another class.

        Raises
        ------
        LabelError
            If there is no room for it among the objects of that class.
        """
        labels = self._session.labels
        if labels is not None and self.number in labels.object_classes:
            values = labels.classes.values
            now = values.index(labels.class_of(self.number))
            self._session.edit(relabel(labels, self.number, values[(now + 1) % len(values)]))

    def _keep(self) -> None:
        """Write the sample with its verdicts beside the journal."""
        text = "" if self.audit is None else json.dumps(self.audit.as_dict())
        keeper_of(self._session).keep_beside(FILE, text)

    def stop(self) -> None:
        """Forget the sample; what is kept stays."""
        self.audit, self._labels, self.at = None, None, -1

    def discard(self) -> None:
        """Forget the sample, also the one that is kept."""
        self.stop()
        self._keep()

    @property
    def estimate(self) -> AuditEstimate | None:
        """What the verdicts say so far."""
        return None if self.audit is None else estimate_audit(self.audit)

    @property
    def progress(self) -> tuple[int, int]:
        """How much is judged, and of how much."""
        if self.audit is None:
            return 0, 0
        return sum(self.audit.judged), len(self.audit.objects) + len(self.audit.places)

    @property
    def number(self) -> int:
        """The object that is looked at; 0: a place, or nothing."""
        audit = self.audit
        if audit is None or not 0 <= self.at < len(audit.objects):
            return 0
        return audit.objects[self.at].number

    @property
    def class_value(self) -> int:
        """The class that the object was called when the sample was drawn; 0: no object."""
        return self.audit.objects[self.at].class_value if self.audit and self.number else 0

    @property
    def place(self) -> AuditPlace | None:
        """The place that is looked at."""
        audit = self.audit
        if audit is None or self.at < len(audit.objects):
            return None
        index = self.at - len(audit.objects)
        return audit.places[index] if index < len(audit.places) else None

    @property
    def box(self) -> Box | None:
        """The box of that place."""
        return None if self.place is None else box_of(self.place)

    def next(self) -> bool:
        """Go to the next one that is not judged; false if all are.

        An object of the sample that was deleted elsewhere meanwhile has been judged by that.
        """
        while (index := self._next_open()) is not None:
            self.at = index
            labels = self._session.labels
            if self.number and labels is not None and self.number not in labels.object_classes:
                assert self.audit is not None
                self.audit = self.audit.judge_object(index, False)
                continue
            return True
        self.at = self.progress[1]
        return False

    def back(self) -> None:
        """Look at the one before again; its verdict stands until it is given anew."""
        self.at = max(0, self.at - 1)

    def judge(self, right: bool) -> None:
        """Give the verdict about what is looked at, and go on.

        Parameters
        ----------
        right : bool
            Objects: whether it is there. A place is complete with it, whatever is said.

        Raises
        ------
        LabelError
            If the labels cannot be changed so.
        """
        audit, labels = self.audit, self._session.labels
        if audit is None or labels is None:
            return
        edit: Edit | None
        if self.number:
            edit = self._edit_of_object(labels, right)
            self._session.edit(edit)
            self.audit = judge_object_by_edits(audit, self.at, labels)
        elif self.place is not None:
            self.audit = judge_place_by_edits(audit, self.at - len(audit.objects), labels)
            edit = complete(labels, box_of(self.place))
            self._session.edit(edit)
        self._keep()
        self.next()

    def _edit_of_object(self, labels: LabelMap, right: bool) -> Edit | None:
        if self.number not in labels.object_classes:
            return None
        return accept(labels, self.number) if right else delete(labels, self.number)

    def _next_open(self) -> int | None:
        assert self.audit is not None
        verdicts = [one.right is not None for one in self.audit.objects]
        verdicts += [one.judged for one in self.audit.places]
        behind = [i for i, judged in enumerate(verdicts) if not judged and i > self.at]
        before = [i for i, judged in enumerate(verdicts) if not judged and i < self.at]
        return next(iter([*behind, *before]), None)


def kept_audit(session: Session) -> Audit | None:
    """Return the five-minute review that is kept for the current labels; None if there is none."""
    text = keeper_of(session).read_beside(FILE)
    if not text:
        return None
    try:
        return Audit.of_dict(json.loads(text))
    except (ValueError, LabelError):
        return None  # damaged: a new sample costs five minutes

"""`Auditing`: goes through the sample of a five-minute review and keeps the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.complete import complete
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.measurement.audit import AuditEstimate, estimate_audit
from napari_defectseg.review.audit import (
    AuditSettings,
    box_of,
    draw_audit,
    judge_place_by_edits,
)

if TYPE_CHECKING:
    from napari_defectseg.labels.audit import Audit, AuditPlace
    from napari_defectseg.labels.edit import Box, Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session


class Auditing:
    """Objects first, then places, in the random order in which they were drawn.

    A verdict is an edit of the labels too: *right* accepts the object, *wrong* removes it, and a
    place that was looked through is a complete region. What was drawn in a place since it came
    up was missed, what was deleted there was false.

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
        self.next()

    def stop(self) -> None:
        """Forget the sample."""
        self.audit, self._labels, self.at = None, None, -1

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
            self.audit = audit.judge_object(self.at, right)
        elif self.place is not None:
            self.audit = judge_place_by_edits(audit, self.at - len(audit.objects), labels)
            edit = complete(labels, box_of(self.place))
            self._session.edit(edit)
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

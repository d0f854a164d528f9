"""Going through the objects: lowest mean score first, each once, checked ones left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_defectseg.ui.session import Session


class Walk:
    """The order in which objects are looked at.

    The order follows from the scores and what is checked, so nothing has to be kept in step
    with edits: the next object is the first unchecked one behind the current one.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.at = 0
        """The object that was visited last; 0: none."""
        self._key = (-np.inf, 0)
        self._trail: list[int] = []
        self.later: set[int] = set()
        """Objects that were put off."""

    def order(self) -> list[int]:
        """Return the objects that wait, lowest mean score first; those put off come last."""
        labels = self._session.labels
        if labels is None:
            return []
        scores = self._scores()
        waiting = [n for n in labels.object_classes if n not in labels.checked]
        return sorted(waiting, key=lambda n: (n in self.later, scores.get(n, 1.0), n))

    def next(self) -> int | None:
        """Visit the next object; None if all are checked."""
        before, found = self.at, self._visit(self.order(), forward=True)
        if before and found is not None:
            self._trail.append(before)
        return found

    def back(self) -> int | None:
        """Visit the object that was visited before, checked or not.

        Where none was visited before: the unchecked object before this one; None if there is
        none.
        """
        labels = self._session.labels
        while self._trail:
            number = self._trail.pop()
            if labels is not None and number in labels.object_classes and number != self.at:
                return self._stand_at(number, self._scores())
        return self._visit(self.order(), forward=False)

    def put_off(self, number: int) -> None:
        """Look at an object later."""
        self.later.add(number)

    def reset(self) -> None:
        """Begin anew, for other labels."""
        self.at = 0
        self._key = (-np.inf, 0)
        self._trail.clear()
        self.later.clear()

    @property
    def progress(self) -> tuple[int, int]:
        """Number of checked objects, and of all."""
        labels = self._session.labels
        if labels is None:
            return 0, 0
        return len(labels.checked & labels.object_classes.keys()), len(labels.object_classes)

    def _scores(self) -> dict[int, float]:
        table = self._session.table
        if table is None or "mean_score" not in table:
            return {}
        return dict(zip(table["label"].tolist(), table["mean_score"].tolist(), strict=True))

    def _visit(self, order: list[int], *, forward: bool) -> int | None:
        if not order:
            return None
        scores = self._scores()
        keys = [(n in self.later, scores.get(n, 1.0), n) for n in order]
        here = (self.at in self.later, *self._key) if self.at else None
        if forward:
            place = next((i for i, key in enumerate(keys) if here is None or key > here), 0)
        else:
            before = [i for i, key in enumerate(keys) if here is not None and key < here]
            place = before[-1] if before else len(keys) - 1
        return self._stand_at(order[place], scores)

    def _stand_at(self, number: int, scores: dict[int, float]) -> int:
        self.at = number
        self._key = (scores.get(number, 1.0), number)
        return number

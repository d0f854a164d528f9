"""`Queue`: which object a person looks at next; each key is one undoable edit."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Mapping
from statistics import median
from typing import Literal, get_args

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.accept import accept, accept_above
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.review.doubt import Doubt, object_doubts

Order = Literal["doubt", "score", "large", "small", "odd", "border", "changed", "number"]
"""What comes first; `odd` is unlikely size or shape."""
ORDERS: tuple[Order, ...] = get_args(Order)
PAUSE = 120.0
"""Seconds between two decisions above which a person was away."""
REMEMBERED = 20
"""So many of the last decisions say how long one takes."""
Push = Callable[[Edit | None], Edit | None]
"""Applies an edit and keeps it, as `History.push` does."""


class Queue:
    """The order in which objects are looked at, and what is decided about each.

    The order follows from the doubts and from what is checked, so nothing has to be kept in step
    with edits: the next object is the first unchecked one behind the current one. Objects that
    were drawn since the doubts were computed come last; they were drawn by a person.

    Parameters
    ----------
    labelmap : LabelMap
    push : callable
        Applies an edit: ``history.push``.
    doubts : mapping of int to Doubt, optional
        From `object_doubts`; computed here from sizes and borders if not given.
    clock : callable
        Seconds; for the time that is left.

    Attributes
    ----------
    at : int
        The object that was visited last; 0: none.
    later : set of int
        Objects that were skipped: they come last.
    """

    def __init__(
        self,
        labelmap: LabelMap,
        push: Push,
        doubts: Mapping[int, Doubt] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.labelmap = labelmap
        self._push = push
        self._clock = clock
        self._order: Order = "doubt"
        self._filter: Callable[[int], bool] | None = None
        self.later: set[int] = set()
        self.at = 0
        self._sorted: list[int] | None = None
        self._known: set[int] = set()
        self._place: dict[int, int] = {}
        self._trail: list[int] = []
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._decided_at: float | None = None
        self.doubts: Mapping[int, Doubt] = {}
        self.take_doubts(object_doubts(labelmap) if doubts is None else doubts)

    # -- order -----------------------------------------------------------------------------

    def take_doubts(self, doubts: Mapping[int, Doubt]) -> None:
        """Go by other doubts; the current object stays."""
        self.doubts = doubts
        self._sorted = None

    @property
    def order(self) -> Order:
        """What comes first."""
        return self._order

    def arrange(self, order: Order, keep: Callable[[int], bool] | None = None) -> None:
        """Choose what comes first, and which objects are looked at at all.

        Parameters
        ----------
        order : str
            ``"doubt"`` most doubtful, ``"score"`` lowest mean score, ``"large"``, ``"small"``,
            ``"odd"`` unlikely size or shape, ``"border"``, ``"changed"``, ``"number"``.
        keep : callable, optional
            Whether an object number is looked at; None: all are.

        Raises
        ------
        LabelError
            If there is no such order.
        """
        if order not in ORDERS:
            raise LabelError(
                f"Objects cannot be ordered by {order!r}.", hint=f"There are {', '.join(ORDERS)}."
            )
        self._order, self._filter = order, keep
        self._sorted = None

    def waiting(self) -> list[int]:
        """Return the objects that wait, in order; those that were skipped come last."""
        table, checked, later = self.labelmap.object_classes, self.labelmap.checked, self.later
        numbers = [n for n in self._ranked() if n in table and n not in checked]
        if not later:
            return numbers
        return [n for n in numbers if n not in later] + [n for n in numbers if n in later]

    def next(self) -> int | None:
        """Visit the next object; behind the last comes the first again; None if none waits."""
        before, waiting = self.at, self.waiting()
        if not waiting:
            return None
        place = bisect_right(waiting, self._where(self.at), key=self._where) if self.at else 0
        self._stand_at(waiting[place % len(waiting)])
        if before and before != self.at:
            self._trail.append(before)
        return self.at

    def back(self) -> int | None:
        """Visit the object that was visited before, checked or not.

        Where none was visited before: the waiting object before this one; None if none waits.
        """
        while self._trail:
            number = self._trail.pop()
            if number in self.labelmap.object_classes and number != self.at:
                return self._stand_at(number)
        waiting = self.waiting()
        if not waiting:
            return None
        place = bisect_left(waiting, self._where(self.at), key=self._where) if self.at else 0
        return self._stand_at(waiting[place - 1])

    def visit(self, number: int) -> int:
        """Go to an object out of turn.

        Raises
        ------
        LabelError
            If there is none of that number.
        """
        self.labelmap.class_of(number)
        if self.at and self.at != number:
            self._trail.append(self.at)
        return self._stand_at(number)

    # -- deciding --------------------------------------------------------------------------

    def accept(self) -> Edit | None:
        """Find the current object right."""
        return self._decide(accept(self.labelmap, self._current()))

    def reject(self) -> Edit | None:
        """Remove the current object: it is not there."""
        return self._decide(delete(self.labelmap, self._current()))

    def give_class(self, class_value: int) -> Edit | None:
        """Give the current object another class."""
        return self._decide(relabel(self.labelmap, self._current(), class_value))

    def next_class(self) -> Edit | None:
        """Give the current object the class behind its own; behind the last comes the first."""
        values = self.labelmap.classes.values
        now = values.index(self.labelmap.class_of(self._current()))
        return self.give_class(values[(now + 1) % len(values)])

    def skip(self) -> int | None:
        """Look at the current object later, and go to the next."""
        if self.at:
            self.later.add(self.at)
        return self.next()

    def above(self, level: float) -> list[int]:
        """Return the waiting objects that `accept_above` would take."""
        return [n for n, score in self._scores().items() if score >= level]

    def accept_above(self, level: float) -> Edit | None:
        """Accept all waiting objects whose mean score reaches a level, as one edit.

        Only what is looked at at all (see `arrange`); `above` says beforehand which.

        Raises
        ------
        LabelError
            If the level is not between 0 and 1.
        """
        return self._push(accept_above(self.labelmap, self._scores(), level))

    # -- how far ---------------------------------------------------------------------------

    @property
    def progress(self) -> tuple[int, int]:
        """Number of checked objects, and of all, among those that are looked at at all."""
        checked = self.labelmap.checked
        if self._filter is None:
            table = self.labelmap.object_classes
            return len(table.keys() & checked), len(table)
        numbers = self._kept()
        return sum(n in checked for n in numbers), len(numbers)

    @property
    def seconds_left(self) -> float | None:
        """Waiting objects times the median of the last decisions; None before the third."""
        if len(self._took) < 3:
            return None
        done, count = self.progress
        return median(self._took) * (count - done)

    def note_decision(self) -> None:
        """Say that something was decided elsewhere, so that the time left knows."""
        now = self._clock()
        if self._decided_at is not None and now - self._decided_at <= PAUSE:
            self._took.append(now - self._decided_at)
        self._decided_at = now

    # -- inside ----------------------------------------------------------------------------

    def _scores(self) -> dict[int, float]:
        return {n: self.doubts[n].score for n in self.waiting() if n in self.doubts}

    def _kept(self) -> list[int]:
        numbers = self.labelmap.object_classes
        return list(numbers) if self._filter is None else [n for n in numbers if self._filter(n)]

    def _current(self) -> int:
        if self.at not in self.labelmap.object_classes:
            raise LabelError("No object is looked at.", hint="Go to the next one first.")
        return self.at

    def _decide(self, edit: Edit | None) -> Edit | None:
        kept = self._push(edit)
        self.note_decision()
        return kept

    def _stand_at(self, number: int) -> int:
        self.at = number
        if self._decided_at is None:
            self._decided_at = self._clock()
        return number

    def _where(self, number: int) -> tuple[bool, int]:
        """Return where an object stands, checked or not."""
        return number in self.later, self._place.get(number, len(self._place))

    def _ranked(self) -> list[int]:
        """Return all objects in order; sorted once, what is new since then stands at the end."""
        table = self.labelmap.object_classes
        if self._sorted is None:
            ranked = sorted(self._kept(), key=self._rank)
            self._place = {n: i for i, n in enumerate(ranked)}
            self._sorted, self._known = ranked, set(table)
        elif table.keys() - self._known:
            new = sorted(table.keys() - self._known)
            self._known.update(new)
            for number in new:
                if self._filter is None or self._filter(number):
                    self._place[number] = len(self._sorted)
                    self._sorted.append(number)
        return self._sorted

    def _rank(self, number: int) -> tuple[bool, float, int]:
        doubt = self.doubts.get(number)
        return doubt is None, 0.0 if doubt is None else self._measure(doubt), number

    def _measure(self, doubt: Doubt) -> float:
        """Return a number that is smallest for what comes first."""
        number = doubt.number
        if self._order == "score":
            return doubt.score if doubt.score == doubt.score else 2.0
        if self._order in ("large", "small"):
            size = float(self.labelmap.index.size(number))
            return size if self._order == "small" else -size
        if self._order == "odd":
            return -max(doubt.share_of("size"), doubt.share_of("shape"))
        if self._order in ("border", "changed"):
            return -doubt.share_of(self._order)
        return 0.0 if self._order == "number" else -doubt.value

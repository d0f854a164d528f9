"""`History`: one undo over everything that changes a label map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from napari_defectseg.core.provenance import now, person
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import packed
from napari_defectseg.labels.refused import Refused, RefusedPlaces
from napari_defectseg.labels.replacing import check_fits, difference

NAMES = 20
"""How many names the undo button lists."""
Listener = Callable[[Edit], None]
"""Called with the edit that was just applied (the inverse, after an undo)."""


class Recorder(Protocol):
    """What a journal does for a history."""

    def edit(self, edit: Edit, *, held: bool = False) -> None:
        """Record an edit; one that is held may be replaced soon and is written a little later."""

    def undo(self) -> None:
        """Record that the last edit was undone."""

    def redo(self) -> None:
        """Record that the last undone edit was done again."""

    def drop(self) -> None:
        """Record that the last edit gives way to the next one."""

    def settle(self) -> None:
        """Write what is held."""


@dataclass
class _Entry:
    """An edit, the number it goes by, and the largest object number before it."""

    edit: Edit
    serial: int
    last_label: int


class History:
    """Applies edits to a label map, takes them back, and does them again; without limit.

    Everything that changes the map goes through here, so an undo never meets another state.

    Parameters
    ----------
    labelmap : LabelMap
        Changed in place.
    journal : Recorder, optional
        Where each step is recorded before the next; see `journal.Journal`. What it cannot write
        it keeps, says so, and writes later: an edit is never refused for want of space.
    who : str, optional
        Written into edits; default: the login name.
    """

    def __init__(
        self, labelmap: LabelMap, journal: Recorder | None = None, *, who: str | None = None
    ) -> None:
        self.labelmap = labelmap
        self.journal = journal
        self.listeners: list[Listener] = []
        self._who = person() if who is None else who
        self._done: list[_Entry] = []
        self._undone: list[_Entry] = []
        self._serial = 0
        self._refused = RefusedPlaces()

    @property
    def entries(self) -> tuple[Edit, ...]:
        """The edits that are in force, oldest first."""
        return tuple(entry.edit for entry in self._done)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return bool(self._undone)

    @property
    def undo_name(self) -> str:
        """Tool of the edit that `undo` would take back; empty if there is none."""
        return self._done[-1].edit.tool if self._done else ""

    @property
    def redo_name(self) -> str:
        """Tool of the edit that `redo` would do again; empty if there is none."""
        return self._undone[-1].edit.tool if self._undone else ""

    @property
    def undo_names(self) -> tuple[str, ...]:
        """Tools of the last edits, newest first."""
        return tuple(entry.edit.tool for entry in reversed(self._done[-NAMES:]))

    def push(self, edit: Edit | None) -> Edit | None:
        """Apply an edit and remember it; what was undone cannot be done again after it.

        Parameters
        ----------
        edit : Edit or None
            None, where a tool had nothing to do, is left out.

        Returns
        -------
        Edit or None
            The edit as it was kept, with who and when.

        Raises
        ------
        LabelError
            If it was made for another state; nothing is changed then.
        """
        return self._push(edit)

    def _push(self, edit: Edit | None, *, held: bool = False, fits: bool = False) -> Edit | None:
        if edit is None:
            return None
        last_label = self.labelmap.last_label
        self.labelmap.apply(edit, fits=fits)
        kept = replace(edit, person=edit.person or self._who, when=edit.when or now())
        if self._done:
            self._done[-1].edit = packed(self._done[-1].edit)
        self._serial += 1
        self._done.append(_Entry(kept, self._serial, last_label))
        self._undone.clear()
        self._tell(kept, lambda journal: journal.edit(kept, held=held))
        return kept

    def undo(self) -> Edit | None:
        """Take back the last edit; return the edit that did it, None if there was nothing."""
        return self._undo(lambda journal: journal.undo())

    def _undo(self, record: Callable[[Recorder], None]) -> Edit | None:
        if not self._done:
            return None
        back = self._done[-1].edit.inverse()
        self.labelmap.apply(back)
        self._undone.append(self._done.pop())
        self._tell(back, record)
        return back

    def redo(self) -> Edit | None:
        """Do the last undone edit again; return it, None if there was nothing."""
        if not self._undone:
            return None
        edit = self._undone[-1].edit
        self.labelmap.apply(edit)
        self._done.append(self._undone.pop())
        self._tell(edit, lambda journal: journal.redo())
        return edit

    def replace(self, new: LabelMap, name: str, *, fold: bool = False) -> Edit | None:
        """Replace everything by another map of the same image, as one edit.

        To go around what a person decided, use `protect.redecode`.

        Parameters
        ----------
        new : LabelMap
            Same shape, axes and classes; not kept.
        name : str
            For the undo button: ``"prediction"``, ``"threshold"``, …
        fold : bool
            For sliders. If the last entry has the same name and was folded, this one takes its
            place: a slider that moves a hundred times is one step back. A journal writes only
            where it stops: at the next edit, or at `settle`.

        Raises
        ------
        LabelError
            If the other map does not fit; nothing is changed then.
        """
        check_fits(self.labelmap, new)
        if fold and self._folds(name):
            entry = self._done[-1]
            self._undo(lambda journal: journal.drop())
            self._undone.clear()
            self.labelmap.last_label = entry.last_label
        return self._push(difference(self.labelmap, new, name), held=fold, fits=True)

    def settle(self) -> None:
        """Say that a slider was let go: the journal writes what it held back."""
        if self.journal is not None:
            self.journal.settle()

    def first_free(self, name: str, fold: bool) -> int:
        """Return the first number for new objects in the next `replace`."""
        if fold and self._folds(name):
            return self._done[-1].last_label + 1
        return self.labelmap.next_label

    def refused(self) -> tuple[Refused | None, ...]:
        """Return for each plane where a person took something away; None: nowhere."""
        done = [(entry.serial, entry.edit) for entry in self._done if entry.edit.decided]
        return self._refused.after(done, self.labelmap)

    def _folds(self, name: str) -> bool:
        return self.undo_name == name and not self._done[-1].edit.decided

    def _tell(self, edit: Edit, record: Callable[[Recorder], None]) -> None:
        for listener in tuple(self.listeners):
            listener(edit)
        if self.journal is not None:
            record(self.journal)

"""`History`: one undo over everything that changes a label map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from napari_defectseg.core.provenance import now, person
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import packed
from napari_defectseg.labels.replacing import difference

NAMES = 20
"""How many names the undo button lists."""
Listener = Callable[[Edit], None]
"""Called with the edit that was just applied (the inverse, after an undo)."""


class Recorder(Protocol):
    """What a journal does for a history."""

    def edit(self, edit: Edit) -> None:
        """Record an edit."""

    def undo(self) -> None:
        """Record that the last edit was undone."""

    def redo(self) -> None:
        """Record that the last undone edit was done again."""


class History:
    """Applies edits to a label map, takes them back, and does them again; without limit.

    Everything that changes the map goes through here, so an undo never meets another state.

    Parameters
    ----------
    labelmap : LabelMap
        Changed in place.
    journal : Recorder, optional
        Where each step is recorded before the next; see `journal.Journal`.
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
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    @property
    def entries(self) -> tuple[Edit, ...]:
        """The edits that are in force, oldest first."""
        return tuple(self._done)

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
        return self._done[-1].tool if self._done else ""

    @property
    def redo_name(self) -> str:
        """Tool of the edit that `redo` would do again; empty if there is none."""
        return self._undone[-1].tool if self._undone else ""

    @property
    def undo_names(self) -> tuple[str, ...]:
        """Tools of the last edits, newest first."""
        return tuple(edit.tool for edit in reversed(self._done[-NAMES:]))

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
        NotSaved
            If the journal cannot be written. The edit is done and kept in memory; the journal
            writes it as soon as it can.
        """
        if edit is None:
            return None
        self.labelmap.apply(edit)
        kept = packed(replace(edit, person=edit.person or self._who, when=edit.when or now()))
        self._done.append(kept)
        self._undone.clear()
        self._tell(kept, lambda journal: journal.edit(kept))
        return kept

    def undo(self) -> Edit | None:
        """Take back the last edit; return the edit that did it, None if there was nothing.

        Raises
        ------
        NotSaved
            As for `push`.
        """
        if not self._done:
            return None
        edit = self._done[-1]
        back = edit.inverse()
        self.labelmap.apply(back)
        self._undone.append(self._done.pop())
        self._tell(back, lambda journal: journal.undo())
        return back

    def redo(self) -> Edit | None:
        """Do the last undone edit again; return it, None if there was nothing.

        Raises
        ------
        NotSaved
            As for `push`.
        """
        if not self._undone:
            return None
        edit = self._undone[-1]
        self.labelmap.apply(edit)
        self._done.append(self._undone.pop())
        self._tell(edit, lambda journal: journal.redo())
        return edit

    def replace(self, new: LabelMap, name: str, *, fold: bool = False) -> Edit | None:
        """Replace everything by another map of the same image, as one edit.

        Parameters
        ----------
        new : LabelMap
            Same shape, axes and classes; not kept.
        name : str
            For the undo button: ``"prediction"``, ``"threshold"``, …
        fold : bool
            If the last entry has the same name, replace that one: a slider that moves a hundred
            times is one step back.

        Raises
        ------
        LabelError
            If the other map does not fit.
        NotSaved
            As for `push`.
        """
        if fold and self.undo_name == name and not self._done[-1].decided:
            self.undo()
        return self.push(difference(self.labelmap, new, name))

    def _tell(self, edit: Edit, record: Callable[[Recorder], None]) -> None:
        for listener in tuple(self.listeners):
            listener(edit)
        if self.journal is not None:
            record(self.journal)

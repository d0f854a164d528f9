"""`JournalWriter`: the steps of a history go to the disk in a thread, in their order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.journal import Journal

Begin = Callable[[], Journal]


class JournalWriter:
    """What a `History` records to; drawing never waits for the disk.

    Each step is handed to a thread that owns the journal and writes it at once. What the disk
    refuses, the journal keeps and writes later.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Of one thread.
    begin : callable
        Makes the journal, in that thread.
    """

    def __init__(self, pool: ThreadPoolExecutor, begin: Begin) -> None:
        self._pool = pool
        self._lock = Lock()
        self._queued = 0
        self._journal: Journal | None = None
        self._failure: DefectSegError | None = None
        self._missed: list[Callable[[Journal], Any]] = []
        self._begin = begin
        self._submit(lambda journal: journal.flush())

    # -- what a history records ----------------------------------------------------------

    def edit(self, edit: Edit, *, held: bool = False) -> None:
        """Record an edit."""
        self._submit(lambda journal: journal.edit(edit, held=held))

    def undo(self) -> None:
        """Record that the last edit was undone."""
        self._submit(lambda journal: journal.undo())

    def redo(self) -> None:
        """Record that the last undone edit was done again."""
        self._submit(lambda journal: journal.redo())

    def drop(self) -> None:
        """Record that the last edit gives way to the next one."""
        self._submit(lambda journal: journal.drop())

    def settle(self) -> None:
        """Write what is held."""
        self._submit(lambda journal: journal.settle())

    # -- how it stands -------------------------------------------------------------------

    @property
    def writing(self) -> bool:
        """Whether steps are on their way to the disk."""
        return self._queued > 0

    @property
    def problem(self) -> DefectSegError | None:
        """Why something is not on the disk; None if everything is."""
        return self._failure or (None if self._journal is None else self._journal.problem)

    @property
    def pending(self) -> int:
        """Number of steps that are in memory only."""
        waiting = 0 if self._journal is None else self._journal.pending
        return waiting + self._queued + len(self._missed)

    @property
    def folder(self) -> Path | None:
        """Folder of the journal, None before it is begun."""
        return None if self._journal is None else self._journal.folder

    @property
    def began(self) -> str:
        """ISO 8601 UTC, empty before it is begun."""
        return "" if self._journal is None else self._journal.began

    # -- what is asked of it -------------------------------------------------------------

    def retry(self) -> None:
        """Try again to write what is waiting."""
        self._submit(lambda journal: journal.flush())

    def export(self, folder: Path) -> Future[Any]:
        """Write a copy as it is now into another folder; the answer raises `NotSaved`."""
        return self._submit(lambda journal: journal.export(folder))

    def keep_beside(self, file: str, text: str) -> Future[Any]:
        """Write a small text beside the journal; empty removes it. The answer raises `NotSaved`."""

        def write(journal: Journal) -> None:
            if text:
                write_text(journal.folder / file, text)
            else:
                (journal.folder / file).unlink(missing_ok=True)

        return self._submit(write)

    def move(self, root: Path) -> Future[Any]:
        """Go on in another folder of journals; the answer raises `NotSaved` if it cannot."""
        return self._submit(lambda journal: journal.move(root))

    def close_here(self) -> None:
        """Write what is waiting and let go of the files; to be called in the journal's thread.

        Raises
        ------
        NotSaved
            If something could not be written.
        """
        with self._lock:
            self._queued += 1
        self._do(lambda journal: journal.close())

    def _submit(self, act: Callable[[Journal], Any]) -> Future[Any]:
        with self._lock:
            self._queued += 1
        return self._pool.submit(self._do, act)

    def _do(self, act: Callable[[Journal], Any]) -> Any:
        """Do one thing with the journal, in its thread; what comes too early is done later."""
        try:
            if self._journal is None:
                self._missed.append(act)
                self._journal = self._begin()
                self._failure = None
                early, self._missed = self._missed, []
                done = [one(self._journal) for one in early]
                return done[-1]
            return act(self._journal)
        except DefectSegError as error:
            if self._journal is None:
                self._failure = error
            raise
        finally:
            with self._lock:
                self._queued -= 1

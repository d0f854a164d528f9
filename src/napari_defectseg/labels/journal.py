"""`Journal`: every step of a history on disk, as it happens."""

from __future__ import annotations

import re
import shutil
import uuid
from collections import deque
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import LabelError, NotSaved
from napari_defectseg.core.provenance import now
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.journalfile import JournalFile, Record
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.record import record_of, record_of_map

LOCK = "lock"
ASIDE = ".aside"
"""Ending of the folder of a journal that a person has put aside."""


class Journal:
    """Records each step of a `History`; what cannot be written is kept and written later.

    A step is on the disk when the call returns (see `journalfile`), unless `problem` says why
    not: then it is in memory, counted by `pending`, and tried again with every further step and
    with `flush`. Not for several threads.

    Parameters
    ----------
    file : JournalFile
    waiting : iterable of Record, optional
        What has to be written first.
    """

    def __init__(self, file: JournalFile, waiting: tuple[Record, ...] = ()) -> None:
        self.problem: NotSaved | None = None
        self.began = now()
        self._file = file
        self._waiting = deque(waiting)
        self._held: Edit | None = None
        self._lock: FileLock | None = None
        self._keep = True

    @classmethod
    def start(
        cls,
        root: Path,
        labelmap: LabelMap,
        *,
        image: str,
        image_sha256: str,
        layer: str = "labels",
    ) -> Journal:
        """Begin a journal with the labels as they are now.

        Never fails for want of space or rights: see `problem`.

        Parameters
        ----------
        root : Path
            Folder of all journals, for example in the user's state folder.
        labelmap : LabelMap
        image : str
            Name of the image, for a person.
        image_sha256 : str
            Hash of its pixels.
        layer : str
            Name of the layer.
        """
        facts = {"image": image, "image_sha256": image_sha256, "layer": layer, "when": now()}
        folder = _unused(root, image_sha256, layer)
        journal = cls(JournalFile(folder, uuid.uuid4().hex[:8]), (record_of_map(labelmap, facts),))
        journal._keep = bool(labelmap.object_classes)
        journal.flush()
        return journal

    @classmethod
    def continued(cls, file: JournalFile, lock: FileLock | None) -> Journal:
        """Go on with a journal that was read; see `restore.restore`.

        Parameters
        ----------
        file : JournalFile
        lock : FileLock or None
            Of its folder, held; None: it is taken with the first step.
        """
        journal = cls(file)
        journal._lock = lock
        if lock is None:
            journal.flush()
        return journal

    @property
    def folder(self) -> Path:
        """Folder of this journal."""
        return self._file.folder

    @property
    def pending(self) -> int:
        """Number of steps that are in memory only."""
        steps = len([record for record in self._waiting if record.fields["do"] != "begin"])
        return steps + int(self._held is not None)

    def edit(self, edit: Edit, *, held: bool = False) -> None:
        """Record an edit; if `held`, it is written with the next step, or at `settle`."""
        self._release()
        if held:
            self._held = edit
        else:
            self._step(record_of(edit))

    def undo(self) -> None:
        """Record that the last edit was undone."""
        self._release()
        self._step(Record({"do": "undo", "when": now()}))

    def drop(self) -> None:
        """Record that the last edit gives way to the next; if it was held it is never written."""
        if self._held is not None:
            self._held = None
        else:
            self.undo()

    def redo(self) -> None:
        """Record that the last undone edit was done again."""
        self._release()
        self._step(Record({"do": "redo", "when": now()}))

    def settle(self) -> None:
        """Write what was held back."""
        self._release()
        self.flush()

    def flush(self) -> bool:
        """Try to write all that is waiting; return whether it is on the disk now."""
        try:
            self.lock()
            while self._waiting:
                record = self._waiting[0]
                if record.fields["do"] == "begin":
                    self._file.begin(record)
                else:
                    self._file.append(record)
                    self._keep = True
                self._waiting.popleft()
        except NotSaved as error:
            self.problem = error
            return False
        except LabelError as error:
            self.problem = NotSaved(error.sentence, hint=error.hint)
            return False
        self.problem = None
        return True

    def lock(self) -> None:
        """Take the journal, so that no other program writes into it.

        Raises
        ------
        LabelError
            If another program has it.
        NotSaved
            If the folder cannot be written.
        """
        if self._lock is None:
            self._lock = taken(self.folder)

    def close(self) -> None:
        """Write what is waiting and let go of the files; a journal in which nothing is goes.

        Raises
        ------
        NotSaved
            If something could not be written; `export` or `move` can still save it elsewhere.
        """
        self.settle()
        self._let_go()
        if not self._keep and not self._waiting:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.pending and self.problem is not None:
            raise NotSaved(
                f"{self.pending} edits are not on the disk. {self.problem.sentence}",
                hint="Free some space, or choose another folder.",
            )

    def export(self, folder: Path) -> None:
        """Write a copy into another folder, for example a result: ``edits.jsonl``, ``edits/``.

        It takes the place of an earlier copy. What is waiting for space here is in the copy too.

        Raises
        ------
        NotSaved
            If that folder cannot be written.
        """
        self._copy(folder).close()

    def move(self, root: Path) -> None:
        """Go on in another folder, with all that is waiting; what is here is put aside.

        Raises
        ------
        NotSaved
            If that folder cannot be written; everything stays as it was then.
        """
        name = re.sub(r"-\d+$", "", self.folder.name)
        folder = _numbered(root, name)
        lock = taken(folder)
        try:
            copy = self._copy(folder)
        except NotSaved:
            lock.release()
            raise
        self._let_go()
        with suppress(NotSaved):
            put_aside(self.folder)
        self._file, self._lock = copy, lock
        self._waiting.clear()
        self._held = None
        self.problem = None

    def _copy(self, folder: Path) -> JournalFile:
        begun = self._file.lines_end > 0
        copy = self._file.copy_to(folder) if begun else JournalFile(folder, self._file.name)
        for record in (*self._waiting, *([record_of(self._held)] if self._held else [])):
            if record.fields["do"] == "begin":
                copy.begin(record)
            else:
                copy.append(record)
        copy.remove_others()
        return copy

    def _step(self, record: Record) -> None:
        self._release()
        self._waiting.append(record)
        self.flush()

    def _release(self) -> None:
        if self._held is not None:
            self._waiting.append(record_of(self._held))
            self._held = None

    def _let_go(self) -> None:
        self._file.close()
        if self._lock is not None:
            self._lock.release()
            with suppress(OSError):
                (self.folder / LOCK).unlink(missing_ok=True)
            self._lock = None


def put_aside(path: Path) -> Path:
    """Put a journal aside: it is kept, and no longer offered. Return its new folder.

    Raises
    ------
    NotSaved
        If it cannot be renamed.
    """
    try:
        return path.rename(path.with_name(path.name + ASIDE))
    except OSError as error:
        raise NotSaved(f"{path} could not be put aside: {error.strerror}.") from error


def taken(folder: Path) -> FileLock:
    """Return the lock of a journal, held.

    Raises
    ------
    LabelError
        If another program has it.
    NotSaved
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, thread_local=False)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LabelError(
            f"The edits in {folder} are open in another window or program.",
            hint="Close it there, and try again.",
        ) from error
    except OSError as error:
        raise not_saved(folder, error) from error
    return lock


def _unused(root: Path, image_sha256: str, layer: str) -> Path:
    word = re.sub(r"[^a-z0-9]+", "_", layer.lower()).strip("_")[:24] or "labels"
    return _numbered(root, f"{image_sha256[:16] or 'image'}-{word}")


def _numbered(root: Path, name: str) -> Path:
    """Return the first folder of that name that nobody has."""
    number = 1
    while True:
        folder = root / f"{name}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                return folder
            number += 1
        except OSError:
            return folder
        else:
            return folder

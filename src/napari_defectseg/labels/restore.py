"""What journals hold: the list of them, and their histories brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_defectseg.core.errors import LabelError, NotSaved
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import ASIDE, LOCK, Journal, taken
from napari_defectseg.labels.journalfile import LINES, JournalFile, read_blocks, read_lines
from napari_defectseg.labels.record import FORMAT, VERSION, edit_of, map_of_record


@dataclass(frozen=True)
class JournalInfo:
    """What a list says about a journal.

    Parameters
    ----------
    path : Path
        Its folder, for `restore`.
    image, image_sha256, layer : str
        What it belongs to.
    edits : int
        Edits by a person that are in force.
    began, changed : str
        ISO 8601 UTC: the beginning, and the last step.
    busy : bool
        Another program, or another window, has it open.
    aside : bool
        A person has put it aside.
    """

    path: Path
    image: str
    image_sha256: str
    layer: str
    edits: int
    began: str
    changed: str
    busy: bool
    aside: bool

    @property
    def sentence(self) -> str:
        """In words, for example: steel_bf_07: 37 edits from 2026-05-04 18:42 were kept."""
        when = datetime.fromisoformat(self.changed).astimezone()
        edits = "1 edit" if self.edits == 1 else f"{self.edits} edits"
        verb = "was" if self.edits == 1 else "were"
        return f"{self.image}: {edits} from {when:%Y-%m-%d %H:%M} {verb} kept."


def list_journals(root: Path, *, aside: bool = False) -> tuple[JournalInfo, ...]:
    """Return the journals in a folder, the last changed first.

    Parameters
    ----------
    root : Path
        Where `Journal.start` puts them; may be missing.
    aside : bool
        Those too that were put aside.
    """
    if not root.is_dir():
        return ()
    found = [_info(path.parent) for path in root.glob(f"*/{LINES}")]
    kept = [info for info in found if info is not None and (aside or not info.aside)]
    return tuple(sorted(kept, key=lambda info: info.changed, reverse=True))


def restore(path: Path, *, who: str | None = None, attach: bool = True) -> tuple[History, str]:
    """Return the history that a journal holds, and a sentence about what is in it.

    Everything that was acknowledged is there; the last step may be missing if the program was
    killed in it. Undo and redo go on where they were.

    Parameters
    ----------
    path : Path
        Folder of a journal, or of a result that holds a copy of one.
    who : str, optional
        As for `History`.
    attach : bool
        True: further steps are written into the same journal. False: the folder is only read.

    Returns
    -------
    History, str

    Raises
    ------
    LabelError
        If it is no journal, its beginning is damaged, or another program has it open.
    """
    lock = _lock(path) if attach else None
    try:
        replayed = _replay(path, who)
    except LabelError:
        if lock is not None:
            lock.release()
        raise
    history, file = replayed.history, replayed.file
    if attach:
        if replayed.later:
            file = _copied(file)
        history.journal = Journal.continued(file, lock if file.folder == path else None)
    return history, replayed.sentence


@dataclass(frozen=True)
class _Replayed:
    history: History
    file: JournalFile
    torn: bool
    later: int

    @property
    def sentence(self) -> str:
        count = len(self.history.entries)
        edits = "1 edit was" if count == 1 else f"{count} edits were"
        if self.later:
            return (
                f"{edits} restored; then the journal is damaged, and {self.later} later "
                "steps could not be read. They are kept where they were."
            )
        if self.torn:
            return f"{edits} restored; the last one before the end was cut off and is missing."
        return f"{edits} restored; nothing is missing."


def _replay(path: Path, who: str | None) -> _Replayed:
    lines = path / LINES
    if not lines.is_file():
        raise LabelError(f"{path} holds no {LINES}: it is no journal of edits.")
    steps = read_lines(lines)
    first, end = next(steps, (None, 0))
    file = JournalFile(path, str((first or {}).get("file", "")), lines_end=end)
    history = History(_begun(first, file), who=who)
    torn, later = False, 0
    for fields, end in steps:
        if torn:
            later += 1
        elif fields is None or not _done(history, fields, file):
            torn = True
        else:
            file.lines_end = end
            ends = [p["at"] + p["bytes"] for p in fields["blocks"] if "at" in p]
            file.blocks_end = max([file.blocks_end, *ends])
    return _Replayed(history, file, torn, later)


def _begun(fields: Mapping[str, Any] | None, file: JournalFile) -> Any:
    if fields is None or fields.get("format") != FORMAT:
        raise LabelError(f"{file.lines} does not begin as a journal of edits.")
    if fields["version"] > VERSION:
        raise LabelError(
            f"{file.lines} was written by a newer version of this program.",
            hint="Update napari-defectseg to read it.",
        )
    blocks = read_blocks(file.base, fields["blocks"])
    if blocks is None:
        raise LabelError(f"{file.base} is missing or damaged: the edits cannot be replayed.")
    return map_of_record(fields, blocks)


def _done(history: History, fields: Mapping[str, Any], file: JournalFile) -> bool:
    """Do one step again; return whether it could be done."""
    if fields["do"] == "undo":
        return history.undo() is not None
    if fields["do"] == "redo":
        return history.redo() is not None
    blocks = read_blocks(file.blocks, fields["blocks"])
    if blocks is None:
        return False
    try:
        history.push(edit_of(fields, blocks))
    except LabelError:
        return False
    return True


def _lock(path: Path) -> FileLock | None:
    """Return the lock of a journal; None where it cannot be written, which is told later."""
    if not path.is_dir():
        return None
    try:
        return taken(path)
    except NotSaved:
        return None


def _copied(file: JournalFile) -> JournalFile:
    """Go on in a copy of what is good, so that the damaged rest stays as it is."""
    number = 1
    while (folder := file.folder.with_name(f"{file.folder.name}.good-{number}")).exists():
        number += 1
    return file.copy_to(folder)


def _info(path: Path) -> JournalInfo | None:
    steps = (fields for fields, _ in read_lines(path / LINES))
    first = next(steps, None)
    if first is None or first.get("format") != FORMAT:
        return None
    changed = str(first["when"])
    done: list[bool] = []
    undone: list[bool] = []
    for fields in steps:
        if fields is None:
            break
        changed = str(fields["when"])
        if fields["do"] == "edit":
            done.append(bool(fields["decided"]))
            undone.clear()
        elif fields["do"] == "undo" and done:
            undone.append(done.pop())
        elif fields["do"] == "redo" and undone:
            done.append(undone.pop())
    return JournalInfo(
        path,
        str(first["image"]),
        str(first["image_sha256"]),
        str(first["layer"]),
        sum(done),
        str(first["when"]),
        changed,
        _busy(path),
        path.name.endswith(ASIDE),
    )


def _busy(path: Path) -> bool:
    if not (path / LOCK).exists():
        return False
    lock = FileLock(path / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False

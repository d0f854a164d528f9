"""`Keeper`: every edit of a session's labels is on the disk, and it is known where."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import Journal, put_aside
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui import words
from napari_defectseg.ui.preferences import state_folder
from napari_defectseg.ui.writer import JournalWriter

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.session import Session

SOURCE = "image.json"
"""File beside a journal that says where its image is."""
LAYER = "labels"
WRITING = "writing …\nThe last edit is on its way to the disk."
LOOK_EVERY, RETRY_EVERY = 40, 5000
"""Milliseconds between looks at what is being written, and between tries on a full disk."""


def journals_root() -> Path:
    """Return the folder of all journals."""
    return state_folder() / "journals"


@dataclass(eq=False)
class Watched:
    """A history whose steps are written.

    Parameters
    ----------
    history : History
    writer : JournalWriter
    owner : object
        The pixels of its image.
    saved : int
        Revision of the labels that lies in a result folder; -1: none.
    beside : dict of str to str
        Small texts that are kept beside the journal, by their file's name.
    """

    history: History
    writer: JournalWriter
    owner: Any
    saved: int = -1
    beside: dict[str, str] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """Whether a person's edit is in it, done or undone."""
        return self.history.can_redo or any(edit.decided for edit in self.history.entries)


class Keeper(QObject):
    """Gives every history a journal, says how it stands, and tries again where the disk is full.

    One a session, found by `keeper_of`.

    Parameters
    ----------
    session : Session
        Its `saved` is set here and nowhere else.
    """

    changed = Signal()
    """`problem` may be another one now."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = ref(session)
        self._root = journals_root()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._watched: list[Watched] = []
        self._told = ""
        self._look_timer = QTimer(self, interval=LOOK_EVERY)
        self._look_timer.timeout.connect(self._look)
        self._retry_timer = QTimer(self, interval=RETRY_EVERY)
        self._retry_timer.timeout.connect(self.retry)
        events = session.events
        events.history.connect(self._on_history)
        events.edited.connect(self._on_edited)
        events.closed.connect(self.close)
        self._on_history(session.history)

    @property
    def session(self) -> Session:
        """The session, which outlives its keeper."""
        session = self._session()
        assert session is not None
        return session

    @property
    def current(self) -> Watched | None:
        """What is written of the current labels."""
        return self._of(self.session.history)

    @property
    def problem(self) -> str:
        """Why edits of the current labels are not on the disk; empty if they are."""
        now = self.current
        if now is None or now.writer.problem is None:
            return ""
        return str(now.writer.problem)

    # -- what is asked of it -------------------------------------------------------------

    def retry(self) -> None:
        """Try again to write what is waiting."""
        for one in self._watched:
            if one.writer.problem is not None:
                one.writer.retry()
        self._look_timer.start()

    def move(self, root: Path) -> None:
        """Write into another folder from now on, first of all what is waiting.

        Raises
        ------
        NotSaved
            If that folder cannot be written; everything stays as it was then.
        """
        now = self.current
        if now is not None:
            now.writer.move(root).result()
            self._note_source(now.writer.folder, self.session.image)
            for file, text in now.beside.items():
                now.writer.keep_beside(file, text)
        self._root = root
        self._look_timer.start()

    def exported(self, folder: Path) -> Future[Any] | None:
        """Write a copy of the current journal into another folder, as it is now.

        Returns
        -------
        Future or None
            Wait for it, but not on the main thread; None where no person has decided anything.
        """
        now = self.current
        return now.writer.export(folder) if now is not None and now.decided else None

    def keep_beside(self, file: str, text: str) -> None:
        """Keep a small text beside the current journal; empty removes it."""
        now = self.current
        if now is not None:
            now.beside[file] = text
            now.writer.keep_beside(file, text)

    def read_beside(self, file: str) -> str:
        """Return a text that was kept beside the current journal; empty if there is none."""
        now = self.current
        if now is None:
            return ""
        if file not in now.beside:
            folder = now.writer.folder
            if folder is None:
                return ""
            try:
                now.beside[file] = (folder / file).read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                now.beside[file] = ""
        return now.beside[file]

    def note_saved(self, history: History, revision: int) -> None:
        """Remember that a revision of its labels lies in a result folder."""
        one = self._of(history)
        if one is not None:
            one.saved = revision

    def put_aside(self, history: History) -> None:
        """Stop writing a history and put its journal aside; it is kept, not offered."""
        one = self._of(history)
        if one is None:
            return
        self._watched.remove(one)
        history.journal = None
        self._let_go(one.writer, aside=True)

    def close(self) -> None:
        """Write what is waiting and let go; what nobody needs any more is not kept."""
        # When the program ends, Qt may have taken the timers away before.
        for timer in (self._look_timer, self._retry_timer):
            if isalive(timer):
                timer.stop()
        session = self._session()
        if session is not None:
            session.events.history.disconnect(self._on_history, missing_ok=True)
            session.events.edited.disconnect(self._on_edited, missing_ok=True)
        for one in self._watched:
            one.history.journal = None
            self._retire(one)
        self._watched = []
        self._pool.shutdown(wait=True)

    # -- what the session says -----------------------------------------------------------

    def _on_history(self, history: History | None) -> None:
        if history is not None and self._of(history) is None:
            image = self.session.image
            self._replace(image, history)
            journal = history.journal
            if isinstance(journal, Journal):
                writer = JournalWriter(self._pool, lambda: journal)
            else:
                writer = self._begun(history.labelmap, image)
            history.journal = writer
            owner = None if image is None else image.data
            self._watched.append(Watched(history, writer, owner))
        self._look_timer.start()

    def _on_edited(self, _: Any) -> None:
        if self.current is not None and not self.problem:
            self.session.saved = WRITING
        self._look_timer.start()

    def _replace(self, image: CalibratedImage | None, history: History) -> None:
        """Retire the history that was there for the same image."""
        for one in list(self._watched):
            if image is not None and one.owner is image.data and one.history is not history:
                self._watched.remove(one)
                one.history.journal = None
                self._retire(one)

    def _begun(self, labels: LabelMap, image: CalibratedImage | None) -> JournalWriter:
        base, root = _snapshot(labels), self._root

        def begin() -> Journal:
            journal = Journal.start(
                root,
                base,
                image="" if image is None else image.name,
                image_sha256=_hash_of(image),
                layer=LAYER,
            )
            self._note_source(journal.folder, image)
            return journal

        return JournalWriter(self._pool, begin)

    def _retire(self, one: Watched) -> None:
        done = one.saved == one.history.labelmap.revision
        self._let_go(one.writer, aside=done, remove=not one.decided)

    def _let_go(self, writer: JournalWriter, **how: bool) -> None:
        """Close a journal in its thread; when the program ends, that has come to its end before."""
        try:
            self._pool.submit(_let_go, writer, **how)
        except RuntimeError:
            _let_go(writer, **how)

    @staticmethod
    def _note_source(folder: Path | None, image: CalibratedImage | None) -> None:
        """Say beside a journal where its image is, so that it can be opened again."""
        if folder is None or image is None:
            return
        known = {"path": image.origin.path, "part": image.origin.part, "name": image.name}
        with suppress(NotSaved):
            write_text(folder / SOURCE, json.dumps(known, ensure_ascii=False) + "\n")

    def _of(self, history: History | None) -> Watched | None:
        return next((one for one in self._watched if one.history is history), None)

    # -- how it stands -------------------------------------------------------------------

    def _look(self) -> None:
        """Say how it stands; look again while something is being written."""
        session = self._session()
        if session is None:
            self.close()
            return
        writing = any(one.writer.writing for one in self._watched)
        if not writing:
            self._look_timer.stop()
        if any(one.writer.problem is not None for one in self._watched):
            self._retry_timer.start()
        else:
            self._retry_timer.stop()
        session.saved = _words(self.current)
        if self.problem != self._told:
            self._told = self.problem
            self.changed.emit()


def _words(one: Watched | None) -> str:
    """Return the status of a journal: a few words, then the whole sentence."""
    if one is None or not (one.history.entries or one.history.can_redo):
        return ""
    edits, writer = words.counted(len(one.history.entries), "edit"), one.writer
    if writer.problem is not None:
        return f"{_why(writer.problem)}\n{writer.pending} not on disk. {writer.problem}"
    if writer.writing:
        return WRITING
    since = datetime.fromisoformat(writer.began).astimezone() if writer.began else None
    told = f"{edits} since {since:%H:%M}, all on disk" if since else f"{edits}, all on disk"
    return f"all edits on disk\n{told}"


def _why(problem: Exception) -> str:
    full = "No space" in str(problem) or "quota" in str(problem)
    return "not saved: disk full" if full else "not saved"


def _snapshot(labels: LabelMap) -> LabelMap:
    """Return the labels as they are now; an empty map is not copied, it costs no memory."""
    if labels.object_classes or labels.unlabelled is not None:
        return labels.copy()
    empty = LabelMap.empty(labels.shape, labels.classes, labels.axes, labels.calibration)
    empty.last_label = labels.last_label
    return empty


def _hash_of(image: CalibratedImage | None) -> str:
    """Return the hash of an image, empty if its file has gone."""
    if image is None:
        return ""
    try:
        return image.sha256()
    except OSError:
        return ""


def _let_go(writer: JournalWriter, *, aside: bool = False, remove: bool = False) -> None:
    """Close a journal in its own thread, then put it aside or remove it."""
    with suppress(NotSaved):
        writer.close_here()
    if writer.folder is None or writer.pending:
        return
    if remove:
        shutil.rmtree(writer.folder, ignore_errors=True)
    elif aside:
        with suppress(NotSaved):
            put_aside(writer.folder)


_keepers: WeakKeyDictionary[Any, Keeper] = WeakKeyDictionary()


def keeper_of(session: Session) -> Keeper:
    """Return the keeper of a session, made at the first call."""
    if session not in _keepers:
        _keepers[session] = Keeper(session)
    return _keepers[session]

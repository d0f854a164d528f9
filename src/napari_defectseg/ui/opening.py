"""`Opener`: files and folders become the session's image or collection, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.progress import Step
from napari_defectseg.images.collection import STORES, Collection
from napari_defectseg.images.open import open_image
from napari_defectseg.images.parts import Part, PartNeeded

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.session import Session

LANE = "open"


@dataclass(frozen=True)
class Question:
    """What has to be said before a file or folder can be opened.

    Parameters
    ----------
    path : str
    parts : tuple of Part
        Which of these images; empty: whether a folder is one stack or many images.
    """

    path: str
    parts: tuple[Part, ...] = ()


class Opener(QObject):
    """Opens in the worker; one a session, found by `opener_of`.

    Signals ``asked(Question)``, ``failed(path, error)`` and ``changed()`` (see `busy`, `step`).

    Parameters
    ----------
    session : Session
        Its `image`, `collection` and `index` are set.
    """

    asked = Signal(object)
    failed = Signal(str, object)
    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._opened: dict[int, CalibratedImage] = {}
        self.busy = ""
        """What is being opened, empty if nothing is."""
        self.step: Step | None = None
        session.events.index.connect(self._on_index)
        session.events.image.connect(self._on_image)

    def open(self, paths: Sequence[str | Path]) -> None:
        """Open what was chosen or dropped: a file, a folder, or several files as a collection."""
        chosen = [str(path) for path in paths]
        if not chosen:
            return
        if len(chosen) > 1:
            self.open_collection(chosen)
            return
        (path,) = chosen
        if Path(path).is_dir() and Path(path).suffix.lower() not in STORES:
            self.asked.emit(Question(path))
            return
        self.open_file(path)

    def open_file(self, path: str, part: str | None = None) -> None:
        """Open one file, or a folder of slices as one stack."""
        self._start(path)
        self._session.jobs.call(
            LANE,
            lambda: open_image(path, part=part),
            owner=self,
            text=f"opening {Path(path).name}",
            on_done=self._take_image,
            on_failed=lambda error: self._fail(path, error),
            on_stopped=lambda _: self._end(),
        )

    def open_collection(self, paths: str | Sequence[str]) -> None:
        """Read the headers of a folder's images, or of several files; the first becomes current."""
        what = paths if isinstance(paths, str) else paths[0]
        self._start(what)
        self._opened.clear()
        self._session.index = -1
        self._session.jobs.start(
            LANE,
            Collection.scan_steps(paths),
            owner=self,
            text="reading headers",
            on_step=self._on_step,
            on_done=self._take_collection,
            on_failed=lambda error: self._fail(what, error),
            on_stopped=lambda _: self._end(),
        )

    def place_of(self, image: CalibratedImage | None) -> int:
        """Return the place of an image in the collection, -1 if it is not of it."""
        shown = None if image is None else image.data
        return next((n for n, one in self._opened.items() if one.data is shown), -1)

    def stop(self) -> None:
        """Stop opening."""
        self._session.jobs.stop(LANE)

    # -- what the worker says ------------------------------------------------------------

    def _start(self, path: str) -> None:
        self.busy, self.step = Path(path).name, None
        self.changed.emit()

    def _end(self) -> None:
        self.busy, self.step = "", None
        self.changed.emit()

    def _on_step(self, step: Step) -> None:
        self.step = step
        if step.partial is not None:
            self._session.collection = step.partial
        self.changed.emit()

    def _take_image(self, image: CalibratedImage) -> None:
        self._session.index = -1
        self._session.collection = None
        self._opened.clear()
        self._session.image = image
        self._end()

    def _take_collection(self, collection: Collection) -> None:
        self._session.collection = collection
        self._end()
        good = [n for n, entry in enumerate(collection.entries) if not entry.problem]
        if good:
            self._session.index = good[0]

    def _fail(self, path: str, error: Exception) -> None:
        self._end()
        if isinstance(error, PartNeeded):
            self.asked.emit(Question(error.path, error.parts))
        else:
            self.failed.emit(path, error)

    # -- the place in the collection -----------------------------------------------------

    def _on_index(self, index: int) -> None:
        collection = self._session.collection
        if collection is None or index < 0:
            return
        if index in self._opened:
            self._session.image = self._opened[index]
            return
        entry = collection.entries[index]
        self._start(entry.path)

        def take(image: CalibratedImage) -> None:
            self._end()
            current = self._session.collection
            if current is None or current.entries[index : index + 1] == ():
                return
            if current.entries[index].path != entry.path:
                return
            self._opened[index] = image
            if self._session.index == index:
                self._session.image = image

        self._session.jobs.call(
            LANE,
            lambda: collection.open(index),
            owner=self,
            on_done=take,
            on_failed=lambda error: self._fail(entry.path, error),
            on_stopped=lambda _: self._end(),
        )

    def _on_image(self, image: CalibratedImage | None) -> None:
        """Keep what a person said about an image of the collection, its pixel size."""
        if image is None:
            return
        for index, known in self._opened.items():
            if known.data is image.data:
                self._opened[index] = image


_openers: WeakKeyDictionary[Any, Opener] = WeakKeyDictionary()


def opener_of(session: Session) -> Opener:
    """Return the opener of a session, made at the first call."""
    if session not in _openers:
        _openers[session] = Opener(session)
    return _openers[session]

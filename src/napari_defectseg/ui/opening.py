"""`Opener`: files and folders become the session's image or collection, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.progress import Step
from napari_defectseg.images.collection import STORES, Collection
from napari_defectseg.images.instruments import recall
from napari_defectseg.images.open import open_image
from napari_defectseg.images.parts import Part, PartNeeded
from napari_defectseg.images.raw import RawForm
from napari_defectseg.images.readers.raw import FormNeeded
from napari_defectseg.ui.field_states import FieldStates

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.session import Session

LANE = "open"
KEPT = 8
"""So many images of a collection stay open behind the current one; those with work always do."""


@dataclass(frozen=True)
class Question:
    """What has to be said before a file or folder can be opened.

    Parameters
    ----------
    path : str
    parts : tuple of Part
        Which of these images; empty: whether a folder is one stack or many images.
    raw : bool
        A file of bare numbers: in which form they lie there.
    """

    path: str
    parts: tuple[Part, ...] = ()
    raw: bool = False


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
        self.states = FieldStates(session)

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

    def open_file(self, path: str, part: str | None = None, raw: RawForm | None = None) -> None:
        """Open one file, or a folder of slices as one stack."""
        self._start(path)
        self._session.jobs.call(
            LANE,
            lambda: _remembered(open_image(path, part=part, raw=raw)),
            owner=self,
            text=f"opening {Path(path).name}",
            on_done=self._take_image,
            on_failed=lambda error: self._fail(path, error),
            on_stopped=lambda _: self._end(),
        )

    def open_collection(
        self, paths: str | Sequence[str], *, size: Calibration | None = None
    ) -> None:
        """Read the headers of a folder's images, or of several files; the first becomes current.

        Parameters
        ----------
        paths : str or sequence of str
        size : Calibration, optional
            Pixel size in the plane of all, where it is known from elsewhere.
        """
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
            on_done=lambda found: self._take_collection(
                found if size is None else found.with_plane(size)
            ),
            on_failed=lambda error: self._fail(what, error),
            on_stopped=lambda _: self._keep_what_is_read(),
        )

    def _keep_what_is_read(self) -> None:
        """After a stop: the list so far is a collection too."""
        collection = self._session.collection
        if collection is None:
            self._end()
        else:
            self._take_collection(collection)

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
        elif isinstance(error, FormNeeded):
            self.asked.emit(Question(path, raw=True))
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
        path = collection.entries[index].path
        self._start(path)

        def take(image: CalibratedImage) -> None:
            self._end()
            # The collection may be another one by now, or the same with more known about it.
            if _path_at(self._session.collection, index) != path:
                return
            self._opened[index] = image
            self._let_go()
            self._note_size(index, image)
            if self._session.index == index:
                self._session.image = image

        self._session.jobs.call(
            LANE,
            lambda: _remembered(collection.open(index)),
            owner=self,
            on_done=take,
            on_failed=lambda error: self._fail(path, error),
            on_stopped=lambda _: self._end(),
        )

    def _on_image(self, image: CalibratedImage | None) -> None:
        """Keep what a person said about an image of the collection, its pixel size."""
        if image is None:
            return
        for index, known in self._opened.items():
            if known.data is image.data:
                self._opened[index] = image
                self._note_size(index, image)

    def _let_go(self) -> None:
        """Close the images that were opened longest ago and that nothing was done with."""
        idle = [
            index
            for index, image in self._opened.items()
            if image is not self._session.image and not self._session.has_work(image)
        ]
        for index in idle[: max(0, len(idle) - KEPT)]:
            del self._opened[index]

    def _note_size(self, index: int, image: CalibratedImage) -> None:
        """Keep the table of the collection up with what is known of an image."""
        collection = self._session.collection
        if collection is None or index >= len(collection):
            return
        if collection.entries[index].calibration != image.calibration:
            self._session.collection = collection.with_calibration(index, image.calibration)

    def size_for_all(self, calibration: Calibration) -> None:
        """Give all images of the collection one pixel size in the plane."""
        collection = self._session.collection
        if collection is None:
            return
        changed = collection.with_plane(calibration)
        self._session.collection = changed
        for index, image in self._opened.items():
            self._opened[index] = image.with_calibration(changed.entries[index].calibration)
        here = self._opened.get(self._session.index)
        if here is not None:
            self._session.image = here


def _path_at(collection: Collection | None, index: int) -> str:
    return "" if collection is None else collection.entries[index].path


def _remembered(image: CalibratedImage) -> CalibratedImage:
    """Give an image without a pixel size the one that was remembered for its instrument.

    Runs in the worker. A damaged file of remembered sizes must not keep an image from opening.
    """
    if image.calibration.calibrated or not image.origin.instrument:
        return image
    try:
        known = recall(image.origin.instrument, image.calibration.ndim)
    except CalibrationError:
        return image
    return image if known is None else image.with_calibration(known)


_openers: WeakKeyDictionary[Any, Opener] = WeakKeyDictionary()


def opener_of(session: Session) -> Opener:
    """Return the opener of a session, made at the first call."""
    if session not in _openers:
        _openers[session] = Opener(session)
    return _openers[session]

"""Edits of an earlier session that were kept: offered once, in a strip of Data or Correct."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.errors import DefectSegError, FileMissing
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import put_aside
from napari_defectseg.labels.restore import JournalInfo, list_journals, restore
from napari_defectseg.ui.keeper import SOURCE, journals_root, keeper_of
from napari_defectseg.ui.widgets.strip import Action

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.docks.base import DockPage
    from napari_defectseg.ui.session import Session

OFFERS_RESTORE = ("data", "correct")
"""Docks that offer it: the one in front at the start, and the one where edits are made."""
TOPIC, FAILED = "kept edits", "kept edits failed"
LANE = "kept edits"


@dataclass(frozen=True)
class Restored:
    """An image with the history of its labels.

    Parameters
    ----------
    image : CalibratedImage
    history : History
    sentence : str
        What was restored, and what is missing.
    """

    image: CalibratedImage
    history: History
    sentence: str


class Restorer(QObject):
    """Finds what was kept, brings it back, or puts it aside; one a session.

    Parameters
    ----------
    session : Session
    """

    changed = Signal()
    """`offers`, `looking` or `busy` is another one."""
    failed = Signal(object)
    told = Signal(str)
    """What was restored, in a sentence."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = ref(session)
        self.offers: tuple[JournalInfo, ...] = ()
        self.looking: JournalInfo | None = None
        """What was brought back to be looked at, before a person has decided."""
        self.busy = False
        session.jobs.call(
            "list kept edits",
            lambda: list_journals(journals_root()),
            owner=self,
            on_done=self._take_list,
            on_failed=self.failed.emit,
        )

    @property
    def session(self) -> Session:
        """The session."""
        session = self._session()
        assert session is not None
        return session

    def resume(self, info: JournalInfo, *, look: bool = False) -> None:
        """Bring image and edits back; undo and redo go on where they were.

        Parameters
        ----------
        info : JournalInfo
        look : bool
            Ask again afterwards whether to go on or to put it aside.
        """
        if self.looking == info:
            self._settle(info)
            return
        self.busy = True
        self.changed.emit()

        def take(found: Restored) -> None:
            self.busy = False
            self.session.image = found.image
            self.session.take_labels(found.history.labelmap, found.history)
            if look:
                self.looking = info
                self.changed.emit()
            else:
                self._settle(info)
            self.told.emit(found.sentence)
            self.session.go_to("correct")

        self.session.jobs.start(
            LANE,
            restore_steps(info, self.session.image),
            text=f"opening {info.image}",
            owner=self,
            on_done=take,
            on_failed=self._fail,
        )

    def put_aside(self, info: JournalInfo) -> None:
        """Offer it no more; it stays on the disk."""
        if self.looking == info and self.session.history is not None:
            history = self.session.history
            self.session.labels = None
            keeper_of(self.session).put_aside(history)
        else:
            try:
                put_aside(info.path)
            except DefectSegError as error:
                self.failed.emit(error)
                return
        self._settle(info)

    def _take_list(self, found: tuple[JournalInfo, ...]) -> None:
        self.offers = tuple(info for info in found if info.edits and not info.busy)
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self.busy = False
        self.changed.emit()
        self.failed.emit(error)

    def _settle(self, info: JournalInfo) -> None:
        self.looking = None
        self.offers = tuple(one for one in self.offers if one != info)
        self.changed.emit()


def restore_steps(info: JournalInfo, current: CalibratedImage | None) -> Steps[Restored]:
    """Open the image of a journal and bring its history back. Run it in a worker.

    Parameters
    ----------
    info : JournalInfo
    current : CalibratedImage or None
        Taken if it is the image.

    Raises
    ------
    FileMissing
        If the image is no longer where it was; nothing is lost then.
    LabelError
        If the journal is damaged, or open in another program.
    """
    yield Step(0, 2, f"opening {info.image}")
    image = image_of(info, current)
    yield Step(1, 2, "reading the edits")
    history, sentence = restore(info.path)
    if history.labelmap.calibration.calibrated:
        image = image.with_calibration(history.labelmap.calibration)
    return Restored(image, history, f"{info.image}: {sentence}")


def image_of(info: JournalInfo, current: CalibratedImage | None) -> CalibratedImage:
    """Return the image that a journal belongs to: the current one, or its file.

    Raises
    ------
    FileMissing
        If neither is it.
    """
    from napari_defectseg.images.open import open_image

    if current is not None and current.sha256() == info.image_sha256:
        return current
    known = _source(info.path)
    path = Path(known.get("path") or "")
    if known.get("path") and path.exists():
        image = open_image(path, part=known.get("part") or None)
        if not info.image_sha256 or image.sha256() == info.image_sha256:
            return image
        raise FileMissing(
            f"{path} is another image than the one these edits were made on.",
            hint="Open the image as it was, then continue; the edits are kept.",
        )
    where = f"{path} is no longer there" if known.get("path") else f"{info.image} was never a file"
    raise FileMissing(
        f"{where}, so the edits cannot be shown on it.",
        hint="Open the image first, then continue; the edits are kept.",
    )


def _source(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / SOURCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class KeptEdits:
    """The strip of one page.

    Parameters
    ----------
    page : DockPage
    """

    def __init__(self, page: DockPage) -> None:
        self._page = ref(page)
        self.restorer = restorer_of(page.session)
        page.listen(self.restorer.changed, self.show)
        page.listen(self.restorer.failed, self.say_failure)
        page.listen(self.restorer.told, self.tell)
        self.show()

    @property
    def page(self) -> DockPage:
        """The page that shows it."""
        page = self._page()
        assert page is not None
        return page

    def show(self) -> None:
        """Show the newest offer with its three answers, or nothing."""
        restorer, page = self.restorer, self.page
        if not restorer.offers or restorer.busy:
            page.messages.take_back(TOPIC)
            return
        info = restorer.looking or restorer.offers[0]
        more = len(restorer.offers) - 1
        rest = f" {more} more wait behind it." if more else ""
        page.messages.say(TOPIC, "info", f"{info.sentence}{rest}", self._answers(info))

    def _answers(self, info: JournalInfo) -> tuple[Action, ...]:
        restorer = self.restorer
        go_on: Action = ("Continue", lambda: restorer.resume(info))
        aside: Action = ("Put aside", lambda: restorer.put_aside(info))
        if restorer.looking is not None:
            return (go_on, aside)
        return (go_on, ("Look first", lambda: restorer.resume(info, look=True)), aside)

    def say_failure(self, error: Exception) -> None:
        """Say what could not be done; the offer stays."""
        self.page.say_error(FAILED, error)

    def tell(self, sentence: str) -> None:
        """Say what was restored."""
        self.page.messages.take_back(FAILED)
        self.page.messages.say("kept edits told", "info", sentence)


_restorers: WeakKeyDictionary[Any, Restorer] = WeakKeyDictionary()


def restorer_of(session: Session) -> Restorer:
    """Return the restorer of a session, made at the first call."""
    if session not in _restorers:
        _restorers[session] = Restorer(session)
    return _restorers[session]

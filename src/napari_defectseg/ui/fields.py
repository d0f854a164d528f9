"""`Fields`: predictions of a collection's images, each brought when its image is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.progress import Steps
from napari_defectseg.images.collection import Collection
from napari_defectseg.ui.opening import opener_of

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.labels.decode import DecodeSettings
    from napari_defectseg.models.model import Model
    from napari_defectseg.ui.session import Session

WAITS, RUNS, DONE, FAILED, SKIPPED = "waits", "runs", "done", "failed", "skipped"


@dataclass(frozen=True)
class FieldState:
    """How far one image of a collection is.

    Parameters
    ----------
    name : str
    state : str
        ``"waits"``, ``"runs"``, ``"done"``, ``"failed"`` or ``"skipped"``; empty: not asked for.
    count : int
        Objects that were found.
    problem : str
        Why it failed, as a sentence.
    percent : int
        How much of it is done while it runs.
    """

    name: str
    state: str = ""
    count: int = 0
    problem: str = ""
    percent: int = 0


class Fields(QObject):
    """Holds what was predicted of the images of the session's collection; one a session.

    Parameters
    ----------
    session : Session
        Its `prediction` is set when an image comes that has one here.
    """

    changed = Signal()
    """See `states`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._opener = opener_of(session)
        self._found: dict[int, Prediction] = {}
        self._decode: DecodeSettings | None = None
        self.paths: tuple[str, ...] = ()
        """Which collection it is about."""
        self.states: list[FieldState] = []
        """One for each image of the collection."""
        session.events.collection.connect(self._on_collection)
        session.events.image.connect(self._on_image)
        self._on_collection(session.collection)

    def waiting(self) -> list[int]:
        """Return the places of the images that are not predicted."""
        return [n for n, one in enumerate(self.states) if one.state not in (DONE, FAILED)]

    def readable(self) -> list[int]:
        """Return the places of the images that can be opened."""
        collection = self._session.collection
        entries = () if collection is None else collection.entries
        return [place for place, entry in enumerate(entries) if not entry.problem]

    def begin(self, places: Sequence[int], decode: DecodeSettings | None) -> None:
        """Say that these images will be predicted, and how their objects will be found."""
        self._decode = decode
        for place in places:
            self._found.pop(place, None)
            self._set(place, WAITS)
        self.changed.emit()

    def take(self, place: int, result: Any, count: int) -> None:
        """Take the result of one image; the image that is looked at gets it at once.

        Parameters
        ----------
        place : int
        result : FieldPrediction
        count : int
            Objects in it.
        """
        if result.skipped:
            self._set(place, SKIPPED)
        elif result.prediction is None:
            self._set(place, FAILED, problem=result.problem)
        else:
            self._found[place] = result.prediction
            self._set(place, DONE, count=count)
            collection = self._session.collection
            if collection is not None and collection.entries[place].state == "new":
                self._session.collection = collection.with_state(place, "predicted")
        self.changed.emit()
        self._on_image(self._session.image)

    def run(self, place: int, percent: int = 0) -> None:
        """Say that an image is being predicted now, and how much of it is done."""
        if not 0 <= place < len(self.states):
            return
        before = self.states[place]
        now = replace(before, state=RUNS, percent=percent)
        if before.state in (WAITS, RUNS) and now != before:
            self.states[place] = now
            self.changed.emit()

    def end(self) -> None:
        """Say that no more will be predicted: what has not begun does not wait any more."""
        for place, one in enumerate(self.states):
            if one.state in (WAITS, RUNS):
                self._set(place, "")
        self.changed.emit()

    def _set(self, place: int, state: str, count: int = 0, problem: str = "") -> None:
        self.states[place] = FieldState(self.states[place].name, state, count, problem)

    def _on_collection(self, collection: Collection | None) -> None:
        entries = () if collection is None else collection.entries
        paths = tuple(entry.path for entry in entries)
        if paths == self.paths:
            return
        self.paths = paths
        self._found.clear()
        self.states = [
            FieldState(entry.name, FAILED if entry.problem else "", problem=entry.problem)
            for entry in entries
        ]
        self.changed.emit()

    def _on_image(self, image: CalibratedImage | None) -> None:
        place = self._opener.place_of(image)
        if image is None or place not in self._found:
            return
        prediction = self._found.pop(place)
        if self._decode is not None and self._session.decode is None:
            self._session.decode = self._decode
        # A person may have said another pixel size than the file's.
        self._session.prediction = replace(prediction, calibration=image.calibration)


def field_steps(
    model: Model,
    collection: Collection,
    settings: PredictSettings,
    decode: DecodeSettings | None,
    skipped: Callable[[int], bool],
) -> Steps[int]:
    """Predict a collection and count the objects of each image, in the worker's thread.

    ``Step.partial`` is ``(FieldPrediction, number of objects)`` for each image that is done;
    returns how many are. `skipped` is asked which ones are left out.
    """
    from napari_defectseg.inference.collection import predict_collection_steps

    steps = predict_collection_steps(model, collection, settings, skipped=skipped)
    done = 0
    try:
        while True:
            step = next(steps)
            if step.partial is not None:
                found, count = step.partial.prediction, 0
                if found is not None:
                    done += 1
                    count = len(found.labels(decode).object_classes)
                step = replace(step, partial=(step.partial, count))
            yield step
    except StopIteration:
        return done
    finally:
        steps.close()


_fields: WeakKeyDictionary[Any, Fields] = WeakKeyDictionary()


def fields_of(session: Session) -> Fields:
    """Return the fields of a session, made at the first call."""
    if session not in _fields:
        _fields[session] = Fields(session)
    return _fields[session]

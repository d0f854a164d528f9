"""Keeps the labels of a session up with its prediction, thresholds and smallest object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, ref

from psygnal import Signal
from qtpy.QtCore import QObject

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.protect import go_around
from napari_defectseg.labels.stable import keep_numbers
from napari_defectseg.ui.warming import warm_steps

if TYPE_CHECKING:
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.ui.session import Session

_How: TypeAlias = tuple[tuple[float | None, ...], float, bool, int | None]
"""Thresholds in the order of the classes, smallest object, holes, connectivity."""
LANE = "decode"
PREDICTION, THRESHOLD = "prediction", "threshold"
"""What the undo button calls them."""


@dataclass(frozen=True)
class _Wish:
    """What the labels shall be made from."""

    prediction: Prediction
    settings: DecodeSettings
    name: str


class Decoder(QObject):
    """Makes objects from scores in the worker; the newest wish wins, none in between is needed.

    One a session, found by `decoder_of`. A prediction is one step of the history, and so is a
    slider however often it moves. What a person has checked stays, if `protect`.

    Parameters
    ----------
    session : Session
        Its `labels` are made from `prediction` and `decode`.
    """

    changed = Signal()
    """See `busy`, `failure` and `conflict`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._wished: _Wish | None = None
        self._made: list[tuple[ref[Any], _How]] = []
        self._steps_made: WeakKeyDictionary[History, dict[int, tuple[_How, int]]]
        self._steps_made = WeakKeyDictionary()
        self._taking = self._warmed = False
        self.protect = True
        self.busy = False
        self.failure: Exception | None = None
        self.conflict: Prediction | None = None
        """A prediction of other classes than the checked objects have: a person must choose."""
        session.events.prediction.connect(self._on_prediction)
        session.events.image.connect(self._on_image)
        session.events.decode.connect(self._on_decode)
        session.events.edited.connect(self._on_edited)
        self._on_prediction(session.prediction)

    def settings(self) -> DecodeSettings | None:
        """Return what holds: what a person chose, else the card's; None without prediction."""
        if self._session.prediction is None:
            return None
        return self._session.decode or self._session.prediction.decode_settings()

    def set_protect(self, protect: bool) -> None:
        """Say whether checked objects stay as they are when a prediction or threshold comes."""
        self.protect = protect

    def replace(self) -> None:
        """Take the prediction that is in `conflict`, in place of the objects that are there."""
        prediction, self.conflict = self.conflict, None
        if prediction is not None and prediction is self._session.prediction:
            self._session.labels = None
            self._wish(PREDICTION)

    def settle(self) -> None:
        """Say that a slider was let go."""
        if self._session.history is not None and not self.busy:
            self._session.history.settle()

    # -- what the session says -----------------------------------------------------------

    def _on_image(self, image: Any) -> None:
        """Get ready while the person looks at the first image."""
        if image is not None and not self._warmed:
            self._warmed = True
            self._session.jobs.start("warm", warm_steps(), owner=self)

    def _on_prediction(self, prediction: Prediction | None) -> None:
        self.conflict = None
        if prediction is None:
            return
        chosen = self._session.decode
        if chosen is not None and not set(chosen.thresholds) <= set(prediction.classes.names):
            self._session.decode = None
        if self._made_with(prediction) is None:
            self._wish(PREDICTION)

    def _on_decode(self, _: Any) -> None:
        prediction, settings = self._session.prediction, self.settings()
        if prediction is None or settings is None:
            return
        if self._made_with(prediction) not in (None, _how(prediction, settings)):
            self._wish(THRESHOLD)

    def _on_edited(self, _: Any) -> None:
        """After an undo the thresholds are those of the objects that are there again."""
        history, prediction = self._session.history, self._session.prediction
        if history is None or prediction is None or self._taking:
            return
        known, count = self._steps_made.get(history, {}), len(history.entries)
        last = max((place for place in known if place <= count), default=0)
        if not last or known[last][0] == self._made_with(prediction):
            return
        how, history.labelmap.left_out = known[last]
        self._note(prediction, how)
        self._session.decode = _settings(prediction, how)
        self.changed.emit()

    def _note(self, prediction: Prediction, how: _How) -> None:
        """Remember how the labels are made from a prediction."""
        origin = prediction.provenance
        self._made = [made for made in self._made if made[0]() is not origin]
        self._made.append((ref(origin), how))

    def _made_with(self, prediction: Prediction) -> _How | None:
        """Return how labels were last made from a prediction; None: never.

        Its provenance tells it: its classes may get other names.
        """
        self._made = [made for made in self._made if made[0]() is not None]
        return next((how for held, how in self._made if held() is prediction.provenance), None)

    # -- the work ------------------------------------------------------------------------

    def _wish(self, name: str) -> None:
        prediction, settings = self._session.prediction, self.settings()
        if prediction is None or settings is None:
            return
        self._wished = _Wish(prediction, settings, name)
        if not self.busy:
            self._begin()

    def _begin(self) -> None:
        wish, self._wished = self._wished, None
        if wish is None or not self._holds(wish):
            return
        old, history = self._session.labels, self._session.history
        before = old
        if old is not None and not _fits(old, wish.prediction):
            if old.checked:
                self.conflict = wish.prediction
                self.changed.emit()
                return
            old = history = None
        self._set_busy(True)
        revision = -1 if old is None else old.revision

        def done(found: tuple[LabelMap, LabelMap | None]) -> None:
            self.busy = False
            stale = self._session.labels is not before or (
                old is not None and old.revision != revision
            )
            if self._holds(wish) and not stale:
                self._take(wish, *found)
            elif self._wished is None and self._holds(wish):
                self._wished = wish
            end()

        def failed(error: Exception) -> None:
            self.busy, self.failure = False, error
            end()

        def end() -> None:
            self._begin()
            self.changed.emit()

        self.failure = None
        self._session.jobs.start(
            LANE, self._steps(wish, old, history), owner=self, on_done=done, on_failed=failed
        )

    def _steps(
        self, wish: _Wish, old: LabelMap | None, history: History | None
    ) -> Steps[tuple[LabelMap, LabelMap | None]]:
        """Find the objects, in the worker's thread; what it reads is checked afterwards.

        Where there are no labels yet an empty map to begin with comes too.
        """
        yield from warm_steps()
        yield Step(0, 2, "finding objects")
        new = wish.prediction.labels(wish.settings)
        yield Step(1, 2, "going around checked objects")
        if old is not None and history is not None:
            if self.protect:
                go_around(old, new, history.refused())
            keep_numbers(old, new, history.first_free(wish.name, wish.name == THRESHOLD))
            return new, None
        empty = LabelMap.empty(new.shape, new.classes, new.axes, new.calibration)
        for plane in empty.planes:
            plane.fill(0)  # the system gives the memory now, not while the window waits
        return new, empty

    def _holds(self, wish: _Wish) -> bool:
        """Whether a wish is about the prediction that is current."""
        prediction = self._session.prediction
        return prediction is not None and prediction.provenance is wish.prediction.provenance

    def _take(self, wish: _Wish, new: LabelMap, empty: LabelMap | None) -> None:
        how = _how(wish.prediction, wish.settings)
        self._note(wish.prediction, how)
        new.classes = self._session.prediction.classes  # renamed meanwhile, perhaps
        if empty is not None:
            # Begun empty, so that undo takes the prediction back too.
            empty.classes = new.classes
            self._session.take_labels(empty)
        labels, history = self._session.labels, self._session.history
        if labels is None or history is None:
            return
        labels.provenance, labels.left_out = new.provenance, new.left_out
        self._taking = True
        try:
            self._session.replace_labels(new, wish.name, fold=wish.name == THRESHOLD)
        finally:
            self._taking = False
        count, known = len(history.entries), self._steps_made.setdefault(history, {})
        for place in [place for place in known if place > count]:
            del known[place]
        known[count] = (how, new.left_out)

    def _set_busy(self, busy: bool) -> None:
        if busy != self.busy:
            self.busy = busy
            self.changed.emit()


def _how(prediction: Prediction, settings: DecodeSettings) -> _How:
    """Return settings without the names of classes, to compare."""
    limits = tuple(settings.thresholds.get(name) for name in prediction.classes.names)
    return limits, settings.min_size, settings.fill_holes, settings.connectivity


def _settings(prediction: Prediction, how: _How) -> DecodeSettings:
    """Return the settings again, with the names that the classes have now."""
    limits, min_size, fill_holes, connectivity = how
    thresholds = dict(zip(prediction.classes.names, limits, strict=True))
    return DecodeSettings(thresholds, min_size, fill_holes, connectivity)


def _fits(labels: LabelMap, prediction: Prediction) -> bool:
    classes = prediction.classes
    return (
        labels.shape == prediction.shape
        and labels.axes == prediction.axes
        and labels.classes.values == classes.values
        and labels.classes.names == classes.names
        and labels.classes.exclusive == classes.exclusive
    )


_decoders: WeakKeyDictionary[Any, Decoder] = WeakKeyDictionary()


def decoder_of(session: Session) -> Decoder:
    """Return the decoder of a session, made at the first call."""
    if session not in _decoders:
        _decoders[session] = Decoder(session)
    return _decoders[session]

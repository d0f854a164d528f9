"""`LivePreview`: what is seen is predicted at once; the newest wish wins, nothing is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from qtpy.QtCore import QObject, QSettings, QTimer, Signal

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.ui import evidence, seen, words
from napari_defectseg.ui.preferences import predict_settings
from napari_defectseg.ui.stage import Stage, stage_of

if TYPE_CHECKING:
    import napari

    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.inference.preview import Previewer
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.models.model import Model

LANE = "preview"
RUNS = "predict"
"""The lane of whole predictions: while one runs, nothing is previewed."""
PAUSE = 120
"""Milliseconds without a movement until what is seen is predicted."""


@dataclass(frozen=True)
class Shown:
    """What a preview has found so far.

    Parameters
    ----------
    prediction : Prediction
    labels : LabelMap
    done : bool
        Whether all of what is seen is predicted.
    """

    prediction: Prediction
    labels: LabelMap
    done: bool = False


@dataclass(frozen=True, eq=False)
class _Wish:
    """What a preview is made of."""

    model: Model
    image: CalibratedImage
    settings: PredictSettings
    seen: seen.Seen
    decode: DecodeSettings | None


class LivePreview(QObject):
    """Predicts what is seen, while a page that asks for it is in front; one a viewer.

    Signal ``changed()``: see `on` and `words`.

    Parameters
    ----------
    stage : Stage
        Of the viewer.
    """

    changed = Signal()

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage, self.session = stage, stage.session
        self._pages: WeakSet[Any] = WeakSet()
        self._previewer: tuple[Any, Any, Any, Previewer] | None = None
        self._wish: _Wish | None = None
        self._last: Shown | None = None
        self._predicted_by: Model | None = None
        self.on = bool(_store().value("preview", True, type=bool))
        self.words = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.renew)
        viewer = stage.viewer
        for event in (
            viewer.scene.camera.events, viewer.dims.events.current_step,
            viewer.dims.events.ndisplay, viewer.dims.events.order,
        ):  # fmt: skip
            event.connect(self.soon)
        events = self.session.events
        for signal in (events.image, events.model, events.decode, events.computing):
            signal.connect(self.soon)
        events.prediction.connect(self._on_prediction)
        events.closed.connect(self._on_closed)
        self.session.jobs.started.connect(self._on_job)
        self.session.jobs.ended.connect(self._on_job)

    # -- who wants it --------------------------------------------------------------------

    def enter(self, page: Any) -> None:
        """Preview while a page that shows it is in front."""
        self._pages.add(page)
        self.soon()

    def leave(self, page: Any) -> None:
        """Preview no more for a page that went; what was shown goes with the last one."""
        self._pages.discard(page)
        if not self._pages:
            self.clear()

    def set_on(self, on: bool) -> None:
        """Preview what is seen, or not; remembered."""
        if on != self.on:
            self.on = on
            _store().setValue("preview", on)
            if on:
                self.soon()
            else:
                self.clear()
            self.changed.emit()

    # -- what is wanted ------------------------------------------------------------------

    def soon(self, _: Any = None) -> None:
        """Look again when nothing has moved for a moment."""
        if self.on and self._pages:
            self._timer.start()

    def renew(self) -> None:
        """Predict what is seen now, unless it is shown already."""
        if not self.on or not self._pages:
            return
        wish = self._wished()
        if wish is None:
            self.clear()
            return
        before, self._wish = self._wish, wish
        same = before is not None and _same_scores(before, wish)
        if same and before is not None and before.decode == wish.decode:
            return
        last = self._last
        if same and last is not None and last.done:
            self._start(_again_steps(last.prediction, wish.decode), wish)
        else:
            self._start(_steps(self._previewer_for(wish), wish), wish)

    def clear(self) -> None:
        """Show nothing, and predict nothing."""
        self._timer.stop()
        self.session.jobs.stop(LANE, drop=True)
        self._wish = self._last = None
        seen.take_preview_away(self.stage)
        self._say("")

    def _wished(self) -> _Wish | None:
        session = self.session
        model, image = session.model, session.image
        busy = session.jobs.running(RUNS) is not None
        shown = session.prediction is not None and self._predicted_by is model
        if model is None or image is None or busy or shown:
            return None
        part = seen.seen_box(self.stage, model.card.dims)
        if part is None:
            return None
        settings = session.computing or predict_settings()
        return _Wish(model, image, settings, part, session.decode)

    def _previewer_for(self, wish: _Wish) -> Previewer:
        """Return what predicts this image with this model; the last one is kept."""
        from napari_defectseg.inference.preview import Previewer

        known = self._previewer
        if (
            known is None
            or known[0] is not wish.model
            or known[1] is not wish.image
            or known[2] != wish.settings
        ):
            made = Previewer(wish.model, wish.image, wish.settings)
            known = self._previewer = (wish.model, wish.image, wish.settings, made)
        return known[3]

    # -- what comes ----------------------------------------------------------------------

    def _start(self, steps: Steps[Shown], wish: _Wish) -> None:
        def failed(error: Exception) -> None:
            seen.take_preview_away(self.stage)
            self._last = None
            self._say(error.sentence if isinstance(error, DefectSegError) else str(error))

        self._say("Predicting what you see …")
        self.session.jobs.start(
            LANE,
            steps,
            owner=self,
            on_step=lambda step: self._take(wish, step.partial),
            on_done=lambda found: self._take(wish, found),
            on_failed=failed,
        )

    def _take(self, wish: _Wish, found: Shown | None) -> None:
        image = self.session.image
        if found is None or image is None or image.data is not wish.image.data:
            return
        self._last = found
        title = evidence.title_of(wish.model)
        seen.show_preview(self.stage, found.labels, found.prediction.offset, title)
        if found.done:
            self._say(_sentence(found, wish))

    def _say(self, sentence: str) -> None:
        if sentence != self.words:
            self.words = sentence
            self.changed.emit()

    def _on_closed(self) -> None:
        self._pages.clear()
        self._timer.stop()

    def _on_prediction(self, prediction: Any) -> None:
        self._predicted_by = None if prediction is None else self.session.model
        self.soon()

    def _on_job(self, job: Any, _: Any = None) -> None:
        if job.lane == RUNS:
            if self.session.jobs.running(RUNS) is not None:
                self.clear()
            self.soon()


def _same_scores(before: _Wish, wish: _Wish) -> bool:
    """Return whether another threshold is all that is wished."""
    return (
        before.model is wish.model
        and before.image is wish.image
        and before.settings == wish.settings
        and before.seen == wish.seen
    )


def _steps(previewer: Previewer, wish: _Wish) -> Steps[Shown]:
    """Predict and find the objects, in the worker's thread."""
    steps = previewer.steps(wish.seen.box)
    try:
        while True:
            step = next(steps)
            found = None
            if step.partial is not None:
                found = Shown(step.partial, _labels(step.partial, wish.decode))
            yield Step(0, 0, step.text, found)
    except StopIteration as end:
        return Shown(end.value, _labels(end.value, wish.decode), done=True)
    finally:
        steps.close()


def _again_steps(prediction: Prediction, decode: DecodeSettings | None) -> Steps[Shown]:
    """Find the objects again with other thresholds; nothing is predicted."""
    yield Step(0, 0, "finding objects")
    return Shown(prediction, _labels(prediction, decode), done=True)


def _labels(prediction: Prediction, decode: DecodeSettings | None) -> LabelMap:
    usable = decode is not None and set(decode.thresholds) <= set(prediction.classes.names)
    return prediction.labels(decode if usable else None)


def _sentence(found: Shown, wish: _Wish) -> str:
    counts = dict.fromkeys(found.labels.classes.names, 0)
    for value in found.labels.object_classes.values():
        counts[found.labels.classes.by_value(value).name] += 1
    objects = ", ".join(f"{words.count(number)} {one}" for one, number in counts.items())
    where = "what you see"
    if wish.seen.cut:
        sides = " × ".join(str(side.stop - side.start) for side in wish.seen.box[-2:])
        where = f"the middle {sides} px of what you see"
    told = f"In {where}: {objects} ({words.took(found.prediction.seconds)})."
    return " ".join((told, *found.prediction.warnings))


def _store() -> QSettings:
    return QSettings("napari-defectseg", "docks")


_previews: WeakKeyDictionary[Any, LivePreview] = WeakKeyDictionary()


def preview_of(viewer: napari.Viewer) -> LivePreview:
    """Return the preview of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _previews:
        _previews[real] = LivePreview(stage_of(real))
    return _previews[real]

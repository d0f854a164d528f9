"""`Predicting`: runs over one image or a collection; what a stopped one found is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.progress import Step
from napari_defectseg.ui import words
from napari_defectseg.ui.fields import Fields
from napari_defectseg.ui.kept import Kept
from napari_defectseg.ui.runs import CollectionRun

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.ui.arriving import Arriving
    from napari_defectseg.ui.jobs import Job
    from napari_defectseg.ui.session import Session

LANE = "predict"
PATIENCE = 0.3
"""Seconds that stopping may keep the dock waiting; the network ends its layer behind it."""


class Predicting(QObject):
    """Sets the session's `prediction`; one run at a time.

    Signals ``stepped(Step, unit)``, ``ended(error or None)`` for an image and
    ``collection_ended(run, error or None)``.

    Parameters
    ----------
    session : Session
    fields : Fields
    run : callable
        `DockPage.run`: its button is *Stop* meanwhile.
    arriving : Arriving
        Shows what has been found so far.
    """

    stepped = Signal(object, str)
    ended = Signal(object)
    collection_ended = Signal(object, object)

    def __init__(
        self, session: Session, fields: Fields, run: Callable[..., Job], arriving: Arriving
    ) -> None:
        super().__init__()
        self._session, self._fields, self._run = session, fields, run
        self._arriving = arriving
        self._over: CollectionRun | None = None
        self._kept: Kept | None = None
        self.expected: float | None = None
        """Seconds that the next run will take, from the forecast."""
        self._away: list[tuple[Any, Prediction]] = []
        session.events.image.connect(self._on_image)

    def goes_on(self, settings: PredictSettings) -> bool:
        """Whether what is shown was stopped and can go on, computed like this."""
        session = self._session
        return self._kept is not None and self._kept.goes_on(session.model, session.image, settings)

    @property
    def done(self) -> tuple[int, int]:
        """Tiles that the last run has computed, and all of them."""
        begun = None if self._kept is None else self._kept.begun
        return (0, 0) if begun is None else (begun.done, begun.job.total)

    def predict(self, settings: PredictSettings) -> None:
        """Predict the session's image, or the region of it that is set, from the beginning."""
        session = self._session
        before = session.prediction if settings.region else None
        self._start(Kept(session.model, session.image, settings, before=before))

    def go_on(self) -> None:
        """Go on with the run that was stopped."""
        if self._kept is not None:
            self._start(self._kept)

    def pause(self, paused: bool) -> None:
        """Let the run rest, or go on."""
        self._session.jobs.pause(LANE, paused)

    def skip(self, place: int) -> None:
        """Leave an image of a running collection out, also one that is being predicted."""
        if self._over is not None:
            self._over.skip(place)

    def _start(self, kept: Kept) -> None:
        def step(told: Step) -> None:
            self._arriving.show()
            self.stepped.emit(told, "tiles")

        self._kept = kept
        self._arriving.begin(kept, self._session.decode)
        self._run(
            LANE,
            kept.steps(),
            text=f"Predicting {kept.image.name}",
            on_done=lambda found: self._take(kept, found, None),
            on_step=step,
            on_failed=lambda error: self._keep(kept, error),
            on_stopped=lambda _: self._keep(kept, None),
            expected=self.expected,
            patience=PATIENCE,
        )

    def _keep(self, kept: Kept, error: Exception | None) -> None:
        """Show what was found until the run ended early."""
        if not self.done[0]:
            self._arriving.end()
            self.ended.emit(error)
            return
        self._run(
            LANE,
            kept.result_steps(),
            on_done=lambda found: self._take(kept, found, error),
            primary=False,
        )

    def _take(self, kept: Kept, found: Prediction | None, error: Exception | None) -> None:
        self._arriving.end()
        if found is not None:
            self._away.append((kept.image.data, found))
            self._on_image(self._session.image)
        self.ended.emit(error)

    def _on_image(self, image: CalibratedImage | None) -> None:
        """Give an image what was found in it while another one was looked at."""
        shown = None if image is None else image.data
        mine = [found for data, found in self._away if data is shown]
        if image is None or not mine:
            return
        self._away = [one for one in self._away if one[0] is not shown]
        # A person may have said another pixel size meanwhile.
        self._session.prediction = replace(mine[-1], calibration=image.calibration)

    def predict_collection(self, settings: PredictSettings) -> None:
        """Predict the images that are not predicted yet, or all of them again."""
        collection = self._session.collection
        if collection is None:
            return
        places = self._fields.waiting() or self._fields.readable()
        run = self._over = CollectionRun(self._fields, collection, places)

        def step(told: Step) -> None:
            run.take(told)
            self.stepped.emit(replace(told, partial=None), "images")

        def end(error: Exception | None) -> None:
            self._over = None
            run.end()
            self.collection_ended.emit(run, error)

        self._run(
            LANE,
            run.steps(self._session.model, settings, self._session.decode),
            text=f"Predicting {words.counted(len(places), 'image')}",
            on_step=step,
            on_done=lambda _: end(None),
            on_failed=end,
            on_stopped=lambda _: end(None),
            patience=PATIENCE,
        )

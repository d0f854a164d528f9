"""The Predict dock: find the defects, then choose what counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.layers import Shapes
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent

from napari_defectseg.core.progress import Step
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.ui import words
from napari_defectseg.ui.arriving import Arriving
from napari_defectseg.ui.decoding import decoder_of
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.fields import fields_of
from napari_defectseg.ui.follow import follower_of
from napari_defectseg.ui.forecasting import Forecaster
from napari_defectseg.ui.outcome import Outcome
from napari_defectseg.ui.predicting import LANE, Predicting
from napari_defectseg.ui.preferences import predict_settings
from napari_defectseg.ui.previewing import preview_of
from napari_defectseg.ui.recent import first_time
from napari_defectseg.ui.runs import CollectionRun
from napari_defectseg.ui.samples import WAY
from napari_defectseg.ui.whereto import COLLECTION, DRAWN, IMAGE, Where
from napari_defectseg.ui.widgets.card import ProgressCard
from napari_defectseg.ui.widgets.field_list import FieldTable
from napari_defectseg.ui.widgets.forecast_line import ForecastLine
from napari_defectseg.ui.widgets.predict_more import PredictMore, fitting
from napari_defectseg.ui.widgets.preview_row import PreviewRow
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.strip import Action
from napari_defectseg.ui.widgets.watch import WatchPart
from napari_defectseg.ui.widgets.what_counts import WhatCounts

MOVED = 300
"""Milliseconds without a movement until it is looked what the view will take."""


class PredictDock(DockPage):
    """Find the defects in this image or all images."""

    key, title, icon = "predict", "Predict", "predict"
    tip = "Find the defects in this image or all images"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out scope, forecast, progress, thresholds and the rest."""
        self.decoder = decoder_of(self.session)
        self.follower = follower_of(self.session)
        self.fields = fields_of(self.session)
        self._over: CollectionRun | None = None
        self.runs = Predicting(self.session, self.fields, self.run, Arriving(self.stage))
        self.looker = Forecaster(self.session, self)
        self.where = Where(self.stage)
        self.scope = Segments("Predict", self.where.choices(0), most=3)
        self.scope.setValue(IMAGE)
        self.forecast = ForecastLine()
        self.preview = PreviewRow(preview_of(self.viewer))
        self.card = ProgressCard("prediction", pausable=True)
        self.outcome = Outcome(self, self.card, self.predict)
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(MOVED)
        self._moved.timeout.connect(self._on_moved)
        self.table = FieldTable()
        self.list = self.table.list
        self.counts = WhatCounts(self.session, self.decoder)
        self.more = PredictMore(predict_settings())
        shown = (self.scope, self.forecast, self.preview, self.card, self.table, self.counts)
        for widget in (*shown, self.more, WatchPart(self.session)):
            self.body.addWidget(widget)
        self._tie()

    def _tie(self) -> None:
        self.scope.valueChanged.connect(self._on_scope)
        self.list.chosen.connect(self._look_at)
        self.table.skip_asked.connect(self.runs.skip)
        self.runs.stepped.connect(self._on_step)
        self.runs.ended.connect(self._on_ended)
        self.runs.collection_ended.connect(self._on_collection_ended)
        self.looker.found.connect(self._show_forecast)
        self.looker.failed.connect(self._on_misfit)
        self.more.valueChanged.connect(self._on_computing)
        self.card.pause_asked.connect(self.runs.pause)
        self.session.jobs.paused.connect(self._on_paused)
        for event in (
            self.viewer.scene.camera.events, self.viewer.dims.events.current_step,
            self.viewer.layers.events.inserted, self.viewer.layers.events.removed,
        ):  # fmt: skip
            self.listen(event, self._on_view)
        events = self.session.events
        for signal, slot in (
            (events.image, self._on_subject),
            (events.model, self._on_subject),
            (events.collection, self._show_scope),
            (events.index, self._show_fields),
            (events.prediction, self._on_prediction),
            (events.decode, self._show_settings),
            (events.computing, self._show_computing),
            (events.device, self.more.show_device),
            (events.labels, self._show_counts),
            (events.edited, self._show_counts),
            (events.table, self._show_result),
        ):
            self.listen(signal, slot)
        self.decoder.changed.connect(self._on_decoder)
        self.fields.changed.connect(self._show_fields)

    def show_place(self, place: str) -> None:
        """Open the line with the device when the status line sends here."""
        if place == "device":
            self.more.set_open(True)
            self.more.form.fields["device"].focus.setFocus()
        elif place == "sample" and first_time(place):
            self.messages.say(place, "info", WAY)

    def showEvent(self, event: QShowEvent) -> None:
        """Look how long it takes only when somebody can see it: that reads the network."""
        super().showEvent(event)
        self._look()

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self.more.show_device(self.session.device)
        self._show_computing()
        self._show_scope()
        self._on_subject()
        if self.session.prediction is not None:
            self._on_prediction(self.session.prediction)

    @property
    def settings(self) -> PredictSettings:
        """How the next prediction is computed."""
        region = self.where.region(self.scope.value)
        settings = replace(
            self.session.computing or predict_settings(),
            region=None if region is None or not region.sides else str(region),
        )
        return fitting(settings, self.session.image, self.session.model)

    @property
    def several(self) -> bool:
        """Whether all images of the collection are asked for."""
        return self.scope.value == COLLECTION

    def _on_subject(self, _: Any = None) -> None:
        image, model = self.session.image, self.session.model
        self.outcome.forget()
        if image is None or model is None:
            self._show_missing(image is None, model is None)
            return
        self.show_controls()
        self.more.show_for(image, model)
        if self.session.prediction is None:
            self.set_mark("")
            if not self.footer.working:
                self.card.clear()
        self._show_scope()
        self._offer()
        self._show_settings()
        self._show_counts()
        self._look()

    def _show_missing(self, image: bool, model: bool) -> None:
        links: list[Action] = []
        if image:
            links.append(("First an image…", lambda: self.session.go_to("data")))
        if model:
            words_ = "Then a model…" if image else "A model…"
            links.append((words_, lambda: self.session.go_to("model")))
        self.show_empty("First an image, then a model." if image else "Now a model.", links)
        self.footer.offer("Predict image", "There is no image or no model yet", enabled=False)
        self.footer.offer_next("")

    def _show_scope(self, _: Any = None) -> None:
        before = self.scope.value
        self.scope.set_choices(self.where.choices(len(self.fields.readable())))
        if self.scope.value != before:
            self.scope.setValue(IMAGE)
        self._show_fields()

    def _on_scope(self, _: Any = None) -> None:
        if self.scope.value == DRAWN:
            self.where.begin_drawing()
        self._show_fields()
        self._show_forecast()
        self._show_result()
        self._on_moved()

    def _on_view(self, _: Any = None) -> None:
        """Another part is seen, or something was drawn."""
        if self.scope.value not in (IMAGE, COLLECTION):
            self._moved.start()

    def _on_moved(self) -> None:
        if self.scope.value == DRAWN:
            for layer in [one for one in self.viewer.layers if isinstance(one, Shapes)]:
                self.listen(layer.events.data, self._on_view)
        self._offer()
        self._look()

    def _show_fields(self, _: Any = None) -> None:
        self.table.setVisible(self.several)
        if self.several:
            self.table.show_states(self.fields.states, self.session.index)

    def _offer(self) -> None:
        if self.session.image is None or self.session.model is None:
            return
        again = self.session.prediction is not None
        left, readable = self.fields.waiting(), self.fields.readable()
        goes_to = again and not (self.several and left)
        self.footer.offer_next("Correct →" if goes_to else "", "Go through the objects")
        if self.several:
            verb = "Go on with" if 0 < len(left) < len(readable) else "Predict"
            what = f"{verb} {words.counted(len(left), 'image')}" if left else "Predict all again"
            self.footer.offer(what, "One after the other")
            return
        if why := self.where.missing(self.scope.value):
            drawn = self.scope.value == DRAWN
            self.footer.offer("Draw a rectangle" if drawn else "Predict view", why, enabled=drawn)
            return
        what = words.subject(self.session.image)
        if self.scope.value != IMAGE:
            what = self.scope.button(self.scope.value).text()
        if self.runs.goes_on(self.settings):
            done, total = self.runs.done
            self.footer.offer(f"Go on from tile {done + 1}", f"{done} of {total} tiles are done")
            return
        self.footer.offer(
            "Predict again" if again and self.scope.value == IMAGE else f"Predict {what}",
            f"Find the defects in this {what}",
        )

    def _on_prediction(self, prediction: Any) -> None:
        if prediction is None:
            self._on_subject()
            return
        self._show_settings()
        self.outcome.warn(prediction)
        self._offer()
        self._show_result()

    def _show_settings(self, _: Any = None) -> None:
        self.counts.show_settings(working=self.footer.working)

    def _show_counts(self, _: Any = None) -> None:
        self.counts.show_counts()

    def _show_computing(self, _: Any = None) -> None:
        self.more.setValue(self.session.computing or predict_settings())
        self._offer()
        self._look()

    def _show_result(self, _: Any = None) -> None:
        prediction = self.session.prediction
        if self.footer.working:
            return
        if self.several and self._over is not None and self._over.holds:
            self.card.show_summary(*self._over.summary(), self._over.percent)
            return
        if prediction is None:
            return
        self.outcome.show(prediction)
        self.set_mark("done")

    def _on_decoder(self) -> None:
        if self.decoder.failure is not None:
            self.say_error("decode", self.decoder.failure)
        if self.decoder.conflict is not None:
            self.messages.say(
                "conflict",
                "warning",
                "The objects that are here have other classes than this model, and some are "
                "checked. They are kept until you decide.",
                (("Replace them", self._replace),),
            )
        else:
            self.messages.take_back("conflict")
        if not self.decoder.busy:
            self._show_counts()
            self._show_result()

    def _replace(self) -> None:
        self.messages.take_back("conflict")
        self.decoder.replace()

    # -- what it will take ---------------------------------------------------------------

    def _look(self) -> None:
        """Look what a prediction will take, if somebody can see it and nothing runs."""
        why = self.where.missing(self.scope.value)
        if why:
            self.forecast.say(why)
            self.looker.leave()
        elif self.isVisible() and not self.footer.working and self.looker.ask(self.settings):
            self.messages.take_back("fit")
            self.forecast.say("Looking how long it takes …")

    def _show_forecast(self, _: Any = None) -> None:
        if self.looker.forecast is not None:
            count = len(self.fields.waiting() or self.fields.readable())
            self.forecast.show_forecast(self.looker.forecast, count if self.several else 1)

    def _on_misfit(self, error: Exception) -> None:
        self.forecast.say("It cannot be predicted as it is.")
        self.say_error("fit", error, self.outcome.ways_out(error))

    # -- predicting ----------------------------------------------------------------------

    def act(self) -> None:
        """Predict what is asked for, or go on with it."""
        if self.session.image is None or self.session.model is None:
            return
        if self.where.missing(self.scope.value):
            self.where.begin_drawing()
            return
        if not self.several and not self.runs.goes_on(self.settings):
            self.predict()
            return
        self._begin_work()
        if self.several:
            self.runs.predict_collection(self.settings)
        else:
            self.runs.go_on()
        self._show_settings()

    def predict(self) -> None:
        """Predict the image from the beginning."""
        self._begin_work()
        self.runs.predict(self.settings)
        self._show_settings()

    def _begin_work(self) -> None:
        known = self.looker.forecast
        self.runs.expected = None if known is None else known.seconds
        if known is None:
            self.forecast.say("Time not known yet.")
        self.looker.leave()
        for topic in ("decode", "fit", LANE):
            self.messages.take_back(topic)
        self.outcome.forget()
        self.card.working(Step(0, 0, "Getting ready"), None)

    def _on_step(self, step: Step, unit: str) -> None:
        job = self.session.jobs.running(LANE)
        if job is not None and job.paused:
            return
        self.card.working(step, None if job is None else job.seconds_left, unit)

    def _on_paused(self, job: Any, paused: bool) -> None:
        if job.lane != LANE:
            return
        self.card.show_pause(paused, job.last)
        if not paused and job.last is not None:
            self._on_step(replace(job.last, partial=None), "images" if self.several else "tiles")

    def _on_ended(self, error: Exception | None) -> None:
        if self.session.prediction is None:
            if error is None:
                self.card.stopped("Stopped", 0, "Nothing was computed yet.")
            else:
                self.card.clear("Not predicted")
        self._end_work(error)

    def _on_collection_ended(self, run: CollectionRun, error: Exception | None) -> None:
        self._over = run
        self._end_work(error)

    def _end_work(self, error: Exception | None) -> None:
        self.card.set_paused(False)
        self._offer()
        self._show_settings()
        self._show_result()
        if error is None:
            self._look()
        else:
            self.looker.skip(self.settings)  # it would fail for the same reason
            self.forecast.say("It cannot be predicted as it is.")
            self.say_error(LANE, error, self.outcome.ways_out(error))

    def _look_at(self, place: int) -> None:
        if self.session.collection is not None:
            self.session.index = place

    # -- what a person chooses -----------------------------------------------------------

    def go_on(self) -> None:
        """Go on to Correct."""
        self.session.go_to("correct")

    def _on_computing(self, settings: PredictSettings) -> None:
        self.session.computing = settings

"""The Predict dock: find the defects, then choose what counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout

from napari_defectseg.core.progress import Step
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.ui import numbers, sizes, theme, words
from napari_defectseg.ui.decoding import decoder_of
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.follow import follower_of
from napari_defectseg.ui.kept import Kept
from napari_defectseg.ui.widgets.card import ProgressCard
from napari_defectseg.ui.widgets.text import name, named, section, text
from napari_defectseg.ui.widgets.threshold_rows import ThresholdRows

LANE = "predict"


class PredictDock(DockPage):
    """Find the defects in this image."""

    key, title, icon = "predict", "Predict", "predict"
    tip = "Find the defects in this image or all images"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out progress, thresholds and smallest object."""
        self.decoder = decoder_of(self.session)
        self.follower = follower_of(self.session)
        self._kept: Kept | None = None
        self.card = ProgressCard("prediction")
        self.body.addWidget(self.card)
        self.body.addWidget(section("Threshold"))
        self.thresholds = ThresholdRows()
        self.body.addWidget(self.thresholds)
        self._build_smallest()
        self.keep = QCheckBox("Keep what a person has checked")
        name(self.keep, "Keep what a person has checked", "A new prediction goes around them")
        self.keep.setChecked(self.decoder.protect)
        self.body.addWidget(self.keep)
        self.thresholds.valueChanged.connect(self._on_thresholds)
        self.thresholds.settled.connect(self.decoder.settle)
        self.keep.toggled.connect(self.decoder.set_protect)
        events = self.session.events
        for signal, slot in (
            (events.image, self._on_subject),
            (events.model, self._on_subject),
            (events.prediction, self._on_prediction),
            (events.decode, self._show_settings),
            (events.labels, self._show_counts),
            (events.edited, self._show_counts),
            (events.table, self._show_result),
            (self.decoder.changed, self._on_decoder),
        ):
            self.listen(signal, slot)

    def _build_smallest(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.smallest = QDoubleSpinBox()
        self.smallest.setDecimals(2)
        self.smallest.setRange(0, 1e6)
        self.smallest.setKeyboardTracking(False)
        label = text("Smallest object", wrap=False)
        tip = "Diameter below which nothing is counted"
        row.addWidget(named(label, self.smallest, tip=tip))
        row.addWidget(self.smallest, 1)
        self.body.addLayout(row)
        self.note = text("", "second")
        self.body.addWidget(self.note)
        self.smallest.valueChanged.connect(self._on_smallest)

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_subject()
        if self.session.prediction is not None:
            self._on_prediction(self.session.prediction)

    def _on_subject(self, _: Any = None) -> None:
        image, model = self.session.image, self.session.model
        missing = [
            ("First an image…", lambda: self.session.go_to("data")),
            ("Then a model…", lambda: self.session.go_to("model")),
        ]
        if image is None or model is None:
            lacking = (
                missing if image is None and model is None else missing[image is not None :][:1]
            )
            self.show_empty("First an image, then a model.", lacking)
            self.footer.offer("Predict image", "There is no image or no model yet", enabled=False)
            return
        self.show_controls()
        if self.session.prediction is None:
            self.thresholds.show_classes(model.card.classes)
            self.card.clear()
            self.set_mark("")
        self._offer()
        self._show_settings()
        self._show_counts()

    def _offer(self) -> None:
        again = self.session.prediction is not None
        what = _what(self.session.image)
        self.footer.offer(
            "Predict again" if again else f"Predict {what}", f"Find the defects in this {what}"
        )
        self.footer.offer_next("Correct →" if again else "", "Go through the objects")

    def _on_prediction(self, prediction: Any) -> None:
        if prediction is None:
            self._on_subject()
            return
        self.thresholds.show_classes(prediction.classes)
        self._show_settings()
        self._offer()
        self._show_result()

    def _show_settings(self, _: Any = None) -> None:
        settings = self.decoder.settings()
        ready = settings is not None
        self.thresholds.setEnabled(ready)
        self.smallest.setEnabled(ready)
        if settings is None:
            return
        prediction = self.session.prediction
        card = prediction.decode_settings()
        self.thresholds.set_value(settings.thresholds, card.thresholds)
        known, dims = prediction.calibration, prediction.calibration.ndim
        self.smallest.blockSignals(True)
        self.smallest.setSuffix(f" {known.length_unit}")
        self.smallest.setValue(sizes.diameter_of(settings.min_size, known, dims))
        self.smallest.blockSignals(False)
        limit = sizes.RELIABLE * known.steps[-1]
        unit = known.length_unit
        least = f"{limit:.3g} {unit} (7 px)" if known.calibrated else "7 px"
        self.note.setText(f"Below {least} sizes are not reliable.")

    def _show_counts(self, _: Any = None) -> None:
        labels = self.session.labels
        if labels is None:
            self.thresholds.set_counts(None)
            return
        counts = labels.counts()
        self.thresholds.set_counts(
            {item.name: counts.get(item.value, 0) for item in labels.classes}
        )

    def _show_result(self, _: Any = None) -> None:
        prediction, labels = self.session.prediction, self.session.labels
        if prediction is None or self.footer.working:
            return
        stopped = prediction.provenance.settings.get("stopped")
        found = "" if labels is None else words.objects(len(labels.object_classes))
        table = self.session.table
        if labels is not None and table is not None and len(table):
            column = "equivalent_diameter_area"
            if column in table:
                largest = max(table[column])
                found += f" · largest {numbers.with_unit(largest, table.calibration.length_unit)}"
        if stopped:
            done, total = stopped
            self.card.stopped(
                f"{done} of {total} tiles kept", round(100 * done / total), found or " "
            )
        else:
            self.card.done(f"Done in {words.took(prediction.seconds)}", detail=found or " ")
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

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Predict."""
        from napari_defectseg.inference.predict import predict_steps

        image, model = self.session.image, self.session.model
        if image is None or model is None:
            return
        settings = PredictSettings()
        kept = self._kept = Kept(model, image, settings)
        self.messages.take_back("decode")
        self.card.working(Step(0, 0, "Getting ready"), None)

        def done(prediction: Any) -> None:
            if self.session.image is not None and self.session.image.data is image.data:
                self.session.prediction = prediction
            for number, warning in enumerate(prediction.warnings):
                self.messages.say(f"warning{number}", "warning", warning)

        self.run(
            LANE,
            kept.watch(predict_steps(model, image, settings)),
            text=f"Predicting {image.name}",
            on_done=done,
            on_step=self._on_step,
            on_failed=self._on_failed,
            on_stopped=self._on_stopped,
        )

    def _on_step(self, step: Step) -> None:
        job = self.session.jobs.running(LANE)
        left = None if job is None else job.seconds_left
        self.card.working(step, left, "tiles")

    def _on_stopped(self, _: Any) -> None:
        found = None if self._kept is None else self._kept.prediction(0.0)
        if found is None:
            self.card.stopped("Stopped", 0, "Nothing was computed yet.")
        elif self.session.image is not None and self.session.image.data is self._kept.image.data:
            self.session.prediction = found

    def _on_failed(self, error: Exception) -> None:
        self._on_stopped(None)
        self.say_error(LANE, error)

    def go_on(self) -> None:
        """Go on to Correct."""
        self.session.go_to("correct")

    def _on_thresholds(self, values: dict[str, float | None]) -> None:
        settings = self.decoder.settings()
        if settings is not None:
            self.session.decode = replace(settings, thresholds=values)

    def _on_smallest(self, diameter: float) -> None:
        settings, prediction = self.decoder.settings(), self.session.prediction
        if settings is None or prediction is None:
            return
        known = prediction.calibration
        pixels = sizes.pixels_of(diameter, known, known.ndim)
        self.session.decode = replace(settings, min_size=round(pixels, 1))


def _what(image: Any) -> str:
    if image is None or image.frames > 1:
        return "movie" if image is not None else "image"
    return "volume" if "z" in image.axes else "image"

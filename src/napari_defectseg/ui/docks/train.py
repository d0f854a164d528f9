"""The Train dock: a model from a dataset, with the curve while it learns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.plan import TrainingPlan, plan_of
from napari_defectseg.ui import icons, learning, numbers, theme, words
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.plots.curve import Curve
from napari_defectseg.ui.widgets.card import ProgressCard
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.plan_form import PlanForm
from napari_defectseg.ui.widgets.score_card import ScoreCard
from napari_defectseg.ui.widgets.text import ElidedLabel, name, named, text

LANE = "train"
NEW = "new"
HELD = "held"
PAUSE = 600
"""Milliseconds without a change of the plan until its time is measured."""
EMPTY = "Train needs a dataset: pictures with corrected masks, split into sets."


class TrainDock(DockPage):
    """Train a model on a dataset."""

    key, title, icon = "train", "Train", "train"
    tip = "Train a model on a dataset"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out what to train from, the curve and the plan, and tie them to the session."""
        self._stop = Event()
        self._new: Any = None
        self._old: Any = None
        self._epochs = 0
        self._ready = False
        self._forecast: Any = None
        self._ask_soon = QTimer(self, singleShot=True, interval=PAUSE)
        self._ask_soon.timeout.connect(self._measure)
        self.start = QComboBox()
        self.start.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.start.setMinimumWidth(60)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        tip = "A model that knows something similar learns faster and needs fewer images"
        row.addWidget(named(text("Start from", wrap=False), self.start, tip=tip))
        row.addWidget(self.start, 1)
        self.body.addLayout(row)
        self.on = ElidedLabel()
        self.estimate = text("", "second")
        self.body.addWidget(self.on)
        self.body.addWidget(self.estimate)
        self.card = ProgressCard("training")
        self.body.addWidget(self.card)
        self._add_curves()
        self.scores = ScoreCard()
        self.scores.hide()
        self.body.addWidget(self.scores)
        self._add_more()
        self.body.addStretch(1)
        self.start.activated.connect(self._show_plan)
        self.listen(self.session.events.dataset, self._on_dataset)
        self.listen(self.session.events.model, self._on_model)

    def _add_curves(self) -> None:
        self.curve = Curve(bottom="minutes", left="score (Dice)")
        self.curve.set_y_range(0.0, 1.05)
        self.curve.setFixedHeight(150)
        self.progress_words = text("", "second")
        self.body.addWidget(self.curve)
        self.body.addWidget(self.progress_words)

    def _add_more(self) -> None:
        self.more = More("plan, loss, where it is saved", key="train")
        self.loss = Curve(bottom="round", left="loss")
        self.loss.setFixedHeight(120)
        self.out = QLineEdit()
        self.out.setMinimumWidth(60)
        self.browse = QPushButton()
        icons.set_icon(self.browse, "folder", size=14)
        name(self.browse, "Choose a folder…", "Choose where the model is saved")
        self.browse.clicked.connect(self._choose_out)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(self.out, 1)
        row.addWidget(self.browse)
        self.more.column.addWidget(self.loss)
        tip = "The folder of the new model"
        self.more.column.addWidget(named(text("Save as", wrap=False), self.out, tip=tip))
        self.more.column.addLayout(row)
        self.plan_place = QVBoxLayout()
        self.more.column.addLayout(self.plan_place)
        self._set_plan(plan_of("unet"))
        self.body.addWidget(self.more)

    def _set_plan(self, plan: TrainingPlan) -> None:
        while self.plan_place.count():
            old = self.plan_place.takeAt(0).widget()
            old.hide()
            old.deleteLater()
        self.plan_form = PlanForm(plan)
        self.plan_form.valueChanged.connect(self._show_plan)
        self.plan_place.addWidget(self.plan_form)
        self._first_plan = plan

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._fill_start()
        self._on_dataset(self.session.dataset)

    def _on_model(self, _: Any) -> None:
        self._fill_start()

    def _fill_start(self) -> None:
        from napari_defectseg.models.open import shipped_models

        before = self.start.currentData()
        self.start.clear()
        if self.session.model is not None:
            self.start.addItem(self.session.model.card.name, HELD)
        for shipped in shipped_models():
            self.start.addItem(shipped, shipped)
        self.start.addItem("nothing: a new network", NEW)
        place = self.start.findData(before)
        self.start.setCurrentIndex(max(0, place))

    def _on_dataset(self, dataset: Dataset | None) -> None:
        if dataset is None:
            links = (("Open a dataset", lambda: self.session.go_to("dataset")),)
            self.show_empty(EMPTY, links)
            self.footer.offer("Train", "First open or make a dataset", enabled=False)
            return
        self.show_controls()
        self.footer.offer("Train", "The dataset is being read", enabled=False)
        self.run(
            "train look",
            learning.look_steps(dataset),
            on_done=lambda found: self._show_dataset(dataset, *found),
            primary=False,
        )

    def _show_dataset(self, dataset: Dataset, counts: Mapping[str, int], dims: int) -> None:
        if self.session.dataset is not dataset:
            return
        sets = " / ".join(
            numbers.count(counts.get(one, 0)) for one in ("train", "validation", "test")
        )
        self.on.setText(f"on {dataset.name} · {sets} images")
        self.on.setToolTip(f"{dataset.name}: {sets} images to train, to stop by, and to test")
        if self._first_plan.dims != dims:
            self._set_plan(plan_of("unet3d" if dims == 3 else "unet"))
        if not self.out.text():
            self.out.setText(str(learning.free_folder(dataset)))
        ready = all(counts.get(one, 0) for one in ("train", "validation", "test"))
        self._ready = ready
        self._show_plan()
        if ready:
            self.footer.offer("Train", "Train; you can stop and keep the best at any time")
            self.messages.take_back("split")
        else:
            self.footer.offer("Train", "The dataset is not split into three sets", enabled=False)
            self.messages.say(
                "split",
                "warning",
                "The dataset is not split into images to train, to stop by, and to test.",
                (("Split it", lambda: self.session.go_to("dataset")),),
            )

    def _show_plan(self, _: Any = None) -> None:
        self.more.set_changed(self.plan_form.changed_words())
        self._forecast = None
        self._show_estimate()
        self._ask_soon.start()

    def _show_estimate(self) -> None:
        found, rounds = self._forecast, self.plan_form.value.epochs
        if found is None:
            self.estimate.setText(
                f"Up to {words.counted(rounds, 'round')}. Can be stopped: the best is kept."
            )
            return
        least, most = words.about(found.least), words.about(found.most)
        span = f"about {most}" if least == most else f"about {least} to {most}"
        self.estimate.setText(f"{span} on this computer · can be stopped: the best is kept")
        self.estimate.setToolTip(
            f"Measured: {found.step:.2g} s a step on {found.device}. It ends when "
            f"{found.plan.patience} rounds in a row are no better, after {rounds} at the latest."
        )

    def _measure(self) -> None:
        """Try a few steps in the worker, while nothing else is being computed."""
        dataset = self.session.dataset
        if dataset is None or not self._ready or self.session.jobs.running(LANE) is not None:
            return
        plan = self.plan_form.value

        def done(found: Any) -> None:
            if self.plan_form.value == found.plan:
                self._forecast = found
                self._show_estimate()

        self.run(
            "train forecast",
            learning.try_steps(dataset, plan, self._beginning()),
            on_done=done,
            on_failed=self._on_no_forecast,
            primary=False,
        )

    def _on_no_forecast(self, error: Exception) -> None:
        """Say why: what keeps a few steps from being tried would keep the training from it."""
        self.say_error(LANE, error)

    # -- training ------------------------------------------------------------------------

    def act(self) -> None:
        """Train, or use the new model."""
        if self._new is not None:
            self.use_new()
        else:
            self.train()

    def go_on(self) -> None:
        """Keep the model that was there."""
        self.keep_old()

    def train(self) -> None:
        """Start the training in the worker."""
        dataset = self.session.dataset
        if dataset is None:
            return
        try:
            plan = self.plan_form.value
        except DefectSegError as error:
            self.say_error(LANE, error)
            return
        self.session.jobs.stop("train forecast", drop=True)
        self._stop.clear()
        self._epochs = plan.epochs
        self._old = self.session.model
        self.curve.clear_lines()
        self.loss.clear_lines()
        self.progress_words.setText("")
        self.scores.hide()
        self.run(
            LANE,
            learning.fit_steps(
                dataset,
                plan,
                Path(self.out.text()).expanduser(),
                self._beginning(),
                self._stop.is_set,
            ),
            text=f"Training on {dataset.name}",
            on_step=self._on_step,
            on_done=self._on_done,
            on_failed=self._on_failed,
            on_stopped=lambda _: self.card.clear("Stopped", "Nothing was written"),
        )
        self.footer.set_working(False)
        self.footer.set_working(True, "Stop and keep best")

    def _beginning(self) -> Any:
        """Return the model to start from, its name, or None."""
        data = self.start.currentData()
        if data == HELD:
            return self.session.model
        return None if data == NEW else data

    def stop(self) -> None:
        """End the training; what is best so far is written."""
        self._stop.set()
        self.footer.primary.setEnabled(False)
        self.card.detail.setText("Stopping; the best so far is being written …")

    def _on_step(self, step: Step) -> None:
        job = self.session.jobs.running(LANE)
        left = job.seconds_left if job is not None else None
        self.card.working(step, left)
        if step.partial is not None:
            self._show_round(step.partial)

    def _show_round(self, progress: Any) -> None:
        minutes = progress.seconds / 60
        colours = {item.name: item.colour for item in self.session.dataset.classes}
        for class_name, score in progress.scores.items():
            self.curve.append(class_name, minutes, score, colours.get(class_name, ""))
        self.curve.append("mean", minutes, progress.mean_score, width=2.6)
        self.loss.append("training", progress.epoch, progress.train_loss)
        self.loss.append("held out", progress.epoch, progress.validation_loss)
        if progress.best:
            self.curve.mark_best(minutes, progress.mean_score)
            self.progress_words.setText(
                f"Best so far: mean score {numbers.plain(progress.mean_score, 2)} after "
                f"{words.took(progress.seconds)}."
            )

    def _on_done(self, model: Any) -> None:
        self._new = model
        rounds = int(model.card.training.get("epochs", 0))
        best = int(model.card.training.get("best_epoch", 0))
        seconds = float(model.card.training.get("seconds", 0.0))
        self.card.done(
            f"Done in {words.took(seconds)}",
            detail=f"Best of {rounds} rounds: number {best}",
        )
        self.scores.show_scores(model.card, self._old.card if self._old is not None else None)
        self.scores.show()
        self.footer.offer("Use it", "Predict with the new model from now on")
        self.footer.offer_next("Keep old one", "The new model stays on the disk")
        self.set_mark("done")

    def _on_failed(self, error: Exception) -> None:
        self.card.clear("Stopped", "Nothing was written")
        self.footer.primary.setEnabled(True)
        actions = ()
        if "specimen" in str(error):
            actions = (("Split by place", lambda: self.session.go_to("dataset")),)
        self.say_error(LANE, error, actions)

    def use_new(self) -> None:
        """Make the new model current."""
        self.session.model = self._new
        where = self.out.text()
        self._settle()
        self.messages.say(
            "used",
            "info",
            f"{self.session.model.card.name} is in use; it lies in {where}.",
            (("Predict →", lambda: self.session.go_to("predict")),),
        )

    def keep_old(self) -> None:
        """Put the new model aside; it stays on the disk."""
        self.messages.say("used", "info", f"The new model stays in {self.out.text()}.")
        self._settle()

    def _settle(self) -> None:
        self._new = None
        self.footer.offer_next("")
        self.out.setText(str(learning.free_folder(self.session.dataset)))
        self.footer.offer("Train again", "Train; you can stop and keep the best at any time")

    def _choose_out(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of the new model")
        if path:
            self.out.setText(path)

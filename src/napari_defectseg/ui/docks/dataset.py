"""The Dataset dock: pictures with corrected masks, to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.ui import findings, numbers, pairs, theme, words
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.widgets.balance import Balance
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.new_dataset import NewDataset
from napari_defectseg.ui.widgets.save_region import SaveRegion
from napari_defectseg.ui.widgets.side_by_side import SideBySide
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, named, section, text
from napari_defectseg.ui.widgets.thumbnails import Thumbnails, Tile

EMPTY = "A dataset is a folder of pictures and corrected masks."
WARNINGS = 3
"""Warnings that get a strip; more are counted."""
SETS = ("train", "validation", "test")


class DatasetDock(DockPage):
    """Images with corrected masks, to train on."""

    key, title, icon = "dataset", "Dataset", "dataset"
    tip = "Images with corrected masks, to train on"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out pictures and details, and tie them to the session."""
        self._info: Any = None
        self._pairs: dict[str, Any] = {}
        self._pictured: Dataset | None = None
        self.form = NewDataset()
        self.form.asked.connect(self.create)
        self.form.hide()
        self.body.addWidget(self.form, 0, Qt.AlignmentFlag.AlignTop)
        self.parts = SideBySide(((self._build_pictures(), 1, 3), (self._build_details(), 0, 2)))
        self.body.setAlignment(Qt.AlignmentFlag(0))
        self.body.addWidget(self.parts, 1)
        self.listen(self.session.events.dataset, self._on_dataset)
        self.listen(self.session.events.labels, self._on_labels)

    def _build_pictures(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.about = ElidedLabel(role="strong")
        self.counts = ElidedLabel(role="second")
        self.pictures = Thumbnails()
        self.pictures.opened.connect(self.open_pair)
        self.pictures.exclude_asked.connect(self.exclude)
        self.pictures.looked_at.connect(self._show_pair)
        self.pair_words = ElidedLabel(role="second")
        self.open_link = Link("Open in napari", "Show image and mask (Enter)")
        self.exclude_link = Link("Leave out", "It stays on the disk and can be taken back (Delete)")
        self.open_link.clicked.connect(lambda: self.open_pair(self.pictures.current))
        self.exclude_link.clicked.connect(lambda: self.exclude(self.pictures.current))
        links = QHBoxLayout()
        links.setSpacing(theme.SPACE)
        links.addWidget(self.open_link)
        links.addWidget(self.exclude_link)
        links.addStretch(1)
        for widget in (self.about, self.counts):
            column.addWidget(widget)
        column.addWidget(self.pictures, 1)
        column.addWidget(self.pair_words)
        column.addLayout(links)
        return part

    def _build_details(self) -> QWidget:
        self.details = QWidget()
        column = QVBoxLayout(self.details)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addWidget(section("Classes"))
        self.balance = Balance()
        column.addWidget(self.balance)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.by = QComboBox()
        self.by.addItem("specimen", "specimen")
        self.by.addItem("place", "place")
        self.by.setMinimumWidth(60)
        tip = "Specimens never in two sets; or, for one specimen, places with a gap between"
        row.addWidget(named(text("Split by", wrap=False), self.by, tip=tip))
        row.addWidget(self.by, 1)
        self.split_button = QPushButton("Split")
        name(self.split_button, "Split", "Choose which pairs train, stop and test")
        self.split_button.clicked.connect(self.split)
        row.addWidget(self.split_button)
        column.addLayout(row)
        self.sets = ElidedLabel(role="second")
        column.addWidget(self.sets)
        self.check_link = Link(
            "Check", "Copies, places that sets share, shifted masks, changed files, wrong classes"
        )
        self.check_link.clicked.connect(self.check)
        column.addWidget(self.check_link, 0, Qt.AlignmentFlag.AlignLeft)
        self.save = SaveRegion(self.viewer, self.session)
        column.addWidget(self.save)
        self.more = More("folder, licence, other datasets", key="dataset")
        self.folder = ElidedLabel(role="second")
        self.licence = ElidedLabel(role="second")
        self.more.column.addWidget(self.folder)
        self.more.column.addWidget(self.licence)
        for title, act in (("New dataset…", self.show_form), ("Open another…", self.ask_to_open)):
            link = Link(title)
            link.clicked.connect(lambda _=False, act=act: act())
            self.more.column.addWidget(link)
        column.addWidget(self.more)
        column.addStretch(1)
        return self.details

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_dataset(self.session.dataset)

    def _on_labels(self, labels: Any) -> None:
        self.save.setVisible(labels is not None)

    def _on_dataset(self, dataset: Dataset | None) -> None:
        if dataset is None:
            self._show_none()
            return
        self.form.hide()
        self.show_controls()
        self.parts.show()
        self._on_labels(self.session.labels)
        self.save.show_target()
        if not self.footer.primary.text():
            self.footer.offer("Train →", "The dataset is being read", enabled=False)
        self.run(
            "dataset info",
            self._look_steps(dataset),
            on_done=lambda found: self._show(dataset, *found),
            primary=False,
        )

    def _show_none(self) -> None:
        self.show_empty(EMPTY, (("Open…", self.ask_to_open),))
        self.footer.offer("New dataset…", "Make a folder for pictures and masks")
        self.footer.offer_next("")
        self.set_mark("")

    def _look_steps(self, dataset: Dataset) -> Steps[Any]:
        """Read counts and pairs, in the worker's thread."""
        yield Step(0, 1, "Reading the dataset")
        info = dataset.info()
        return info, dataset.pairs()

    def _show(self, dataset: Dataset, info: Any, found: Any) -> None:
        if self.session.dataset is not dataset:
            return
        self._info = info
        self._pairs = {pair.id: pair for pair in found}
        self.about.setText(dataset.name)
        images, specimens = info.pairs, len(info.specimens)
        self.counts.setText(
            f"{words.counted(images, 'image')} · {words.counted(specimens, 'specimen')}"
            + (f" · {numbers.count(info.excluded)} left out" if info.excluded else "")
        )
        self.balance.show_shares(
            dataset.classes, {key: count.share for key, count in info.classes.items()}
        )
        sets = [info.splits.get(name, 0) for name in SETS]
        split = " / ".join(numbers.count(n) for n in sets)
        rest = info.splits.get("not split", 0)
        told = f"train / validation / test: {split}" if any(sets) else "not split yet"
        self.sets.setText(
            told + (f" · {numbers.count(rest)} not split" if rest and any(sets) else "")
        )
        self.folder.setText(str(dataset.path))
        self.licence.setText(f"Licence: {dataset.card.licence or 'not decided yet'}")
        self._show_warnings(info.warnings)
        self._show_pictures(dataset, found)
        self._offer(info, any(sets))

    def _offer(self, info: Any, split: bool) -> None:
        if not info.pairs:
            self.footer.offer("Correct →", "Correct an image and save a region of it here")
        elif not split:
            self.footer.offer("Split", "Choose which pairs train, stop and test")
        else:
            self.footer.offer("Train →", "Train a model on this dataset")
        self.set_mark("done" if info.pairs and split else "")

    def _show_warnings(self, warnings: Any) -> None:
        for topic in self.messages.topics():
            if topic.startswith("warning"):
                self.messages.take_back(topic)
        for place, sentence in enumerate(warnings[:WARNINGS]):
            self.messages.say(f"warning {place}", "warning", sentence)
        left = len(warnings) - WARNINGS
        if left > 0:
            self.messages.say("warning more", "info", f"{left} more things deserve a look.")

    def _show_pictures(self, dataset: Dataset, found: Any) -> None:
        if self._pictured is not dataset:
            self.pictures.forget_pictures()
            self._pictured = dataset
        self.pictures.show_tiles([Tile(pair.id, pair.id, pairs.words_of(pair)) for pair in found])
        self._show_pair(self.pictures.current)
        missing = [self._pairs[key] for key in self.pictures.missing]
        if missing:
            self.run(
                "thumbnails",
                pairs.picture_steps(missing, dataset.classes),
                on_step=self._on_picture,
                on_failed=lambda error: self.say_error("thumbnails", error),
                primary=False,
            )

    def _on_picture(self, step: Step) -> None:
        if step.partial is not None:
            self.pictures.set_picture(*step.partial)

    def _show_pair(self, key: str) -> None:
        pair = self._pairs.get(key)
        self.pair_words.setText(pairs.words_of(pair) if pair is not None else "Choose a picture")
        for link in (self.open_link, self.exclude_link):
            link.setEnabled(pair is not None)

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Do what the primary button says."""
        if self.session.dataset is None and self.form.isVisibleTo(self):
            self.form.ask()
        elif self.session.dataset is None:
            self.show_form()
        elif self._info is None or not self._info.pairs:
            self.session.go_to("correct", "save")
        elif any(self._info.splits.get(one) for one in SETS):
            self.session.go_to("train")
        else:
            self.split()

    def show_place(self, place: str) -> None:
        """Show the form for a new dataset, or ask for one to open."""
        if place == "new":
            self.show_form()
        elif place == "open":
            self.ask_to_open()

    def show_form(self) -> None:
        """Show the form for a new dataset."""
        labels, model = self.session.labels, self.session.model
        known: ClassMap | None = labels.classes if labels is not None else None
        if known is None and model is not None:
            known = model.card.classes
        self.form.suggest(known)
        self.show_controls()
        alone = self.session.dataset is None
        # One button that makes it: the dock's own, unless that has other work.
        self.form.make.setVisible(not alone)
        if alone:
            self.parts.hide()
            self.footer.offer("Make the dataset", "Makes the folder", enabled=True)
        self.form.show()
        self.form.folder.setFocus()

    def create(self, path: Path, classes: ClassMap, licence: str) -> None:
        """Make a dataset and make it current."""
        self._take(lambda: Dataset.create(path, classes, licence=licence), "new dataset")

    def ask_to_open(self) -> None:
        """Ask for the folder of a dataset."""
        path = QFileDialog.getExistingDirectory(self, "Open a dataset")
        if path:
            self.open(path)

    def open(self, path: str | Path) -> None:
        """Open a dataset and make it current."""
        self._take(lambda: Dataset.open(path), "open dataset")

    def _take(self, make: Any, topic: str) -> None:
        self.messages.take_back(topic)
        try:
            dataset = make()
        except DefectSegError as error:
            self.say_error(topic, error)
            return
        self.session.dataset = dataset

    def split(self) -> None:
        """Put the pairs into sets."""
        from napari_defectseg.datasets.split import split

        dataset, by = self.session.dataset, self.by.currentData()
        if dataset is None:
            return

        def steps() -> Steps[Any]:
            yield Step(0, 1, "Splitting")
            return split(dataset, by=by)

        self.run(
            "split",
            steps(),
            on_done=lambda _: self._on_dataset(dataset),
            on_failed=self._on_split_failed,
            primary=False,
        )

    def _on_split_failed(self, error: Exception) -> None:
        actions = ()
        if self.by.currentData() == "specimen":
            actions = (("Split by place", self._split_by_place),)
        self.say_error("split", error, actions)

    def _split_by_place(self) -> None:
        self.by.setCurrentIndex(1)
        self.split()

    def check(self) -> None:
        """Look for what makes scores or training wrong, and say it in strips."""
        from napari_defectseg.datasets.check import check_steps

        if (dataset := self.session.dataset) is not None:
            self.run(
                "check",
                check_steps(dataset),
                on_done=lambda report: (
                    self.session.dataset is dataset
                    and findings.show(self.messages, report, self.pictures.select, self.exclude)
                ),
            )

    def exclude(self, key: str) -> None:
        """Leave a pair out; the message offers to take it back."""
        dataset = self.session.dataset
        if dataset is None or not key:
            return
        try:
            dataset.exclude(key)
        except DefectSegError as error:
            self.say_error("exclude", error)
            return
        self.messages.say(
            "exclude",
            "info",
            f"{key} is left out; it stays on the disk.",
            (("Take it back", lambda: self.include(key)),),
        )
        self._on_dataset(dataset)

    def include(self, key: str) -> None:
        """Take back a pair that was left out."""
        dataset = self.session.dataset
        if dataset is None:
            return
        self.messages.take_back("exclude")
        try:
            dataset.include(key)
        except DefectSegError as error:
            self.say_error("exclude", error)
            return
        self._on_dataset(dataset)

    def open_pair(self, key: str) -> None:
        """Show the image and the objects of a pair."""
        pair = self._pairs.get(key)
        if pair is None:
            return
        self.run("open pair", pairs.open_steps(pair), on_done=self._on_opened, primary=False)

    def _on_opened(self, found: Any) -> None:
        image, labels = found
        self.session.image = image
        self.session.labels = labels

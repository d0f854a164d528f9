"""What of a prediction counts: thresholds, smallest object, and what a person has checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.smallest import SmallestObject
from napari_defectseg.ui.widgets.text import name, section
from napari_defectseg.ui.widgets.threshold_rows import ThresholdRows

if TYPE_CHECKING:
    from napari_defectseg.ui.decoding import Decoder
    from napari_defectseg.ui.session import Session

NOTHING = "There are no scores yet: predict first"
WORKING = "A prediction is running: stop it, or wait"


class WhatCounts(QWidget):
    """Changes the session's `decode`; objects, counts and table follow without a new run.

    Parameters
    ----------
    session : Session
    decoder : Decoder
    """

    def __init__(self, session: Session, decoder: Decoder) -> None:
        super().__init__()
        self._session, self._decoder = session, decoder
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        self.thresholds = ThresholdRows()
        self.smallest = SmallestObject()
        self.keep = QCheckBox("Keep what is checked")
        tip = "A new prediction or threshold goes around what a person has checked"
        name(self.keep, "Keep what is checked", tip)
        self.keep.setChecked(decoder.protect)
        for widget in (section("Threshold"), self.thresholds, self.smallest, self.keep):
            column.addWidget(widget)
        self.thresholds.valueChanged.connect(self._on_thresholds)
        self.thresholds.settled.connect(decoder.settle)
        self.smallest.valueChanged.connect(self._on_smallest)
        self.keep.toggled.connect(decoder.set_protect)

    def show_settings(self, *, working: bool) -> None:
        """Show what holds; while a prediction runs nothing can be changed."""
        settings, prediction = self._decoder.settings(), self._session.prediction
        why = NOTHING if settings is None else WORKING if working else ""
        for widget in (self.thresholds, self.smallest):
            widget.setEnabled(not why)
            widget.setToolTip(why)
        if settings is None or prediction is None:
            model = self._session.model
            if model is not None:
                self.thresholds.show_classes(model.card.classes)
                self.thresholds.set_value(model.card.thresholds, model.card.thresholds)
            self.smallest.clear()
            return
        self.thresholds.show_classes(prediction.classes)
        defaults = prediction.decode_settings().thresholds
        self.thresholds.set_value(settings.thresholds, defaults)
        self.smallest.setValue(settings.min_size, prediction.calibration)
        self.show_counts()

    def show_counts(self) -> None:
        """Show how many objects each class has, and how many are too small."""
        labels = self._session.labels
        if labels is None:
            self.thresholds.set_counts(None)
            return
        counts = labels.counts()
        self.thresholds.set_counts(
            {item.name: counts.get(item.value, 0) for item in labels.classes}
        )
        self.smallest.say(labels.left_out if self._session.prediction is not None else None)

    def _on_thresholds(self, values: dict[str, float | None]) -> None:
        settings = self._decoder.settings()
        if settings is not None:
            self._session.decode = replace(settings, thresholds=values)

    def _on_smallest(self, pixels: float) -> None:
        settings = self._decoder.settings()
        if settings is not None:
            self._session.decode = replace(settings, min_size=pixels)

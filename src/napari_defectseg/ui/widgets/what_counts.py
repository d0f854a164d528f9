"""What of a prediction counts: thresholds, smallest object, and what a person has checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.smallest import SmallestObject
from napari_defectseg.ui.widgets.text import name, section
from napari_defectseg.ui.widgets.threshold_rows import ThresholdRows

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.ui.decoding import Decoder
    from napari_defectseg.ui.session import Session

NOTHING = "There is no model yet"
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
        """Show what holds; while a prediction runs nothing can be changed.

        Before there is a prediction these are the settings that it will be shown with.
        """
        found = self._usual()
        why = NOTHING if found is None else WORKING if working else ""
        for widget in (self.thresholds, self.smallest):
            widget.setEnabled(not why)
            widget.setToolTip(why)
        if found is None:
            self.smallest.clear()
            return
        usual, classes, calibration = found
        settings = self._settings(usual)
        self.thresholds.show_classes(classes)
        self.thresholds.set_value(settings.thresholds, usual.thresholds)
        self.smallest.setValue(settings.min_size, calibration)
        self.show_counts()

    def _usual(self) -> tuple[DecodeSettings, ClassMap, Calibration] | None:
        """Return what the prediction, or else the model, says itself."""
        prediction = self._session.prediction
        model, image = self._session.model, self._session.image
        if prediction is not None:
            return prediction.decode_settings(), prediction.classes, prediction.calibration
        if model is None or image is None:
            return None
        card = model.card
        own = DecodeSettings(dict(card.thresholds), card.min_size)
        return own, card.classes, image.calibration

    def _settings(self, usual: DecodeSettings) -> DecodeSettings:
        """Return what a person chose where it is about these classes, else what is usual."""
        chosen, found = self._session.decode, self._usual()
        if chosen is None or found is None:
            return usual
        return chosen if set(chosen.thresholds) <= set(found[1].names) else usual

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
        found = self._usual()
        if found is not None:
            self._session.decode = replace(self._settings(found[0]), thresholds=values)

    def _on_smallest(self, pixels: float) -> None:
        found = self._usual()
        if found is not None:
            self._session.decode = replace(self._settings(found[0]), min_size=pixels)

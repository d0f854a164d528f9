"""What is seldom asked about a model: grey values, task, scores, origin, all sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSizePolicy, QWidget

from napari_defectseg.ui import evidence, numbers, theme
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, named, section, text

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard

SCALINGS = (
    ("zscore", "mean 0, spread 1"),
    ("percentile", "percentiles 1 and 99"),
    ("minmax", "darkest and brightest"),
    ("divide", "by the largest value"),
    ("none", "as they are"),
)
"""Ways to scale grey values that can be set, and what they are called."""
SCOPES = (("image", "whole image"), ("slice", "each slice"))
TASKS = (("exclusive", "one class a pixel"), ("multilabel", "classes may overlap"))
OWN = "own"


class ModelMore(More):
    """The rest of a card.

    Signals ``asked(field, text)``: a field of the card shall be set, as the command line's
    ``--set field=text``; ``evidence_asked(field)``; ``saving_asked()``; ``exporting_asked()``;
    ``forgetting_asked()``.
    """

    asked = Signal(str, str)
    evidence_asked = Signal(str)
    saving_asked = Signal()
    exporting_asked = Signal()
    forgetting_asked = Signal()

    def __init__(self) -> None:
        super().__init__("grey values, scores, licence, sources", key="model")
        self._add_settings()
        self.column.addWidget(section("Scores"))
        self.scores = text("", "second")
        self.column.addWidget(self.scores)
        self.column.addWidget(section("Licence and citation"))
        self.origin = text("", "second")
        self.column.addWidget(self.origin)
        self.column.addWidget(section("How each field is known"))
        self._add_sources()
        self.save = Link("Save a copy with this card…", "A model folder: weights and card together")
        self.save.clicked.connect(self.saving_asked)
        self.export = Link("Export…", "For other programs: ONNX, bioimage.io package, safetensors")
        self.export.clicked.connect(self.exporting_asked)
        self.forget = Link("Back to the file's own card", "Forget what you said about this model")
        self.forget.clicked.connect(self.forgetting_asked)
        self.column.addWidget(self.save)
        self.column.addWidget(self.export)
        self.column.addWidget(self.forget)

    def _add_settings(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        self.scaling = _box(SCALINGS)
        self.scope = _box(SCOPES)
        self.shading = _box((("", "as trained"), ("invert", "bright and dark exchanged")))
        self.size = QLineEdit()
        self.size.setMinimumWidth(48)
        self.size.setPlaceholderText("0.2-0.6 nm")
        self.task = _box(TASKS)
        rows = (
            ("Grey values", self.scaling, "How grey values are scaled before the network"),
            ("Scaled over", self.scope, "What is measured for that"),
            ("Contrast", self.shading, "Exchange bright and dark: dark field for bright field"),
            ("Pixel size", self.size, "The smallest and largest pixel size it was made for"),
            ("Classes", self.task, "Whether a pixel may belong to several classes"),
        )
        for row, (words, field, tip) in enumerate(rows):
            grid.addWidget(named(text(words, wrap=False), field, tip=tip), row, 0)
            grid.addWidget(field, row, 1)
        for box in (self.scaling, self.scope, self.shading):
            box.activated.connect(self._on_scaling)
        self.size.editingFinished.connect(self._on_size)
        self.task.activated.connect(lambda _: self.asked.emit("task", self.task.currentData()))
        self.column.addLayout(grid)

    def _add_sources(self) -> None:
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        self.fields: dict[str, tuple[ElidedLabel, Link]] = {}
        for row, (field, words) in enumerate(evidence.FIELDS):
            grid.setRowMinimumHeight(row, 22)
            value, source = ElidedLabel(), Link("card")
            source.clicked.connect(lambda _=False, field=field: self.evidence_asked.emit(field))
            grid.addWidget(text(words, "second", wrap=False), row, 0)
            grid.addWidget(value, row, 1)
            grid.addWidget(source, row, 2)
            self.fields[field] = (value, source)
        self.column.addWidget(inside)

    def show_card(self, card: ModelCard) -> None:
        """Show a card; nothing is sent."""
        self._show_scaling(card)
        size = "" if card.pixel_size is None else f"{card.pixel_size[0]:g}-{card.pixel_size[1]:g}"
        self.size.setText(f"{size} {card.pixel_unit}" if size else "")
        self.task.setEnabled(card.out_channels > 1)
        self.task.setCurrentIndex(max(0, self.task.findData(card.task)))
        self.scores.setText(score_lines(card.scores) or "None is stated.")
        parts = [f"Licence: {card.licence or 'not stated'}.", card.citation, *card.quirks]
        self.origin.setText("\n".join(part for part in parts if part))
        for field, words in evidence.FIELDS:
            value, source = self.fields[field]
            value.setText(evidence.described(card, field))
            said = card.sources.get(field, "card")
            source.setText(said + (" ⚠" if field in card.missing else ""))
            name(source, f"{words}: {said}", "How this is known")
        said_by_you = [name for name, source in card.sources.items() if source == "you"]
        self.forget.setVisible(bool(said_by_you))
        known = dict(evidence.FIELDS)
        self.set_changed([known[one].lower() + " by you" for one in said_by_you if one in known])

    def _show_scaling(self, card: ModelCard) -> None:
        steps = [step for step in card.preprocessing if step.kind == "normalise"]
        inverted = any(step.kind == "invert" for step in card.preprocessing)
        self.shading.setCurrentIndex(int(inverted))
        usual = len(steps) <= 1 and all(
            step.low is None and step.high is None and not (step.clip or step.per_channel)
            for step in steps
        )
        own = self.scaling.findData(OWN)
        if usual and own >= 0:
            self.scaling.removeItem(own)
        if not usual and own < 0:
            self.scaling.addItem("as its card says", OWN)
        method = OWN if not usual else steps[0].method if steps else "none"
        self.scaling.setCurrentIndex(self.scaling.findData(method))
        scope = steps[0].scope if steps else "image"
        self.scope.setCurrentIndex(max(0, self.scope.findData(scope)))
        measured = usual and method in ("zscore", "percentile", "minmax")
        self.scope.setEnabled(measured)

    def _on_scaling(self, _: int = 0) -> None:
        method, invert = self.scaling.currentData(), self.shading.currentData()
        if method == OWN:
            self.asked.emit("shading", invert)
            return
        parts = [method if method in ("none", "divide") else f"{method}:{self.scope.currentData()}"]
        self.asked.emit("preprocessing", ",".join([*parts, *([invert] if invert else [])]))

    def _on_size(self) -> None:
        if self.size.isModified() and self.size.text().strip():
            self.size.setModified(False)
            self.asked.emit("pixel_size", self.size.text())


def score_lines(scores: Mapping[str, Any]) -> str:
    """Return the scores of a card, one line a set of images."""
    sets = {"test images": scores} if "classes" in scores else scores
    lines = []
    for what, found in sets.items():
        if not isinstance(found, Mapping) or not isinstance(found.get("classes"), Mapping):
            continue
        count = found.get("images")
        many = f", {count} image{'s' * (count != 1)}" if isinstance(count, int) else ""
        each = [_class_score(name, one) for name, one in found["classes"].items()]
        lines.append(f"{what}{many}: {'; '.join(each)}")
    return "\n".join(lines)


def _class_score(name: str, one: Mapping[str, Any]) -> str:
    said = [("Dice", one.get("dice")), ("objects F1", one.get("object_f1"))]
    known = [f"{words} {numbers.plain(value, 2)}" for words, value in said if value is not None]
    return f"{name} {', '.join(known)}"


def _box(choices: tuple[tuple[str, str], ...]) -> QComboBox:
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(60)
    for value, words in choices:
        box.addItem(words, value)
    return box

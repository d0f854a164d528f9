"""New beside old: what a model reached on images that chose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard


class ScoreCard(Card):
    """One line a class: objects found, false ones, Dice; a class that got worse comes first."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "Scores of the new model")
        self.title = text("", "strong")
        self.column.addWidget(self.title)
        self._body = QWidget()
        self.column.addWidget(self._body)
        self.note = text("", "second")
        self.column.addWidget(self.note)

    def show_scores(self, new: ModelCard, old: ModelCard | None) -> None:
        """Show what a card says it reached.

        Parameters
        ----------
        new : ModelCard
        old : ModelCard or None
            The model before; its scores are shown only where they come from the same dataset.
        """
        found: Mapping[str, Any] = new.scores.get("classes", {})
        before = _comparable(new, old)
        images = int(new.scores.get("images", 0))
        self.title.setText(f"On {images} test image{'' if images == 1 else 's'}, never seen")
        self._rebuild(new, found, before)
        self.note.setText(self._note(new, found, before))
        name(self, f"{self.title.text()}. {self.note.text()}")

    def _rebuild(self, new: ModelCard, found: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        self._body.hide()
        self._body.deleteLater()
        self._body = QWidget()
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        heads = ("Dice", "before") if before else ("Dice", "objects")
        for column, head in enumerate(heads, start=2):
            grid.addWidget(_right(head, "second"), 0, column)
        worse = set(_worse(found, before))
        for row, item in enumerate(sorted(new.classes, key=lambda c: c.name not in worse), start=1):
            scores = found.get(item.name, {})
            other = before.get(item.name, {}).get("dice") if before else scores.get("object_f1")
            grid.addWidget(Swatch(item), row, 0)
            grid.addWidget(ElidedLabel(item.name), row, 1)
            grid.addWidget(_right(numbers.plain(scores.get("dice"), 2)), row, 2)
            grid.addWidget(_right(numbers.plain(other, 2)), row, 3)
        self.column.insertWidget(1, self._body)

    @staticmethod
    def _note(new: ModelCard, found: Mapping[str, Any], before: Mapping[str, Any]) -> str:
        parts = [f"{one} got worse." for one in _worse(found, before)]
        for class_name, scores in found.items():
            recall, precision = scores.get("recall"), scores.get("precision")
            if recall is not None and precision is not None:
                parts.append(
                    f"{class_name}: found {100 * recall:.0f} % of its area, "
                    f"{100 * (1 - precision):.0f} % false."
                )
        warning = new.training.get("warning", "")
        return " ".join([*parts, *([warning[:1].upper() + warning[1:]] if warning else [])])


def _comparable(new: ModelCard, old: ModelCard | None) -> Mapping[str, Any]:
    if old is None:
        return {}
    same = old.training.get("dataset_sha256") == new.training.get("dataset_sha256")
    known: Mapping[str, Any] = old.scores.get("classes", {}) if same else {}
    return known


def _worse(found: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    worse = []
    for class_name, scores in found.items():
        now, then = scores.get("dice"), before.get(class_name, {}).get("dice")
        if now is not None and then is not None and now < then:
            worse.append(class_name)
    return worse


def _right(words: str, role: str = ""):  # type: ignore[no-untyped-def]
    label = text(words, role, wrap=False)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    theme.tabular(label)
    return label

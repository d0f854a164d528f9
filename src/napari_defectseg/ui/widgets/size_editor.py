"""The size of a pixel as fields to type in: one row for the plane, one for the slices."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSizePolicy, QWidget

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.units import LENGTHS, PIXEL, ratio
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import ElidedLabel, named, text

TYPED = "typed by you"
USUAL = "nm"
ALIKE = 1e-9


class SizeEditor(QWidget):
    """Shows a pixel size and lets a person type another; empty means unknown.

    ``typed`` is sent with the new `Calibration`.
    """

    typed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._known = Calibration.uncalibrated(2)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        self.plane, self.plane_unit = self._row(grid, 0, "x, y", "in the plane")
        self.depth, self.depth_unit = self._row(grid, 1, "z", "from slice to slice")
        self._depth_label = grid.itemAtPosition(1, 0).widget()
        self.source = ElidedLabel(role="second")
        grid.addWidget(self.source, 2, 0, 1, 3)
        self.complaint = text("", "strong")
        self.complaint.hide()
        grid.addWidget(self.complaint, 3, 0, 1, 3)

    def show_size(self, known: Calibration) -> None:
        """Show what is known."""
        self._known = known
        unit = known.unit if known.unit != PIXEL else USUAL
        for box in (self.plane_unit, self.depth_unit):
            box.setCurrentText(unit)
        self.plane.setText(_plane_text(known))
        deep = known.ndim == 3
        for widget in (self._depth_label, self.depth, self.depth_unit):
            widget.setVisible(deep)
        self.depth.setText(_text(known.spacing[0]) if deep else "")
        if any(known.spacing):
            self.source.setText(f"from {known.source}" if known.source else "")
        else:
            self.source.setText(f"{known.source or 'the file'} does not say")
        self.complain("")

    def complain(self, sentence: str) -> None:
        """Say why what was typed cannot be; an empty sentence takes it back."""
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence))
        for field in (self.plane, self.depth):
            theme.hook(field, wrong=bool(sentence))

    def begin(self) -> None:
        """Put the cursor where the size is typed."""
        self.plane.setFocus()
        self.plane.selectAll()

    def _row(self, grid: QGridLayout, row: int, words: str, what: str) -> Any:
        field = QLineEdit()
        field.setPlaceholderText("unknown")
        field.setMinimumWidth(48)
        field.editingFinished.connect(self._on_typed)
        unit = QComboBox()
        unit.addItems(list(LENGTHS))
        unit.setCurrentText(USUAL)
        unit.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        unit.activated.connect(self._on_typed)
        label = text(words, wrap=False)
        tip = f"Size of one pixel {what}. Empty: unknown, sizes stay in px"
        grid.addWidget(named(label, field, tip=tip), row, 0)
        grid.addWidget(field, row, 1)
        grid.addWidget(unit, row, 2)
        named(text(f"unit of {words}"), unit, tip=f"Unit of length {what}")
        return field, unit

    def _on_typed(self, _: Any = None) -> None:
        try:
            made = self._made()
        except (CalibrationError, ValueError) as error:
            self.complain(str(error))
            return
        self.complain("")
        if _same(made, self._known):
            return
        self._known = made
        self.typed.emit(made)

    def _made(self) -> Calibration:
        """Return what the fields say."""
        unit = self.plane_unit.currentText()
        plane = _numbers(self.plane.text(), 2)
        spacing: tuple[float | None, ...] = plane
        if self._known.ndim == 3:
            (depth,) = _numbers(self.depth.text(), 1)
            factor = ratio(self.depth_unit.currentText(), unit)
            spacing = (None if depth is None else depth * factor, *plane)
        if not any(value is not None for value in spacing):
            made = Calibration.uncalibrated(self._known.ndim, TYPED)
        else:
            made = Calibration.of(spacing, unit, TYPED)
        return replace(made, frame_time=self._known.frame_time, time_unit=self._known.time_unit)


def _numbers(typed: str, count: int) -> tuple[float | None, ...]:
    """Read ``"0.5"``, ``"0.5 × 0.6"`` (y × x), or nothing."""
    parts = [part for part in re.split(r"[×x*;\s]+", typed.strip()) if part]
    if not parts:
        return (None,) * count
    try:
        values = [float(part.replace(",", ".")) for part in parts]
    except ValueError as error:
        raise CalibrationError(
            f"{typed!r} is not a number.", hint="Write it like 0.486, or y × x: 0.5 × 0.6."
        ) from error
    if len(values) not in (1, count):
        raise CalibrationError(f"{typed!r} holds {len(values)} numbers; {count} are needed.")
    return tuple(values * count if len(values) == 1 else values)


def _plane_text(known: Calibration) -> str:
    y, x = known.spacing[-2:]
    if y is None or x is None:
        return _text(y if x is None else x)
    return _text(x) if abs(y - x) <= ALIKE * max(y, x) else f"{_text(y)} × {_text(x)}"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _same(one: Calibration, other: Calibration) -> bool:
    """Whether they show the same digits; what is shown is rounded, and nobody typed that."""
    return (one.unit == other.unit or not any(one.spacing)) and all(
        _text(a) == _text(b) for a, b in zip(one.spacing, other.spacing, strict=True)
    )

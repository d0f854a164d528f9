"""One row a class: its sign, name, threshold and how many objects it leaves."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QGridLayout, QSlider, QWidget

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

STEPS = 100
HALF = 0.5
NAME_WIDTH = 84
"""Px that a name gets before the slider gets more than it must have."""


class ThresholdRows(QWidget):
    """Thresholds by class; `valueChanged` is sent while a slider moves, `settled` after it."""

    valueChanged = Signal(dict)  # noqa: N815 (Qt's own manner)
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Thresholds")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.SPACE)
        self._grid.setVerticalSpacing(theme.SPACE)
        self._grid.setColumnStretch(1, 3)
        self._grid.setColumnStretch(2, 4)
        self._rows: dict[str, _Row] = {}
        self._classes: ClassMap | None = None

    @property
    def value(self) -> dict[str, float | None]:
        """Threshold by class name; None: the best class wins."""
        return {key: row.value for key, row in self._rows.items()}

    def show_classes(self, classes: ClassMap) -> None:
        """Show the rows of other classes."""
        if classes == self._classes:
            return
        self._classes = classes
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        self._rows = {}
        for place, item in enumerate(classes):
            row = _Row(item)
            row.slider.valueChanged.connect(lambda _: self.valueChanged.emit(self.value))
            row.slider.sliderReleased.connect(self.settled)
            for column, widget in enumerate(row.widgets):
                self._grid.addWidget(widget, place, column)
            self._rows[item.name] = row

    def set_value(
        self, value: Mapping[str, float | None], defaults: Mapping[str, float | None]
    ) -> None:
        """Show thresholds; nothing is sent."""
        for key, row in self._rows.items():
            row.default = defaults.get(key)
            row.set_value(value.get(key))

    def set_counts(self, counts: Mapping[str, int] | None) -> None:
        """Show how many objects each class has; None: not known."""
        for key, row in self._rows.items():
            row.count.setText("" if counts is None else numbers.count(counts.get(key, 0)))

    def slider(self, class_name: str) -> QSlider:
        """Return the slider of a class."""
        return self._rows[class_name].slider


class _Row:
    def __init__(self, item: DefectClass) -> None:
        self.default: float | None = None
        self._best = True
        self.slider = _Slider()
        self.slider.setRange(1, STEPS)
        self.slider.setValue(round(HALF * STEPS))
        name(
            self.slider,
            f"Threshold of {item.name}",
            f"Least probability that is called {item.name}. Double click: the model's own",
        )
        self.slider.valueChanged.connect(self._moved)
        self.slider.double_clicked.connect(self._back)
        self.told = text("", wrap=False)
        self.count = text("", wrap=False)
        for label in (self.told, self.count):
            theme.tabular(label)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.told.setFixedWidth(self.told.fontMetrics().horizontalAdvance("0.00") + 6)
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance("0000"))
        self.widgets = (Swatch(item), _Name(item.name), self.slider, self.told, self.count)
        self._say()

    @property
    def value(self) -> float | None:
        return None if self._best else self.slider.value() / STEPS

    def set_value(self, value: float | None) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round((HALF if value is None else value) * STEPS))
        self.slider.blockSignals(False)
        self._best = value is None
        self._say()

    def _moved(self, _: int) -> None:
        self._best = False
        self._say()

    def _back(self) -> None:
        before = self.slider.value()
        self.set_value(self.default)
        self.slider.valueChanged.disconnect(self._moved)
        self.slider.valueChanged.emit(before)
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.emit()

    def _say(self) -> None:
        self.told.setText("best" if self._best else f"{self.value:.2f}")


class _Name(ElidedLabel):
    """A name that is shown whole up to `NAME_WIDTH`."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.setMinimumWidth(0)

    def minimumSizeHint(self) -> QSize:
        """Need the room of the words in the font that they have now."""
        wanted = self.fontMetrics().horizontalAdvance(self.text()) + 4
        return QSize(min(NAME_WIDTH, wanted), super().minimumSizeHint().height())


class _Slider(QSlider):
    double_clicked = Signal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setMinimumWidth(36)
        self.setMinimumHeight(24)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the default."""
        self.double_clicked.emit()

    def minimumSizeHint(self):
        """Give way: its own minimum is too wide for a narrow dock."""
        hint = super().minimumSizeHint()
        hint.setWidth(36)
        return hint

"""The few fields of a training plan that a person changes."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QSpinBox, QWidget

from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import named, text

FIELDS = (
    ("epochs", "Rounds at most", 1, 1000, "It ends earlier when it no longer gets better"),
    ("steps_per_epoch", "Steps a round", 1, 10000, "Each step learns from one batch of patches"),
    ("patience", "Patience", 1, 1000, "Rounds without a better loss before it ends"),
    ("batch", "Patches a step", 1, 256, "More need more memory"),
    ("seed", "Seed", 0, 2**31 - 1, "The same seed gives the same weights on one machine"),
)


class PlanForm(QWidget):
    """Numbers of a plan; everything else stays as the plan has it."""

    valueChanged = Signal(object)  # noqa: N815

    def __init__(self, plan: TrainingPlan) -> None:
        super().__init__()
        self._plan = plan
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        self._boxes: dict[str, QSpinBox] = {}
        for row, (key, words, low, high, tip) in enumerate(FIELDS):
            box = QSpinBox()
            box.setRange(low, high)
            box.setValue(int(getattr(plan, key)))
            box.valueChanged.connect(lambda _: self.valueChanged.emit(self.value))
            grid.addWidget(named(text(words, wrap=False), box, tip=tip), row, 0)
            grid.addWidget(box, row, 1)
            self._boxes[key] = box

    @property
    def value(self) -> TrainingPlan:
        """The plan as it is set."""
        return self._plan.with_changes(**{key: box.value() for key, box in self._boxes.items()})

    def setValue(self, plan: TrainingPlan) -> None:
        """Show another plan."""
        self._plan = plan
        for key, box in self._boxes.items():
            box.setValue(int(getattr(plan, key)))

    def changed_words(self) -> tuple[str, ...]:
        """Return what differs from the plan, for the line that hides it."""
        return tuple(
            f"{words.lower()} {self._boxes[key].value()}"
            for key, words, *_ in FIELDS
            if self._boxes[key].value() != int(getattr(self._plan, key))
        )

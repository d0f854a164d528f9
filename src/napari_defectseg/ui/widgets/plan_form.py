"""The few fields of a training plan that a person changes."""

from __future__ import annotations

from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.ui.forms import SettingsForm

FIELDS = ("epochs", "steps_per_epoch", "patience", "batch", "seed", "symmetries")


class PlanForm(SettingsForm[TrainingPlan]):
    """Numbers and symmetries of a plan; everything else stays as the plan has it."""

    def __init__(self, plan: TrainingPlan) -> None:
        super().__init__(plan, FIELDS)

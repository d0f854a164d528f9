"""`TrainingPlanContract`: what a training plan must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.model import TorchModel
from napari_defectseg.training.plan import TrainingPlan, plan_of


class TrainingPlanContract:
    """Inherit it and name the `plan`.

    Attributes
    ----------
    plan : callable
        Takes nothing, returns a `TrainingPlan`; as the entry point in the group
        ``napari_defectseg.training_plans`` names it. In a class body write
        ``plan = staticmethod(our_plan)``.
    """

    plan: Callable[[], TrainingPlan]

    def test_it_is_a_plan_and_always_the_same(self) -> None:
        """Called twice it gives equal plans: a name in a recipe means one thing."""
        plan = type(self).plan()
        assert isinstance(plan, TrainingPlan)
        assert plan.name
        assert type(self).plan() == plan

    def test_it_can_be_written_down_and_read_again(self, tmp_path: Path) -> None:
        """As JSON, without a loss."""
        plan = type(self).plan()
        path = tmp_path / "plan.json"
        plan.write(path)
        assert plan_of(str(path)) == plan
        assert TrainingPlan.from_dict(plan.as_dict()) == plan

    def test_its_symmetries_are_those_of_its_dimensions(self) -> None:
        """A plan for planes does not turn along z."""
        plan = type(self).plan()
        assert plan.dims == 3 or "flip_z" not in plan.symmetries

    def test_its_network_takes_its_patches(self) -> None:
        """A patch, at most of the plan's size, goes through the network and comes out whole."""
        import torch

        from napari_defectseg.training.networks import new_card

        plan = type(self).plan()
        names = ["void"] if plan.outputs == "one" else ["void", "loop"]
        card = new_card(plan.name, ClassMap.of(names), 1, plan)
        patch = [min(n, max(card.grid * 2, 32)) for n in plan.patch]
        image = torch.zeros(1, card.in_channels, *patch)
        with torch.inference_mode():
            found = TorchModel.new(card, seed=plan.seed).network()(image)
        assert tuple(found.shape) == (1, card.out_channels, *patch)

"""Optimiser and learning rate of a plan, and the running mean of the weights."""

from __future__ import annotations

import copy
from typing import Any

import torch

from napari_defectseg.training.plan import TrainingPlan


def optimiser_of(network: torch.nn.Module, plan: TrainingPlan) -> torch.optim.Optimizer:
    """Return the optimiser over those weights that learn."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    if plan.optimiser == "adam":
        return torch.optim.Adam(weights, lr=plan.learning_rate)
    return torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=plan.weight_decay)


class Rate:
    """The learning rate from step to step.

    Parameters
    ----------
    optimiser : Optimizer
    plan : TrainingPlan
    """

    def __init__(self, optimiser: torch.optim.Optimizer, plan: TrainingPlan) -> None:
        self.optimiser = optimiser
        self.plan = plan
        self.lowered = 0
        total = plan.epochs * plan.steps_per_epoch
        self._cycle = (
            torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.learning_rate, total)
            if plan.schedule == "one_cycle"
            else None
        )

    def after_step(self) -> None:
        """Go on by one step."""
        if self._cycle is not None:
            self._cycle.step()

    def after_epoch(self, epoch: int) -> None:
        """Go on by one round, `epoch` of them finished."""
        if self.plan.schedule == "milestones" and epoch in self.plan.milestones:
            self._lower()

    def after_plateau(self) -> bool:
        """Lower the rate after rounds without progress; False: it is low enough."""
        if self.plan.schedule != "plateau" or self.lowered >= self.plan.plateaus:
            return False
        self.lowered += 1
        self._lower()
        return True

    def _lower(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] *= self.plan.factor

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on later."""
        cycle = self._cycle.state_dict() if self._cycle else {}
        plain = {key: value for key, value in cycle.items() if not callable(value)}
        return {"lowered": self.lowered, "cycle": {k: v for k, v in plain.items() if k[0] != "_"}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.lowered = int(state["lowered"])
        if self._cycle is not None:
            self._cycle.load_state_dict({**self._cycle.state_dict(), **state["cycle"]})


class Mean:
    """Exponential mean of the weights; buffers are those of the network.

    Parameters
    ----------
    network : Module
    decay : float
        Share of the old mean a step; 0: the mean is the network itself.
    """

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).requires_grad_(False) if decay else network
        self._steps = 0

    @torch.no_grad()
    def update(self, network: torch.nn.Module) -> None:
        """Take in the weights after a step; the first steps count more, so that it settles."""
        if not self.decay:
            return
        self._steps += 1
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        for mean, new in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(new.detach(), 1 - decay)
        for held, now in zip(self.network.buffers(), network.buffers(), strict=True):
            held.copy_(now)

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on later."""
        weights = self.network.state_dict() if self.decay else {}
        return {"steps": self._steps, "weights": weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._steps = int(state["steps"])
        if self.decay:
            self.network.load_state_dict(state["weights"])

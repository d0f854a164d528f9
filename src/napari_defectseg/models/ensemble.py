"""`EnsembleModel`: models for the same classes; their mean, and how far they disagree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.joined import join_models
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import (
    Channels,
    Combine,
    SeveralModels,
    common_fields,
    quirks_of,
)


class EnsembleModel(SeveralModels):
    """Models of one task with the same classes, in any order; the first one's order holds.

    Its probabilities are the mean of theirs. Where they contradict one another is kept as a map
    called disagreement.
    """

    combine = "ensemble"
    format = "ensemble"

    def check(self) -> None:
        """Refuse models with other classes, or of another task, than the first."""
        first = self.models[0].card
        for other in (model.card for model in self.models[1:]):
            if set(other.classes.names) != set(first.classes.names):
                raise ModelError(
                    f"{first.name} finds {', '.join(first.classes.names)} and {other.name} "
                    f"{', '.join(other.classes.names)}: a mean needs the same classes.",
                    hint="Join models for different classes (--combine join), or rename classes "
                    "(classes=…).",
                )
            if other.task != first.task:
                raise ModelError(
                    f"{first.name} has classes of the kind {first.task!r} and {other.name} of the "
                    f"kind {other.task!r}: a mean needs the same kind.",
                    hint="State it in one of them (task=…).",
                )

    def joint_card(self) -> ModelCard:
        """Return the first model's card with what all of them say."""
        cards = [model.card for model in self.models]
        first = cards[0]
        grid = math.lcm(*(card.grid for card in cards))
        halos = [card.halo for card in cards]
        known = [halo for halo in halos if halo is not None]
        return ModelCard.of(
            {
                **common_fields(cards),
                "description": f"The mean of {len(cards)} models for the same classes.",
                "architecture": "ensemble",
                "architecture_settings": {"models": [card.name for card in cards]},
                "task": first.task,
                "activation": "softmax" if first.task == "exclusive" else "sigmoid",
                "has_background": first.has_background,
                "classes": first.classes,
                "thresholds": _thresholds(cards),
                "grid": grid,
                "halo": None if None in halos else -(-max(known) // grid) * grid,
                "quirks": quirks_of(cards),
            },
            "The card of an ensemble",
        )

    def channels(self) -> tuple[Channels, ...]:
        """Return for each model its channels in the order of the first one's classes."""
        first = self.models[0].card
        skipped = int(first.task == "exclusive")
        places = list[Channels]()
        for card in (model.card for model in self.models):
            own = [skipped + card.classes.names.index(name) for name in first.classes.names]
            places.append(([*range(skipped), *own], list(range(first.score_channels))))
        return tuple(places)


def combine_models(models: Sequence[Model], how: Combine = "join") -> Model:
    """Return the models as one; a single one stays itself.

    Parameters
    ----------
    models : sequence of Model
    how : {"join", "ensemble"}
        Join models for different classes, or take the mean of models for the same ones.

    Raises
    ------
    ModelError
        If there is none, they cannot be put together in this way, or there is no such way.
    """
    if how not in ("join", "ensemble"):
        raise ModelError(f"There is no way {how!r} to combine models.", hint="join or ensemble.")
    if not models:
        raise ModelError("No model was named.")
    if how == "ensemble" and len(models) > 1:
        return EnsembleModel(models)
    return join_models(models)


def _thresholds(cards: Sequence[ModelCard]) -> dict[str, float]:
    """Return the mean of the thresholds of a class, where every model states one."""
    return {
        name: fmean(card.thresholds[name] for card in cards)
        for name in cards[0].thresholds
        if all(name in card.thresholds for card in cards)
    }

"""`JoinedModel`: models for different classes, as one model with overlapping classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from napari_defectseg.core.classes import PALETTE, UNLABELLED, ClassMap, DefectClass
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import Channels, SeveralModels, common_fields, quirks_of


class JoinedModel(SeveralModels):
    """Models side by side, no two with a class of one name.

    Every class of every model becomes one of the classes here, and they may overlap; the
    backgrounds of models with exclusive classes are left out.
    """

    combine = "join"
    format = "joined"

    def check(self) -> None:
        """Refuse models that share a class, and more classes than a mask holds."""
        owner: dict[str, str] = {}
        for model in self.models:
            for name in model.card.classes.names:
                if name in owner:
                    raise ModelError(
                        f"{owner[name]} and {model.card.name} both have a class {name!r}, so it "
                        "is not clear which of them is meant.",
                        hint="Give it another name in one of them (classes=…), or take the mean "
                        "of models with the same classes (--combine ensemble).",
                    )
                owner[name] = model.card.name
        if len(owner) >= UNLABELLED:
            raise ModelError(f"{len(owner)} classes in all are too many; a mask holds 254.")

    def joint_card(self) -> ModelCard:
        """Return a multi-label card with the classes of all."""
        cards = [model.card for model in self.models]
        grid = math.lcm(*(card.grid for card in cards))
        halos = [card.halo for card in cards]
        known = [halo for halo in halos if halo is not None]
        return ModelCard.of(
            {
                **common_fields(cards),
                "description": "Several models side by side, each for its own classes.",
                "architecture": "joined",
                "architecture_settings": {"models": [card.name for card in cards]},
                "task": "multilabel",
                "activation": "sigmoid",
                "has_background": False,
                "classes": _joined_classes(cards),
                "thresholds": {n: v for card in cards for n, v in card.thresholds.items()},
                "grid": grid,
                "halo": None if None in halos else -(-max(known) // grid) * grid,
                "quirks": quirks_of(cards),
            },
            "The card of joined models",
        )

    def channels(self) -> tuple[Channels, ...]:
        """Return for each model the channels of its classes, and their places in the joint ones."""
        places, start = list[Channels](), 0
        for model in self.models:
            count = len(model.card.classes)
            first = int(model.card.task == "exclusive")  # its channel 0 is the background
            places.append((list(range(first, first + count)), list(range(start, start + count))))
            start += count
        return tuple(places)


def join_models(models: Sequence[Model]) -> Model:
    """Return the models as one; a single one stays itself.

    Raises
    ------
    ModelError
        If there is none, or they cannot stand side by side.
    """
    return models[0] if len(models) == 1 else JoinedModel(models)


def _joined_classes(cards: list[ModelCard]) -> ClassMap:
    """Return all classes with values 1, 2, …; a colour that is taken gives way to a free one."""
    taken: list[DefectClass] = []
    for card in cards:
        for item in card.classes:
            colour, pattern = item.colour, item.pattern
            used = {other.colour.lower() for other in taken}
            if colour.lower() in used:
                free = [(c, p) for _, c, p in PALETTE if c not in used]
                colour, pattern = free[0] if free else (colour, pattern)
            taken.append(DefectClass(len(taken) + 1, item.name, colour, pattern))
    return ClassMap(tuple(taken), exclusive=False)

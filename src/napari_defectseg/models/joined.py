"""`JoinedModel`: several models that look at one image, as one model with overlapping classes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from napari_defectseg.core.classes import PALETTE, UNLABELLED, ClassMap, DefectClass
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.units import ratio
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel


class JoinedModel:
    """Models side by side: each keeps its network, its preprocessing and its thresholds.

    Every class of every model becomes one of the classes here, and they may overlap; the
    backgrounds of models with exclusive classes are left out.

    Parameters
    ----------
    models : sequence of TorchModel
        Two or more, all for planes or all for volumes, no two with a class of one name.
    card : ModelCard, optional
        Instead of the one made from theirs; classes in the same order.

    Raises
    ------
    ModelError
        If they cannot stand side by side; names them.
    """

    format = "joined"

    def __init__(self, models: Sequence[TorchModel], card: ModelCard | None = None) -> None:
        self.models = tuple(models)
        _check(self.models)
        self.card = card or _joined_card([model.card for model in self.models])

    @property
    def path(self) -> str:
        """Empty: it is more than one file."""
        return ""

    @property
    def files(self) -> tuple[str, ...]:
        """The files of all models, with their folders."""
        return tuple(model.path or model.card.name for model in self.models)

    @property
    def sha256(self) -> str:
        """Hash of the models' hashes, in order."""
        return hashlib.sha256("\n".join(m.sha256 for m in self.models).encode()).hexdigest()

    def with_card(self, card: ModelCard) -> JoinedModel:
        """Return the same models under another card."""
        return JoinedModel(self.models, card)

    def channels(self) -> tuple[tuple[slice, slice], ...]:
        """Return for each model which of its scores are taken, and where they go.

        Returns
        -------
        tuple of (slice, slice)
            Channels of the model's own scores, channels of the joint scores.
        """
        places, start = [], 0
        for model in self.models:
            stop = start + len(model.card.classes)
            first = int(model.card.task == "exclusive")  # its channel 0 is the background
            places.append((slice(first, model.card.score_channels), slice(start, stop)))
            start = stop
        return tuple(places)

    def close(self) -> None:
        """Let go of all networks; they are built again when asked for."""
        for model in self.models:
            model.close()


def join_models(models: Sequence[TorchModel]) -> TorchModel | JoinedModel:
    """Return the models as one; a single one stays itself.

    Raises
    ------
    ModelError
        If there is none, or they cannot stand side by side.
    """
    return models[0] if len(models) == 1 else JoinedModel(models)


def _check(models: tuple[TorchModel, ...]) -> None:
    if len(models) < 2:
        raise ModelError("Two models at least are joined.")
    if len({model.card.dims for model in models}) > 1:
        words = ", ".join(f"{model.card.name} for {model.card.dims}D" for model in models)
        raise ModelError(
            f"These models see different things at once, so they are not joined: {words}."
        )
    owner: dict[str, str] = {}
    for model in models:
        for name in model.card.classes.names:
            if name in owner:
                raise ModelError(
                    f"{owner[name]} and {model.card.name} both have a class {name!r}, so it is "
                    "not clear which of them is meant.",
                    hint="Give it another name in one of them (classes=…).",
                )
            owner[name] = model.card.name
    if len(owner) >= UNLABELLED:
        raise ModelError(f"{len(owner)} classes in all are too many; a mask holds 254.")


def _joined_card(cards: list[ModelCard]) -> ModelCard:
    grid = math.lcm(*(card.grid for card in cards))
    halos = [card.halo for card in cards]
    known = [halo for halo in halos if halo is not None]
    same = all(card.preprocessing == cards[0].preprocessing for card in cards)
    smallest = {card.min_size for card in cards}
    quirks = [f"{card.name}: {quirk}" for card in cards for quirk in card.quirks]
    if len(smallest) > 1:
        quirks.append("The models ask for different smallest objects; the least of them holds.")
    return ModelCard.of(
        {
            "name": " + ".join(card.name for card in cards),
            "description": "Several models side by side; each prepares the image in its own way.",
            "architecture": "joined",
            "architecture_settings": {"models": [card.name for card in cards]},
            "dims": cards[0].dims,
            "in_channels": max(card.in_channels for card in cards),
            "task": "multilabel",
            "activation": "sigmoid",
            "has_background": False,
            "classes": _joined_classes(cards),
            "preprocessing": cards[0].preprocessing if same else (),
            **_pixel_size(cards),
            "thresholds": {n: v for card in cards for n, v in card.thresholds.items()},
            "min_size": min(smallest),
            "symmetries": tuple(
                s for s in cards[0].symmetries if all(s in card.symmetries for card in cards)
            ),
            "grid": grid,
            "halo": None if None in halos else -(-max(known) // grid) * grid,
            "parameters": sum(card.parameters for card in cards),
            "citation": " ".join(dict.fromkeys(card.citation for card in cards if card.citation)),
            "licence": ", ".join(dict.fromkeys(card.licence for card in cards if card.licence)),
            "quirks": tuple(quirks),
            "missing": tuple(dict.fromkeys(name for card in cards for name in card.missing)),
        },
        "The card of joined models",
    )


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


def _pixel_size(cards: list[ModelCard]) -> dict[str, Any]:
    """Return the range that suits all models that name one, nothing where there is none."""
    stated = [card for card in cards if card.pixel_size is not None]
    if not stated:
        return {}
    unit = stated[0].pixel_unit
    low, high = 0.0, math.inf
    for card in stated:
        factor = ratio(card.pixel_unit, unit)
        size = card.pixel_size or (0.0, math.inf)
        low, high = max(low, size[0] * factor), min(high, size[1] * factor)
    return {"pixel_size": (low, high), "pixel_unit": unit} if low <= high else {}

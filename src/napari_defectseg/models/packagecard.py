"""The card of a model in a package: what its description says, over what its weights say."""

from __future__ import annotations

from typing import Any

from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.guess import guess_card, meaning_of
from napari_defectseg.models.rdf import Described
from napari_defectseg.models.states import State


def described_network(
    says: Described, state: State, where: str, notes: tuple[str, ...] = ()
) -> ModelCard:
    """Return the card of weights that fit a network of ours.

    Parameters
    ----------
    says : Described
    state : mapping of str to Tensor
    where : str
        The package.
    notes : tuple of str
        What was noticed, kept as quirks.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    card = guess_card(shapes, where, notes=(*says.quirks, *notes))
    return _described(says, card)


def described_graph(says: Described, card: ModelCard) -> ModelCard:
    """Return the card of a graph.

    Parameters
    ----------
    says : Described
    card : ModelCard
        As the graph alone tells.
    """
    return _described(says, card.replaced(source="file", quirks=(*card.quirks, *says.quirks)))


def _described(says: Described, card: ModelCard) -> ModelCard:
    """Return the card with what the description says, each field with its source."""
    fields = {name: value for name, value in says.fields.items() if name != "activation"}
    inside = card.sources.get("task") == "file"
    stated = card.replaced(source="card", **fields, **_meaning(says, card, inside))
    missing = {*stated.missing, *says.missing}
    if inside or "activation" in says.fields:
        missing -= {"task", "activation"}
    sources: dict[str, Source] = dict(stated.sources)
    if inside:
        sources["task"] = "file"
    if not says.names:
        sources["classes"] = "guess"
        missing |= {"classes"}
    return stated.model_copy(update={"missing": tuple(sorted(missing)), "sources": sources})


def _meaning(says: Described, card: ModelCard, inside: bool) -> dict[str, Any]:
    """Return classes and task: as the description has them, else as the graph itself."""
    outputs = card.out_channels
    if "activation" in says.fields:
        sigmoid = says.fields["activation"] == "sigmoid"
        count = max(1, outputs - (not sigmoid))
        names = says.names or tuple(f"class {i + 1}" for i in range(count))
        return meaning_of(outputs, names, multilabel=sigmoid and outputs > 1) or {}
    if inside and says.names:
        multilabel = card.task == "multilabel"
        found = meaning_of(outputs, says.names, multilabel=multilabel) or {}
        return {**found, "activation": card.activation} if found else {}
    return {}

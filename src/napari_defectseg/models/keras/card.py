"""The card of a network from a file of Keras or TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import ARCHITECTURES, Published, published
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.graphs.graph import INPUT, Graph
from napari_defectseg.models.guess import ASKED, meaning_of
from napari_defectseg.models.keras.known import Found

FROM_FILE = ("dims", "in_channels", "grid", "halo", "parameters")


def card_of(
    found: Found,
    where: str,
    *,
    activation: str = "",
    notes: tuple[str, ...] = (),
    about: Published | None = None,
) -> ModelCard:
    """Return the card: what the file says, what the authors say, and what is guessed.

    Parameters
    ----------
    found : Found
    where : str
        The file.
    activation : str
        That of the last layer; empty: the file does not say.
    notes : tuple of str
        What was noticed while reading, kept as quirks.
    about : Published, optional
        What the authors say, where it is more than their network tells.
    """
    facts = ARCHITECTURES.get(found.architecture).facts(found.settings)
    about = about or published(found.architecture, facts["settings"]) or Published({})
    values: dict[str, Any] = {
        "name": Path(where).name.split(".")[0] or where,
        "architecture": found.architecture,
        "architecture_settings": facts["settings"],
        **{name: facts[name] for name in FROM_FILE},
        **_meaning(int(facts["out_channels"]), activation),
    }
    sources = _sources(activation)
    if _scales_itself(found.graph):
        values["preprocessing"] = ()
        sources["preprocessing"] = "file"
    says = {n: "guess" if n in about.guesses else "card" for n in about.fields}
    kept = {n for n in ("task", "activation", "preprocessing") if sources[n] == "file"}
    sources.update({n: source for n, source in says.items() if n not in kept})
    return ModelCard.of(
        {
            **values,
            **about.fields,
            "quirks": (*notes, *about.fields.get("quirks", ())),
            "sources": sources,
            "missing": tuple(n for n in ASKED if sources.get(n, "guess") == "guess"),
        },
        where,
    )


def _sources(activation: str) -> dict[str, str]:
    """Return where the fields come from that a file of Keras speaks of."""
    stated = activation in ("sigmoid", "softmax")
    return {
        "name": "file",
        "quirks": "file",
        **dict.fromkeys((*FROM_FILE, "architecture", "architecture_settings"), "file"),
        "classes": "guess",
        "has_background": "guess",
        "task": "file" if activation == "sigmoid" else "guess",
        "activation": "file" if stated else "guess",
        "preprocessing": "guess",
    }


def _meaning(outputs: int, activation: str) -> dict[str, Any]:
    """Return classes, task and activation of so many outputs."""
    if activation == "sigmoid" and outputs > 1:
        names = [f"class {i + 1}" for i in range(outputs)]
        return {
            "classes": ClassMap.of(names, exclusive=False),
            "task": "multilabel",
            "activation": "sigmoid",
            "has_background": False,
        }
    count = max(1, outputs - 1)
    names = ["defect"] if count == 1 else [f"class {i + 1}" for i in range(count)]
    return meaning_of(outputs, tuple(names)) or {}


def _scales_itself(graph: Graph) -> bool:
    """Return whether the first thing that the network does is to scale grey values."""
    return any(INPUT in node.inputs and node.op == "rescale" for node in graph.order)

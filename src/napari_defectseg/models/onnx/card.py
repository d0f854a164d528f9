"""The card of a model whose graph is read: what the file says, and what is guessed."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard, Source, card_in
from napari_defectseg.models.guess import ASKED, class_names_in, meaning_of
from napari_defectseg.models.onnx.facts import Facts
from napari_defectseg.models.onnx.reach import Reach, reach_of
from napari_defectseg.models.onnx.structure import NAMES, Graph
from napari_defectseg.models.preprocess import Normalise
from napari_defectseg.models.weights import CARD_KEY

_KEYS = ("labels", "names", "classes", "class_names", "CLASSES")
_LONGEST = 1 << 16
_DEEPEST = 8


def card_of(graph: Graph, facts: Facts, where: str, runtime: str) -> ModelCard:
    """Return the card of a model.

    Parameters
    ----------
    graph : Graph
    facts : Facts
    where : str
        The file.
    runtime : str
        Name of the runtime that computes it, which stands for its architecture.
    """
    reach = reach_of(graph, facts.input.name, facts.output.name, facts.dims)
    kept = _kept(graph, facts)
    fixed = _fixed(facts, reach, graph, runtime)
    if isinstance(kept, ModelCard):
        return _with_file(kept, {**fixed, "grid": kept.grid, "halo": kept.halo}, facts)
    meaning, sources = _meaning(facts, labels_in(graph.metadata))
    steps = _preparation(facts)
    quirks = (*facts.quirks, *meaning.pop("quirks", ()), *([kept] if kept else []))
    values = {
        "name": Path(where).name.split(".")[0] or where,
        **fixed,
        **meaning,
        "preprocessing": steps,
        "quirks": quirks,
    }
    known = dict.fromkeys((*fixed, "name", "quirks"), "file")
    guessed = dict.fromkeys((*facts.guessed, "preprocessing"), "guess")
    sources_ = {**known, **sources, **guessed}
    missing = tuple(n for n in (*ASKED, *facts.guessed) if sources_.get(n, "guess") == "guess")
    return ModelCard.of({**values, "sources": sources_, "missing": missing}, where)


def labels_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of classes among a model's words about itself, if they are there.

    A JSON list, a JSON or Python table from number to name, or names between commas.
    """
    for key in _KEYS:
        names = _names(metadata.get(key, ""))
        if names:
            return names
    return class_names_in(metadata)


def _names(text: str) -> tuple[str, ...]:
    text = text.strip()
    if not text or len(text) > _LONGEST or _depth(text) > _DEEPEST:
        return ()
    value: Any = None
    if text[0] in "[{(":
        try:
            value = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            try:
                value = ast.literal_eval(text)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                return ()
    else:
        value = [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
    if isinstance(value, dict):
        try:
            value = [value[key] for key in sorted(value, key=lambda k: int(k))]
        except (TypeError, ValueError):
            return ()
    fits = isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value)
    return tuple(v.strip() for v in value) if fits else ()


def _depth(text: str) -> int:
    deep = deepest = 0
    for letter in text:
        deep += (letter in "[{(") - (letter in "]})")
        deepest = max(deepest, deep)
    return deepest


def _kept(graph: Graph, facts: Facts) -> ModelCard | str:
    """Return the card that an export of ours left, or what is wrong with it, or nothing."""
    text = graph.metadata.get(CARD_KEY, "")
    if not text:
        return ""
    try:
        card = card_in(text, "It")
    except ModelError as error:
        return f"The card that it carries was left aside: {error.sentence}"
    seen = (facts.dims, facts.in_channels, facts.out_channels)
    says = (card.dims, card.in_channels, card.out_channels)
    if seen != says or (facts.activation and card.activation != "none"):
        return (
            f"The card that it carries speaks of {says[0]}D, {says[1]} channels in and {says[2]} "
            f"out; the file has {seen[0]}D, {seen[1]} and {seen[2]}. It was left aside."
        )
    return card


def _with_file(card: ModelCard, fixed: dict[str, Any], facts: Facts) -> ModelCard:
    """Return the card of an export, with what belongs to the file it lies in."""
    settings = {**fixed["architecture_settings"], "network": card.architecture}
    settings["network_settings"] = dict(card.architecture_settings)
    sources: dict[str, Source] = {**card.sources, "architecture": "file"}
    changed = card.replaced(**{**fixed, "architecture_settings": settings})
    return changed.model_copy(update={"sources": {**sources, "architecture_settings": "file"}})


def _fixed(facts: Facts, reach: Reach, graph: Graph, runtime: str) -> dict[str, Any]:
    tile = _tile(facts, reach)
    halo = reach.halo
    if tile is not None and halo is not None and 2 * halo >= min(tile):
        halo = None
    return {
        "architecture": runtime,
        "architecture_settings": {"type": NAMES[facts.input.dtype], "layout": facts.layout},
        "dims": facts.dims,
        "in_channels": facts.in_channels,
        "grid": reach.grid,
        "halo": halo,
        "tile": tile,
        "parameters": graph.parameters,
    }


def _tile(facts: Facts, reach: Reach) -> tuple[int, ...] | None:
    """Return the only size that it takes; axes that are free get the longest of the others."""
    stated = [n for n in facts.size if isinstance(n, int)]
    if not stated:
        return None
    usual = math.ceil(max(stated) / reach.grid) * reach.grid
    return tuple(n if isinstance(n, int) else usual for n in facts.size)


def _preparation(facts: Facts) -> tuple[Normalise, ...]:
    """Return the usual preparation, or the one for whole numbers 0 … 255."""
    if NAMES[facts.input.dtype].startswith("float"):
        return (Normalise(),)
    full = Normalise(method="minmax", scope="constant", low=0.0, high=1 / 255)
    return Normalise(method="divide"), full


def _meaning(facts: Facts, names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Source]]:
    """Return classes, task and activation, and where they come from."""
    outputs = facts.out_channels
    multilabel = facts.activation == "sigmoid" and outputs > 1
    found = meaning_of(outputs, names, multilabel=multilabel) if names else None
    named = found is not None
    quirks: tuple[str, ...] = ()
    if names and not named:
        quirks = (f"It names {len(names)} classes for {outputs} channels: left aside.",)
    if found is None:
        found = meaning_of(outputs, _unnamed(outputs, multilabel), multilabel=multilabel) or {}
    inside = bool(facts.activation) or facts.labels
    task: Source = "file" if inside else "guess"
    sources: dict[str, Source] = {
        "classes": "file" if named else "guess",
        "task": task,
        "activation": "file" if inside or outputs > 1 else "guess",
        "has_background": "guess",
    }
    if inside:
        found = {**found, "activation": "none"}
    return {**found, "quirks": quirks}, sources


def _unnamed(outputs: int, multilabel: bool) -> tuple[str, ...]:
    count = outputs if multilabel else max(1, outputs - 1)
    return ("defect",) if count == 1 else tuple(f"class {i + 1}" for i in range(count))

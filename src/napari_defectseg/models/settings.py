"""Fields of a card from words that a person typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.units import normalise_length
from napari_defectseg.models.card import ModelCard

_RANGE = re.compile(r"\s*([\d.eE+-]+?)\s*(?:[-–:]|to)\s*([\d.eE+]+)\s*([^\d\s]\S*)\s*")


def with_settings(card: ModelCard, settings: Mapping[str, str]) -> ModelCard:
    """Return the card with fields set as text says, noted as coming from the user.

    Parameters
    ----------
    card : ModelCard
    settings : mapping of str to str
        Field to text: ``classes="void,loop"``, ``thresholds="void=0.4"``,
        ``pixel_size="0.2-0.6 nm"``, ``preprocessing="zscore"`` (or ``percentile``, ``minmax``,
        ``divide``, each with ``:slice`` or ``:image``, and ``,invert``), ``task``,
        ``activation``, ``min_size``, ``name``, ``description``, ``citation``, ``licence``.

    Raises
    ------
    ModelError
        If a field cannot be set, or its text cannot be read.
    """
    values: dict[str, Any] = {}
    for field, text in settings.items():
        if field not in _READERS:
            raise ModelError(
                f"The field {field!r} of a model cannot be set.",
                hint=f"These can: {', '.join(sorted(_READERS))}.",
            )
        values.update(_READERS[field](field, text, card))
    if "task" in values:
        values = _agree(card, values)
    return card.replaced(**values)


def _agree(card: ModelCard, values: dict[str, Any]) -> dict[str, Any]:
    """Let activation, background and overlap of the classes follow the task."""
    task = values["task"]
    classes = values.get("classes", card.classes)
    values["classes"] = ClassMap(classes.classes, exclusive=task != "multilabel")
    if card.activation != "none":
        activation = {"exclusive": "softmax"}.get(task, "sigmoid")
        values.setdefault("activation", activation)
    return values


def _word(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    return {field: text.strip()}


def _number(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    try:
        return {field: float(text)}
    except ValueError as error:
        raise _unreadable(field, text, "a number") from error


def _class_names(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise _unreadable(field, text, "names with commas between them")
    renamed = dict(zip(card.classes.names, names, strict=False))
    thresholds = {renamed[n]: v for n, v in card.thresholds.items() if n in renamed}
    return {"classes": ClassMap.of(names, exclusive=card.classes.exclusive)} | (
        {"thresholds": thresholds} if thresholds else {}
    )


def _thresholds(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise _unreadable(field, text, "void=0.4,loop=0.5") from error
        if not equals:
            raise _unreadable(field, text, "void=0.4,loop=0.5")
    return {field: found}


def _pixel_size(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    found = _RANGE.fullmatch(text)
    known = normalise_length(found[3]) if found else None
    if not found or known is None:
        raise _unreadable(field, text, "0.2-0.6 nm")
    try:
        low, high = float(found[1]) * known[0], float(found[2]) * known[0]
    except ValueError as error:
        raise _unreadable(field, text, "0.2-0.6 nm") from error
    return {"pixel_size": (low, high), "pixel_unit": known[1]}


def _preprocessing(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    if text.lstrip().startswith("["):
        try:
            return {field: tuple(json.loads(text))}
        except json.JSONDecodeError as error:
            raise _unreadable(field, text, "percentile:image") from error
    steps: list[dict[str, Any]] = []
    for part in (p.strip() for p in text.split(",")):
        if part == "invert":
            zscore = any(step.get("method") == "zscore" for step in steps)
            steps.append({"kind": "invert", "about": 0.0 if zscore else 0.5})
        elif part != "none":
            method, _, scope = part.partition(":")
            steps.append({"kind": "normalise", "method": method, "scope": scope or "image"})
    return {field: tuple(steps)}


def _unreadable(field: str, text: str, example: str) -> ModelError:
    return ModelError(f"{field}={text!r} cannot be read.", hint=f"Write it like {example}.")


_READERS: dict[str, Callable[[str, str, ModelCard], dict[str, Any]]] = {
    "name": _word,
    "description": _word,
    "citation": _word,
    "licence": _word,
    "task": _word,
    "activation": _word,
    "min_size": _number,
    "classes": _class_names,
    "thresholds": _thresholds,
    "pixel_size": _pixel_size,
    "preprocessing": _preprocessing,
}

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
from napari_defectseg.models.graphs.code import FIELD, goes_first, said_in, with_replaced
from napari_defectseg.models.guess import BACKGROUND

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
        ``pixel_policy``, ``input_size="128,128"`` (every image is then resized to it, or
        ``none``), ``resize``, ``activation``, ``batch_norm``, ``inverted``, ``min_size``,
        ``slices="3"`` (neighbouring slices as channels), ``symmetries="flip_y,flip_x"``,
        ``name``, ``description``, ``citation``, ``licence``, and
        ``lambda.NAME="divide255"`` for a layer that holds code.

    Raises
    ------
    ModelError
        If a field cannot be set, or its text cannot be read.
    """
    values: dict[str, Any] = {}
    for field, text in settings.items():
        if field.startswith(FIELD):
            values.update(_replaced_code(card, field, text, values))
            continue
        if field not in _READERS:
            raise ModelError(
                f"The field {field!r} of a model cannot be set.",
                hint=f"These can: {', '.join(sorted((*_READERS, 'architecture')))}.",
            )
        values.update(_READERS[field](field, text, card))
    followed = _meaning(card, values) if {"classes", "task"} & set(values) else {}
    changed = card.replaced(**{**followed, **values})
    # What merely follows is not what the person said.
    sources = {**changed.sources, **{n: card.sources[n] for n in followed if n not in values}}
    return changed.model_copy(update={"sources": sources})


def spoken(card: ModelCard) -> dict[str, str]:
    """Return the fields of a card that a person set, as `with_settings` takes them."""
    said = [field for field, source in card.sources.items() if source == "you"]
    found: dict[str, str] = said_in(card.architecture_settings)
    for field in said:
        value = getattr(card, field)
        if field == "classes":
            found[field] = ",".join(card.classes.names)
        elif field == "pixel_size" and value is not None:
            found[field] = f"{value[0]:g}-{value[1]:g} {card.pixel_unit}"
        elif field == "preprocessing":
            found[field] = json.dumps([step.model_dump(mode="json") for step in value])
        elif field == "thresholds" and value:
            found[field] = ",".join(f"{name}={one:g}" for name, one in value.items())
        elif field == "symmetries":
            found[field] = ",".join(value)
        elif field == "input_size":
            found[field] = "none" if value is None else ",".join(map(str, value))
        elif field in _PLAIN and not (field == "batch_norm" and value == "calibrated"):
            found[field] = "yes" if value is True else "no" if value is False else str(value)
    return found


def _meaning(card: ModelCard, values: dict[str, Any]) -> dict[str, Any]:
    """Return what follows from the names of classes and the task that a person gave.

    ``values["classes"]`` becomes a `ClassMap` here; a leading name for the background is
    taken off.
    """
    outputs = card.out_channels
    names: tuple[str, ...] = values.get("classes") or card.classes.names
    if "classes" in values and len(names) == outputs > 1 and names[0].lower() in BACKGROUND:
        names = names[1:]
    kept = card.task if card.task == "multilabel" and len(names) == outputs else ""
    task = values.get("task") or kept or ("binary" if outputs == 1 else "exclusive")
    counts = _counts(task, outputs)
    if "classes" not in values and counts and len(names) not in counts:
        names = tuple(f"class {i + 1}" for i in range(counts[0]))
    if len(names) not in counts:
        raise _wrong_number(card, names, task)
    classes = ClassMap.of(list(names), exclusive=task != "multilabel")
    values.update({"classes": classes} if "classes" in values else {})
    background = task == "exclusive" and len(names) == outputs - 1
    activation = "softmax" if task == "exclusive" else "sigmoid"
    return {
        "classes": classes if names != card.classes.names else _kept(card, task),
        "task": task,
        "has_background": background,
        "activation": "none" if card.activation == "none" else activation,
        "thresholds": _renamed(card, classes),
    }


def _counts(task: str, outputs: int) -> tuple[int, ...]:
    """Return how many classes a network with so many outputs can have, the usual number first."""
    if task == "binary":
        return (1,) if outputs == 1 else ()
    if task == "exclusive":
        return (outputs - 1, outputs) if outputs > 1 else (1,)
    return (outputs,)


def _kept(card: ModelCard, task: str) -> ClassMap:
    return ClassMap(card.classes.classes, exclusive=task != "multilabel")


def _renamed(card: ModelCard, classes: ClassMap) -> dict[str, float]:
    """Return the thresholds under the new names, none where the number of classes changed."""
    if len(classes) != len(card.classes):
        return {}
    names = dict(zip(card.classes.names, classes.names, strict=True))
    return {names[name]: value for name, value in card.thresholds.items()}


def _wrong_number(card: ModelCard, names: tuple[str, ...], task: str) -> ModelError:
    outputs = card.out_channels
    if task == "binary" and outputs > 1:
        return ModelError(
            f"{card.name} has {outputs} outputs; task 'binary' goes with one.",
            hint="Use exclusive or multilabel.",
        )
    usual, *others = _counts(task, outputs)
    more = f", or {others[0]} where none of them is the background" if others else ""
    return ModelError(
        f"{card.name} has {outputs} outputs; {len(names)} class names were given "
        f"({', '.join(names)}).",
        hint=f"Give {usual}{more}.",
    )


def _replaced_code(
    card: ModelCard, field: str, text: str, so_far: dict[str, Any]
) -> dict[str, Any]:
    """Return the network with a Lambda replaced; one that scales the image prepares it, too."""
    settings = so_far.get("architecture_settings", card.architecture_settings)
    changed = {"architecture_settings": with_replaced(settings, field, text)}
    first = goes_first(settings, field) and card.sources["preprocessing"] == "guess"
    return {**changed, "preprocessing": ()} if first and text.strip() != "nothing" else changed


def _word(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    return {field: text.strip()}


def _number(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    try:
        return {field: float(text)}
    except ValueError as error:
        raise _unreadable(field, text, "a number") from error


def _count(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    if not text.strip().isdigit():
        raise _unreadable(field, text, "3")
    return {field: int(text)}


def _symmetries(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    named = tuple(name.strip() for name in text.split(",") if name.strip())
    return {field: () if named == ("none",) else named}


def _class_names(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise _unreadable(field, text, "names with commas between them")
    return {field: names}


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


def _yes(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.strip().lower() not in words:
        raise _unreadable(field, text, "yes")
    return {field: words[text.strip().lower()]}


def _input_size(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    if text.strip() == "none":
        return {"input_size": None, "resize": "never"}
    try:
        lengths = tuple(int(part) for part in text.replace("×", ",").replace("x", ",").split(","))
    except ValueError as error:
        raise _unreadable(field, text, "128,128, or none") from error
    lengths = lengths * (card.dims if len(lengths) == 1 else 1)
    return {"input_size": lengths, "resize": "always"}


def _batch_norm(field: str, text: str, card: ModelCard) -> dict[str, Any]:
    wanted = text.strip()
    if wanted == "calibrated" and card.batch_norm != "calibrated":
        raise ModelError(
            f"batch_norm={wanted!r} cannot be set: {card.name} is not calibrated on an image yet.",
            hint="Calibrate it: defectseg open MODEL --calibrate IMAGE --out FOLDER.",
        )
    if wanted == "moving" and card.batch_norm == "calibrated":
        raise ModelError(
            f"{card.name} holds the statistics of the image it was calibrated on instead of the "
            "moving averages of its training.",
            hint="Open the model that it was made from.",
        )
    if wanted not in ("image", "moving", "calibrated"):
        raise _unreadable(field, text, "image, moving, or calibrated")
    return {field: wanted}


_PLAIN = ("architecture", "name", "description", "citation", "licence", "task", "activation",
          "batch_norm", "inverted", "min_size", "pixel_policy", "resize", "slices")  # fmt: skip
"""Fields that are said as they are."""

_READERS: dict[str, Callable[[str, str, ModelCard], dict[str, Any]]] = {
    "name": _word,
    "description": _word,
    "citation": _word,
    "licence": _word,
    "task": _word,
    "activation": _word,
    "batch_norm": _batch_norm,
    "pixel_policy": _word,
    "input_size": _input_size,
    "resize": _word,
    "inverted": _yes,
    "min_size": _number,
    "slices": _count,
    "symmetries": _symmetries,
    "classes": _class_names,
    "thresholds": _thresholds,
    "pixel_size": _pixel_size,
    "preprocessing": _preprocessing,
}

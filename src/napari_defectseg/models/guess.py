"""The card of a bare weight file: what its tensors say, what it states, and what is guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ClassError, ModelError
from napari_defectseg.models.architecture import ARCHITECTURES, Published, Shapes, published
from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.recognise import Recognised, recognise, unknown

ASKED = ("classes", "task", "preprocessing", "pixel_size")
"""Fields that no weight file tells for certain."""
BACKGROUND = ("background", "bg", "matrix")
"""First names of a list of classes that mean: none of them."""
DOUBT = "Its tensors fit "
"""How the sentence begins that asks which of several networks it is."""
_KEYS = ("class_names", "classes", "CLASSES", "labels")
_INSIDE = ("", "meta", "hyper_parameters", "hparams", "config")


def guess_card(
    shapes: Shapes,
    where: str,
    *,
    stated: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    chain: dict[str, Any] | None = None,
    classes: tuple[str, ...] = (),
) -> ModelCard:
    """Return the card of a weight file without one.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Its tensors.
    where : str
        The file.
    stated : tuple of str
        Names of classes that the file states.
    notes : tuple of str
        What was noticed while reading, kept as quirks.
    chain : dict, optional
        The layers, where the file holds them; they count more than names of tensors.
    classes : tuple of str
        Classes of objects that the file holds.

    Returns
    -------
    ModelCard
        ``sources`` says of every field whether the file or a guess gave it, ``missing`` names
        the guesses that a person should confirm.

    Raises
    ------
    ModelError
        If the tensors fit no network; says what was seen and what comes nearest.
    """
    known = _chained(chain) or recognise(shapes)
    if known is None:
        raise unknown(shapes, where, stated=stated, classes=classes)
    facts = ARCHITECTURES.get(known.architecture).facts(known.settings)
    about = published(known.architecture, facts["settings"]) or Published({})
    meaning, sources = _meaning(int(facts["out_channels"]), stated, about)
    doubt = _doubt(known)
    from_file = ("architecture", "dims", "in_channels", "grid", "halo", "parameters")
    sources.update(dict.fromkeys((*from_file, "architecture_settings"), "file"))
    sources |= {"architecture": "guess"} if doubt else {}
    return ModelCard.of(
        {
            "name": Path(where).name.split(".")[0] or where,
            "architecture": known.architecture,
            "architecture_settings": facts["settings"],
            **{name: facts[name] for name in from_file if name != "architecture"},
            **meaning,
            "quirks": (*doubt, *notes, *meaning.get("quirks", ())),
            "sources": {"name": "file", "quirks": "file", **sources},
            "missing": tuple(
                n for n in ("architecture", *ASKED) if sources.get(n, "guess") == "guess"
            ),
        },
        where,
    )


def _chained(chain: dict[str, Any] | None) -> Recognised | None:
    """Return the chain as a network, None where it makes no map as large as the image."""
    if chain is None:
        return None
    try:
        ARCHITECTURES.get("torch_layers").facts(chain)
    except ModelError:
        return None
    return Recognised("torch_layers", chain)


def _doubt(known: Recognised) -> tuple[str, ...]:
    """Return the sentence that asks which of several networks it is, nothing where it is clear."""
    if not known.others:
        return ()
    others = " or ".join(repr(name) for name in known.others)
    choice = f"architecture={known.others[0]}"
    return (
        (
            f"{DOUBT}{known.architecture!r} and {others} alike; {known.architecture!r} was "
            f"taken. If the result makes no sense, choose the other: {choice}."
        ),
    )


def with_architecture(card: ModelCard, name: str, shapes: Shapes) -> ModelCard:
    """Return the card with another network that has exactly these tensors.

    Raises
    ------
    ModelError
        If that network has others.
    """
    name = name.strip()
    settings = ARCHITECTURES.get(name).recognise(shapes) if name in ARCHITECTURES.names() else None
    quirks = tuple(q for q in card.quirks if not q.startswith(DOUBT))
    sure = card.replaced(source=card.sources["quirks"], quirks=quirks)
    if name == card.architecture:
        return sure.replaced(architecture=name)
    if settings is None:
        fitting = [n for n, a in ARCHITECTURES.items() if a.recognise(shapes) is not None]
        words = ", ".join(fitting) or "none but that of its card"
        raise ModelError(
            f"The weights of {card.name} are not those of the network {name!r}.",
            hint=f"Networks with exactly these tensors: {words}.",
        )
    facts = ARCHITECTURES.get(name).facts(settings)
    kept = ("dims", "in_channels", "grid", "halo", "parameters")
    return sure.replaced(
        architecture=name,
        architecture_settings=facts["settings"],
        **{field: facts[field] for field in kept},
    )


def class_names_in(values: Any) -> tuple[str, ...]:
    """Return names of classes that a checkpoint or the header of a file states, if it does.

    Parameters
    ----------
    values : object
        A mapping, perhaps with ``meta`` or ``hyper_parameters`` inside; lists may be JSON text.
    """
    if not isinstance(values, Mapping):
        return ()
    for inside in _INSIDE:
        part = values.get(inside) if inside else values
        if isinstance(part, Mapping):
            for key in _KEYS:
                names = _names(part.get(key))
                if names:
                    return names
    return ()


def meaning_of(
    outputs: int, names: tuple[str, ...], *, multilabel: bool = False
) -> dict[str, Any] | None:
    """Return classes, task and background of a network, None if the names do not fit.

    One output is one class or not (sigmoid); several are exclusive classes (softmax), the
    first one the background unless every output has a name of its own. With `multilabel`
    every output is a class and they may overlap.
    """
    if not multilabel and len(names) == outputs > 1 and names[0].lower() in BACKGROUND:
        names = names[1:]
    if len(names) not in ((outputs,) if multilabel else (outputs, max(1, outputs - 1))):
        return None
    try:
        classes = ClassMap.of(list(names), exclusive=not multilabel)
    except ClassError:
        return None
    one = outputs == 1 and not multilabel
    return {
        "classes": classes,
        "task": "multilabel" if multilabel else "binary" if one else "exclusive",
        "activation": "sigmoid" if one or multilabel else "softmax",
        "has_background": outputs > len(names),
    }


def _meaning(
    outputs: int, stated: tuple[str, ...], about: Published
) -> tuple[dict[str, Any], dict[str, Source]]:
    """Return fields of the card and their sources: the file's words, the authors', a guess."""
    says: dict[str, Source] = {n: "guess" if n in about.guesses else "card" for n in about.fields}
    multilabel = about.fields.get("task") == "multilabel"
    guessed: dict[str, Source] = dict.fromkeys(("task", "activation", "has_background"), "guess")
    found = meaning_of(outputs, stated, multilabel=multilabel)
    if found is not None:  # names in the file count more than those of the authors
        agreed = {n: says[n] for n in guessed if n in says and about.fields[n] == found[n]}
        return {**about.fields, **found}, {**says, "classes": "file", **guessed, **agreed}
    count = max(1, outputs - 1 + multilabel)
    names = ("defect",) if count == 1 else tuple(f"class {i + 1}" for i in range(count))
    unnamed = meaning_of(outputs, names, multilabel=multilabel) or {}
    return {**unnamed, **about.fields}, {"classes": "guess", **guessed, **says}


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            return ()
    if isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value):
        return tuple(v.strip() for v in value)
    return ()

"""What a person chose lately, and said about models: a small file each in their state folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import DefectSegError, ModelError
from napari_defectseg.models.open import lasting_path, shipped_models
from napari_defectseg.ui.preferences import state_folder

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model

RECENT, ANSWERS, TOLD = "recent-models.json", "answers.json", "told.json"
PROGRAMS, CODE = "programs.json", "code.json"
MOST_RECENT, MOST_ANSWERS = 6, 200
KEPT = ("classes", "task", "activation", "has_background", "preprocessing", "pixel_size",
        "pixel_unit", "pixel_policy", "input_size", "resize", "batch_norm", "inverted",
        "thresholds", "architecture", "architecture_settings", "grid", "halo")  # fmt: skip
"""Fields of a card that a person's answer may touch."""


def recent_models() -> tuple[str, ...]:
    """Return the paths of the models that were opened last, newest first, as far as they exist."""
    known = _read(RECENT).get("paths", [])
    return tuple(path for path in known if isinstance(path, str) and Path(path).exists())


def remember_model(path: str) -> None:
    """Put a model at the top of the recent ones."""
    others = [known for known in recent_models() if known != path]
    _write(RECENT, {"paths": [path, *others][:MOST_RECENT]})


def first_time(what: str) -> bool:
    """Return whether something is told for the first time; from now on it is not."""
    known = _read(TOLD)
    _write(TOLD, {**known, what: True})
    return what not in known


def with_answers(model: Model) -> Model:
    """Return the model with what a person has said about its weights before.

    Reads a file; answers that do not fit its card any more are left out.
    """
    said = _read(ANSWERS).get(model.sha256)
    if not isinstance(said, dict) or "card" in said:
        return model
    card = model.card
    try:
        answered = type(card).from_dict({**card.as_dict(), **said.get("fields", {})})
    except (ModelError, TypeError):
        return model
    named = {name: "you" for name in said.get("said", ()) if name in card.sources}
    missing = tuple(name for name in card.missing if name not in named)
    return model.with_card(
        answered.model_copy(update={"sources": {**card.sources, **named}, "missing": missing})
    )


def open_answered(where: str) -> Model:
    """Open a model with all that a person has said about it before.

    Raises
    ------
    HoldsCode
        If a layer of it is code about which nothing was said yet.
    ModelError
        If it cannot be opened.
    """
    from napari_defectseg.models.graphs.code import HoldsCode
    from napari_defectseg.models.open import open_model

    try:
        return with_answers(open_model(where))
    except HoldsCode as error:
        said = said_about_code(error.sha256)
        if not {layer.field for layer in error.layers} <= said.keys():
            raise
        return with_answers(open_model(where, settings=said))


def said_about_code(sha256: str) -> dict[str, str]:
    """Return what a person said that layers of code do, as ``--set field=value``."""
    said = _read(CODE).get(sha256)
    return said if isinstance(said, dict) else {}


def remember_code(sha256: str, field: str, word: str) -> None:
    """Keep what a person said that a layer of code does."""
    known = _read(CODE)
    said = {**said_about_code(sha256), field: word}
    known.pop(sha256, None)
    _write(CODE, dict(list({**known, sha256: said}.items())[-MOST_ANSWERS:]))


def _forget_code(sha256: str) -> None:
    known = _read(CODE)
    if known.pop(sha256, None) is not None:
        _write(CODE, known)


def remember_answers(model: Model) -> str:
    """Keep what a person said about a model, for the next time its weights are opened.

    A model folder of ours gets it into its card; anything else is remembered by the hash of its
    weights. What the card said before is kept.

    Returns
    -------
    str
        The card that was written, empty where it is kept on this computer alone.
    """
    card, known = model.card, _read(ANSWERS)
    place = _own_card(model)
    if place is not None:
        try:
            first = known.get(model.sha256, {}).get("card") or place.read_text(encoding="utf-8")
            card.write(place)
        except (OSError, DefectSegError):
            pass  # read-only: kept on this computer, as for any other file
        else:
            known.pop(model.sha256, None)
            known[model.sha256] = {"card": first}
            _write(ANSWERS, dict(list(known.items())[-MOST_ANSWERS:]))
            return str(place)
    said = [name for name, source in card.sources.items() if source == "you" and name in KEPT]
    known.pop(model.sha256, None)
    if said:
        values = card.as_dict()
        fields = {name: values[name] for name in KEPT}
        known[model.sha256] = {"said": said, "fields": fields}
    _write(ANSWERS, dict(list(known.items())[-MOST_ANSWERS:]))
    return ""


def forget_answers(model: Model) -> None:
    """Forget what was said about a model; a card that was written gets its old words back.

    Raises
    ------
    NotSaved
        If that card cannot be written.
    """
    _forget_code(model.sha256)
    known = _read(ANSWERS)
    said = known.pop(model.sha256, None)
    if said is None:
        return
    place = _own_card(model)
    if "card" in said and place is not None:
        write_text(place, said["card"])
    _write(ANSWERS, known)


def can_forget(model: Model) -> bool:
    """Return whether there is something that `forget_answers` would take back."""
    return model.sha256 in _read(ANSWERS) or bool(said_about_code(model.sha256))


def _own_card(model: Model) -> Path | None:
    """Return the card inside a model folder that belongs to whoever is here."""
    if not model.path or lasting_path(model) in shipped_models():
        return None
    place = Path(model.path) / "card.json"
    return place if place.is_file() and os.access(place, os.W_OK) else None


def weights_only(sha256: str) -> bool:
    """Return whether a person chose to take the weights of a program alone."""
    return sha256 in _read(PROGRAMS).get("weights_only", [])


def remember_weights_only(sha256: str) -> None:
    """Keep that the weights of a program are taken alone, so that it is not asked again."""
    known = [one for one in _read(PROGRAMS).get("weights_only", []) if one != sha256]
    _write(PROGRAMS, {"weights_only": [*known, sha256][-MOST_ANSWERS:]})


def _file(name: str) -> Path:
    return state_folder() / name


def _read(name: str) -> dict[str, Any]:
    try:
        found = json.loads(_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(name: str, values: Mapping[str, Any]) -> None:
    """Write as far as that is possible: what is lost is a convenience."""
    place = _file(name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_text(place, json.dumps(values, indent=1))
    except (OSError, DefectSegError):
        return

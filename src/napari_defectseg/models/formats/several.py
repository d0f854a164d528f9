"""Several models in one folder: ``card.json`` names each of them, with its hash."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import LARGEST_CARD, ModelCard
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.format import Match
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import Model
from napari_defectseg.models.save import CARD
from napari_defectseg.models.several import SeveralModels

WAYS: dict[str, type[SeveralModels]] = {"joined": JoinedModel, "ensemble": EnsembleModel}
"""Word of the card for the architecture, and what it is opened as."""
MOST_MODELS = 64


def recognise(path: Path) -> Match:
    """Say whether `path` is a folder whose card names several models."""
    card = path / CARD
    if not path.is_dir() or not card.is_file() or card.stat().st_size > LARGEST_CARD:
        return Match(False, f"it is no folder with a {CARD} of several models")
    try:
        values = json.loads(card.read_text(encoding="utf-8"))
        way = str(values.get("architecture"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return Match(False, f"its {CARD} cannot be read")
    return Match(True) if way in WAYS else Match(False, f"its {CARD} is that of one model")


def open(path: Path, card: ModelCard | None) -> SeveralModels:  # noqa: A001 - the protocol's word
    """Return the models in a folder as one; each is opened as if it were alone.

    Raises
    ------
    ModelError
        If the card, or one of the models, is missing, broken, or another than it names.
    """
    card = card or ModelCard.read(path / CARD)
    members = card.architecture_settings.get("members")
    if not isinstance(members, list) or not 2 <= len(members) <= MOST_MODELS:
        raise ModelError(f"{path / CARD} does not name the models that {path.name} consists of.")
    models = [_member(path, one) for one in members]
    files = tuple(f"{one['path']}/{name}" for one, m in zip(members, models, strict=True)
                  for name in m.files)  # fmt: skip
    found = WAYS[card.architecture](models, card, path=str(path), files=(CARD, *files))
    if found.joint_card().score_channels != card.score_channels:
        raise ModelError(
            f"{path / CARD} names {len(card.classes)} classes; its models have "
            f"{len(found.joint_card().classes)}."
        )
    return found


def _member(folder: Path, stated: Any) -> Model:
    """Open one of the models; only what lies inside the folder is looked at."""
    from napari_defectseg.models.open import open_model

    where = stated.get("path") if isinstance(stated, dict) else None
    if not isinstance(where, str) or not where:
        raise ModelError(f"{folder / CARD} names a model without saying where it lies.")
    inside = PurePosixPath(where)
    if inside.is_absolute() or ".." in inside.parts or "\\" in where or ":" in where:
        raise ModelError(
            f"{folder / CARD} names a model outside its folder: {where}.",
            hint="Put the models into the folder itself.",
        )
    place = folder / inside
    if not place.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"{place} is a link that leads out of its folder.")
    if recognise(place).fits:
        raise ModelError(f"{place} is several models itself; name them one by one.")
    model = open_model(place)
    wanted = stated.get("sha256")
    if wanted and wanted != model.sha256:
        raise ModelError(
            f"{folder / inside} holds other weights than {folder / CARD} was written for.",
            hint="Bring the old ones back, or put the models together again.",
        )
    return model

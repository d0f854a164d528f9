"""A card beside a weight file: ``weights.pth.card.json`` says what ``weights.pth`` means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import LARGEST_CARD, ModelCard
from napari_defectseg.models.model import Model

SUFFIX = ".card.json"
WEIGHTS_KEY = "weights_sha256"


@dataclass(frozen=True)
class CardBeside:
    """A card, and the hash of the weights that it was written for.

    Parameters
    ----------
    path : Path
    card : ModelCard
    sha256 : str
        Empty: it does not say.
    """

    path: Path
    card: ModelCard
    sha256: str = ""


def place_beside(path: str | Path) -> Path:
    """Return where the card beside a file or folder lies."""
    path = Path(path)
    return path.with_name(path.name + SUFFIX)


def card_beside(path: Path) -> CardBeside | None:
    """Return the card beside a file, None if there is none.

    Raises
    ------
    ModelError
        If there is one and it cannot be read.
    """
    place = place_beside(path)
    if not place.is_file():
        return None
    if place.stat().st_size > LARGEST_CARD:
        raise ModelError(f"{place} is {place.stat().st_size} bytes long, too long for a card.")
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{place} is not JSON: {error}.", hint="Mend it, or take it away."
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{place} holds a JSON {type(values).__name__}, not a model card.")
    sha256 = values.pop(WEIGHTS_KEY, "")
    return CardBeside(
        place, ModelCard.from_dict(values, str(place)), sha256 if isinstance(sha256, str) else ""
    )


def write_card_beside(model: Model, *, overwrite: bool = False) -> Path:
    """Write the card of a model beside its file, so that it is known wherever the file goes.

    Returns
    -------
    Path
        The card.

    Raises
    ------
    ModelError
        If the model is no file, or carries its card inside.
    AlreadyExists
        If there is a card already and `overwrite` is false.
    NotSaved
        If it cannot be written.
    """
    path = Path(model.path)
    if not model.path or not path.exists():
        raise ModelError(
            f"{model.card.name} is not a file, so no card can lie beside it.",
            hint="Save it as a model folder.",
        )
    if (path / "card.json").is_file():
        raise ModelError(f"{path} is a model folder: its card is inside.")
    values = {**model.card.as_dict(), WEIGHTS_KEY: model.sha256}
    place = place_beside(path)
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    write_text(place, text, overwrite=overwrite)
    return place

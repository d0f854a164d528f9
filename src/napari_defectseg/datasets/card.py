"""`DatasetCard`: what ``dataset.json`` says about a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ClassError, DatasetError

CARD = "dataset.json"


class DatasetCard(BaseModel):
    """What ``dataset.json`` holds.

    Parameters
    ----------
    version : int
        Of the folder's form.
    name : str
    classes : list of dict
        Value, name, colour and pattern of each.
    exclusive : bool
        False where classes may overlap.
    created : str
        ISO 8601 UTC.
    licence, made_by : str
        Under what terms it may be used, and how it was made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    name: str
    classes: tuple[dict[str, Any], ...]
    exclusive: bool = True
    created: str = ""
    licence: str = ""
    made_by: str = ""

    @property
    def class_map(self) -> ClassMap:
        """The classes as a value."""
        return ClassMap.from_dict({"exclusive": self.exclusive, "classes": self.classes})


def read_card(path: Path) -> DatasetCard:
    """Return the card in a dataset folder.

    Raises
    ------
    DatasetError
        If there is none, or it is of a form that this version does not know.
    """
    file = path / CARD
    try:
        card = DatasetCard.model_validate(json.loads(file.read_text(encoding="utf-8")))
        _ = card.class_map
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetError(
            f"{path} is not a dataset folder: it holds no {CARD}.",
            hint="Open the folder that holds dataset.json, or make a new dataset.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(
            f"{file} cannot be used: {'.'.join(map(str, first['loc']))}: {first['msg']}.",
            hint="It may have been written by a newer version, or changed by hand.",
        ) from error
    except (OSError, ValueError, ClassError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error
    return card

"""Masks of the same images in two groups: how far the people (or models) behind them agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from napari_defectseg.core import numbers
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.results.stored import StoredResult, read_measured, read_result

Masks = Any
NOTE = (
    "IoU and Dice of pixels; an object is the same in both where their IoU is 0.5 or more. "
    "Objects: in the first and in the second."
)


@dataclass(frozen=True)
class Seen:
    """One image as one group sees it.

    Parameters
    ----------
    key : str
        The same for the same image: its hash, or the name of the mask's file.
    name : str
    stored : StoredResult
    path : Path or None
        The mask's file where it was measured alone.
    """

    key: str
    name: str
    stored: StoredResult
    path: Path | None = None

    def read(self) -> tuple[Masks, ClassMap | None]:
        """Return its masks, with the classes where they do not know them."""
        from napari_defectseg.images.open import open_image

        if self.path is None:
            return self.stored.labels(), None
        names = list((self.stored.summary.get("settings") or {}).get("classes") or ())
        return open_image(self.path).read(), ClassMap.of(names) if names else None


def agreement_sheet(groups: Mapping[str, Sequence[str | Path]]) -> Steps[tuple[Sheet, ...]]:
    """Return one table for each pair of groups that hold masks of the same images.

    Parameters
    ----------
    groups : mapping of str to sequence of path

    Raises
    ------
    DefectSegError
        If a result cannot be read.
    """
    seen = {name: {one.key: one for one in _seen(sources)} for name, sources in groups.items()}
    found = []
    for first, second in combinations(seen, 2):
        common = [key for key in seen[first] if key in seen[second]]
        rows: list[tuple[str, ...]] = []
        for number, key in enumerate(common):
            one, other = seen[first][key], seen[second][key]
            yield Step(number, len(common), f"comparing the masks of {one.name}")
            rows += _rows(one, other)
        if rows:
            headings = ("image", "class", "IoU", "Dice", "objects", "object F1")
            title = f"Agreement of {first} and {second} on the same images"
            found.append(Sheet(title, headings, tuple(rows), NOTE, frozenset({2, 3, 5})))
    return tuple(found)


def _seen(sources: Sequence[str | Path]) -> list[Seen]:
    found = []
    for source in sources:
        measured = read_measured(source)
        if measured is None:
            for one in read_result(source)[1]:
                block = one.summary["image"]
                found.append(Seen(block["sha256"], str(block["name"]), one))
            continue
        for block in measured.summary.get("images") or ():
            path = Path(block["path"])
            if path.exists():
                name = path.name.split(".")[0]
                found.append(Seen(f"mask {name}", name, measured, path))
    return found


def _rows(one: Seen, other: Seen) -> list[tuple[str, ...]]:
    from napari_defectseg.measurement.metrics import evaluate

    (first, classes), (second, more) = one.read(), other.read()
    named = None if isinstance(first, LabelMap) or isinstance(second, LabelMap) else classes or more
    try:
        found = evaluate(first, second, classes=named)
    except DefectSegError as error:
        return [(one.name, str(error), *[numbers.NOT_DEFINED] * 4)]
    rows = []
    for name in found.classes:
        figures, counts = found[name], found.classes[name].counts()
        objects = f"{counts['true_objects']}, {counts['predicted_objects']}"
        shares = [_share(figures[key]) for key in ("iou", "dice", "object_f1")]
        rows.append((one.name, name, *shares[:2], objects, shares[2]))
    return rows


def _share(value: float) -> str:
    return numbers.NOT_DEFINED if value != value else numbers.plain(value)

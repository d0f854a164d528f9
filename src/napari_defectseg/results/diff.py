"""What differs between two results: inputs, settings, versions, numbers, pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DefectSegError, RecipeError
from napari_defectseg.results.folder import FORMATS
from napari_defectseg.results.stored import StoredResult, read_measured, read_result

IGNORED = frozenset({"seconds", "created"})
"""What differs from run to run and says nothing about the result."""
ABSENT = "absent"
LONGEST = 60
TABLE = "objects.csv"


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Parameters
    ----------
    image : str
        Folder of the image in its result.
    what : str
        Place in ``summary.json``, for example ``settings.decode.thresholds.void``, or a file.
    one, other : str
        What each says.
    """

    image: str
    what: str
    one: str
    other: str

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.image}: {self.what}: {self.one} → {self.other}"


@dataclass(frozen=True)
class Diff:
    """What differs between two results.

    Parameters
    ----------
    differences : tuple of Difference
    compared : int
        Images that are in both.
    """

    differences: tuple[Difference, ...]
    compared: int

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "same": self.same,
            "compared": self.compared,
            "differences": [
                {"image": item.image, "what": item.what, "a": item.one, "b": item.other}
                for item in self.differences
            ],
        }


def diff_results(one: str | Path, other: str | Path) -> Diff:
    """Compare two results, image by image.

    Parameters
    ----------
    one, other : path
        Result folders, folders of one image, their ``summary.json``, or what ``defectseg
        measure`` left. Two single images are compared whatever their names are; others by the
        names of their folders.

    Raises
    ------
    FileMissing, RecipeError
        If one is no result, or they have no image in common.
    """
    first, second = _images(one), _images(other)
    if len(first) == len(second) == 1:
        name = next(iter(first))
        first, second = {name: first[name]}, {name: next(iter(second.values()))}
    both = [name for name in first if name in second]
    if not both:
        raise RecipeError(
            f"{one} and {other} have no image in common.",
            hint="Images are matched by the names of their folders.",
        )
    found = [Difference(name, "image", "present", ABSENT) for name in first if name not in second]
    found += [Difference(name, "image", ABSENT, "present") for name in second if name not in first]
    for name in both:
        found += compare(first[name], second[name], name)
    return Diff(tuple(found), len(both))


def compare(one: StoredResult, other: StoredResult, name: str) -> list[Difference]:
    """Return what differs between two results of one image."""
    found = [
        Difference(name, place, left, right)
        for place, left, right in differing(one.summary, other.summary)
    ]
    table = _tables(one.folder, other.folder)
    found += [Difference(name, TABLE, *table)] if table else []
    for role in ("mask", "labels"):
        pixels = _pixels(one, other, role)
        found += [Difference(name, role, *pixels)] if pixels else []
    return found


def differing(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the place and both texts of each plain value that differs."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            if not place and key in IGNORED:
                continue
            inner = f"{place}.{key}" if place else str(key)
            yield from differing(one.get(key, ABSENT), other.get(key, ABSENT), inner)
    elif one != other:
        yield place, _text(one), _text(other)


def _images(path: str | Path) -> dict[str, StoredResult]:
    place = Path(path)
    if place.name == "summary.json" and place.is_file():
        place = place.parent
    measured = read_measured(place)
    if measured is not None:
        return {place.name: measured}
    return {stored.folder.name: stored for stored in read_result(place)[1]}


def _tables(one: Path, other: Path) -> tuple[str, str] | None:
    texts = [_bytes(folder / TABLE) for folder in (one, other)]
    if texts[0] == texts[1]:
        return None
    lines = [None if text is None else text.splitlines() for text in texts]
    if lines[0] is None or lines[1] is None:
        return (
            ABSENT if lines[0] is None else "present",
            ABSENT if lines[1] is None else "present",
        )
    rows = f"{len(lines[0]) - 1} rows", f"{len(lines[1]) - 1} rows"
    if rows[0] != rows[1]:
        return rows
    changed = sum(a != b for a, b in zip(lines[0], lines[1], strict=True))
    return rows[0], f"{changed} of {len(lines[0])} lines differ"


def _pixels(one: StoredResult, other: StoredResult, role: str) -> tuple[str, str] | None:
    files = [_file(one.folder, role), _file(other.folder, role)]
    if files[0] is None or files[1] is None:
        if files[0] is files[1]:
            return None
        return ("present", ABSENT) if files[1] is None else (ABSENT, "present")
    same_form = files[0].suffix == files[1].suffix and files[0].is_file()
    if same_form and _bytes(files[0]) == _bytes(files[1]):
        return None
    try:
        left, right = one.array(role), other.array(role)
    except DefectSegError as error:
        return "", error.sentence
    if left.shape != right.shape:
        return str(left.shape), str(right.shape)
    changed = int(np.count_nonzero(left != right))
    if not changed:
        return None
    return f"{left.size} pixels", f"{changed} of them differ"


def _file(folder: Path, role: str) -> Path | None:
    paths = [folder / f"{role}{suffix}" for suffix in FORMATS.values()]
    return next((path for path in paths if path.exists()), None)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

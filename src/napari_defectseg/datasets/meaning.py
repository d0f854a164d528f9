"""What marks in foreign labels mean: colours, numbers and names become classes, named once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED, ClassMap, DefectClass
from napari_defectseg.core.errors import DatasetError

NOTHING = "background"
NOT_LOOKED_AT = "unlabelled"
RESERVED = {NOTHING: BACKGROUND, NOT_LOOKED_AT: UNLABELLED}
"""Names that a person may give to a mark that is no class."""
EVERYTHING = "*"
"""Names whatever has no name of its own."""


@dataclass(frozen=True)
class Mark:
    """Something that stands for a class in foreign labels.

    Parameters
    ----------
    key : str
        ``"#rrggbb"``, a number as text, or a name.
    name : str
        What the files call it; empty: they do not.
    colour : str
        ``"#rrggbb"``; empty: none.
    amount : float
        Share of the pixels (masks), or number of objects.
    what : str
        What `amount` counts: ``"pixels"``, ``"objects"`` or ``"pictures"``.
    """

    key: str
    name: str = ""
    colour: str = ""
    amount: float = 0.0
    what: str = "objects"

    def told(self) -> str:
        """Return it in words: key, name and how much there is."""
        much = f"{self.amount:.2%}" if self.what == "pixels" else f"{self.amount:g} {self.what}"
        return f"{self.key}{f' ({self.name})' if self.name else ''}: {much}"


@dataclass(frozen=True)
class Meaning:
    """Which class each mark is.

    Parameters
    ----------
    classes : ClassMap
    values : mapping of str to int
        Key of a mark to its mask value: a class, 0 or 255.
    """

    classes: ClassMap
    values: Mapping[str, int]

    def value(self, key: str, where: str) -> int:
        """Return the mask value of a mark.

        Raises
        ------
        DatasetError
            If it was not among the marks that were found.
        """
        if key not in self.values:
            raise DatasetError(f"{where} holds the mark {key}, which has no name.")
        return self.values[key]


def settle(
    marks: Sequence[Mark],
    names: Mapping[str, str],
    known: ClassMap | None,
    *,
    exclusive: bool,
) -> Meaning:
    """Return the meaning of all marks.

    Parameters
    ----------
    marks : sequence of Mark
        In the order in which new classes get their values.
    names : mapping of str to str
        What a person calls them, by key or by the name in the files; ``"*"`` names the rest;
        ``"background"`` and ``"unlabelled"`` are no classes.
    known : ClassMap or None
        The classes of a dataset that exists: marks of the same colour or name need no naming.
    exclusive : bool
        Whether new classes exclude each other.

    Raises
    ------
    DatasetError
        If marks have no name: the sentence shows all of them.
    """
    chosen = {mark.key: _name_of(mark, names, known) for mark in marks}
    _refuse_unknown(names, marks)
    unnamed = [mark for mark in marks if not chosen[mark.key]]
    if unnamed:
        told = "; ".join(mark.told() for mark in marks)
        hint = " ".join(f"--name '{mark.key}=…'" for mark in unnamed[:6])
        raise DatasetError(
            f"Nobody has said what these marks mean: {told}.",
            hint=f"Name them once: {hint}; background and unlabelled are no classes.",
        )
    classes = known or _new_classes(marks, chosen, exclusive)
    values: dict[str, int] = {}
    for mark in marks:
        name = chosen[mark.key]
        values[mark.key] = RESERVED[name] if name in RESERVED else classes.by_name(name).value
    return Meaning(classes, values)


def _name_of(mark: Mark, names: Mapping[str, str], known: ClassMap | None) -> str:
    for key in (mark.key, mark.name):
        if key and key in names:
            return names[key]
    if known is not None:
        for item in known:
            if item.name == mark.name or (mark.colour and item.colour == mark.colour):
                return item.name
    return mark.name or names.get(EVERYTHING, "")


def _refuse_unknown(names: Mapping[str, str], marks: Sequence[Mark]) -> None:
    there = {EVERYTHING, *(mark.key for mark in marks), *(mark.name for mark in marks)}
    strange = [key for key in names if key not in there]
    if strange:
        raise DatasetError(
            f"{', '.join(strange)} was named but does not occur.",
            hint=f"There are: {', '.join(mark.key for mark in marks)}.",
        )


def _new_classes(marks: Sequence[Mark], chosen: Mapping[str, str], exclusive: bool) -> ClassMap:
    colours: dict[str, str] = {}
    for mark in marks:
        name = chosen[mark.key].strip()
        if name not in RESERVED:
            colours[name] = colours.get(name) or mark.colour
    if not colours:
        raise DatasetError("No mark stands for a class: there is nothing to learn from.")
    plain = ClassMap.of(list(colours), exclusive=exclusive)
    given = (replace(item, colour=_own_colour(item, colours[item.name])) for item in plain)
    return ClassMap(tuple(given), exclusive)


def _own_colour(item: DefectClass, colour: str) -> str:
    grey = len({colour[k : k + 2] for k in (1, 3, 5)}) == 1
    return item.colour if not colour or grey else colour

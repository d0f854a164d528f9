"""Value, name, colour and pattern of each class: one object from card to mask to plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ClassError

BACKGROUND = 0
UNLABELLED = 255
"""Mask value that training and scores ignore."""

PALETTE: tuple[tuple[str, str, str], ...] = (
    ("yellow", "#f0e100", "plain"),
    ("blue", "#1e4bff", "hatch //"),
    ("sky", "#87d2ff", "dots"),
    ("green", "#3c874b", "horizontal lines"),
    ("magenta", "#b41e96", "vertical lines"),
    ("lavender", "#a587ff", "hatch \\\\"),
    ("mint", "#b4f0a5", "grid"),
    ("red", "#e11e00", "crosses"),
    ("orange", "#f0871e", "checks"),
    ("sand", "#b4a578", "rings"),
)
"""Name, colour and pattern in default order: far apart for normal sight, deuteranopia and
protanopia (CIEDE2000, Machado et al. 2009), and away from every neutral grey."""


@dataclass(frozen=True)
class DefectClass:
    """One class.

    Parameters
    ----------
    value : int
        Its value in masks, 1 to 254.
    name : str
        What a person calls it; used in tables and files.
    colour : str
        ``"#rrggbb"``.
    pattern : str
        Its pattern where colour alone would not do; one of `PALETTE`'s.
    """

    value: int
    name: str
    colour: str
    pattern: str = "plain"


@dataclass(frozen=True)
class ClassMap:
    """The classes of a model, mask or dataset.

    Parameters
    ----------
    classes : tuple of DefectClass
        In the order of the network's output channels; the background is not among them.
    exclusive : bool
        True: a pixel has one class at most. False: classes may overlap (multi-label).
    """

    classes: tuple[DefectClass, ...]
    exclusive: bool = True

    def __post_init__(self) -> None:
        if not self.classes:
            raise ClassError("At least one class is needed.")
        for label, seen in (("value", self.values), ("name", self.names)):
            if len(set(seen)) != len(seen):
                raise ClassError(f"Two classes have the same {label}: {', '.join(map(str, seen))}.")
        for item in self.classes:
            if not BACKGROUND < item.value < UNLABELLED:
                raise ClassError(
                    f"Class {item.name!r} has the value {item.value}.",
                    hint="Values are 1 to 254; 0 is background, 255 is unlabelled.",
                )
            if not item.name.strip():
                raise ClassError(f"The class with value {item.value} has no name.")

    @classmethod
    def of(cls, names: Sequence[str], *, exclusive: bool = True) -> ClassMap:
        """Return classes 1, 2, … with the palette's colours and patterns in order."""
        return cls(
            tuple(
                DefectClass(
                    value,
                    name.strip(),
                    PALETTE[(value - 1) % len(PALETTE)][1],
                    PALETTE[(value - 1) % len(PALETTE)][2],
                )
                for value, name in enumerate(names, start=1)
            ),
            exclusive,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(item.name for item in self.classes)

    @property
    def values(self) -> tuple[int, ...]:
        """Mask values in order."""
        return tuple(item.value for item in self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[DefectClass]:
        return iter(self.classes)

    def by_name(self, name: str) -> DefectClass:
        """Return the class of that name.

        Raises
        ------
        ClassError
            If there is none.
        """
        for item in self.classes:
            if item.name == name:
                return item
        raise ClassError(f"There is no class {name!r}.", hint=f"Known: {', '.join(self.names)}.")

    def by_value(self, value: int) -> DefectClass:
        """Return the class with that mask value.

        Raises
        ------
        ClassError
            If there is none.
        """
        for item in self.classes:
            if item.value == value:
                return item
        raise ClassError(
            f"No class has the value {value}.",
            hint=f"Known: {', '.join(f'{item.value} {item.name}' for item in self.classes)}.",
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "exclusive": self.exclusive,
            "classes": [
                {"value": c.value, "name": c.name, "colour": c.colour, "pattern": c.pattern}
                for c in self.classes
            ],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ClassMap:
        """Return the classes written by `as_dict`.

        Raises
        ------
        ClassError
            If a field is missing or unknown.
        """
        try:
            classes = tuple(_class_of(item) for item in values["classes"])
            return cls(classes, bool(values["exclusive"]))
        except (KeyError, TypeError) as error:
            raise ClassError(f"The list of classes cannot be read: {error}.") from error


def _class_of(values: dict[str, Any]) -> DefectClass:
    """Return one class as `ClassMap.as_dict` wrote it.

    Raises
    ------
    TypeError
        If a field is missing, unknown or of another type.
    """
    item = DefectClass(**values)
    if type(item.value) is not int:
        raise TypeError(f"the value {item.value!r} is no whole number")
    words = {"name": item.name, "colour": item.colour, "pattern": item.pattern}
    wrong = next((label for label, word in words.items() if not isinstance(word, str)), None)
    if wrong is not None:
        raise TypeError(f"the {wrong} {words[wrong]!r} is no text")
    return item

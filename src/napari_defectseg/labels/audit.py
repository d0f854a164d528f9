"""`Audit`: a random sample of objects and places, with how likely each was to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.edit import Sides


@dataclass(frozen=True)
class AuditObject:
    """One object of the sample.

    Parameters
    ----------
    number, class_value : int
        As it was when the sample was drawn.
    stratum : str
        The group it was drawn from.
    probability : float
        With which it was drawn: objects of the sample over objects of the stratum.
    right : bool or None
        The verdict; None: not looked at yet.
    other_class : bool
        It is there, but it is of another class than it was called: not right, and not missing.
    """

    number: int
    class_value: int
    stratum: str
    probability: float
    right: bool | None = None
    other_class: bool = False

    @property
    def there(self) -> bool | None:
        """Whether there is an object at all, whatever its class; None: not looked at yet."""
        return None if self.right is None else self.right or self.other_class


@dataclass(frozen=True)
class AuditPlace:
    """One place of the sample, to be judged completely.

    Parameters
    ----------
    region : Sides
    stratum : str
    probability : float
    predicted : tuple of int
        Objects whose centre lies in it, when the sample was drawn.
    found, missed : int or None
        True objects there that were predicted, and that were not; None: not judged yet.
    """

    region: Sides
    stratum: str
    probability: float
    predicted: tuple[int, ...] = ()
    found: int | None = None
    missed: int | None = None

    @property
    def judged(self) -> bool:
        """Whether it was looked through."""
        return self.found is not None and self.missed is not None


@dataclass(frozen=True)
class Audit:
    """A stratified random sample and a person's verdicts; never what a queue has chosen.

    Parameters
    ----------
    objects : tuple of AuditObject
        In random order, so that the first n of each stratum are a sample too.
    places : tuple of AuditPlace
        Likewise.
    object_strata, place_strata : mapping of str to int
        How many objects, and places, each stratum holds.
    last_label : int
        Largest object number when it was drawn: larger ones were drawn by a person.
    seed : int
        Draws the same again.
    """

    objects: tuple[AuditObject, ...]
    places: tuple[AuditPlace, ...]
    object_strata: Mapping[str, int]
    place_strata: Mapping[str, int]
    last_label: int = 0
    seed: int = 0

    @property
    def judged(self) -> tuple[int, int]:
        """How many objects and places have a verdict."""
        return (
            sum(one.right is not None for one in self.objects),
            sum(one.judged for one in self.places),
        )

    @property
    def done(self) -> bool:
        """Whether everything was judged."""
        return self.judged == (len(self.objects), len(self.places))

    def judge_object(self, index: int, right: bool | None, *, other_class: bool = False) -> Audit:
        """Return the audit with a verdict about an object; None takes it back.

        Parameters
        ----------
        index : int
        right : bool or None
        other_class : bool
            For what is not right: it is there, and of another class.
        """
        other = other_class and right is False
        changed = replace(self.objects[index], right=right, other_class=other)
        return replace(self, objects=(*self.objects[:index], changed, *self.objects[index + 1 :]))

    def judge_place(self, index: int, found: int, missed: int) -> Audit:
        """Return the audit with what is in a place.

        Parameters
        ----------
        index : int
        found : int
            Predicted objects in it that are there.
        missed : int
            Objects that are there and were not predicted.

        Raises
        ------
        LabelError
            If a number is negative, or more were found than were predicted.
        """
        place = self.places[index]
        if min(found, missed) < 0 or found > len(place.predicted):
            raise LabelError(
                f"{found} objects found and {missed} missed do not fit a place with "
                f"{len(place.predicted)} predicted objects."
            )
        changed = replace(place, found=found, missed=missed)
        return replace(self, places=(*self.places[:index], changed, *self.places[index + 1 :]))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for `of_dict`."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Audit:
        """Return the audit that `as_dict` was made from.

        Raises
        ------
        LabelError
            If the values are no audit.
        """
        try:
            objects = tuple(AuditObject(**one) for one in values["objects"])
            places = tuple(_place(one) for one in values["places"])
            rest = {name: values[name] for name in ("object_strata", "place_strata")}
            return cls(
                objects,
                places,
                **rest,
                last_label=int(values["last_label"]),
                seed=int(values["seed"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LabelError("The kept five-minute review is damaged.") from error


def _place(values: Mapping[str, Any]) -> AuditPlace:
    region = tuple((int(low), int(high)) for low, high in values["region"])
    predicted = tuple(int(number) for number in values["predicted"])
    return AuditPlace(**{**values, "region": region, "predicted": predicted})

"""`Verdict`: who checked an object, when, and in which version of the labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.history import History


@dataclass(frozen=True)
class Verdict:
    """What a person decided about one object last.

    Parameters
    ----------
    number : int
    what : str
        The tool: ``"accept"``, ``"delete"``, ``"class"``, ``"split"``, …
    person, when : str
        Who, and ISO 8601 UTC.
    version : int
        Which edit it was: 1 is the first that is in force.
    present : bool
        Whether the object was there after it; false: it was removed.
    """

    number: int
    what: str
    person: str
    when: str
    version: int
    present: bool = True


def verdicts_of(edits: History | Iterable[Edit]) -> dict[int, Verdict]:
    """Return the last verdict about every object a person has decided about.

    Parameters
    ----------
    edits : History or iterable of Edit
        In the order in which they were made; edits that were undone are not among them.
    """
    found: dict[int, Verdict] = {}
    entries = edits.entries if isinstance(edits, History) else edits
    for version, edit in enumerate(entries, start=1):
        gone = {n for n, value in edit.classes_after.items() if value is None}
        if not edit.decided:
            for number in gone | edit.unchecked:
                found.pop(number, None)
            continue
        for number in edit.unchecked - gone:
            found.pop(number, None)
        touched = edit.checked | gone | (edit.objects - edit.unchecked)
        for number in touched:
            here = number not in gone
            found[number] = Verdict(
                number, edit.tool, edit.person, edit.when, version, present=here
            )
    return found

"""`Sheet`: a table of a report, as texts that stand in rows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sheet:
    """A table.

    Parameters
    ----------
    title : str
    headings : tuple of str
    rows : tuple of tuple of str
        Of the length of the headings.
    note : str
        Stands below.
    numeric : frozenset of int
        Columns that are numbers, set to the right.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: frozenset[int] = field(default=frozenset())

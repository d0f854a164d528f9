"""`Finding`: something in a dataset that deserves a look."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    Parameters
    ----------
    kind : str
        ``"hash"``, ``"duplicate"``, ``"leak"``, ``"shift"``, ``"classes"``, ``"objects"``,
        ``"balance"``, ``"empty"``.
    severity : str
        ``"error"``: scores or training would be wrong. ``"warning"``: a person should look.
    sentence : str
        What was seen and what to do.
    pairs : tuple of str
        The pairs it is about.
    values : mapping
        Numbers behind the sentence.
    """

    kind: str
    severity: Severity
    sentence: str
    pairs: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

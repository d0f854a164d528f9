"""`Estimate`: a number with its unit, its interval and what the interval stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A number with its unit and 95 % interval.

    Parameters
    ----------
    value : float or None
        None where it is undefined.
    unit : str
        Empty where it has none.
    low, high : float or None
        Ends of the interval; None where none is known.
    reason : str
        Why it is undefined.
    basis : str
        What the interval holds and what its unit of replication is.
    """

    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    reason: str = ""
    basis: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `reason` only where the number is undefined."""
        plain: dict[str, Any] = {
            "value": self.value,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
        }
        if self.value is None:
            plain["reason"] = self.reason
        if self.low is not None and self.basis:
            plain["basis"] = self.basis
        return plain

    def __str__(self) -> str:
        if self.value is None:
            return f"undefined ({self.reason})"
        span = "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.value:.4g} {self.unit}".rstrip() + span

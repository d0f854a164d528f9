"""`Setting`: what a person is told about one field of a settings type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """Words, unit and range of a field, written in its annotation.

    ``epochs: Annotated[int, Setting("Rounds at most", low=1, high=1000)] = 40``: forms are built
    from it, so a new option is added once. What it does stands in the type's docstring.

    Parameters
    ----------
    words : str
        Its name for people; empty: the field's own name.
    unit : str
        Shown behind the number.
    low, high : float or None
        The range, in the value's own measure; None: no limit.
    step : float or None
        One step of the arrows; its digits are the digits that are shown.
    scale : float
        How much of the value one shown unit is: 1e9 to show bytes in GB.
    none : str
        What an empty field means: ``"automatic"``.
    choices : tuple of str
        What a field of several words may hold.
    names : tuple of (str, str)
        Choice and what it is called; a choice that is missing is called as it is.
    """

    words: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    scale: float = 1.0
    none: str = "automatic"
    choices: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    def called(self, choice: str) -> str:
        """Return what a choice is called."""
        return dict(self.names).get(choice, choice)

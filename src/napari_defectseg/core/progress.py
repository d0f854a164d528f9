"""Long work as a generator of steps; one driver knows progress and cancel."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from napari_defectseg.core.errors import Cancelled

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """How far a piece of work has come.

    Parameters
    ----------
    done, total : int
        Units finished and in all; ``total == 0`` means not yet known.
    text : str
        What is being done, in words for the user.
    partial : object, optional
        A result that is already usable.
    share : float or None
        Share of the work that is done where it is known better than by counting units: they may
        differ in size, and one may be half done.
    """

    done: int
    total: int
    text: str = ""
    partial: Any = None
    share: float | None = None

    @property
    def fraction(self) -> float:
        """Share done, 0 to 1."""
        if self.share is not None:
            return self.share
        return self.done / self.total if self.total else 0.0


Steps: TypeAlias = Generator[Step, None, T]
"""Work that yields `Step`, returns `T`, and cleans up in ``finally`` when closed."""


def drive(
    steps: Steps[T],
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> T:
    """Run `steps` to the end and return what they return.

    Parameters
    ----------
    steps : Steps
        The work.
    on_step : callable, optional
        Called with each step.
    cancelled : callable, optional
        Asked after each step; true closes the generator.

    Raises
    ------
    Cancelled
        If `cancelled` said so; the generator has been closed by then.
    """
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            if on_step is not None:
                on_step(step)
            if cancelled is not None and cancelled():
                raise Cancelled(f"Stopped at {step.done} of {step.total}: {step.text}.")

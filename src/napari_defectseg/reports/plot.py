"""`Plot`: a picture that can be drawn at any place of a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.3
"""Inches: the text of an A4 page."""


@dataclass(frozen=True)
class Plot:
    """A picture of a report.

    Parameters
    ----------
    title : str
        For those who cannot see it, too.
    caption : str
    draw : callable
        Draws into each of `panels` axes that it is given.
    panels : int
        Axes beside one another.
    height : float
        In inches, at `WIDTH`.
    """

    title: str
    caption: str
    draw: Callable[[tuple[Axes, ...]], None]
    panels: int = 1
    height: float = 3.0

    def figure(self) -> Figure:
        """Return it as a figure of its own."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, self.height), layout="constrained")
        axes = figure.subplots(1, self.panels, squeeze=False)
        self.draw(tuple(axes[0]))
        return figure

"""`MeasureSettings`: how objects are counted and measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf
from typing import Annotated, Literal

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.setting import Setting

Border = Literal["count", "exclude", "frame", "weight"]
GROUPS = (
    ("shape", "form, direction, what is too small to trust"),
    ("surface", "perimeter or surface area, Euler number, sphericity"),
    ("extent", "Feret diameters, enclosing ball, convex hull"),
    ("projection", "projected area and √area"),
    ("outline", "ellipse of the filled outer line"),
    ("thickness", "local thickness"),
    ("neighbours", "gap to the nearest neighbour"),
    ("specimen", "gap to the free surface, open or closed"),
    ("grey", "surface area or perimeter from grey values"),
    ("scikit", "the rest of scikit-image's, one object after the other"),
)
"""Groups of columns beyond the basic ones, and what is in them."""
BORDERS: tuple[Border, ...] = ("count", "exclude", "frame", "weight")
WINDOWED: tuple[Border, ...] = ("frame", "weight")
"""Rules that are without bias and want a rectangular region."""


@dataclass(frozen=True)
class MeasureSettings:
    """How objects are counted and measured.

    Parameters
    ----------
    connectivity : int or None
        Which pixels of a class mask are neighbours: 1 those that share a face, 2 an edge too,
        3 a corner too; None: all. Only used where objects are not numbered yet.
    border : {"count", "exclude", "frame", "weight"}
        What becomes of objects that touch the border of what is counted: ``"count"`` keeps
        them, ``"exclude"`` leaves them out of the table (their area stays in the fraction).
        Two rules are without bias and want a rectangular region: ``"frame"`` leaves out those
        at the first edges (left and upper, in front) and counts the others whole; ``"weight"``
        keeps those wholly inside, each weighted by one over the room that it has to lie in
        (Miles–Lantuéjoul). With both, sizes are those of whole objects, weighted.
    min_size : int
        Objects of fewer pixels are taken for noise: neither in the table nor in the fraction.
    intensity : bool
        Whether to measure grey values where there is an image.
    columns : tuple of str
        What to measure beyond the basic columns: names of groups (`GROUPS`) or of single
        measurements; ``"all"``: everything there is.
    axis : tuple of float
        Direction of build or load, one number a spatial axis, slowest first (z, y, x); of any
        length. Empty: none, and no column that needs one.
    blur : float
        Standard deviation σ of the image's blur, measured on an edge, in px; 0: unknown.

    Raises
    ------
    MeasurementError
        If a value is out of range.
    """

    connectivity: Annotated[
        int | None, Setting("Neighbours", low=1, high=3, none="all of them")
    ] = None
    border: Annotated[
        Border,
        Setting(
            "Border",
            names=(
                ("count", "count all"),
                ("exclude", "leave out"),
                ("frame", "counting frame"),
                ("weight", "weighted"),
            ),
        ),
    ] = "count"
    min_size: Annotated[int, Setting("Smallest object", unit="px", low=0, high=10**9)] = 1
    intensity: Annotated[bool, Setting("Measure grey values")] = True
    columns: Annotated[
        tuple[str, ...],
        Setting("More columns", choices=tuple(name for name, _ in GROUPS), names=GROUPS),
    ] = ()
    axis: Annotated[tuple[float, ...], Setting("Build or load axis", none="none")] = ()
    blur: Annotated[float, Setting("Blur", unit="px", low=0, high=100, step=0.1)] = 0.0

    def __post_init__(self) -> None:
        if self.border not in BORDERS:
            raise MeasurementError(
                f"Border objects cannot be handled by {self.border!r}.",
                hint=f"Use one of {', '.join(BORDERS)}.",
            )
        if self.min_size < 0:
            raise MeasurementError(f"A smallest size of {self.min_size} pixels means nothing.")
        # Files give lists.
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "axis", tuple(float(part) for part in self.axis))
        if self.axis and (len(self.axis) not in (2, 3) or not 0 < hypot(*self.axis) < inf):
            raise MeasurementError(
                f"An axis of {self.axis} is no direction.",
                hint="Give one number a spatial axis, slowest first: (1, 0, 0) is z in a volume.",
            )
        if not 0 <= self.blur < inf:
            raise MeasurementError(f"A blur of {self.blur} px means nothing.")
        if self.connectivity is not None and self.connectivity not in (1, 2, 3):
            raise MeasurementError(
                f"A connectivity of {self.connectivity} means nothing.",
                hint="Use 1 (faces), 2 (edges), 3 (corners) or none for all neighbours.",
            )

"""`MeasureSettings`: how objects are counted and measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.setting import Setting

Border = Literal["count", "exclude"]
BORDERS: tuple[Border, ...] = ("count", "exclude")


@dataclass(frozen=True)
class MeasureSettings:
    """How objects are counted and measured.

    Parameters
    ----------
    connectivity : int or None
        Which pixels of a class mask are neighbours: 1 those that share a face, 2 an edge too,
        3 a corner too; None: all. Only used where objects are not numbered yet.
    border : {"count", "exclude"}
        What becomes of objects that touch the border of what is counted: ``"count"`` keeps
        them, ``"exclude"`` leaves them out of the table (their area stays in the fraction).
    min_size : int
        Objects of fewer pixels are taken for noise: neither in the table nor in the fraction.
    intensity : bool
        Whether to measure grey values where there is an image.

    Raises
    ------
    MeasurementError
        If a value is out of range.
    """

    connectivity: Annotated[
        int | None, Setting("Neighbours", low=1, high=3, none="all of them")
    ] = None
    border: Annotated[
        Border, Setting("Border", names=(("count", "count all"), ("exclude", "leave out")))
    ] = "count"
    min_size: Annotated[int, Setting("Smallest object", unit="px", low=0, high=10**9)] = 1
    intensity: Annotated[bool, Setting("Measure grey values")] = True

    def __post_init__(self) -> None:
        if self.border not in BORDERS:
            raise MeasurementError(
                f"Border objects cannot be handled by {self.border!r}.",
                hint=f"Use one of {', '.join(BORDERS)}.",
            )
        if self.min_size < 0:
            raise MeasurementError(f"A smallest size of {self.min_size} pixels means nothing.")
        if self.connectivity is not None and self.connectivity not in (1, 2, 3):
            raise MeasurementError(
                f"A connectivity of {self.connectivity} means nothing.",
                hint="Use 1 (faces), 2 (edges), 3 (corners) or none for all neighbours.",
            )

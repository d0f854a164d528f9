"""`MovieSettings`: what is measured in a movie beyond its objects."""

from __future__ import annotations

from dataclasses import dataclass

from napari_defectseg.core.errors import MeasurementError


@dataclass(frozen=True)
class MovieSettings:
    """What is measured in a movie beyond its objects.

    Parameters
    ----------
    keyhole : str
        Class of the keyhole; empty: none is measured.
    pores : tuple of str
        Classes that are counted frame by frame and followed from frame to frame.
    melt_pool : str
        Class of the melt pool; empty: its columns are undefined.
    surface : tuple of float
        The undisturbed surface in px: its row, or its rows at the first and the last column.
        Empty: it is looked for in the grey values, else taken from the keyholes' upper ends.
    scan_direction : str
        ``"left to right"`` or ``"right to left"``; empty: as the keyhole moves.
    reach : float
        How far a pore moves from frame to frame at most, in px; 0: one mean diameter, at most
        half the usual distance between neighbours.
    memory : int
        For how many frames a pore may be lost and still be the same.
    drift : bool
        Whether the picture itself moves: its shift is found and taken out.
    lag : int
        Frames by which the second column of a correlation comes later.

    Raises
    ------
    MeasurementError
        If a value means nothing.
    """

    keyhole: str = ""
    pores: tuple[str, ...] = ()
    melt_pool: str = ""
    surface: tuple[float, ...] = ()
    scan_direction: str = ""
    reach: float = 0.0
    memory: int = 1
    drift: bool = False
    lag: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "pores", tuple(self.pores))
        object.__setattr__(self, "surface", tuple(float(row) for row in self.surface))
        if len(self.surface) > 2:
            raise MeasurementError(
                f"{len(self.surface)} rows are no surface.",
                hint="Give one row, or those at the first and the last column.",
            )
        if self.reach < 0 or self.memory < 0:
            raise MeasurementError("A pore moves 0 px or more and is lost for 0 frames or more.")
        direction_of(self.scan_direction)

    @property
    def wanted(self) -> bool:
        """Whether anything is to be measured."""
        return bool(self.keyhole or self.pores or self.melt_pool)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it names, each once."""
        return tuple(dict.fromkeys(n for n in (self.keyhole, self.melt_pool, *self.pores) if n))


def direction_of(text: str) -> int:
    """Return +1 for a laser that moves to larger columns, -1 to smaller ones, 0: nobody says.

    Raises
    ------
    MeasurementError
        If the text says neither.
    """
    words = " ".join(text.lower().replace("-", " ").replace("→", " to ").split())
    known = {"": 0, "left to right": 1, "l to r": 1, "right to left": -1, "r to l": -1}
    if words not in known:
        raise MeasurementError(
            f"{text!r} is no scan direction.", hint="Write 'left to right' or 'right to left'."
        )
    return known[words]

"""Values that are not numbers: how many, and where the first one lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.errors import ModelError

if TYPE_CHECKING:
    from napari_defectseg.inference.layout import Index, Layout
    from napari_defectseg.inference.tiling import Tile

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, order=True)
class Replaced:
    """Pixels without a finite value; ``+`` adds those of another tile.

    Parameters
    ----------
    count : int
    first : str
        Place of the first one: ``"slice 3, y 4, x 5"``.
    """

    count: int = 0
    first: str = ""

    def __add__(self, other: Replaced) -> Replaced:
        return Replaced(self.count + other.count, self.first or other.first)

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def sentence(self) -> str:
        """What was done about them."""
        plural = "s" * (self.count != 1)
        return (
            f"{self.count} pixel{plural} without a finite value got the mean of the others "
            f"(the first at {self.first})."
        )


def place_of(layout: Layout, index: Index, at: tuple[int, ...]) -> str:
    """Return a place in words.

    Parameters
    ----------
    layout : Layout
    index : tuple of int
        Of the plane or volume.
    at : tuple of int
        Along the axes that the network sees, on its grid.
    """
    named = [
        f"{name} {layout.in_image(axis, place)}"
        for axis, (name, place) in enumerate(zip(layout.seen, at, strict=True))
    ]
    words = layout.words(index)
    return ", ".join([*([words] if words else []), *named])


def check_scores(scores: Array, tile: Tile, layout: Layout, index: Index, model: str) -> None:
    """Refuse what a network gave for a tile if it is not finite.

    Parameters
    ----------
    scores : ndarray of float32, shape (channel, *tile.shape)
    tile : Tile
    layout : Layout
    index : tuple of int
    model : str

    Raises
    ------
    ModelError
        Names the tile, the first place, and how many pixels are concerned.
    """
    # One sum is enough to know, and ten times as fast as looking at every value.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(scores)):
            return
    bad = ~np.isfinite(scores[(slice(None), *tile.local)]).all(axis=0)
    if not bad.any():
        bad = ~np.isfinite(scores).all(axis=0)
        corner = tuple(part.start for part in tile.outer)
    else:
        corner = tuple(part.start for part in tile.inner)
    first = tuple(int(a) + b for a, b in zip(np.argwhere(bad)[0], corner, strict=True))
    count = int(np.count_nonzero(bad))
    edges = ", ".join(
        f"{name} {part.start} to {part.stop - 1}"
        for name, part in zip(layout.seen, tile.inner, strict=True)
    )
    raise ModelError(
        f"{model} gave values that are no numbers (NaN or infinite) for {count} of "
        f"{bad.size} pixels of the tile at {edges}; the first at {place_of(layout, index, first)}.",
        hint="The image has finite values there: the weights or the grey values are beyond what "
        "the network can compute with. Use mode exact, or look at the normalisation in the card.",
    )

"""`Agreement`: how far a faster engine lies from the exact one, on pieces of the user's image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import Box, Tile
from napari_defectseg.models.card import ModelCard

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

EDGES = {2: (128, 256), 3: (32, 64)}
"""Edge of a piece in px, at least and usually, by the number of axes the network sees."""
SHARE = 50
"""Pieces are looked at that make up this part of an image, and one at least."""
MOST_PIECES = 4
APART = (0.5, 0.7548776662466927, 0.5698402909980532, 0.8191725133961645)
"""Steps between pieces along time and slices, then each axis, in parts of its length: places
that fill a volume evenly, however many they are (generalised golden ratios)."""
BOUND = 0.999
"""Agreement below which an engine is not chosen, where the card says nothing. bfloat16 gave
0.9997 to 0.9999 with the networks that come with the program."""


@dataclass(frozen=True)
class Agreement:
    """What a faster engine gives against the exact one.

    Parameters
    ----------
    error : float
        Largest difference of a probability.
    same : float
        Part of the pixels that get the same class.
    pixels : int
        How many were looked at.
    bound : float
        What `same` has to reach.
    """

    error: float
    same: float
    pixels: int
    bound: float

    @property
    def sound(self) -> bool:
        """Whether it is as near as it has to be; numbers that are none never are."""
        return math.isfinite(self.error) and self.same >= self.bound

    @property
    def words(self) -> str:
        """It as part of a sentence."""
        if not math.isfinite(self.error):
            return "it gave values that are no numbers"
        return (
            f"probabilities differ from float32 by up to {self.error:.1g}, and "
            f"{percent(self.same)} of {self.pixels} pixels looked at get the same class"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        error = self.error if math.isfinite(self.error) else None
        return {"max": error, "agreement": self.same, "pixels": self.pixels, "bound": self.bound}


class Runs(Protocol):
    """What computes a piece."""

    def run(self, block: Array) -> Array:
        """Return the scores ``(score_channels, *spatial)`` of ``(in_channels, *spatial)``."""


def percent(part: float) -> str:
    """Return a part of one as per cent that is never rounded up to all of it."""
    return "100 %" if part >= 1 else f"{math.floor(part * 1e5) / 1e3:.3f} %"


def bound_of(card: ModelCard) -> float:
    """Return the agreement that a faster engine has to reach with a model."""
    return BOUND if card.fast_agreement is None else card.fast_agreement


def compared(exact: list[Array], fast: list[Array], card: ModelCard) -> Agreement:
    """Return how far the scores of pieces lie apart.

    Parameters
    ----------
    exact, fast : list of ndarray, shape (score_channels, *spatial)
    card : ModelCard
        Its task and thresholds say what a class is.
    """
    pixels = sum(one[0].size for one in exact)
    pairs = list(zip(exact, fast, strict=True))
    error = max(float(np.abs(a - b).max()) for a, b in pairs)
    same = sum(_same(_classes(a, card), _classes(b, card), card) for a, b in pairs)
    if not all(np.isfinite(b).all() for b in fast):
        error = math.inf
    return Agreement(error, same / pixels, pixels, bound_of(card))


def _same(first: Array, second: Array, card: ModelCard) -> int:
    equal = first == second
    return int((equal.all(axis=0) if card.task == "multilabel" else equal).sum())


def _classes(scores: Array, card: ModelCard) -> Array:
    """Return the mask that a person would get, without any object left out."""
    from napari_defectseg.labels.decode import DecodeSettings, decode_mask

    axes: Axes = ("z", "y", "x")[-card.dims :]
    settings = DecodeSettings(thresholds=dict(card.thresholds))
    return decode_mask(scores, card.classes, axes=axes, task=card.task, settings=settings)


def pieces_of(job: Job) -> list[Array]:
    """Return pieces spread over the image, as the network sees them.

    Reads no more than a fiftieth of the image, or one small piece.

    Returns
    -------
    list of ndarray of float32, shape (in_channels, *spatial)

    Raises
    ------
    ImageError
        As a prediction of the image would.
    """
    source = Source(job)
    found = []
    for index, tile in _places(job):
        source.start(index)
        block = source.block(tile)[0]
        if job.model.card.windows is not None:
            block = block.transpose(0, *(1 + axis for axis in job.model.card.windows.axes))
        found.append(np.ascontiguousarray(block, np.float32))
    return found


def piece_shape(job: Job, edge: int) -> Shape:
    """Return the lengths of a piece, in the order of the image's axes: what the network takes.

    Parameters
    ----------
    job : Job
    edge : int
        Wanted, in px; the image may be smaller, and some networks take one size alone.
    """
    card = job.model.card
    if card.tile is not None:
        return card.tile
    if card.windows is not None:
        order = np.argsort(card.windows.axes)
        return tuple(card.windows.size[axis] for axis in order)
    lengths = (min(edge, n) for n in job.layout.shape)
    return tuple(max(1, -(-n // card.grid)) * card.grid for n in lengths)


def usual_shape(job: Job) -> Shape:
    """Return the lengths of a piece on which engines are timed."""
    return piece_shape(job, EDGES[job.model.card.dims][1])


def _places(job: Job) -> Iterator[tuple[Shape, Tile]]:
    """Yield where to look: the index of a plane or volume, and a tile in it."""
    small, usual = (piece_shape(job, edge) for edge in EDGES[job.model.card.dims])
    allowed = job.layout.count * math.prod(job.layout.shape) / SHARE
    count = int(allowed / math.prod(usual))
    shape = usual if count else small
    indices = list(job.layout.indices())
    for number in range(1, min(max(count, 1), MOST_PIECES) + 1):
        along = _spread(number, 0)
        index = next(islice(indices, int(along * len(indices)), None))
        box = tuple(
            _within(length, n, job.model.card.grid, _spread(number, axis + 1))
            for axis, (length, n) in enumerate(zip(job.layout.shape, shape, strict=True))
        )
        yield index, _tile(box, shape)


def _spread(number: int, axis: int) -> float:
    """Return a place between 0 and 1; the first one lies in the middle."""
    step = APART[axis % len(APART)]
    return (0.5 + step * (number - 1)) % 1


def _within(length: int, piece: int, grid: int, part: float) -> slice:
    start = int(max(length - piece, 0) * part) // grid * grid
    return slice(start, min(start + piece, length))


def _tile(box: Box, shape: Shape) -> Tile:
    outer = tuple(slice(part.start, part.start + n) for part, n in zip(box, shape, strict=True))
    pad = tuple(o.stop - part.stop for o, part in zip(outer, box, strict=True))
    local = tuple(slice(0, part.stop - part.start) for part in box)
    return Tile(read=box, pad=pad, outer=outer, inner=box, local=local)

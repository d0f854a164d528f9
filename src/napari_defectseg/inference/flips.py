"""The mean over mirror images and turns under which an image means the same to a model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard

if TYPE_CHECKING:
    from napari_defectseg.inference.engine import Engine, Pass
    from napari_defectseg.inference.layers import Layers

Array = np.ndarray[Any, Any]
FLIPPED = {"flip_z": -3, "flip_y": -2, "flip_x": -1}
"""Axis that each mirror image turns round."""


@dataclass(frozen=True)
class Turn:
    """One way to lay an image down: axes exchanged, some of them reversed.

    Parameters
    ----------
    order : tuple of int
        Where each spatial axis of the turned image comes from, counted from 0.
    reversed : tuple of bool
        Whether each axis of the turned image runs backwards.
    """

    order: tuple[int, ...]
    reversed: tuple[bool, ...]

    @classmethod
    def none(cls, dims: int) -> Turn:
        """Return the turn that leaves everything as it is."""
        return cls(tuple(range(dims)), (False,) * dims)

    @classmethod
    def named(cls, symmetry: str, dims: int) -> Turn:
        """Return the turn of one of a card's symmetries, in `dims` dimensions."""
        order, backwards = list(range(dims)), [False] * dims
        if symmetry in FLIPPED:
            backwards[FLIPPED[symmetry]] = True
        else:
            order[-2], order[-1] = order[-1], order[-2]
            backwards[-2] = symmetry == "rot90_yx"
        return cls(tuple(order), tuple(backwards))

    @property
    def exchanges(self) -> bool:
        """Whether axes change places, so that lengths do, too."""
        return self.order != tuple(range(len(self.order)))

    def then(self, other: Turn) -> Turn:
        """Return this turn followed by another one."""
        order = tuple(self.order[axis] for axis in other.order)
        backwards = tuple(
            self.reversed[axis] != flip
            for axis, flip in zip(other.order, other.reversed, strict=True)
        )
        return Turn(order, backwards)

    def apply(self, block: Array) -> Array:
        """Return the turned block; its last axes are the spatial ones. A view where possible."""
        front = block.ndim - len(self.order)
        turned = block.transpose(*range(front), *(front + axis for axis in self.order))
        along = tuple(front + axis for axis, flip in enumerate(self.reversed) if flip)
        return np.flip(turned, along) if along else turned

    def undo(self, block: Array) -> Array:
        """Return what `apply` turned as it was."""
        front = block.ndim - len(self.order)
        along = tuple(front + axis for axis, flip in enumerate(self.reversed) if flip)
        straight = np.flip(block, along) if along else block
        back = [int(axis) for axis in np.argsort(self.order)]
        return straight.transpose(*range(front), *(front + axis for axis in back))


def turns_of(card: ModelCard, flips: str) -> tuple[Turn, ...]:
    """Return every turn that a mean is taken over, the first of them none at all.

    Parameters
    ----------
    card : ModelCard
    flips : {"off", "mirror", "all"}
        See `PredictSettings`.

    Returns
    -------
    tuple of Turn
        1, 2, 4, 8 or 16 of them: all that can be put together from the card's symmetries.

    Raises
    ------
    ModelError
        If the card names none, or the network cannot see its images turned.
    """
    none = Turn.none(card.dims)
    if flips == "off":
        return (none,)
    known = [name for name in card.symmetries if name != "flip_z" or card.dims == 3]
    wanted = [name for name in known if flips == "all" or name in FLIPPED]
    if not wanted:
        raise _refused(card, flips)
    if card.windows is not None:
        raise ModelError(
            f"{card.name} sees overlapping patches and mirrors them as its own program does, so "
            "no other mirror images are put on top.",
            hint="Leave flips off.",
        )
    makers = [Turn.named(name, card.dims) for name in wanted]
    found = [none]
    while fresh := {one.then(turn) for one in found for turn in makers} - set(found):
        found += fresh
    _check_tile(card, found)
    return tuple(sorted(found, key=lambda t: (t != none, t.order, t.reversed)))


def doubt_about(card: ModelCard, flips: str) -> str:
    """Return the sentence where the symmetries that are used are a guess, else nothing."""
    if flips == "off" or card.sources.get("symmetries") != "guess":
        return ""
    return (
        f"That mirror images mean the same to {card.name} is a guess; state it with symmetries=… "
        "or leave flips off."
    )


def _refused(card: ModelCard, flips: str) -> ModelError:
    if card.symmetries:
        return ModelError(
            f"The card of {card.name} allows {', '.join(card.symmetries)}, no mirror images.",
            hint="Use flips=all, or leave flips off.",
        )
    return ModelError(
        f"The card of {card.name} does not say that a mirror image means the same to it, so no "
        f"mean over mirror images is taken (flips={flips}).",
        hint="Leave flips off, or state it: symmetries=flip_y,flip_x.",
    )


def _check_tile(card: ModelCard, turns: list[Turn]) -> None:
    turned = card.tile is not None and any(turn.exchanges for turn in turns)
    if card.tile is not None and turned and card.tile[-1] != card.tile[-2]:
        raise ModelError(
            f"{card.name} takes tiles of {' × '.join(map(str, card.tile))} px alone, which cannot "
            "be turned by a quarter.",
            hint="Use flips=mirror.",
        )


class TurnedEngine:
    """An engine that computes each tile once a turn and gives the mean.

    The mean is taken in pairs of pairs, so that equal scores stay what they are, bit for bit.

    Parameters
    ----------
    engine : Engine
    turns : sequence of Turn
        As `turns_of` gives them.
    """

    def __init__(self, engine: Engine, turns: tuple[Turn, ...]) -> None:
        self.name = engine.name
        self._engine, self._turns = engine, turns

    @property
    def threads(self) -> int:
        """Threads of the processor that it uses."""
        return self._engine.threads

    @property
    def layers(self) -> Layers:
        """When the layers of a pass begin."""
        return self._engine.layers

    @property
    def members(self) -> int:
        """Networks of an ensemble that can be asked one by one."""
        return self._engine.members

    def run(self, block: Array) -> Array:
        """Return the mean scores ``(score_channels, *spatial)`` of a tile."""
        return _finished(self.begin(block))

    def run_batch(self, blocks: Array) -> Array:
        """Return the mean scores of several tiles that go through together."""

        def one(turn: Turn) -> Pass:
            yield from ()
            return turn.undo(self._engine.run_batch(turn.apply(blocks)))

        return _finished(_mean(self._turns, one))

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Return several tiles before the activation, as they lie."""
        return self._engine.logits(blocks, member)

    def activated(self, logits: Array) -> Array:
        """Return the scores of logits."""
        return self._engine.activated(logits)

    def begin(self, block: Array) -> Pass:
        """Compute one tile as `run` does; it can be ended between two turns and inside each."""
        count, done = len(self._turns), 0

        def one(turn: Turn) -> Pass:
            nonlocal done
            passing = self._engine.begin(np.ascontiguousarray(turn.apply(block)))
            found = yield from _part(passing, done, count)
            done += 1
            yield done / count
            return turn.undo(found)

        return _mean(self._turns, one)


def _part(passing: Pass, done: int, count: int) -> Pass:
    """Go through one of several passes; the shares are those of all of them."""
    with closing(passing):
        while True:
            try:
                share = next(passing)
            except StopIteration as end:
                scores: Array = end.value
                return scores
            yield None if share is None else (done + share) / count


def _finished(steps: Pass) -> Array:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            scores: Array = end.value
            return scores


def _mean(turns: tuple[Turn, ...], one: Callable[[Turn], Pass]) -> Pass:
    """Return the mean of ``one(turn)`` over a power of two of turns, halves first."""
    if len(turns) == 1:
        return (yield from one(turns[0]))
    half = len(turns) // 2
    first = yield from _mean(turns[:half], one)
    second = yield from _mean(turns[half:], one)
    mean: Array = (first + second) * np.float32(0.5)
    return mean

"""Loops over two label planes at once, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled


@compiled
def take_out(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    kept: NDArray[np.bool_],
    covered: NDArray[np.int64],
) -> None:
    """Clear `new` where `old` shows a kept object; count what each new object loses.

    Parameters
    ----------
    old, new : ndarray of int32, shape (n,)
    kept : ndarray of bool
        By old number; entry 0 is false.
    covered : ndarray of int64
        By new number; added to.
    """
    for i in range(old.size):
        if kept[old[i]] and new[i] != 0:
            covered[new[i]] += 1
            new[i] = 0


@compiled
def put_in(old: NDArray[np.int32], new: NDArray[np.int32], names: NDArray[np.int32]) -> None:
    """Draw the objects of `old` that have a name into `new` under that name."""
    for i in range(old.size):
        if names[old[i]] != 0:
            new[i] = names[old[i]]


@compiled
def favourites(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    of_old: NDArray[np.int32],
    of_new: NDArray[np.int32],
    votes_old: NDArray[np.int64],
    votes_new: NDArray[np.int64],
) -> None:
    """Find for each object the one that holds most of the pixels it shares, if any does.

    One vote a pixel (Boyer & Moore 1981): an object that holds more than half of them is found;
    where none does the answer means nothing and has to be checked.
    """
    for i in range(old.size):
        a = old[i]
        b = new[i]
        if a == 0 or b == 0:
            continue
        if votes_old[a] == 0:
            of_old[a] = b
            votes_old[a] = 1
        elif of_old[a] == b:
            votes_old[a] += 1
        else:
            votes_old[a] -= 1
        if votes_new[b] == 0:
            of_new[b] = a
            votes_new[b] = 1
        elif of_new[b] == a:
            votes_new[b] += 1
        else:
            votes_new[b] -= 1


@compiled
def shared(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    of_new: NDArray[np.int32],
    with_favourite: NDArray[np.int64],
    total_old: NDArray[np.int64],
    total_new: NDArray[np.int64],
) -> None:
    """Count the pixels shared with the favourite, and with anything."""
    for i in range(old.size):
        a = old[i]
        b = new[i]
        if a == 0 or b == 0:
            continue
        total_old[a] += 1
        total_new[b] += 1
        if of_new[b] == a:
            with_favourite[b] += 1


@compiled
def renumber(plane: NDArray[np.int32], numbers: NDArray[np.int32]) -> None:
    """Replace each number of a plane by its entry in `numbers`."""
    for i in range(plane.size):
        if plane[i] != 0:
            plane[i] = numbers[plane[i]]


@compiled
def mark(plane: NDArray[np.int32], seen: NDArray[np.bool_]) -> None:
    """Set `seen` for each number that a plane holds."""
    for i in range(plane.size):
        seen[plane[i]] = True

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
        if old[i] != 0 and new[i] != 0 and kept[old[i]]:
            covered[new[i]] += 1
            new[i] = 0


@compiled
def put_in(old: NDArray[np.int32], new: NDArray[np.int32], names: NDArray[np.int32]) -> None:
    """Draw the objects of `old` that have a name into `new` under that name."""
    for i in range(old.size):
        if old[i] != 0 and names[old[i]] != 0:
            new[i] = names[old[i]]


@compiled
def count_pairs(old: NDArray[np.int32], new: NDArray[np.int32]) -> int:
    """Return how many runs of equal (old, new) there are."""
    count = 1 if old.size else 0
    for i in range(1, old.size):
        count += (old[i] != old[i - 1]) | (new[i] != new[i - 1])
    return count


@compiled
def fill_pairs(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    length: NDArray[np.int64],
) -> int:
    """Write the runs in which both planes show an object; return their number.

    Parameters
    ----------
    old, new : ndarray of int32, shape (n,)
    a, b : ndarray of int32
        Old and new number of each run.
    length : ndarray of int64
        Its pixels.
    """
    count = 0
    begin = 0
    for i in range(1, old.size + 1):
        if i < old.size and old[i] == old[begin] and new[i] == new[begin]:
            continue
        if old[begin] != 0 and new[begin] != 0:
            a[count] = old[begin]
            b[count] = new[begin]
            length[count] = i - begin
            count += 1
        begin = i
    return count


@compiled
def favourites(
    voters: NDArray[np.int32],
    choices: NDArray[np.int32],
    weights: NDArray[np.int64],
    favourite: NDArray[np.int32],
    votes: NDArray[np.int64],
) -> None:
    """Find for each voter the choice that holds more than half of the weight, if one does.

    A running majority (Boyer & Moore 1981); where none has it the answer means nothing and has
    to be checked.

    Parameters
    ----------
    voters, choices, weights : ndarray
        One entry a vote.
    favourite, votes : ndarray
        By voter; both start at 0.
    """
    for i in range(voters.size):
        voter = voters[i]
        if favourite[voter] == choices[i]:
            votes[voter] += weights[i]
        elif votes[voter] >= weights[i]:
            votes[voter] -= weights[i]
        else:
            favourite[voter] = choices[i]
            votes[voter] = weights[i] - votes[voter]


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

"""Links are the best ones there are."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.measurement.movies.linking import Tracker, usual_reach


def best_cost(one: np.ndarray, other: np.ndarray, reach: float) -> float:
    """Return the least cost of all ways to link two frames; an end and a beginning cost reach²."""
    least = np.inf
    size = len(one)
    places = [*range(len(other)), *[-1] * size]
    for chosen in set(permutations(places, size)):
        cost = 0.0
        for point, place in zip(one, chosen, strict=True):
            step = reach if place < 0 else float(np.hypot(*(point - other[place])))
            cost += reach**2 if step > reach else step**2
        least = min(least, cost)
    return least


def points(number: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    place = st.tuples(st.integers(0, 12), st.integers(0, 12))
    return st.lists(place, min_size=1, max_size=number, unique=True)


@given(points(4), points(4))
@settings(max_examples=60, deadline=None)
def test_two_frames_are_linked_at_the_least_cost(first: list, second: list) -> None:
    one, other = np.array(first, float), np.array(second, float)
    names = Tracker(5.0).link([one, other])
    cost = 0.0
    for name, point in zip(names[0], one, strict=True):
        at = np.flatnonzero(names[1] == name)
        cost += 25.0 if not at.size else float(((point - other[at[0]]) ** 2).sum())
    assert abs(cost - best_cost(one, other, 5.0)) < 1e-6
    assert np.unique(names[1]).size == names[1].size


def test_an_object_lost_for_as_many_frames_as_allowed_is_the_same() -> None:
    at, nowhere = np.array([[3.0, 3.0]]), np.zeros((0, 2))
    frames = [at, nowhere, nowhere, at]
    assert Tracker(2.0, memory=2).link(frames)[3].tolist() == [1]
    assert Tracker(2.0, memory=1).link(frames)[3].tolist() == [2]


def test_many_points_at_rest_keep_their_names() -> None:
    rng = np.random.default_rng(1)
    first = rng.uniform(0, 1000, (3000, 2))
    order = rng.permutation(3000)
    names = Tracker(usual_reach([first], 5.0)).link([first, first[order]])
    assert np.array_equal(names[1], names[0][order])


def test_the_usual_reach_is_at_most_half_the_way_to_a_neighbour() -> None:
    near = np.array([[0.0, 0.0], [0.0, 4.0], [0.0, 8.0]])
    assert usual_reach([near], 10.0) == 2.0
    assert usual_reach([near], 1.0) == 1.0
    assert usual_reach([near[:1]], 3.0) == 3.0

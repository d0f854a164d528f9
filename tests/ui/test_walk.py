"""The walk through the objects: lowest score first, and back by the way one came."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_defectseg.ui.walk import Walk


@pytest.fixture
def session():
    labels = SimpleNamespace(object_classes={1: 1, 2: 1, 3: 1, 4: 1}, checked=set())
    table = {"label": np.array([1, 2, 3, 4]), "mean_score": np.array([0.9, 0.6, 0.8, 0.7])}
    return SimpleNamespace(labels=labels, table=table)


def test_the_lowest_score_comes_first(session):
    walk = Walk(session)
    assert [walk.next() for _ in range(4)] == [2, 4, 3, 1]


def test_back_goes_to_the_object_that_was_just_accepted(session):
    walk = Walk(session)
    walk.next()
    session.labels.checked.add(2)
    assert walk.next() == 4
    assert walk.back() == 2
    assert walk.next() == 4


def test_back_goes_the_way_one_came_and_passes_over_what_is_gone(session):
    walk = Walk(session)
    for _ in range(3):
        walk.next()
    del session.labels.object_classes[4]
    assert walk.back() == 2


def test_back_from_the_first_object_goes_round_to_the_last(session):
    walk = Walk(session)
    walk.next()
    assert walk.back() == 1


def test_nothing_is_visited_where_all_is_checked(session):
    session.labels.checked.update(session.labels.object_classes)
    walk = Walk(session)
    assert walk.next() is None
    assert walk.back() is None


def test_what_was_put_off_comes_last(session):
    walk = Walk(session)
    walk.put_off(walk.next())
    assert [walk.next() for _ in range(4)] == [4, 3, 1, 2]

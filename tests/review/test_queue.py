"""The queue: order, the way back, and each decision as one undoable edit."""

import numpy as np
import pytest
from squares import scores_of, squares

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.review.doubt import object_doubts
from napari_defectseg.review.queue import ORDERS, Queue
from napari_defectseg.review.verdicts import verdicts_of

SCORES = {1: 0.9, 2: 0.6, 3: 0.8, 4: 0.7}


class Clock:
    """Moves when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def history():
    return History(squares(4), who="Ada")


@pytest.fixture
def queue(history):
    labels = history.labelmap
    clock = Clock()
    made = Queue(
        labels, history.push, object_doubts(labels, scores_of(labels, SCORES)), clock=clock
    )
    made.clock = clock
    return made


def test_the_most_doubtful_comes_first(queue):
    assert [queue.next() for _ in range(4)] == [2, 4, 3, 1]
    assert queue.next() == 2


def test_back_goes_to_the_object_that_was_just_accepted(queue):
    queue.next()
    queue.accept()
    assert queue.next() == 4
    assert queue.back() == 2
    assert queue.next() == 4


def test_back_goes_the_way_one_came_and_passes_over_what_is_gone(queue):
    for _ in range(2):
        queue.next()
    queue.reject()
    assert queue.next() == 3
    assert queue.back() == 2


def test_back_from_the_first_object_goes_round_to_the_last(queue):
    queue.next()
    assert queue.back() == 1


def test_nothing_is_visited_where_all_is_checked(queue, history):
    history.labelmap.checked.update({1, 2, 3, 4})
    assert queue.next() is None
    assert queue.back() is None


def test_what_was_skipped_comes_last(queue):
    queue.next()
    assert [queue.skip(), *(queue.next() for _ in range(3))] == [4, 3, 1, 2]


def test_every_decision_is_one_edit_that_undo_takes_back(queue, history):
    before = history.labelmap.planes[0].copy()
    queue.next()
    queue.reject()
    assert 2 not in history.labelmap.object_classes
    queue.next()
    queue.next_class()
    assert history.labelmap.object_classes[4] == 2
    assert queue.next_class() is not None
    assert history.labelmap.object_classes[4] == 1
    while history.undo():
        pass
    np.testing.assert_array_equal(history.labelmap.planes[0], before)
    assert not history.labelmap.checked


def test_bulk_accept_says_how_many_first_and_is_one_edit(queue, history):
    wanted = queue.above(0.75)
    assert sorted(wanted) == [1, 3]
    queue.accept_above(0.75)
    assert history.labelmap.checked == {1, 3}
    assert len(history.entries) == 1
    assert queue.progress == (2, 4)
    with pytest.raises(LabelError, match=r"1\.5"):
        queue.accept_above(1.5)


def test_a_filter_leaves_objects_out_of_order_and_progress(queue):
    queue.arrange("number", keep=lambda n: n > 2)
    assert queue.waiting() == [3, 4]
    assert queue.progress == (0, 2)


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_visits_every_object_once(queue, order):
    queue.arrange(order)
    assert {queue.next() for _ in range(4)} == {1, 2, 3, 4}


def test_time_left_is_the_median_decision_and_forgets_pauses(queue):
    assert queue.seconds_left is None
    queue.next()
    for spent in (2.0, 4.0, 900.0, 3.0):
        queue.clock.now += spent
        queue.skip()
        queue.note_decision()
    assert queue.seconds_left == pytest.approx(3.0 * 4)


def test_deciding_before_anything_is_looked_at_is_refused(queue):
    with pytest.raises(LabelError, match="No object"):
        queue.accept()
    with pytest.raises(LabelError, match="ordered"):
        queue.arrange("colour")


def test_who_when_and_which_version_are_kept_and_follow_undo(queue, history):
    queue.next()
    queue.accept()
    queue.next()
    queue.reject()
    kept = verdicts_of(history)
    assert (kept[2].what, kept[2].person, kept[2].version, kept[2].present) == (
        "accept", "Ada", 1, True,
    )  # fmt: skip
    assert kept[2].when.endswith("+00:00")
    assert (kept[4].what, kept[4].version, kept[4].present) == ("delete", 2, False)
    history.undo()
    assert set(verdicts_of(history)) == {2}

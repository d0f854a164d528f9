"""Compare: every kind of difference is found, and taking a side settles it."""

import numpy as np
import pytest
from squares import CLASSES, squares

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.review.compare import compare, difference_map


@pytest.fixture
def pair():
    left, right = squares(12), squares(12)
    right.apply(relabel(right, 2, 2))
    right.apply(delete(right, 3))
    left.apply(delete(left, 4))
    right.planes[0][3, 3:7] = 0
    right._index = None
    return left, right


def test_equal_maps_have_no_differences():
    found = compare(squares(), squares())
    assert found.matched == 12
    assert found.differences == ()
    assert found.next() is None


def test_every_kind_is_found(pair):
    found = compare(*pair)
    assert found.counts() == {"only left": 1, "only right": 1, "class": 1, "outline": 1}
    kinds = {one.kind: (one.left, one.right) for one in found.differences}
    assert kinds == {
        "only left": (3, 0), "only right": (0, 4), "class": (2, 2), "outline": (1, 1),
    }  # fmt: skip
    assert found.matched == 10


def test_taking_all_of_the_right_makes_the_left_equal_and_undo_brings_it_back(pair):
    left, right = pair
    before = left.planes[0].copy()
    history = History(left)
    found = compare(left, right)
    while found.open:
        found.next()
        history.push(found.take("right"))
    assert not difference_map(left, right).any()
    assert compare(left, right).differences == ()
    while history.undo():
        pass
    np.testing.assert_array_equal(left.planes[0], before)


def test_taking_the_left_marks_it_as_checked(pair):
    left, right = pair
    history = History(left)
    found = compare(left, right)
    while found.open:
        found.next()
        history.push(found.take("left"))
    assert left.checked == {1, 2, 3}
    assert found.next() is None


def test_the_map_says_which_side_has_more(pair):
    shown = difference_map(*pair)
    assert set(np.unique(shown)) == {0, 1, 2, 3}
    assert (shown[3:7, 23:27] == 1).all()
    assert (shown[3:7, 33:37] == 2).all()
    assert (shown[3:7, 13:17] == 3).all()


def test_jumping_goes_forward_round_and_back(pair):
    found = compare(*pair)
    seen = [found.next() for _ in range(4)]
    assert len(set(map(id, seen))) == 4
    assert found.next() is seen[0]
    assert found.back() is seen[3]


def test_where_no_room_is_left_a_sentence_says_so():
    left, right = squares(2), squares(2)
    left.planes[0][...] = 2
    left.object_classes.pop(1)
    left._index = None
    found = compare(left, right)
    only = next(i for i, one in enumerate(found.differences) if one.right == 1)
    found.at = only
    with pytest.raises(LabelError, match="there are objects already"):
        found.take("right")
    assert only in found.open


def test_maps_of_other_shapes_are_refused():
    other = LabelMap.empty((5, 5), CLASSES, ("y", "x"), Calibration((1.0, 1.0), "nm", "made"))
    with pytest.raises(LabelError, match="cannot be compared"):
        compare(squares(), other)

"""Merge: two people's work is put together, and only contradictions are left to decide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squares import CLASSES, squares

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import Journal
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.restore import restore
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.complete import complete
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.merge import merge as join_objects
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.review.merge import merge


@pytest.fixture
def two():
    return History(squares(12), who="Me"), History(squares(12), who="Ada")


def disc(place, radius):
    y, x = place
    box = (slice(max(0, y - 2), y + 3), slice(max(0, x - 2), x + 3))
    rows, columns = np.ogrid[box]
    return Stroke(box, (rows - y) ** 2 + (columns - x) ** 2 <= radius**2, place)


def dot(labels, place, *, class_value=1, number=None, radius=1.5):
    return paint(labels, disc(place, radius), class_value=class_value, number=number)


def test_what_only_the_other_decided_is_taken_in_one_step(two):
    mine, theirs = two
    theirs.push(delete(theirs.labelmap, 3))
    theirs.push(relabel(theirs.labelmap, 5, 2))
    theirs.push(dot(theirs.labelmap, (9, 9)))
    theirs.push(accept(theirs.labelmap, 7))
    mine.push(delete(mine.labelmap, 4))
    found = merge(mine, theirs)
    assert (found.taken, found.comparison.differences, found.who) == (3, (), "Ada")
    before = mine.labelmap.planes[0].copy()
    mine.push(found.edit)
    labels = mine.labelmap
    assert 3 not in labels.object_classes, "deleted by Ada"
    assert 4 not in labels.object_classes, "deleted by me"
    assert labels.object_classes[5] == 2
    assert labels.planes[0][9, 9] > 12, "a new object with a number of its own"
    assert {5, 7} <= labels.checked
    assert "3 places decided by Ada alone are taken" in found.sentence
    assert "not contradict" in found.sentence
    mine.undo()
    np.testing.assert_array_equal(labels.planes[0], before)


def test_contradictions_are_objects_to_decide(two):
    mine, theirs = two
    theirs.push(delete(theirs.labelmap, 3))
    mine.push(accept(mine.labelmap, 3))
    theirs.push(accept(theirs.labelmap, 4))
    mine.push(delete(mine.labelmap, 4))
    theirs.push(relabel(theirs.labelmap, 5, 2))
    mine.push(accept(mine.labelmap, 5))
    theirs.push(erase(theirs.labelmap, disc((23, 13), 1.5)))
    mine.push(accept(mine.labelmap, int(mine.labelmap.planes[0][24, 14])))
    theirs.push(join_objects(theirs.labelmap, [11, 12]))
    mine.push(relabel(mine.labelmap, 11, 2))
    found = merge(mine, theirs)
    assert found.edit is None
    assert found.comparison.counts() == {
        "only left": 1, "only right": 1, "class": 1, "outline": 1, "several": 1,
    }  # fmt: skip
    said = " | ".join(one.words for one in found.comparison.differences)
    assert "you have void, Ada nothing" in said
    assert "Ada has void, you nothing" in said
    assert "5 places are left to decide" in found.sentence


def test_deciding_all_for_the_other_makes_both_equal(two):
    mine, theirs = two
    test_contradictions_are_objects_to_decide(two)
    comparison = merge(mine, theirs).comparison
    while comparison.open:
        comparison.next()
        mine.push(comparison.take("right"))
    assert merge(mine, theirs).comparison.differences == ()
    np.testing.assert_array_equal(mine.labelmap.class_mask(), theirs.labelmap.class_mask())


def test_what_both_did_alike_is_no_contradiction(two):
    for history in two:
        history.push(delete(history.labelmap, 3))
        history.push(dot(history.labelmap, (9, 9)))
    found = merge(*two)
    assert found.edit is None
    assert found.comparison.differences == ()


def test_predictions_decide_nothing(two):
    mine, theirs = two
    new = theirs.labelmap.copy()
    new.apply(delete(new, 2))
    theirs.replace(new, "prediction")
    assert merge(mine, theirs).edit is None
    mine.push(delete(mine.labelmap, 1))
    assert merge(theirs, mine).taken == 1


def test_a_complete_region_decides_that_nothing_else_is_there(two):
    mine, theirs = two
    theirs.push(complete(theirs.labelmap, (slice(0, 20), slice(0, 20))))
    found = merge(mine, theirs)
    assert mine.push(found.edit).completed == {((0, 20), (0, 20))}
    mine.undo()
    mine.push(dot(mine.labelmap, (9, 9)))
    found = merge(mine, theirs)
    assert [one.kind for one in found.comparison.differences] == ["only left"]
    assert not found.edit.completed, "not complete while it is not decided"


def test_overlapping_classes_are_merged_plane_by_plane():
    def made():
        classes = ClassMap.of(["void", "loop"], exclusive=False)
        labels = LabelMap.empty((12, 12), classes, ("y", "x"), Calibration((1.0, 1.0), "nm", "m"))
        for plane in labels.planes:
            plane[2:6, 2:6] = 1 if plane is labels.planes[0] else 2
        labels.object_classes.update({1: 1, 2: 2})
        return labels

    mine, theirs = History(made(), who="Me"), History(made(), who="Ada")
    theirs.push(delete(theirs.labelmap, 2))
    mine.push(accept(mine.labelmap, 1))
    found = merge(mine, theirs)
    assert found.comparison.differences == ()
    mine.push(found.edit)
    assert set(mine.labelmap.object_classes) == {1}
    assert not mine.labelmap.planes[1].any()


def test_the_copy_of_a_journal_elsewhere_is_merged(tmp_path, two):
    mine, theirs = two
    journal = Journal.start(tmp_path, squares(12), image="a", image_sha256="ab" * 32)
    theirs = History(squares(12), journal, who="Ada")
    theirs.push(delete(theirs.labelmap, 3))
    journal.close()
    read, _ = restore(journal.folder, attach=False)
    mine.push(merge(mine, read).edit)
    assert 3 not in mine.labelmap.object_classes


def test_other_classes_are_refused(two):
    other = squares(12)
    other.classes = ClassMap.of(["pore", "crack"])
    with pytest.raises(LabelError, match="pore, crack"):
        merge(two[0], History(other))
    assert CLASSES.names == ("void", "loop")


acts = st.lists(
    st.tuples(st.sampled_from(["delete", "accept", "class", "draw"]), st.integers(1, 12)),
    max_size=8,
)


def _do(history, todo):
    for what, number in todo:
        labels = history.labelmap
        if number not in labels.object_classes:
            continue
        y, x = (3 + 10 * part for part in divmod(number - 1, 4))
        history.push(
            {
                "delete": lambda n=number, m=labels: delete(m, n),
                "accept": lambda n=number, m=labels: accept(m, n),
                "class": lambda n=number, m=labels: relabel(m, n, 3 - m.object_classes[n]),
                "draw": lambda n=number, m=labels, at=(y, x): dot(
                    m, at, class_value=m.object_classes[n], number=n
                ),
            }[what]()
        )


@settings(max_examples=40, deadline=None)
@given(acts, acts)
def test_nothing_decided_is_lost_and_merging_twice_changes_nothing(first, second):
    mine, theirs = History(squares(12), who="Me"), History(squares(12), who="Ada")
    _do(mine, first)
    _do(theirs, second)
    own = {n: mine.labelmap.planes[0] == n for n in mine.labelmap.checked}
    found = merge(mine, theirs)
    mine.push(found.edit)
    for number, mask in own.items():
        np.testing.assert_array_equal(mine.labelmap.planes[0] == number, mask)
    again = merge(mine, theirs)
    assert again.edit is None
    assert len(again.comparison.differences) == len(found.comparison.differences)
    both = {n for _, n in first} & {n for _, n in second}
    assert len(found.comparison.differences) <= len(both)

"""Change of class, cleaning by rule, and acceptance."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, map_of

from napari_defectseg.core.errors import ClassError, LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.tools.accept import accept, accept_above
from napari_defectseg.labels.tools.clean import CleanSettings, clean
from napari_defectseg.labels.tools.relabel import relabel


def squares():
    """Sizes 1, 4, 9, 16; the last touches the border."""
    mask = np.zeros((12, 20), np.uint8)
    for place, size in ((2, 1), (4, 2), (8, 3)):
        mask[2 : 2 + size, place : place + size] = 1
    mask[2:6, 16:20] = 2
    return map_of(mask)


def sizes(labelmap):
    return sorted(labelmap.index.size(n) for n in labelmap.object_classes)


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ({"min_size": 4}, [4, 9, 16]),
        ({"max_size": 9}, [1, 4, 9]),
        ({"border": True}, [1, 4, 9]),
        ({"min_size": 9, "border": True}, [9]),
        ({"min_size": 100, "classes": (1,)}, [16]),
    ],
)
def test_rules_remove_what_they_name(rules, left):
    labelmap = squares()
    labelmap.apply(clean(labelmap, CleanSettings(**rules)))
    assert sizes(labelmap) == left
    check_whole(labelmap)


def test_checked_objects_stay_unless_asked_otherwise():
    labelmap = squares()
    labelmap.checked = {1}
    assert clean(labelmap, CleanSettings(min_size=2)) is None
    labelmap.apply(clean(labelmap, CleanSettings(min_size=2, protect=False)))
    assert sizes(labelmap) == [4, 9, 16]


def test_thousands_of_specks_are_one_edit_of_few_changes():
    rng = np.random.default_rng(0)
    labelmap = map_of(rng.random((200, 200)) < 0.1)
    count = len(labelmap.object_classes)
    edit = clean(labelmap, CleanSettings(min_size=3))
    assert len(edit.changes) == 1
    labelmap.apply(edit)
    check_whole(labelmap)
    assert count - len(labelmap.object_classes) > 1000
    assert min(sizes(labelmap)) >= 3
    assert clean(labelmap, CleanSettings(min_size=3)) is None


def test_a_slice_is_cleaned_by_itself():
    volume = np.zeros((3, 8, 8), np.uint8)
    volume[:, 1:5, 1:5] = 1
    volume[1, 1:5, 1:5] = 0
    volume[1, 2, 2] = 1
    labelmap = map_of(volume, "zyx")
    labelmap.apply(
        clean(labelmap, CleanSettings(min_size=2), within=boxes.slice_box((3, 8, 8), 0, 1))
    )
    assert not labelmap.planes[0][1].any()
    assert len(labelmap.object_classes) == 2
    check_whole(labelmap)


def test_a_range_that_is_none_is_refused():
    with pytest.raises(LabelError, match="not a range"):
        CleanSettings(min_size=5, max_size=3)


def test_an_object_changes_class_and_keeps_its_number():
    labelmap = squares()
    edit = relabel(labelmap, [1, 2], 3)
    assert edit.size == 0
    labelmap.apply(edit)
    assert labelmap.object_classes == {1: 3, 2: 3, 3: 1, 4: 2} or sizes(labelmap) == [1, 4, 9, 16]
    assert labelmap.checked == {1, 2}
    assert relabel(labelmap, 1, 3) is None
    with pytest.raises(ClassError):
        relabel(labelmap, 1, 9)


def test_where_classes_overlap_it_moves_to_the_other_plane():
    stack = np.zeros((3, 6, 6), bool)
    stack[0, 1:4, 1:4] = True
    stack[1, 3:6, 3:6] = True
    labelmap = map_of(stack, exclusive=False)
    labelmap.apply(relabel(labelmap, 1, 2))
    check_whole(labelmap)
    assert labelmap.object_classes == {1: 2, 2: 2}
    assert not labelmap.planes[0].any()
    assert labelmap.planes[1][3, 3] == 2
    assert labelmap.index.size(1) == 8
    stack[1] = stack[0]
    full = map_of(stack, exclusive=False)
    with pytest.raises(LabelError, match="objects of that class already"):
        relabel(full, 1, 2)


def test_a_slice_of_an_object_gets_another_class_as_an_object_of_its_own():
    labelmap = map_of(np.ones((3, 4, 4), np.uint8), "zyx")
    labelmap.apply(relabel(labelmap, 1, 2, within=boxes.slice_box((3, 4, 4), 0, 1)))
    check_whole(labelmap)
    assert sorted(labelmap.object_classes.values()) == [1, 1, 2]
    flat = map_of(np.ones((4, 4), np.uint8))
    flat.apply(relabel(flat, 1, 2, within=boxes.whole((4, 4))))
    assert flat.object_classes == {1: 2}


def test_acceptance_marks_unmarks_and_takes_all_above_a_score():
    labelmap = squares()
    labelmap.apply(accept(labelmap, [1, 2]))
    assert labelmap.checked == {1, 2}
    assert accept(labelmap, 1) is None
    labelmap.apply(accept(labelmap, 1, checked=False))
    assert labelmap.checked == {2}
    edit = accept_above(labelmap, {1: 0.95, 2: 0.99, 3: 0.2}, 0.95)
    assert edit.checked == {1}
    assert accept_above(labelmap, {1: 0.95}, 0.5, class_value=3) is None
    with pytest.raises(LabelError, match="from 0 to 1"):
        accept_above(labelmap, {}, 95)

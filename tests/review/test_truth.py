"""Region complete: an act of its own, undoable, kept on disk; only there is truth."""

import numpy as np
from squares import squares

from napari_defectseg.labels import boxes
from napari_defectseg.labels.history import History
from napari_defectseg.labels.record import edit_of, map_of_record, record_of, record_of_map
from napari_defectseg.labels.tools.complete import complete, is_complete, reopen
from napari_defectseg.review.truth import complete_area, truth_mask

CORNER = (slice(0, 10), slice(0, 20))


def test_accepted_objects_alone_are_no_truth():
    labels = squares()
    labels.checked |= set(labels.object_classes)
    assert (truth_mask(labels) == 255).all()


def test_a_complete_region_is_truth_and_checks_what_lies_in_it():
    labels = squares()
    history = History(labels)
    history.push(complete(labels, CORNER))
    assert labels.checked == {1, 2}
    assert is_complete(labels, (slice(2, 5), slice(3, 8)))
    mask = truth_mask(labels)
    assert (mask[CORNER] == labels.class_mask()[CORNER]).all()
    assert complete_area(labels).sum() == 200
    assert (mask[10:] == 255).all()
    assert complete(labels, CORNER) is None
    history.undo()
    assert not labels.complete
    assert not labels.checked


def test_a_larger_region_takes_the_place_of_those_it_holds_and_can_be_reopened():
    labels = squares()
    history = History(labels)
    history.push(complete(labels, CORNER))
    history.push(complete(labels, boxes.whole(labels.shape)))
    assert len(labels.complete) == 1
    history.push(reopen(labels, CORNER))
    assert not labels.complete
    assert reopen(labels, CORNER) is None


def test_a_new_prediction_in_it_makes_it_incomplete_and_undo_complete_again():
    labels = squares()
    history = History(labels)
    history.push(complete(labels, CORNER))
    new = labels.copy()
    new.planes[0][0:2, 0:2] = 13
    new.object_classes[13] = 1
    history.replace(new, "prediction")
    assert not labels.complete
    history.undo()
    assert labels.complete


def test_the_journal_keeps_it():
    labels = squares()
    edit = complete(labels, CORNER)
    record = record_of(edit)
    labels.apply(edit_of(record.fields, record.blocks))
    assert is_complete(labels, CORNER)
    kept = record_of_map(labels, {})
    assert map_of_record(kept.fields, kept.blocks).complete == labels.complete
    np.testing.assert_array_equal(complete_area(labels)[CORNER], True)

"""The five-minute review: a seeded sample with known probabilities, judged by edits."""

import json

import numpy as np
import pytest
from squares import squares

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.audit import Audit
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.measurement.audit import estimate_audit
from napari_defectseg.review.audit import (
    AuditSettings,
    draw_audit,
    judge_object_by_edits,
    judge_place_by_edits,
)

SMALL = AuditSettings(objects=12, places=4, side=10, seed=3)


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    labels = squares(40)
    assert draw_audit(labels, settings=SMALL) == draw_audit(labels, settings=SMALL)
    assert draw_audit(labels, settings=SMALL) != draw_audit(
        labels, settings=AuditSettings(12, 4, 10, seed=4)
    )


def test_every_stratum_is_drawn_with_the_probability_it_says():
    labels = squares(40)
    scores = {n: n / 41 for n in labels.object_classes}
    audit = draw_audit(labels, scores, SMALL)
    assert sum(audit.object_strata.values()) == 40
    assert all(name.split(": ")[1].startswith("score") for name in audit.object_strata)
    for name, members in audit.object_strata.items():
        drawn = [one for one in audit.objects if one.stratum == name]
        assert len(drawn) >= 2
        assert all(one.probability == len(drawn) / members for one in drawn)


def test_each_object_is_drawn_as_often_as_its_probability_says():
    labels = squares(20)
    draws = 400
    seen = np.zeros(21)
    for seed in range(draws):
        audit = draw_audit(labels, settings=AuditSettings(8, 4, 10, strata=2, seed=seed))
        for one in audit.objects:
            seen[one.number] += 1 / one.probability
    assert seen[1:] / draws == pytest.approx(np.ones(20), abs=0.35)
    assert seen[1:].sum() / draws == pytest.approx(20)


def test_places_cover_the_image_and_hold_each_object_once():
    labels = squares(40)
    audit = draw_audit(labels, settings=AuditSettings(8, 10_000, 10))
    area = sum(np.prod(boxes.shape_of(boxes.of_sides(p.region))) for p in audit.places)
    assert area == np.prod(labels.shape)
    assert sorted(n for place in audit.places for n in place.predicted) == list(range(1, 41))


def test_a_place_is_judged_by_what_was_drawn_and_deleted():
    labels = squares(40)
    history = History(labels)
    audit = draw_audit(labels, settings=SMALL)
    place = next(i for i, one in enumerate(audit.places) if one.predicted)
    region = audit.places[place].region
    history.push(delete(labels, audit.places[place].predicted[0]))
    dot = np.zeros(labels.shape, bool)
    dot[tuple(low + 1 for low, _ in region)] = True
    history.push(paint(labels, Stroke.of(dot), 1))
    judged = judge_place_by_edits(audit, place, labels).places[place]
    assert judged.found == len(judged.predicted) - 1
    assert judged.missed == 1


def test_an_estimate_of_perfect_work_reaches_one_and_does_not_claim_to_know_it():
    audit = draw_audit(squares(40), settings=SMALL)
    for i in range(len(audit.objects)):
        audit = audit.judge_object(i, True)
    for i, place in enumerate(audit.places):
        audit = audit.judge_place(i, len(place.predicted), 0)
    assert audit.done
    found = estimate_audit(audit)
    assert found.precision.value == found.recall.value == 1
    assert found.precision.low < 0.9
    assert found.precision.more > 0
    assert found.count.value == pytest.approx(40)


def test_without_objects_there_is_nothing_to_draw():
    empty = squares(1)
    nothing = LabelMap.empty(empty.shape, empty.classes, empty.axes, empty.calibration)
    with pytest.raises(LabelError, match="no objects"):
        draw_audit(nothing)


def test_impossible_verdicts_are_refused():
    audit = draw_audit(squares(12), settings=SMALL)
    with pytest.raises(LabelError, match="do not fit"):
        audit.judge_place(0, 99, 0)


def test_a_volume_and_a_movie_are_cut_into_places_that_lie_in_one_frame():
    calibration = Calibration((2.0, 1.0, 1.0), "nm", "made")
    volume = LabelMap.empty((20, 40, 40), squares(1).classes, ("z", "y", "x"), calibration)
    volume.planes[0][4:8, 5:10, 5:10] = 1
    volume.object_classes[1] = 1
    audit = draw_audit(volume, settings=AuditSettings(4, 100, 10))
    depths = {place.region[0][1] - place.region[0][0] for place in audit.places}
    assert depths == {5}
    flat = Calibration((1.0, 1.0), "nm", "made")
    movie = LabelMap.empty((3, 40, 40), squares(1).classes, ("t", "y", "x"), flat)
    movie.planes[0][1, 5:10, 5:10] = 1
    movie.object_classes[1] = 1
    frames = [
        place.region[0] for place in draw_audit(movie, settings=AuditSettings(4, 100, 20)).places
    ]
    assert sorted(set(frames)) == [(0, 1), (1, 2), (2, 3)]


def test_an_object_of_another_class_is_there_and_not_right():
    labels = squares(40)
    history = History(labels)
    audit = draw_audit(labels, settings=SMALL)
    for index, one in enumerate(audit.objects):
        if index == 0:
            history.push(relabel(labels, one.number, 2 if one.class_value != 2 else 1))
        elif index == 1:
            history.push(delete(labels, one.number))
        audit = judge_object_by_edits(audit, index, labels)
    assert [one.right for one in audit.objects[:3]] == [False, False, True]
    assert [one.there for one in audit.objects[:3]] == [True, False, True]
    estimate = estimate_audit(audit)
    assert estimate.precision.value < estimate.there.value < 1
    assert estimate.count.true == pytest.approx(40 * estimate.there.value)


def test_an_audit_is_kept_as_json_and_damage_is_said():
    audit = draw_audit(squares(40), settings=SMALL).judge_object(0, False, other_class=True)
    audit = audit.judge_place(0, 0, 3)
    text = json.dumps(audit.as_dict())
    assert Audit.of_dict(json.loads(text)) == audit
    for damaged in ({}, {**audit.as_dict(), "objects": [{"number": 1}]}):
        with pytest.raises(LabelError, match="damaged"):
            Audit.of_dict(damaged)

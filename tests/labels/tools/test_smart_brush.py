"""The edge brush stops where the image has an edge, and is a plain brush where it has none."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.smart_brush import parting, smart_brush, within_edge


def scene(noise=8.0, seed=0):
    truth = disc((80, 80), (40, 40), 18)
    rng = np.random.default_rng(seed)
    return truth, np.where(truth, 100.0, 60.0) + rng.normal(0, noise, truth.shape)


def dice(one, two):
    return 2 * np.count_nonzero(one & two) / (one.sum() + two.sum())


@pytest.mark.parametrize("seed", range(4))
def test_a_rough_stroke_over_the_rim_becomes_the_object(seed):
    truth, image = scene(seed=seed)
    stroke = Stroke.of(disc(truth.shape, (40, 40), 25), (40, 40))
    assert dice(stroke.mask, truth[stroke.box]) < 0.75
    labelmap = map_of(np.zeros(truth.shape))
    labelmap.apply(smart_brush(labelmap, stroke, image[stroke.box], 2))
    check_whole(labelmap)
    assert dice(labelmap.planes[0] > 0, truth) > 0.97
    assert labelmap.object_classes == {1: 2}


def test_a_dark_object_and_a_narrow_strip_of_background_are_seen():
    truth, image = scene()
    stroke = Stroke.of(disc(truth.shape, (40, 40), 19.5), (40, 40))
    kept = within_edge(stroke, -image[stroke.box])
    wrong = kept.mask & ~truth[stroke.box]
    assert np.count_nonzero(wrong) < 0.3 * np.count_nonzero(stroke.mask & ~truth[stroke.box])
    assert dice(kept.mask, truth[stroke.box]) > 0.96


def test_the_middle_of_the_stroke_says_which_side_is_meant():
    truth, image = scene()
    stroke = Stroke.of(disc(truth.shape, (40, 64), 12), (40, 64))
    kept = within_edge(stroke, image[stroke.box])
    assert not (kept.mask & truth[stroke.box]).sum() > 4


@pytest.mark.parametrize("kind", ["flat", "noise", "slope"])
def test_without_an_edge_it_is_a_plain_brush(kind):
    rng = np.random.default_rng(1)
    image = {
        "flat": np.full((40, 40), 7.0),
        "noise": rng.normal(0, 1, (40, 40)),
        "slope": np.tile(np.linspace(0, 9, 40), (40, 1)) + rng.normal(0, 0.1, (40, 40)),
    }[kind]
    stroke = Stroke.of(disc(image.shape, (20, 20), 9), (20, 20))
    labelmap = map_of(np.zeros(image.shape))
    edit = smart_brush(labelmap, stroke, image[stroke.box], 1)
    plain = paint(labelmap, stroke, 1)
    assert edit.size == plain.size


def test_in_a_volume_and_a_slice_of_it():
    truth = disc((20, 40, 40), (10, 20, 20), 8)
    image = np.where(truth, 5.0, 1.0)
    thick = Stroke.of(disc(truth.shape, (10, 20, 20), 10.5), (10, 20, 20))
    assert dice(within_edge(thick, image[thick.box]).mask, truth[thick.box]) > 0.95
    flat = Stroke.of(disc(truth.shape, (10, 20, 20), 10.5) & (np.arange(20) == 10)[:, None, None])
    kept = within_edge(flat, image[flat.box])
    assert dice(kept.mask, truth[flat.box]) > 0.94


def test_two_populations_are_parted_and_one_is_not():
    rng = np.random.default_rng(2)
    both = np.concatenate([rng.normal(0, 1, 300), rng.normal(7, 1, 40)])
    assert 2 < parting(both) < 5.5
    assert parting(rng.normal(0, 1, 500)) is None
    assert parting(rng.random(500)) is None
    assert parting(np.ones(9)) is None


def test_values_that_do_not_fit_are_refused():
    stroke = Stroke.of(disc((9, 9), (4, 4), 2))
    with pytest.raises(LabelError, match="do not fit"):
        within_edge(stroke, np.zeros((3, 3)))

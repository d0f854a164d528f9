"""Blocks of a run are on the canvas as they land, in a layer that goes when the run ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threshold_net import picture, threshold_model

from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.ui import arriving, layers
from napari_defectseg.ui.arriving import ARRIVING, Arriving, _every, _thinned
from napari_defectseg.ui.kept import Kept
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.stage import stage_of


@pytest.fixture
def stage(viewer_model, monkeypatch):
    monkeypatch.setattr(arriving, "BETWEEN", 0.0)
    session = session_of(viewer_model)
    session.image = picture((80, 96), "yx")
    yield stage_of(viewer_model)
    session.close()


def shown(stage):
    kinds = ((one, one.metadata.get(layers.KEY, {}).get("kind")) for one in stage.viewer.layers)
    return [layer for layer, kind in kinds if kind == ARRIVING]


def run(stage, settings, decode=None):
    """Yield after each tile that was shown; returns the prediction."""
    kept = Kept(threshold_model(), stage.session.image, settings)
    view = Arriving(stage)
    view.begin(kept, decode)
    steps = kept.steps()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            view.show()
            return view, end.value
        view.show()
        yield


def to_the_end(steps):
    seen = 0
    while True:
        try:
            next(steps)
            seen += 1
        except StopIteration as end:
            assert seen > 3
            return end.value


def test_the_layer_holds_the_classes_that_have_come_and_goes(stage) -> None:
    active = stage.viewer.layers.selection.active
    view, found = to_the_end(run(stage, PredictSettings(tile=32)))
    (layer,) = shown(stage)
    whole = found.mask(found.decode_settings(min_size=0))
    np.testing.assert_array_equal(layer.data, whole)
    np.testing.assert_array_equal(layer.scale, stage.image_layer.scale)
    assert stage.viewer.layers.selection.active is active
    assert stage.session.labels is None
    view.end()
    assert not shown(stage)


def test_a_region_lands_in_its_place(stage) -> None:
    _, found = to_the_end(run(stage, PredictSettings(tile=32, region="y=16:80,x=8:90")))
    (layer,) = shown(stage)
    whole = found.mask(found.decode_settings(min_size=0))
    np.testing.assert_array_equal(layer.data[16:80, 8:90], whole[16:80, 8:90])
    assert not layer.data[:16].any()


def test_a_large_image_is_shown_thinned(stage, monkeypatch) -> None:
    monkeypatch.setattr(arriving, "MOST", 80 * 96 // 9 + 1)
    _, found = to_the_end(run(stage, PredictSettings(tile=32)))
    (layer,) = shown(stage)
    whole = found.mask(found.decode_settings(min_size=0))
    np.testing.assert_array_equal(layer.data, whole[::3, ::3])
    np.testing.assert_allclose(layer.scale, 3 * np.asarray(stage.image_layer.scale))


def test_thresholds_of_a_person_hold_and_another_image_shows_nothing(stage) -> None:
    decode = DecodeSettings(thresholds={"void": 1.0, "loop": 1.0})
    steps = run(stage, PredictSettings(tile=32), decode)
    for _ in steps:
        assert not shown(stage)
    steps = run(stage, PredictSettings(tile=32))
    for _ in range(8):
        next(steps)
    assert shown(stage)
    stage.session.image = picture((40, 40), "yx", seed=5)
    next(steps)
    assert not shown(stage)
    steps.close()


@given(
    lengths=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    tile=st.integers(1, 15),
    step=st.integers(1, 6),
)
def test_thinned_blocks_make_up_the_thinned_whole(lengths, tile, step) -> None:
    whole = np.random.default_rng(0).integers(0, 9, lengths)
    found = np.full(_thinned(lengths, step), -1)
    for y in range(0, lengths[0], tile):
        for x in range(0, lengths[1], tile):
            box = (slice(y, min(y + tile, lengths[0])), slice(x, min(x + tile, lengths[1])))
            place, values = _every(box, whole[box], step)
            found[place] = values
    np.testing.assert_array_equal(found, whole[::step, ::step])

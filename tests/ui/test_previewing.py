"""What is seen is predicted at once, the newest wish wins, and nothing of the work is touched."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from threshold_net import picture, threshold_model

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.docks.predict import PredictDock
from napari_defectseg.ui.previewing import LANE, preview_of
from napari_defectseg.ui.seen import preview_layers, seen_box
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.stage import stage_of

WAIT = 30000


@pytest.fixture
def session(viewer_model):
    session = session_of(viewer_model)
    yield session
    session.close()
    assert not session.jobs.alive()


@pytest.fixture
def page(qtbot, viewer_model, session):
    stage_of(viewer_model)
    session.image = picture((80, 80), "yx")
    look(viewer_model, (0, 0), (79, 79))
    session.model = threshold_model()
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    page.show()
    yield page
    page.release()


def look(viewer, low, high) -> None:
    """Bring a part of the image into view, as the canvas would."""
    stage_of(viewer).image_layer.corner_pixels = np.array([low, high])
    viewer.scene.camera.zoom *= 1.01


def shown(page):
    layers = preview_layers(page.stage)
    return layers[0] if layers else None


def settled(page, qtbot):
    preview = preview_of(page.viewer)
    qtbot.waitUntil(lambda: preview.words.startswith("In "), timeout=WAIT)


def test_what_is_seen_is_predicted_without_touching_anything(page, qtbot):
    settled(page, qtbot)
    assert page.preview.result.text().startswith("In what you see: 7 void, 3 loop")
    assert page.session.prediction is None
    assert page.session.labels is None
    assert page.viewer.layers.selection.active is page.stage.image_layer
    whole = predict(page.session.model, page.session.image).labels()
    np.testing.assert_array_equal(shown(page).data > 0, whole.planes[0] > 0)


def test_moving_the_view_predicts_again_where_it_is(page, qtbot):
    settled(page, qtbot)
    look(page.viewer, (2, 1), (33, 62))
    qtbot.waitUntil(lambda: shown(page).data.shape == (32, 62), timeout=WAIT)
    np.testing.assert_allclose(shown(page).translate, (2 * 0.5, 1 * 0.5))
    whole = predict(page.session.model, page.session.image).labels()
    settled(page, qtbot)
    np.testing.assert_array_equal(shown(page).data > 0, whole.planes[0][2:34, 1:63] > 0)


def test_of_many_wishes_the_newest_is_shown(page, qtbot):
    settled(page, qtbot)
    for n in range(12):
        look(page.viewer, (n, n), (n + 40, n + 30))
        qtbot.wait(30)
    qtbot.waitUntil(lambda: shown(page).data.shape == (41, 31), timeout=WAIT)
    settled(page, qtbot)
    np.testing.assert_allclose(shown(page).translate, (11 * 0.5, 11 * 0.5))
    assert len(preview_layers(page.stage)) == 1


def test_a_threshold_is_judged_before_anything_is_run(page, qtbot, monkeypatch):
    settled(page, qtbot)
    from napari_defectseg.inference.engines.exact import ExactEngine

    def never(*_):
        raise AssertionError("the network runs again")

    monkeypatch.setattr(ExactEngine, "run", never)
    page.counts.smallest.field.setValue(1.6)  # the small block has 4 px
    qtbot.waitUntil(lambda: "6 void" in page.preview.result.text(), timeout=WAIT)
    monkeypatch.undo()
    page.act()
    qtbot.waitUntil(lambda: page.session.labels is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: page.session.labels.counts() == {1: 6, 2: 3}, timeout=WAIT)


def test_another_normalisation_is_shown_at_once(page, qtbot):
    settled(page, qtbot)
    card = page.session.model.card.replaced(thresholds={"void": 0.999999, "loop": 0.999999})
    page.session.model = page.session.model.with_card(card)
    qtbot.waitUntil(lambda: "0 void, 0 loop" in page.preview.result.text(), timeout=WAIT)


def test_it_goes_when_all_of_it_is_predicted_and_comes_with_another_model(page, qtbot):
    settled(page, qtbot)
    page.act()
    assert shown(page) is None
    qtbot.waitUntil(lambda: page.session.prediction is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: not page.footer.working, timeout=WAIT)
    qtbot.wait(400)
    assert shown(page) is None
    page.session.model = threshold_model()
    qtbot.waitUntil(lambda: shown(page) is not None, timeout=WAIT)


def test_it_is_switched_off_and_that_is_remembered(page, qtbot):
    settled(page, qtbot)
    page.preview.switch.setChecked(False)
    assert shown(page) is None
    assert page.preview.result.text() == ""
    look(page.viewer, (2, 1), (33, 62))
    qtbot.wait(300)
    assert page.session.jobs.running(LANE) is None
    assert shown(page) is None
    page.preview.switch.setChecked(True)
    settled(page, qtbot)


def test_it_works_while_a_page_is_in_front_and_both_docks_share_it(page, qtbot):
    settled(page, qtbot)
    other = ModelDock(page.viewer)
    qtbot.addWidget(other)
    other.show()
    assert other.preview.result.text() == page.preview.result.text()
    page.hide()
    assert shown(page) is not None
    other.hide()
    assert shown(page) is None
    other.release()


def test_a_model_that_does_not_fit_says_so_in_a_sentence(page, qtbot):
    settled(page, qtbot)
    page.session.model = threshold_model(3)
    qtbot.waitUntil(lambda: "needs a volume" in page.preview.result.text(), timeout=WAIT)
    assert shown(page) is None


def test_another_slice_is_predicted_at_once(page, qtbot):
    volume = picture((3, 70, 70), "tyx", bright=4, dark=2, name="movie")
    volume.data[1, :30] = 100.0
    page.session.image = volume
    look(page.viewer, (0, 0, 0), (2, 69, 69))
    page.viewer.dims.set_current_step(0, 0)
    qtbot.waitUntil(lambda: "5 void, 2 loop" in page.preview.result.text(), timeout=WAIT)
    page.viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: "1 void, 0 loop" in page.preview.result.text(), timeout=WAIT)
    assert shown(page).data.shape == (1, 70, 70)
    assert shown(page).translate[0] == 1


# -- what is seen ------------------------------------------------------------------------


def test_of_a_stack_the_plane_or_a_block_around_it_is_seen(page):
    data = np.random.default_rng(0).integers(0, 255, (300, 40, 50), dtype=np.uint8)
    page.session.image = CalibratedImage.from_array(data, axes="zyx")
    page.stage.image_layer.corner_pixels = np.array([[0, 0, 0], [299, 39, 49]])
    page.viewer.dims.set_point(0, 200)
    plane = seen_box(page.stage, 2)
    assert plane.box == (slice(200, 201), slice(0, 40), slice(0, 50))
    assert not plane.cut
    block = seen_box(page.stage, 3)
    assert block.box == (slice(192, 208), slice(0, 40), slice(0, 50))
    page.stage.image_layer.corner_pixels = np.array([[0, 0, 0], [0, 0, 0]]) - 1
    assert seen_box(page.stage, 2) is None


def test_of_a_large_view_the_middle_is_seen(page):
    page.session.image = CalibratedImage.from_array(np.zeros((3000, 2500), np.uint8))
    page.stage.image_layer.corner_pixels = np.array([[0, 0], [2999, 2499]])
    part = seen_box(page.stage, 2)
    assert part.box == (slice(988, 2012), slice(738, 1762))
    assert part.cut


def test_of_a_coarse_level_the_pixels_of_the_finest_are_meant(page):
    fine = np.zeros((800, 600), np.uint8)
    image = CalibratedImage.from_array(fine)
    page.session.image = replace(image, levels=(fine[::4, ::4],))
    layer = page.stage.image_layer
    assert layer.multiscale
    layer._data_level = 1
    layer.corner_pixels = np.array([[10, 20], [99, 119]])
    assert seen_box(page.stage, 2).box == (slice(40, 400), slice(80, 480))


def test_slots_of_the_preview_are_quick(page, qtbot):
    """Asking again for what is shown costs the window next to nothing."""
    settled(page, qtbot)
    begun = time.thread_time()
    for _ in range(20):
        preview_of(page.viewer).renew()
    assert time.thread_time() - begun < 0.5

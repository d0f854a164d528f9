"""Predict by pressing its buttons: objects, thresholds without a new run, checked ones stay."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.open import open_model
from napari_defectseg.ui.docks.predict import PredictDock
from napari_defectseg.ui.session import session_of


@pytest.fixture
def page(qtbot, viewer_model, model_folder):
    session = session_of(viewer_model)
    data = np.random.default_rng(3).integers(0, 4000, (70, 90), dtype=np.uint16)
    session.image = CalibratedImage.from_array(
        data, calibration=Calibration((0.5, 0.5), "nm"), name="steel"
    )
    session.model = open_model(model_folder)
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    page.release()
    session.close()


def predicted(page, qtbot):
    page.press_primary()
    qtbot.waitUntil(
        lambda: page.session.labels is not None and not page.decoder.busy, timeout=60000
    )
    return page.session.labels


def test_objects_are_found_by_the_primary_button_as_one_step(page, qtbot):
    labels = predicted(page, qtbot)
    assert labels.counts()[1] > 0
    assert page.session.history.undo_names == ("prediction",)
    assert page.footer.primary.text() == "Predict again"


def test_thresholds_change_the_objects_without_a_new_run_and_are_one_step(page, qtbot):
    labels = predicted(page, qtbot)
    first, prediction = labels.counts()[1], page.session.prediction
    for value in (40, 60, 99):
        page.thresholds.slider("void").setValue(value)
    qtbot.waitUntil(lambda: not page.decoder.busy and labels.counts()[1] != first, timeout=20000)
    qtbot.waitUntil(lambda: not page.decoder.busy, timeout=20000)
    assert page.session.prediction is prediction
    assert page.session.history.undo_names == ("threshold", "prediction")
    page.session.undo()
    assert labels.counts()[1] == first


def test_a_checked_object_stays_when_the_threshold_leaves_it_out(page, qtbot):
    labels = predicted(page, qtbot)
    number = max(labels.object_classes, key=labels.index.size)
    from napari_defectseg.labels.tools.accept import accept

    page.session.edit(accept(labels, [number]))
    pixels = labels.planes[0] == number
    page.thresholds.slider("void").setValue(100)
    qtbot.waitUntil(
        lambda: not page.decoder.busy and page.session.decode is not None, timeout=20000
    )
    assert np.array_equal(labels.planes[0] == number, pixels)


def test_without_image_the_page_says_what_is_missing(qtbot, viewer_model):
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    assert page.is_empty
    assert not page.footer.primary.isEnabled()
    page.release()


def test_stop_keeps_the_tiles_that_were_computed(page, qtbot, monkeypatch):
    from napari_defectseg.core.progress import Step
    from napari_defectseg.inference import predict

    def slow(model, image, settings):
        scores = np.zeros((3, 70, 30), np.float32)
        scores[1, 10:20, 10:20] = 0.9
        where = (slice(None), slice(None), slice(0, 30))
        yield Step(1, 3, "tile 1 of 3", predict.Part(where, scores))
        while True:
            yield Step(1, 3, "tile 2 of 3")

    monkeypatch.setattr(predict, "predict_steps", slow)
    page.press_primary()
    qtbot.waitUntil(lambda: page.footer.working and page._kept.done == 1, timeout=10000)
    page.press_primary()
    qtbot.waitUntil(lambda: page.session.labels is not None, timeout=20000)
    qtbot.waitUntil(lambda: len(page.session.labels.object_classes) == 1, timeout=20000)
    assert page.card.title.text() == "1 of 3 tiles kept"
    assert not page.footer.working

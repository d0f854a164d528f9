"""Predict by pressing its buttons: objects, thresholds without a new run, checked ones stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from threshold_net import picture, threshold_model

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.collection import Collection
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_image
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.models.save import save_model
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.docks.predict import PredictDock
from napari_defectseg.ui.opening import opener_of
from napari_defectseg.ui.samples import WAY
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.text import Link

SCROLL_BAR = 13
SMALL = PredictSettings(tile=32)
"""Several tiles in a small picture."""


@pytest.fixture
def page(qtbot, viewer_model):
    session = session_of(viewer_model)
    session.image = picture((80, 80), "yx")
    session.model = threshold_model()
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    page.release()
    session.close()
    assert not session.jobs.alive()


def click(page, qtbot):
    qtbot.mouseClick(page.footer.primary, Qt.MouseButton.LeftButton)


def press(page, words, qtbot):
    link = next(one for one in page.findChildren(Link) if one.text() == words)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)


def settled(page, qtbot):
    def idle():
        return not (
            page.footer.working or page.decoder.busy or page.session.jobs.running("predict")
        )

    qtbot.waitUntil(idle, timeout=60000)
    qtbot.wait(20)
    qtbot.waitUntil(idle, timeout=60000)


def predicted(page, qtbot):
    click(page, qtbot)
    settled(page, qtbot)
    return page.session.labels


def rows(page):
    return {key: row.count.text() for key, row in page.counts.thresholds._rows.items()}


# -- pictures, volumes, movies -----------------------------------------------------------


def test_the_way_is_told_with_the_first_sample_and_never_again(page):
    page.show_place("sample")
    assert page.messages.strip("sample").sentence == WAY
    page.messages.take_back("sample")
    page.show_place("sample")
    assert page.messages.strip("sample") is None


def test_objects_are_found_by_the_primary_button_as_one_step(page, qtbot):
    assert page.footer.primary.text() == "Predict image"
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 7, 2: 3}
    assert rows(page) == {"void": "7", "loop": "3"}
    assert page.session.history.undo_names == ("prediction",)
    assert page.footer.primary.text() == "Predict again"
    assert page.card.title.text().startswith("Done in")
    assert "10 objects" in page.card.detail.text()


def test_objects_are_found_in_a_volume(page, qtbot):
    page.session.image = picture((16, 70, 70), "zyx", name="tomogram")
    page.session.model = threshold_model(3)
    assert page.footer.primary.text() == "Predict volume"
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 6, 2: 3}
    assert {labels.index.size(number) for number in labels.object_classes} == {6**3}


def test_a_plane_model_goes_through_a_volume_and_a_movie(page, qtbot):
    page.session.image = picture((3, 70, 70), "tyx", bright=4, dark=2, name="movie")
    assert page.footer.primary.text() == "Predict movie"
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 3 * 5, 2: 3 * 2}
    page.session.image = picture((12, 70, 70), "zyx", name="stack")
    assert predicted(page, qtbot).counts() == {1: 6, 2: 3}


def test_classes_that_may_overlap_get_a_layer_each(page, qtbot):
    page.session.model = threshold_model(
        classes=ClassMap.of(["void", "loop"], exclusive=False),
        task="multilabel",
        activation="sigmoid",
        has_background=False,
    )
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 7, 2: 3}
    assert [layer.name for layer in page.stage.labels_layers] == ["void", "loop"]
    page.counts.smallest.field.setValue(1.6)
    settled(page, qtbot)
    assert labels.counts() == {1: 6, 2: 3}


# -- thresholds --------------------------------------------------------------------------


def test_thresholds_change_the_objects_without_a_new_run_and_are_one_step(
    qtbot, viewer_model, model_folder
):
    from napari_defectseg.models.open import open_model

    session = session_of(viewer_model)
    data = np.random.default_rng(3).integers(0, 4000, (70, 90), dtype=np.uint16)
    session.image = CalibratedImage.from_array(
        data, calibration=Calibration((0.5, 0.5), "nm"), name="steel"
    )
    session.model = open_model(model_folder)
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    labels = predicted(page, qtbot)
    first, prediction = labels.counts()[1], session.prediction
    slider = page.counts.thresholds.slider("void")
    assert slider.value() == 30
    for value in (40, 60, 99):
        slider.setValue(value)
    settled(page, qtbot)
    assert labels.counts()[1] != first
    assert session.prediction is prediction
    assert session.history.undo_names == ("threshold", "prediction")
    session.undo()
    assert labels.counts()[1] == first
    assert slider.value() == 30, "the slider goes back with the objects"
    session.redo()
    assert slider.value() == 99
    settled(page, qtbot)
    assert session.history.undo_names == ("threshold", "prediction")
    page.release()
    session.close()


def test_the_smallest_object_is_a_diameter_and_what_it_leaves_out_is_said(page, qtbot):
    labels = predicted(page, qtbot)
    assert "below it" not in page.counts.smallest.note.text()
    page.counts.smallest.field.setValue(1.6)  # 8.04 px; the small block has 4
    settled(page, qtbot)
    assert labels.counts() == {1: 6, 2: 3}
    said = page.counts.smallest.note.text()
    assert said == (
        "1 object is below it and left out. Below 3.5 nm (7 px) sizes are not reliable."
    )
    page.session.undo()
    assert labels.counts()[1] == 7
    assert page.counts.smallest.field.value() == 0


def test_a_checked_object_stays_when_the_threshold_leaves_it_out(page, qtbot):
    labels = predicted(page, qtbot)
    number = max(labels.object_classes, key=labels.index.size)
    page.session.edit(accept(labels, [number]))
    pixels = labels.planes[0] == number
    page.counts.smallest.field.setValue(30)
    settled(page, qtbot)
    assert set(labels.object_classes) == {number}
    assert np.array_equal(labels.planes[0] == number, pixels)
    page.counts.keep.setChecked(False)
    page.counts.smallest.field.setValue(31)
    settled(page, qtbot)
    assert not labels.object_classes


# -- stop and go on ----------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch):
    """Tiles come one by one, when they are let through."""
    from threading import Semaphore

    from napari_defectseg.inference.engines.exact import ExactEngine

    gate, run = Semaphore(0), ExactEngine.run

    def waiting(self, block):
        assert gate.acquire(timeout=20)
        return run(self, block)

    monkeypatch.setattr(ExactEngine, "run", waiting)
    yield gate
    for _ in range(200):
        gate.release()


def let_through(page, qtbot, gate, tiles):
    for _ in range(tiles):
        gate.release()
    qtbot.waitUntil(lambda: page.runs.done[0] == tiles, timeout=20000)


def test_stop_keeps_the_tiles_that_were_computed_and_it_goes_on_from_there(page, qtbot, slow):
    page.session.computing = SMALL
    click(page, qtbot)
    assert page.footer.primary.text() == "Stop"
    let_through(page, qtbot, slow, 3)
    total = page.runs.done[1]
    qtbot.waitUntil(lambda: "Stop keeps what is done" in page.card.detail.text(), timeout=5000)
    assert not page.counts.thresholds.isEnabled()
    click(page, qtbot)
    slow.release()
    qtbot.waitUntil(lambda: page.session.prediction is not None, timeout=20000)
    settled(page, qtbot)
    done = page.runs.done[0]
    assert page.card.title.text() == f"{done} of {total} tiles kept"
    assert page.footer.primary.text() == f"Go on from tile {done + 1}"
    assert page.footer.next.text() == "Correct →"
    assert 0 < len(page.session.labels.object_classes) < 10
    assert any("was not looked at" in page.messages.strip(one).sentence
               for one in page.messages.topics())  # fmt: skip
    for _ in range(total):
        slow.release()
    click(page, qtbot)
    settled(page, qtbot)
    assert page.session.labels.counts() == {1: 7, 2: 3}
    assert page.card.title.text().startswith("Done in")
    assert page.footer.primary.text() == "Predict again"
    assert not page.messages.topics()


def test_a_run_that_was_stopped_does_not_go_on_computed_in_another_way(page, qtbot, slow):
    page.session.computing = SMALL
    click(page, qtbot)
    let_through(page, qtbot, slow, 2)
    click(page, qtbot)
    slow.release()
    settled(page, qtbot)
    assert page.footer.primary.text().startswith("Go on")
    page.session.computing = replace(SMALL, tile=48)
    assert page.footer.primary.text() == "Predict again"
    page.session.computing = SMALL
    assert page.footer.primary.text().startswith("Go on")
    page.session.model = threshold_model()
    assert page.footer.primary.text() == "Predict again"


def test_stopped_before_the_first_tile_nothing_is_kept_and_said(page, qtbot, slow):
    click(page, qtbot)
    qtbot.waitUntil(lambda: page.footer.working, timeout=5000)
    click(page, qtbot)
    slow.release()
    settled(page, qtbot)
    assert page.footer.primary.text() in ("Predict image", "Predict again")


def test_what_was_found_while_another_image_was_looked_at_is_not_lost(page, qtbot, slow):
    first = page.session.image
    click(page, qtbot)
    qtbot.waitUntil(lambda: page.footer.working, timeout=5000)
    page.session.image = picture((64, 64), "yx", name="another")
    slow.release()
    settled(page, qtbot)
    assert page.session.prediction is None
    page.session.image = first
    settled(page, qtbot)
    assert page.session.labels.counts() == {1: 7, 2: 3}


def test_releasing_the_page_in_the_middle_of_a_run_leaves_nothing_alive(page, qtbot, slow):
    page.session.computing = SMALL
    click(page, qtbot)
    let_through(page, qtbot, slow, 1)
    page.release()
    slow.release()
    qtbot.waitUntil(lambda: not page.session.jobs.alive(), timeout=20000)
    assert page.session.prediction is None


# -- what cannot be predicted ------------------------------------------------------------


def test_a_picture_and_a_volume_model_give_a_sentence_and_a_way_out(page, qtbot):
    page.session.model = threshold_model(3)
    predicted(page, qtbot)
    assert "needs a volume with z, y, x" in page.messages.strip("predict").sentence
    went = []
    page.session.events.go.connect(lambda dock, place: went.append(dock))
    press(page, "Choose another model", qtbot)
    assert went == ["model"]
    assert page.card.title.text() == "Not predicted"


def test_a_pixel_without_value_gives_a_sentence_and_its_place_and_can_be_filled(page, qtbot):
    data = page.session.image.data.copy()
    data[33, 7] = np.nan
    page.session.image = replace(page.session.image, data=data)
    predicted(page, qtbot)
    said = page.messages.strip("predict").sentence
    assert "y 33, x 7" in said
    assert page.session.prediction is None
    press(page, "Take the mean of the others", qtbot)
    settled(page, qtbot)
    assert page.session.labels.counts() == {1: 7, 2: 3}
    said = [page.messages.strip(topic).sentence for topic in page.messages.topics()]
    assert any("1 pixel without a finite value" in one for one in said)


def test_an_image_without_pixel_size_leads_to_where_it_is_said(page, qtbot):
    page.session.model = threshold_model(pixel_size=(0.2, 0.6), pixel_unit="nm")
    page.session.image = page.session.image.with_calibration(Calibration.uncalibrated(2))
    predicted(page, qtbot)
    went = []
    page.session.events.go.connect(lambda dock, place: went.append((dock, place)))
    press(page, "Set pixel size…", qtbot)
    assert went == [("data", "calibration")]
    assert page.counts.smallest.field.suffix() == " px"


def test_without_image_the_page_says_what_is_missing(qtbot, viewer_model):
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    assert page.is_empty
    assert not page.footer.primary.isEnabled()
    assert [link.text() for link in page.empty.links()] == ["First an image…", "Then a model…"]
    page.release()


# -- forecast and settings ---------------------------------------------------------------


def test_the_forecast_is_honest_and_the_device_is_named_with_its_reason(page, qtbot):
    assert page.session.device is None
    page.show()
    qtbot.waitUntil(lambda: page.looker.forecast is not None, timeout=60000)
    assert "on this computer" in page.forecast.words.text()
    assert "can be stopped" in page.forecast.words.text()
    assert page.session.device is not None
    assert page.session.device.reason in page.more.why.text()


def test_a_misfit_is_said_before_anything_is_run(page, qtbot):
    page.session.model = threshold_model(3)
    page.show()
    qtbot.waitUntil(lambda: page.messages.strip("fit") is not None, timeout=60000)
    assert "needs a volume" in page.messages.strip("fit").sentence
    page.session.model = threshold_model()
    qtbot.waitUntil(lambda: page.looker.forecast is not None, timeout=60000)
    assert page.messages.strip("fit") is None


def test_how_it_is_computed_is_asked_under_more_and_said_in_its_line(page, qtbot):
    line = page.more.form.fields["tile"].focus
    line.setText("32")
    line.editingFinished.emit()
    assert page.session.computing.tile == 32
    assert "tiles 32" in page.more.line.accessibleName()
    predicted(page, qtbot)
    assert page.session.prediction.plan["passes"] > 1


# -- collections -------------------------------------------------------------------------


@pytest.fixture
def collection(page, tmp_path):
    """Three pictures of the same kind, and one that is broken."""
    for number in range(3):
        save_image(picture((70, 70), "yx", bright=number + 3, seed=number),
                   tmp_path / f"field_{number}.ome.tif")  # fmt: skip
    (tmp_path / "field_9.tif").write_bytes(b"II*\0 broken")
    found = Collection.scan(tmp_path)
    opener_of(page.session)
    page.session.image = None
    page.session.collection = found
    return found


def test_all_images_are_predicted_and_each_is_there_when_it_is_looked_at(page, qtbot, collection):
    page.session.index = 0
    qtbot.waitUntil(lambda: page.session.image is not None, timeout=20000)
    page.scope.setValue("collection")
    assert page.footer.primary.text() == "Predict 3 images"
    predicted(page, qtbot)
    texts = [page.list.item(row).text() for row in range(page.list.count())]
    assert texts[:3] == [
        "field_0 · 7 objects", "field_1 · 8 objects", "field_2 · 9 objects"
    ]  # fmt: skip
    assert "failed" in texts[3]
    assert page.card.title.text() == "3 of 3 images predicted"
    assert len(page.session.labels.object_classes) == 7
    assert [one.state for one in page.session.collection.entries[:3]] == ["predicted"] * 3
    page.list.itemActivated.emit(page.list.item(2))
    qtbot.waitUntil(lambda: page.session.labels is not None
                    and len(page.session.labels.object_classes) == 9, timeout=20000)  # fmt: skip
    assert page.session.image.name == "field_2"
    page.session.index = 0
    qtbot.waitUntil(lambda: len(page.session.labels.object_classes) == 7, timeout=20000)


def test_a_stopped_collection_keeps_what_is_done_and_goes_on_with_the_rest(
    page, qtbot, collection, slow
):
    page.session.index = 0
    qtbot.waitUntil(lambda: page.session.image is not None, timeout=20000)
    page.scope.setValue("collection")
    click(page, qtbot)
    slow.release()
    qtbot.waitUntil(lambda: page.fields.states[0].state == "done", timeout=20000)
    click(page, qtbot)
    slow.release()
    settled(page, qtbot)
    left = len(page.fields.waiting())
    assert 1 <= left <= 2
    assert page.card.title.text() == f"{3 - left} of 3 images kept"
    assert page.footer.primary.text().startswith(f"Go on with {left} image")
    for _ in range(10):
        slow.release()
    click(page, qtbot)
    settled(page, qtbot)
    assert not page.fields.waiting()
    assert page.footer.primary.text() == "Predict all again"


# -- the docks together ------------------------------------------------------------------


def test_a_renamed_class_is_renamed_here_too_without_a_new_run(page, qtbot, tmp_path):
    model_dock = ModelDock(page.viewer)
    qtbot.addWidget(model_dock)
    folder = save_model(threshold_model(), tmp_path / "model")
    model_dock.open(str(folder))
    qtbot.waitUntil(lambda: page.session.model.path != "", timeout=20000)
    predicted(page, qtbot)
    model_dock.classes.rows[0].edit.setText("bubble")
    model_dock.classes.rows[0].edit.editingFinished.emit()
    assert rows(page) == {"bubble": "7", "loop": "3"}
    page.counts.smallest.field.setValue(1.6)
    settled(page, qtbot)
    assert rows(page) == {"bubble": "6", "loop": "3"}
    assert page.session.history.undo_names == ("threshold", "prediction")
    model_dock.release()


def test_objects_of_other_classes_that_are_checked_are_kept_until_a_person_decides(page, qtbot):
    labels = predicted(page, qtbot)
    page.session.edit(accept(labels, [1]))
    page.session.model = threshold_model(classes=ClassMap.of(["pore", "crack"]))
    predicted(page, qtbot)
    assert page.session.labels is labels
    press(page, "Replace them", qtbot)
    settled(page, qtbot)
    assert page.session.labels.classes.names == ("pore", "crack")


def test_the_page_fits_the_narrowest_dock(page, qtbot, collection):
    page.session.index = 0
    qtbot.waitUntil(lambda: page.session.image is not None, timeout=20000)
    page.scope.setValue("collection")
    page.more.set_open(True)
    predicted(page, qtbot)
    page.show()
    assert page.minimumSizeHint().width() <= PAGE_WIDTH - SCROLL_BAR

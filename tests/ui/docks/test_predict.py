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


def test_one_image_is_skipped_while_it_is_predicted_and_the_others_go_on(
    page, qtbot, collection, slow
):
    """The table says how far the running image is; a link leaves the chosen one out."""
    page.session.computing = SMALL
    page.session.index = 0
    qtbot.waitUntil(lambda: page.session.image is not None, timeout=20000)
    page.scope.setValue("collection")
    assert page.table.links.isHidden()
    click(page, qtbot)
    slow.release()
    slow.release()
    qtbot.waitUntil(lambda: "%" in page.list.item(0).text(), timeout=20000)
    percent = page.fields.states[0].percent
    assert 0 < percent < 100
    assert page.list.item(0).text() == f"field_0 · {percent} %"
    page.list.setCurrentRow(0)
    assert not page.table.links.isHidden()
    qtbot.mouseClick(page.table.skip, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.fields.states[0].state == "skipped", timeout=20000)
    assert page.list.currentRow() == 0, "what a person chose stays chosen"
    for _ in range(100):
        slow.release()
    settled(page, qtbot)
    assert [one.state for one in page.fields.states] == ["skipped", "done", "done", "failed"]
    assert page.card.title.text() == "2 of 3 images predicted"
    assert "1 skipped" in page.card.detail.text()
    assert page.footer.primary.text() == "Go on with 1 image"


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


# -- cancel, pause, sharing --------------------------------------------------------------


@pytest.fixture
def slow_layers(monkeypatch):
    """Every layer of every network takes its time; returns how many have run."""
    import time

    from napari_defectseg.inference import passing

    count, begins = [0], passing._Pass._begins

    def slowly(self):
        begins(self)
        count[0] += 1
        time.sleep(count[1] if len(count) > 1 else 0.05)

    monkeypatch.setattr(passing._Pass, "_begins", slowly)
    return count


def running(page, qtbot, count, layers=2):
    qtbot.waitUntil(lambda: count[0] >= layers, timeout=20000)


def test_stop_frees_the_dock_at_once_and_the_network_at_its_next_layer(page, qtbot, slow_layers):
    click(page, qtbot)
    running(page, qtbot, slow_layers)
    click(page, qtbot)
    qtbot.waitUntil(lambda: not page.footer.working, timeout=500)
    assert page.footer.primary.text() == "Predict image"
    done = slow_layers[0]
    qtbot.waitUntil(lambda: not page.session.jobs.alive(), timeout=500)
    assert slow_layers[0] <= done + 1
    assert page.session.prediction is None


def test_stop_frees_the_dock_in_the_middle_of_a_long_layer_and_the_result_is_dropped(
    page, qtbot, slow_layers
):
    slow_layers.append(2.0)
    click(page, qtbot)
    running(page, qtbot, slow_layers, 1)
    click(page, qtbot)
    qtbot.waitUntil(lambda: not page.footer.working, timeout=500)
    assert page.session.jobs.alive(), "the layer is still being computed behind the dock"
    slow_layers[1] = 0.0
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 7, 2: 3}
    qtbot.waitUntil(lambda: not page.session.jobs.alive(), timeout=5000)
    assert len(page.session.history.undo_names) == 1


def test_pause_rests_at_a_layer_and_goes_on_to_the_same_result(page, qtbot, slow_layers):
    click(page, qtbot)
    running(page, qtbot, slow_layers)
    qtbot.waitUntil(lambda: page.card.pause.isVisibleTo(page), timeout=5000)
    qtbot.mouseClick(page.card.pause, Qt.MouseButton.LeftButton)
    assert page.card.title.text() == "Paused"
    assert "memory stays taken" in page.card.detail.text()
    assert page.footer.primary.text() == "Stop"
    qtbot.wait(900)
    rests = slow_layers[0]
    qtbot.wait(300)
    assert slow_layers[0] == rests
    assert page.card.pause.text() == "Go on"
    qtbot.mouseClick(page.card.pause, Qt.MouseButton.LeftButton)
    slow_layers.append(0.0)
    settled(page, qtbot)
    assert page.session.labels.counts() == {1: 7, 2: 3}
    assert page.card.title.text().startswith("Done in")
    assert not page.card.pause.isVisibleTo(page)


def test_a_paused_run_can_be_stopped(page, qtbot, slow_layers):
    click(page, qtbot)
    running(page, qtbot, slow_layers)
    qtbot.waitUntil(lambda: page.card.pause.isVisibleTo(page), timeout=5000)
    qtbot.mouseClick(page.card.pause, Qt.MouseButton.LeftButton)
    qtbot.wait(700)
    click(page, qtbot)
    qtbot.waitUntil(lambda: not page.footer.working, timeout=500)
    qtbot.waitUntil(lambda: not page.session.jobs.alive(), timeout=2000)
    assert page.footer.primary.text() == "Predict image"


def test_inside_one_pass_progress_and_time_left_are_told(page, qtbot, slow_layers):
    slow_layers.append(0.0)
    page.show()
    page.preview.switch.setChecked(False)
    qtbot.waitUntil(lambda: page.looker.forecast is not None, timeout=60000)
    assert "computes its layer to the end" in page.forecast.toolTip()
    slow_layers[1] = 0.15
    seen = []
    page.session.jobs.stepped.connect(lambda job, step: seen.append(step.fraction))
    click(page, qtbot)
    qtbot.waitUntil(lambda: "left" in page.card.detail.text(), timeout=20000)
    settled(page, qtbot)
    inside = [share for share in seen if 0 < share < 1]
    assert len(set(inside)) > 3
    assert inside == sorted(inside)
    assert page.session.prediction.plan["passes"] == 1


def test_two_viewers_predict_at_once_and_share_the_device(page, qtbot, monkeypatch):
    import threading
    import time

    from napari.components import ViewerModel

    from napari_defectseg.inference.engines.exact import ExactEngine

    run, inside, worst = ExactEngine.run, [0], [0]
    lock = threading.Lock()

    def counted(self, block):
        with lock:
            inside[0] += 1
            worst[0] = max(worst[0], inside[0])
        time.sleep(0.01)
        try:
            return run(self, block)
        finally:
            with lock:
                inside[0] -= 1

    monkeypatch.setattr(ExactEngine, "run", counted)
    viewer = ViewerModel()
    other = session_of(viewer)
    other.image, other.model = picture((80, 80), "yx", seed=5), threshold_model()
    second = PredictDock(viewer)
    qtbot.addWidget(second)
    for one in (page, second):
        one.session.computing = SMALL
        click(one, qtbot)
    for one in (page, second):
        settled(one, qtbot)
    assert page.session.labels.counts() == other.labels.counts() == {1: 7, 2: 3}
    assert worst[0] == 1
    second.release()
    other.close()


# -- a part of the image -----------------------------------------------------------------


def view(page, low, high):
    page.stage.image_layer.corner_pixels = np.array([low, high])
    page.viewer.scene.camera.zoom *= 1.01


def test_only_the_view_is_predicted_and_the_result_lies_where_it_is(page, qtbot):
    view(page, (0, 0), (39, 79))
    page.scope.setValue("view")
    assert page.footer.primary.text() == "Predict view"
    labels = predicted(page, qtbot)
    assert labels.shape == (80, 80)
    assert labels.counts() == {1: 6, 2: 3}
    assert not labels.planes[0][40:].any()
    said = [page.messages.strip(topic).sentence for topic in page.messages.topics()]
    assert any("y 0 to 39" in one and "not looked at" in one for one in said)
    view(page, (40, 0), (79, 79))
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 7, 2: 3}, "the rest of the result is still there"
    assert page.session.history.undo_names == ("prediction", "prediction")
    page.scope.setValue("image")
    assert page.footer.primary.text() == "Predict again"


def test_only_the_slice_or_frame_that_is_shown_is_predicted(page, qtbot):
    page.session.image = picture((3, 70, 70), "tyx", bright=4, dark=2, name="movie")
    page.viewer.dims.set_current_step(0, 1)
    page.scope.setValue("slice")
    assert page.scope.button("slice").text() == "frame"
    assert page.footer.primary.text() == "Predict frame"
    labels = predicted(page, qtbot)
    assert labels.counts() == {1: 5, 2: 2}
    assert labels.planes[0][1].any()
    assert not labels.planes[0][0].any()


def test_what_is_drawn_is_predicted(page, qtbot):
    page.scope.setValue("selection")
    layer = page.viewer.layers.selection.active
    assert layer.mode == "add_rectangle"
    assert page.footer.primary.text() == "Draw a rectangle"
    layer.add_rectangles([[-0.5, -0.5], [15.5, 39.5]])
    qtbot.waitUntil(lambda: page.footer.primary.text() == "Predict selection", timeout=3000)
    assert page.settings.region == "y=0:16,x=0:40"
    labels = predicted(page, qtbot)
    assert labels.counts()[1] == 3
    assert not labels.planes[0][16:].any()


def test_a_part_is_predicted_where_scores_are_too_large_for_memory(page, qtbot, monkeypatch):
    from napari_defectseg.inference import filling
    from napari_defectseg.inference.scores import TemporaryScores

    monkeypatch.setattr(filling, "default_budget", lambda: 0, raising=False)
    whole = page.session.image.label_shape
    view(page, (0, 0), (39, 79))
    page.scope.setValue("view")
    page.session.computing = PredictSettings(memory=60_000)
    predicted(page, qtbot)
    assert isinstance(page.session.prediction.scores, TemporaryScores)
    view(page, (40, 0), (79, 79))
    labels = predicted(page, qtbot)
    assert labels.shape == whole
    assert labels.counts() == {1: 7, 2: 3}

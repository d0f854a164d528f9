"""The Data dock: open by real buttons, say how large a pixel is, see the collection."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QFileDialog
from scene import CLASSES, micrograph

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.instruments import recall
from napari_defectseg.images.save import save_image
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.ui.canvas_notes import NOTE
from napari_defectseg.ui.docks.data import DataDock
from napari_defectseg.ui.layers import NAPARI_PIXEL
from napari_defectseg.ui.regions import COUNT, EXCLUDE
from napari_defectseg.ui.size_questions import TOPIC

RNG = np.random.default_rng(4)


@pytest.fixture
def dock(viewer_model, qtbot):
    made = DataDock(viewer_model)
    qtbot.addWidget(made)
    yield made
    made.release()
    made.session.close()


@pytest.fixture
def folder(tmp_path):
    """Two specimens: three images with a size, one without, one with oblong pixels, one broken."""
    known = Calibration.of((0.486, 0.486), "nm", "x")
    for specimen, count in (("A1", 2), ("B1", 1)):
        (tmp_path / specimen).mkdir()
        for number in range(count):
            data = RNG.integers(0, 255, (40, 50), dtype=np.uint8)
            image = CalibratedImage.from_array(data, calibration=known)
            save_image(image, tmp_path / specimen / f"steel_{number}.ome.tif")
    plain = RNG.integers(0, 255, (30, 50), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "B1" / "plain.tif", plain)
    tifffile.imwrite(
        tmp_path / "B1" / "oblong.tif", plain, resolution=(1e7, 1.3e7), resolutionunit=3
    )
    whole = (tmp_path / "A1" / "steel_0.ome.tif").read_bytes()
    (tmp_path / "B1" / "cut.tif").write_bytes(whole[: len(whole) // 2])
    return tmp_path


def choose(monkeypatch, *, files=None, folder=None):
    """Answer the file dialogs."""
    monkeypatch.setattr(
        QFileDialog, "getOpenFileNames", lambda *_: ([str(one) for one in files or ()], "")
    )
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder or ""))


def type_size(dock, words):
    dock.size.editor.plane.setText(words)
    dock.size.editor.plane.editingFinished.emit()


def open_folder(dock, folder, qtbot, monkeypatch):
    choose(monkeypatch, folder=folder)
    dock.drop.folder.click()
    dock.messages.strip("open").links()[1].click()
    ready = lambda: dock.session.image is not None and not dock.opener.busy  # noqa: E731
    qtbot.waitUntil(ready, timeout=20_000)
    return dock.session.collection


def at(collection, name):
    return next(n for n, entry in enumerate(collection.entries) if name in entry.path)


# -- opening --------------------------------------------------------------------------------


def test_one_file_by_the_button(dock, folder, qtbot, monkeypatch):
    choose(monkeypatch, files=[folder / "A1" / "steel_0.ome.tif"])
    assert dock.is_empty
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    assert dock.session.image.calibration.describe() == "0.486 nm/px"
    assert dock.size.editor.plane.text() == "0.486"
    assert "OME-XML" in dock.size.editor.source.text()
    assert dock.session.collection is None


def test_nothing_chosen_changes_nothing(dock, monkeypatch):
    choose(monkeypatch)
    dock.footer.primary.click()
    dock.open_folder()
    assert dock.is_empty
    assert not dock.opener.busy


def test_a_folder_as_one_stack(dock, folder, qtbot, monkeypatch):
    choose(monkeypatch, folder=folder / "A1")
    dock.drop.folder.click()
    strip = dock.messages.strip("open")
    assert "One stack" in [link.text() for link in strip.links()]
    strip.links()[0].click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    assert dock.session.image.axes == ("z", "y", "x")
    assert dock.size.editor.depth.isVisibleTo(dock)


def test_a_folder_as_a_collection(dock, folder, qtbot, monkeypatch):
    collection = open_folder(dock, folder, qtbot, monkeypatch)
    assert len(collection) == 6
    assert dock.fields_said.text().startswith("6 images, 2 specimens, 4 with pixel size")
    assert "cut.tif ends" in dock.messages.strip("broken").sentence
    assert "5 others are open" in dock.messages.strip("broken").sentence
    rows = {row[0]: row for row in map(dock.fields.row_texts, range(6))}
    assert rows["steel_0"][1:] == ["40×50", "0.486", "– new"]
    assert rows["plain"][2] == "⚠ none"
    assert rows["cut"][3] == "⚠ broken"
    assert rows["oblong"][2].endswith("?")


def test_a_double_click_opens_and_old_layers_go(dock, folder, qtbot, monkeypatch, viewer_model):
    collection = open_folder(dock, folder, qtbot, monkeypatch)
    there = at(collection, "plain")
    view = dock.fields.view
    row = next(row for row in range(6) if dock.fields.row_texts(row)[0] == "plain")
    view.activated.emit(view.model().index(row, 0))
    qtbot.waitUntil(lambda: dock.session.image.name == "plain", timeout=20_000)
    assert dock.session.index == there
    assert [layer.name for layer in viewer_model.layers] == ["plain"]


def test_work_on_an_image_comes_back_with_it(dock, folder, qtbot, monkeypatch, viewer_model):
    collection = open_folder(dock, folder, qtbot, monkeypatch)
    first = dock.session.index
    _, labels = micrograph()
    image = dock.session.image
    small = labels.empty(image.label_shape, CLASSES, image.label_axes, image.calibration)
    dock.session.labels = small
    dock.session.index = at(collection, "plain")
    qtbot.waitUntil(lambda: dock.session.image.name == "plain", timeout=20_000)
    assert dock.session.labels is None
    states = [entry.state for entry in dock.session.collection.entries]
    assert (states[first], states[at(collection, "plain")]) == ("predicted", "new")
    dock.session.index = first
    qtbot.waitUntil(lambda: dock.session.image is image, timeout=20_000)
    assert dock.session.labels is small
    assert len(viewer_model.layers) == 2
    box = (slice(2, 9), slice(2, 9))
    dock.session.edit(paint(small, Stroke(box, np.ones((7, 7), bool)), 1))
    assert dock.session.collection.entries[first].state == "checked"


def test_many_images_are_looked_through_without_keeping_them(dock, tmp_path, qtbot):
    for number in range(14):
        tifffile.imwrite(tmp_path / f"f{number:02d}.tif", np.full((8, 9), number, np.uint8))
    dock.opener.open_collection(str(tmp_path))
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    for number in range(1, 14):
        dock.session.index = number
        qtbot.waitUntil(lambda n=number: dock.session.image.name == f"f{n:02d}", timeout=20_000)
    assert len(dock.opener._opened) <= 9
    assert not dock.session._put_by


def test_several_images_in_a_file_are_a_list(dock, tmp_path, qtbot, monkeypatch):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/dark"] = RNG.random((12, 14)).astype(np.float32)
        file["entry/data"] = RNG.random((5, 12, 14)).astype(np.float32)
    choose(monkeypatch, files=[tmp_path / "scan.h5"])
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.parts.isVisibleTo(dock), timeout=20_000)
    assert dock.parts.list.count() == 2
    row = next(n for n in range(2) if "data" in dock.parts.list.item(n).text())
    dock.parts.list.setCurrentRow(row)
    dock.parts.open_button.click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    assert dock.session.image.shape == (5, 12, 14)
    assert not dock.parts.isVisibleTo(dock)


def test_a_raw_file_is_asked_for_its_form(dock, tmp_path, qtbot, monkeypatch):
    data = RNG.integers(0, 60_000, (3, 12, 14), dtype=np.uint16)
    (tmp_path / "rock.raw").write_bytes(data.tobytes())
    choose(monkeypatch, files=[tmp_path / "rock.raw"])
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.raw.isVisibleTo(dock), timeout=20_000)
    assert not dock.raw.open_button.isEnabled()
    shape = dock.raw.form.fields["shape"].focus
    shape.setText("3 × 12 × 14")
    shape.editingFinished.emit()
    assert dock.raw.fits.text() == "That fits the file."
    dock.raw.open_button.click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    np.testing.assert_array_equal(np.asarray(dock.session.image.data), data)


def test_a_broken_file_is_a_sentence_and_nothing_is_lost(dock, folder, qtbot, monkeypatch):
    dock.session.image, _ = micrograph()
    choose(monkeypatch, files=[folder / "B1" / "cut.tif"])
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.messages.strip("open") is not None, timeout=20_000)
    assert "cut.tif ends after" in dock.messages.strip("open").sentence
    assert dock.session.image.name == "steel_bf_07"


def test_a_sample_brings_its_model_and_goes_on(dock, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    went = []
    dock.session.events.go.connect(lambda key, place: went.append(key))
    dock.empty.links()[1].click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=60_000)
    assert dock.session.image.calibration.calibrated
    if dock.session.model is not None:
        assert went == ["predict"]
        assert "TEM" in dock.session.model.card.name or dock.session.model.card.dims == 2


def test_a_result_can_be_opened_before_anything_else(dock, monkeypatch, tmp_path, qtbot):
    choose(monkeypatch, folder=tmp_path / "no-result")
    link = next(one for one in dock.empty.links() if one.text() == "Open a result…")
    link.click()
    topic = "open result"
    qtbot.waitUntil(lambda: topic in dock.messages.topics(), timeout=20_000)
    assert "no-result" in dock.messages.strip(topic).sentence


# -- the size of a pixel --------------------------------------------------------------------


def test_without_a_size_it_says_so_everywhere(dock, viewer_model):
    viewer_model.add_image(np.zeros((20, 30)), name="bare")
    strip = dock.messages.strip(TOPIC)
    assert "no pixel size" in strip.sentence
    assert [link.text() for link in strip.links()] == ["Set…", "Draw on the scale bar"]
    text = viewer_model.canvas.overlays.text
    assert (text.text, text.visible) == (NOTE, True)
    assert viewer_model.canvas.overlays.scale_bar.visible
    type_size(dock, "0.5")
    assert not text.visible
    assert dock.messages.strip(TOPIC) is None


def test_the_user_s_own_text_comes_back(dock, viewer_model):
    text = viewer_model.canvas.overlays.text
    text.text, text.visible = "mine", True
    viewer_model.add_image(np.zeros((20, 30)))
    assert text.text == NOTE
    dock.release()
    assert (text.text, text.visible) == ("mine", True)
    assert not viewer_model.canvas.overlays.scale_bar.visible


@pytest.mark.parametrize(
    ("typed", "unit", "spacing"),
    [("0.5", "nm", (0.5, 0.5)), ("0,25", "µm", (0.25, 0.25)), ("0.5 × 0.6", "nm", (0.5, 0.6))],
)
def test_a_typed_size_reaches_image_and_layers(dock, viewer_model, typed, unit, spacing):
    image, labels = micrograph(calibrated=False)
    dock.session.image, dock.session.labels = image, labels
    dock.size.editor.plane_unit.setCurrentText(unit)
    type_size(dock, typed)
    known = dock.session.image.calibration
    assert (known.spacing, known.unit, known.source) == (spacing, unit, "typed by you")
    for layer in viewer_model.layers:
        np.testing.assert_allclose(layer.scale, spacing)
    assert dock.session.labels.calibration is known


def test_an_empty_field_is_unknown_again(dock):
    dock.session.image, _ = micrograph()
    type_size(dock, "")
    assert not dock.session.image.calibration.calibrated
    assert {str(unit) for unit in dock.stage.image_layer.units} == {NAPARI_PIXEL}


def test_what_is_no_number_is_refused_with_a_sentence(dock):
    dock.session.image, _ = micrograph()
    for typed in ("half", "-1", "0", "1 2 3", "inf"):
        type_size(dock, typed)
        assert dock.size.editor.complaint.isVisibleTo(dock), typed
        assert dock.session.image.calibration.spacing == (0.5, 0.5)
    type_size(dock, "0.4")
    assert not dock.size.editor.complaint.isVisibleTo(dock)


def test_slices_have_a_size_of_their_own(dock):
    volume = CalibratedImage.from_array(RNG.random((4, 20, 30)), axes="zyx")
    dock.session.image = volume
    type_size(dock, "2")
    assert "slice to slice" in dock.messages.strip(TOPIC).sentence
    dock.size.editor.depth_unit.setCurrentText("µm")
    dock.size.editor.depth.setText("0.01")
    dock.size.editor.depth.editingFinished.emit()
    assert dock.session.image.calibration.spacing == pytest.approx((10, 2, 2))
    assert dock.messages.strip(TOPIC) is None


def test_showing_a_size_does_not_change_it(dock):
    """What is shown is rounded; leaving the field must not round what is known."""
    image, _ = micrograph()
    fine = Calibration.of((0.48612345678, 0.48612345678), "nm", "a tag")
    dock.session.image = image.with_calibration(fine)
    dock.size.editor.plane.editingFinished.emit()
    assert dock.session.image.calibration is fine


def test_the_picture_stays_in_view(dock, viewer_model):
    image, _ = micrograph(calibrated=False)
    dock.session.image = image
    viewer_model.scene.camera.center, viewer_model.scene.camera.zoom = (0, 40, 60), 3.0
    type_size(dock, "0.5")
    assert viewer_model.scene.camera.zoom == pytest.approx(6.0)
    np.testing.assert_allclose(viewer_model.scene.camera.center[-2:], (20, 30))


def test_a_slice_stays_the_slice(dock, viewer_model):
    known = Calibration.of((2.0, 1.0, 1.0), "nm", "x")
    volume = CalibratedImage(RNG.random((9, 8, 8)), ("z", "y", "x"), known)
    dock.session.image = volume
    viewer_model.dims.set_current_step(0, 5)
    dock.size.editor.depth.setText("3")
    dock.size.editor.depth.editingFinished.emit()
    assert viewer_model.dims.current_step[0] == 5


def test_copied_from_another_layer(dock, viewer_model):
    viewer_model.add_image(np.zeros((9, 9)), name="known", scale=(3, 3), units=("nm", "nm"))
    image, _ = micrograph(calibrated=False)
    dock.session.image = image
    (action,) = dock.size.menu().actions()
    assert action.text() == "known: 3 nm/px"
    action.trigger()
    known = dock.session.image.calibration
    assert (known.spacing, known.source) == ((3, 3), "copied from layer known")


def test_drawn_over_the_scale_bar(dock, viewer_model):
    image, _ = micrograph(calibrated=False)
    dock.session.image = image
    before = viewer_model.layers.selection.active
    dock.messages.strip(TOPIC).links()[1].click()
    assert not dock.ruler_row.use.isEnabled()
    layer = viewer_model.layers[-1]
    assert layer.mode == "add_line"
    layer.add([[[100, 10], [100, 60]]], shape_type="line")
    assert "50 px" in dock.ruler_row.said.text()
    dock.ruler_row.length.setText("25")
    dock.ruler_row.use.click()
    assert dock.ruler_row.complaint.isVisibleTo(dock)
    dock.ruler_row.length.setText("25 nm")
    dock.ruler_row.use.click()
    known = dock.session.image.calibration
    assert known.spacing == (0.5, 0.5)
    assert "scale bar" in known.source
    assert layer not in viewer_model.layers
    assert viewer_model.layers.selection.active is before


def test_leaving_the_ruler_leaves_nothing(dock, viewer_model):
    dock.session.image, _ = micrograph()
    dock.draw_bar()
    viewer_model.layers.remove(viewer_model.layers[-1])
    assert dock.ruler_row.said.text().startswith("Draw a line")
    dock.draw_bar()
    dock.draw_bar()
    assert len(viewer_model.layers) == 2
    dock.session.image = None
    assert "scale bar" not in [layer.name for layer in viewer_model.layers]


def test_differing_headers_are_values_as_buttons(dock):
    image, _ = micrograph()
    other = Calibration.of((0.7, 0.7), "nm", "tag B")
    asked = Calibration(
        (0.5, 0.5), "nm", "tag A", question="tag A says … Which is right?", rivals=(other,)
    )
    dock.session.image = image.with_calibration(asked)
    strip = dock.messages.strip(TOPIC)
    assert [link.text() for link in strip.links()] == ["0.5 nm/px", "0.7 nm/px"]
    strip.links()[1].click()
    known = dock.session.image.calibration
    assert known.spacing == (0.7, 0.7)
    assert known.source == "tag B, checked by you"
    assert dock.messages.strip(TOPIC) is None


def test_an_unlikely_size_is_asked_about(dock):
    image, _ = micrograph()
    dock.session.image = image.with_calibration(Calibration.believed((1e-12, 1e-12), "m", "a tag"))
    yes, no = dock.messages.strip(TOPIC).links()
    assert yes.text().startswith("yes, ")
    no.click()
    assert not dock.session.image.calibration.calibrated
    assert "not believed" in dock.session.image.calibration.source


def test_oblong_pixels_are_asked_about(dock):
    image, _ = micrograph()
    dock.session.image = image.with_calibration(Calibration.believed((2, 3), "nm", "a tag"))
    links = dock.messages.strip(TOPIC).links()
    assert [link.text() for link in links] == ["they differ, it is right", "both 2 nm", "both 3 nm"]
    links[0].click()
    assert dock.session.image.calibration.spacing == (2, 3)
    assert not dock.session.image.calibration.question


def test_a_scale_without_unit_is_offered(dock, viewer_model):
    viewer_model.add_image(np.zeros((20, 30)), scale=(0.486, 0.486))
    links = dock.messages.strip(TOPIC).links()
    assert [link.text() for link in links][:2] == ["0.486 nm", "0.486 µm"]
    links[0].click()
    assert dock.session.image.calibration.describe() == "0.486 nm/px"


def test_the_file_of_a_bare_layer_is_read_again(dock, folder, viewer_model, qtbot):
    viewer_model.open(folder / "A1" / "steel_0.ome.tif", plugin="napari")
    qtbot.waitUntil(
        lambda: any("again" in link.text() for link in dock.messages.strip(TOPIC).links()),
        timeout=20_000,
    )
    link = dock.messages.strip(TOPIC).links()[0]
    assert "0.486 nm/px" in link.text()
    link.click()
    assert dock.session.image.calibration.describe() == "0.486 nm/px"
    assert "OME-XML" in dock.session.image.calibration.source


def test_one_size_for_the_whole_collection(dock, folder, qtbot, monkeypatch):
    collection = open_folder(dock, folder, qtbot, monkeypatch)
    dock.session.index = at(collection, "plain")
    qtbot.waitUntil(lambda: dock.session.image.name == "plain", timeout=20_000)
    type_size(dock, "0.7")
    entry = dock.session.collection.entries[dock.session.index]
    assert entry.calibration.spacing == (0.7, 0.7)
    assert dock.size.all.isVisibleTo(dock)
    dock.size.all.click()
    sizes = {one.calibration.spacing for one in dock.session.collection.entries if not one.problem}
    assert sizes == {(0.7, 0.7)}
    dock.session.index = at(collection, "oblong")
    qtbot.waitUntil(lambda: dock.session.image.name == "oblong", timeout=20_000)
    assert dock.session.image.calibration.spacing == (0.7, 0.7)
    assert dock.session.collection.open(at(collection, "plain")).calibration.spacing == (0.7, 0.7)


def test_a_size_is_remembered_for_an_instrument(dock, folder, qtbot, monkeypatch):
    image, _ = micrograph(calibrated=False)
    origin = Origin(instrument="JEM-2100F at 50 000×")
    dock.session.image = replace(image, origin=origin)
    assert not dock.size.keep.isVisibleTo(dock)
    type_size(dock, "0.31")
    assert dock.size.keep.isVisibleTo(dock)
    dock.size.keep.click()
    assert recall(origin.instrument).spacing == (0.31, 0.31)

    from napari_defectseg.ui import opening

    bare = replace(image, origin=origin, data=np.zeros(image.shape), name="next")
    monkeypatch.setattr(opening, "open_image", lambda *_, **__: bare)
    dock.opener.open_file("next.tif")
    qtbot.waitUntil(lambda: dock.session.image.name == "next", timeout=20_000)
    assert dock.session.image.calibration.spacing == (0.31, 0.31)
    assert "remembered for JEM" in dock.session.image.calibration.source
    type_size(dock, "0.4")
    dock.size.keep.click()
    assert recall(origin.instrument) is None


def test_why_tells_the_tag_and_the_file(dock, folder, qtbot, monkeypatch):
    choose(monkeypatch, files=[folder / "A1" / "steel_0.ome.tif"])
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.session.image is not None, timeout=20_000)
    dock.show_place("calibration")
    rows = dict(dock.size.facts.rows)
    assert dock.size.facts.isVisibleTo(dock)
    assert "OME-XML" in rows["From"]
    assert rows["File"].endswith("steel_0.ome.tif")


# -- conditions -----------------------------------------------------------------------------


def test_foil_thickness_is_asked_once_and_inherited(dock):
    dock.session.image, _ = micrograph()
    field = dock.conditions.form.fields["thickness"].focus
    field.setText("85 ± 10")
    field.editingFinished.emit()
    assert dock.session.acquisition.thickness == Quantity(85, "nm", 10)
    assert "foil 85 ± 10 nm" in dock.conditions.line.text()
    field.setText("thick")
    field.editingFinished.emit()
    assert dock.conditions.form.complaint.isVisibleTo(dock.conditions.form)
    assert dock.session.acquisition.thickness == Quantity(85, "nm", 10)
    dock.session.image, _ = micrograph()
    assert field.text() == "thick"
    assert dock.session.acquisition.thickness == Quantity(85, "nm", 10)


def test_a_movie_has_a_frame_rate(dock):
    movie = CalibratedImage.from_array(RNG.random((5, 20, 30)), axes="tyx")
    dock.session.image = movie
    dock.conditions.set_open(True)
    assert dock.conditions.frame.isVisibleTo(dock.conditions)
    dock.conditions.frame.focus.setText("20 µs")
    dock.conditions.frame.focus.editingFinished.emit()
    known = dock.session.image.calibration
    assert (known.frame_time, known.time_unit) == (20, "µs")
    dock.session.image, _ = micrograph()
    assert not dock.conditions.frame.isVisibleTo(dock.conditions)


def test_regions_become_the_session_s_space(dock, viewer_model, qtbot):
    image, labels = micrograph()
    dock.session.image, dock.session.labels = image, labels
    mask = np.zeros(image.shape, np.uint8)
    mask[:64] = 1
    viewer_model.add_labels(mask, name="half", scale=(0.5, 0.5), units=("nm", "nm"))
    box = dock.conditions.roles.grid.itemAtPosition(0, 1).widget()
    assert dock.conditions.roles.grid.itemAtPosition(1, 1) is None
    box.setCurrentIndex(box.findData(COUNT))
    box.activated.emit(box.currentIndex())
    assert dock.session.space.pixels == 64 * 128
    dock.conditions.roles.draw_exclude.click()
    layer = viewer_model.layers[-1]
    corners = np.array([[0, 0], [0, 32], [32, 32], [32, 0]])
    layer.add([corners], shape_type="polygon")
    qtbot.waitUntil(lambda: dock.session.space.exclude is not None, timeout=5000)
    drawn = dock.session.space.exclude.sum()
    assert drawn == pytest.approx(32 * 32, rel=0.1)
    assert dock.session.space.pixels == 64 * 128 - drawn
    assert "excluded" in dock.conditions.line.text()
    viewer_model.layers.remove(layer)
    assert dock.session.space.exclude is None
    dock.regions.set_role(viewer_model.layers["half"], "")
    assert dock.session.space is None


def test_a_region_of_another_size_is_refused(dock, viewer_model):
    dock.session.image, _ = micrograph()
    viewer_model.add_labels(np.ones((9, 9), int), name="small")
    dock.regions.set_role(viewer_model.layers["small"], EXCLUDE)
    assert "9 × 9" in dock.conditions.roles.told.text()
    assert dock.session.space is None

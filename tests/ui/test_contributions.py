"""The plugin in real napari: files, drops, samples, writers, commands, preferences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QWidget

import napari_defectseg
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.provenance import person
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_image
from napari_defectseg.ui.drops import dock_for
from napari_defectseg.ui.key_table import key_table
from napari_defectseg.ui.layers import KEY
from napari_defectseg.ui.preferences import applied, predict_settings, state_folder
from napari_defectseg.ui.workbench import TITLE, open_workbench, workbench_of

PLUGIN = "napari-defectseg"
MANIFEST = Path(napari_defectseg.__file__).with_name("napari.yaml")


@pytest.fixture
def tiff(tmp_path):
    data = np.random.default_rng(3).integers(0, 4000, (40, 60), dtype=np.uint16)
    known = Calibration.of((0.486, 0.486), "nm", "x")
    return save_image(
        CalibratedImage.from_array(data, calibration=known, name="steel"),
        tmp_path / "steel.ome.tif",
    )


@pytest.fixture
def viewer(make_napari_viewer, qtbot):
    made = make_napari_viewer()
    yield made
    bench = workbench_of(made)
    if bench is not None:
        bench.release()
        bench.session.close()


def drop(viewer, paths):
    """Drop files on the canvas, as the window system would."""
    canvas = next(
        one
        for one in viewer.window._qt_window.findChildren(QWidget)
        if type(one).__name__ == "QtViewer"
    )
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, QDragEnterEvent(QPoint(20, 20), *how))
    QApplication.sendEvent(canvas, QDropEvent(QPointF(20, 20), *how, QEvent.Type.Drop))


def test_a_tiff_opens_with_scale_units_and_axis_labels(viewer, tiff):
    (layer,) = viewer.open(tiff, plugin=PLUGIN)
    np.testing.assert_allclose(layer.scale, (0.486, 0.486))
    assert [f"{unit:~}" for unit in layer.units] == ["nm", "nm"]
    assert layer.axis_labels == ("y", "x")
    assert layer.name == "steel"
    assert layer.metadata[KEY]["pixel_size"] == "0.486 nm/px"


def test_a_layer_of_our_reader_keeps_the_source_of_its_pixel_size(viewer, tiff):
    bench = open_workbench(viewer)
    viewer.open(tiff, plugin=PLUGIN)
    image = bench.session.image
    assert image.calibration.source == open_image(tiff).calibration.source
    assert image.origin.path == str(tiff)


def test_a_drop_on_the_window_opens_calibrated_and_asks_nothing(viewer, tiff, qtbot):
    bench = open_workbench(viewer)
    viewer.window._qt_window.show()
    qtbot.waitUntil(lambda: bench._drops is not None)
    drop(viewer, [tiff])
    qtbot.waitUntil(lambda: bench.session.image is not None, timeout=20_000)
    (layer,) = viewer.layers
    np.testing.assert_allclose(layer.scale, (0.486, 0.486))
    assert [f"{unit:~}" for unit in layer.units] == ["nm", "nm"]


def test_a_dropped_model_goes_to_the_model_dock(viewer, model_folder, qtbot):
    bench = open_workbench(viewer)
    viewer.window._qt_window.show()
    qtbot.waitUntil(lambda: bench._drops is not None)
    drop(viewer, [model_folder / "weights.safetensors"])
    assert bench.current == "model"
    qtbot.waitUntil(lambda: bench.session.model is not None, timeout=60_000)


def test_napari_s_open_hands_a_model_on(viewer, model_folder, qtbot):
    assert viewer.open(model_folder, plugin=PLUGIN) == []
    bench = workbench_of(viewer)
    assert bench.current == "model"
    qtbot.waitUntil(lambda: bench.session.model is not None, timeout=60_000)


def test_a_folder_is_asked_about_in_the_data_dock(viewer, tiff):
    viewer.open(tiff.parent, plugin=PLUGIN)
    bench = workbench_of(viewer)
    assert bench.current == "data"
    assert "folder" in bench.page("data").messages.strip("open").sentence


@pytest.mark.parametrize("suffix", [".ome.tif", ".nrrd", ".ome.zarr"])
def test_layers_are_saved_with_their_pixel_size(viewer, tiff, tmp_path, suffix):
    (layer,) = viewer.open(tiff, plugin=PLUGIN)
    (written,) = layer.save(str(tmp_path / f"again{suffix}"), plugin=PLUGIN)
    again = open_image(written)
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(layer.data))
    np.testing.assert_allclose(again.calibration.to("nm").spacing, (0.486, 0.486))
    labels = viewer.add_labels(
        np.arange(2400, dtype=np.int32).reshape(40, 60), scale=layer.scale, units=layer.units
    )
    (written,) = labels.save(str(tmp_path / f"labels{suffix}"), plugin=PLUGIN)
    again = open_image(written)
    np.testing.assert_array_equal(np.asarray(again.data), labels.data)
    np.testing.assert_allclose(again.calibration.to("nm").spacing, (0.486, 0.486))


@pytest.mark.parametrize("kind", ["micrograph", "tomogram"])
def test_samples_open_calibrated(viewer, kind, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (layer,) = viewer.open_sample(PLUGIN, kind)
    assert all(unit.dimensionality == {"[length]": 1} for unit in layer.units)
    assert all(0 < step != 1 for step in layer.scale)


def test_a_sample_that_cannot_be_fetched_says_why(viewer, monkeypatch, tmp_path):
    from napari_defectseg.core.errors import SampleError
    from napari_defectseg.ui import sampling

    def offline(name):
        yield from ()
        raise SampleError(f"{name} cannot be downloaded: there is no connection.")

    monkeypatch.setattr(sampling, "fetch_steps", offline)
    with pytest.raises(SampleError, match="no connection"):
        viewer.open_sample(PLUGIN, "powder-bed")


def test_the_menu_entry_and_the_program_open_the_same_workbench(viewer):
    dock, made = viewer.window.add_plugin_dock_widget(PLUGIN, "Workbench")
    assert open_workbench(viewer) is made
    assert TITLE == "Workbench (Defects)"
    assert dock.inner_widget() is made


def test_each_dock_opens_alone_and_is_there_once(viewer, qtbot):
    bench = open_workbench(viewer)
    first = bench.page("statistics")
    _, alone = viewer.window.add_plugin_dock_widget(PLUGIN, "Statistics")
    assert first.released
    assert bench.pages() == tuple(page for page in bench.pages() if page.key != "statistics")
    bench.bring("statistics")
    assert bench.current == "data"
    viewer.window.remove_dock_widget(alone)
    qtbot.waitUntil(lambda: alone.released)
    bench.bring("statistics")
    assert bench.current == "statistics"


def test_commands_of_the_palette_do_what_they_say(viewer):
    from napari._app_model import get_app_model

    app = get_app_model()
    app.commands.execute_command(f"{PLUGIN}.do_dock_train").result()
    bench = workbench_of(viewer)
    assert bench.current == "train"
    app.commands.execute_command(f"{PLUGIN}.do_accept").result()
    assert bench.current == "correct"


def test_preferences_take_effect(qapp, plugin_settings, npe2pm):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    ours = get_plugin_settings(PLUGIN)
    applied().follow()
    ours.computing.device, ours.computing.threads, ours.computing.memory = "cpu", 2, 1.5
    settings = predict_settings()
    assert (settings.device, settings.threads, settings.memory) == ("cpu", 2, 1_500_000_000)
    ours.drawing.digits = True
    assert key_table().digits
    ours.drawing.digits = False
    assert not key_table().digits
    ours.records.person = "Marie C."
    assert person() == "Marie C."
    ours.records.person = ""
    assert person() != "Marie C."
    ours.records.state_folder = "/somewhere/else"
    assert str(state_folder()) == "/somewhere/else"


def test_which_dock_takes_dropped_files(tiff, model_folder):
    assert dock_for([str(tiff)]) == dock_for([str(tiff), str(tiff.parent)]) == "data"
    assert dock_for([str(model_folder)]) == "model"
    assert dock_for([str(tiff.parent / "notes.txt")]) == ""

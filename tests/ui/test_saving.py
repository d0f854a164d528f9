"""A session saved and opened again is the same session; its recipe does the same elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scene import COUNT, micrograph

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_image
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.results.recipe import Recipe
from napari_defectseg.ui.desk import OPEN, RECIPE, SAVE
from napari_defectseg.ui.docks.statistics import StatisticsDock
from napari_defectseg.ui.saving import SaveSettings
from napari_defectseg.ui.session import session_of


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    card = ModelCard(
        name="small",
        architecture="unet",
        architecture_settings={
            "dims": 2, "in_channels": 1, "out_channels": 4, "widths": [8, 8],
        },
        dims=2,
        in_channels=1,
        task="exclusive",
        activation="softmax",
        classes=ClassMap.of(["void", "precipitate", "loop"]),
    )  # fmt: skip
    return save_model(TorchModel.new(card), tmp_path_factory.mktemp("model") / "small")


def predicted(labels, model):
    """Scores that are sure of every pixel."""
    mask = labels.class_mask()
    return Prediction(
        scores=np.stack([mask == value for value in range(4)]).astype(np.float32),
        classes=model.card.classes,
        task="exclusive",
        axes=labels.axes,
        calibration=labels.calibration,
        image_name="steel_bf_07",
        thresholds={},
        min_size=0.0,
        provenance=Provenance(made_by="predict", inputs={}, settings=PredictSettings().as_dict()),
    )


@pytest.fixture
def dock(viewer_model, qtbot, tmp_path, model_path):
    """Objects on an image file, an open model, thresholds and a foil thickness."""
    made = StatisticsDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    image, labels = micrograph()
    session.image = open_image(save_image(image, tmp_path / "steel_bf_07.tif"))
    session.model = open_model(model_path)
    session.decode = DecodeSettings({"void": 0.4}, min_size=9)
    session.acquisition = Acquisition(thickness=Quantity(80.0, "nm", 8.0))
    session.prediction = predicted(labels, session.model)
    session.labels = labels
    session.edit(delete(labels, [3]))
    qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    yield made
    made.release()
    session.close()


def save(dock, qtbot, folder, **how):
    dock.desk.save(SaveSettings(folder, **how))
    qtbot.waitUntil(lambda: dock.messages.strip(SAVE) is not None, timeout=20000)
    return dock.messages.strip(SAVE)


def test_a_result_holds_everything_and_comes_back(dock, qtbot, tmp_path, make_napari_viewer):
    session = dock.session
    strip = save(dock, qtbot, tmp_path / "out")
    assert strip.kind == "info", strip.sentence
    place = tmp_path / "out" / "steel_bf_07"
    summary = json.loads((place / "summary.json").read_text("utf-8"))
    assert summary["corrected"]
    assert len(RegionTable.read_csv(place / "objects.csv")) == COUNT - 1

    viewer = make_napari_viewer()
    page = StatisticsDock(viewer)
    qtbot.addWidget(page)
    page.desk.open(tmp_path / "out")
    fresh = session_of(viewer)
    qtbot.waitUntil(lambda: fresh.table is not None, timeout=20000)
    assert page.messages.strip(OPEN).kind == "info", page.messages.strip(OPEN).sentence
    np.testing.assert_array_equal(fresh.labels.planes[0], session.labels.planes[0])
    np.testing.assert_array_equal(fresh.table["area"], session.table["area"])
    assert fresh.image.calibration.describe() == session.image.calibration.describe()
    assert fresh.model.sha256 == session.model.sha256
    assert fresh.decode.thresholds["void"] == 0.4
    assert fresh.decode.min_size == 9
    assert fresh.acquisition.thickness == session.acquisition.thickness
    assert "number_density_foil" in fresh.summary["void"]
    assert fresh.undo() is not None
    assert 3 in fresh.labels.object_classes
    page.release()
    fresh.close()


def test_a_result_is_never_replaced_unasked(dock, qtbot, tmp_path):
    save(dock, qtbot, tmp_path / "out")
    dock.session.edit(delete(dock.session.labels, [5]))
    dock.messages.take_back(SAVE)
    strip = save(dock, qtbot, tmp_path / "out")
    assert [link.text() for link in strip.links()] == ["Replace it", "Another folder…"]
    strip.links()[0].click()
    qtbot.waitUntil(lambda: dock.messages.strip(SAVE) is not None, timeout=20000)
    assert dock.messages.strip(SAVE).kind == "info"
    place = tmp_path / "out" / "steel_bf_07"
    assert len(RegionTable.read_csv(place / "objects.csv")) == COUNT - 2


def test_results_of_other_settings_are_asked_about(dock, qtbot, tmp_path):
    save(dock, qtbot, tmp_path / "out")
    dock.session.decode = DecodeSettings({"void": 0.7})
    dock.messages.take_back(SAVE)
    strip = save(dock, qtbot, tmp_path / "out", overwrite=True)
    assert "other settings" in strip.sentence
    assert strip.links()[0].text() == "Save there"


def test_a_full_disk_leaves_nothing_and_says_so(dock, qtbot, tmp_path, monkeypatch):
    from napari_defectseg.core.errors import NotSaved

    def full(*_args, **_settings):
        raise NotSaved("out could not be written: No space left on device.", hint="Free some.")

    monkeypatch.setattr("napari_defectseg.results.folder.write_result", full)
    strip = save(dock, qtbot, tmp_path / "out")
    assert strip.kind == "error"
    assert "No space" in strip.sentence
    assert not (tmp_path / "out").exists()
    assert dock.session.labels is not None


def test_the_recipe_is_what_run_takes(dock, qtbot, tmp_path):
    from typer.testing import CliRunner

    from napari_defectseg.cli.main import app

    dock.follower.set_settings(border="exclude")
    dock.desk.save_recipe(tmp_path / "recipe.json")
    recipe = Recipe.read(tmp_path / "recipe.json")
    assert recipe.model.sha256 == dock.session.model.sha256
    assert recipe.decode.thresholds["void"] == 0.4
    assert recipe.measure.border == "exclude"
    assert recipe.conditions.thickness == dock.session.acquisition.thickness
    done = CliRunner().invoke(
        app,
        ["run", str(tmp_path / "recipe.json"), dock.session.image.origin.path,
         "--out", str(tmp_path / "again")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (tmp_path / "again" / "steel_bf_07" / "objects.csv").exists()


def test_without_a_model_a_recipe_is_refused_in_words(dock, tmp_path):
    dock.session.model = None
    assert not dock.links.recipe.isEnabled()
    dock.desk.save_recipe(tmp_path / "recipe.json")
    assert "needs a model" in dock.messages.strip(RECIPE).sentence
    assert not (tmp_path / "recipe.json").exists()


def test_drawn_objects_are_saved_without_a_model(dock, qtbot, tmp_path):
    dock.session.model = None
    dock.session.decode = None
    save(dock, qtbot, tmp_path / "out")
    assert (tmp_path / "out" / "steel_bf_07" / "edits.jsonl").exists()
    assert not (tmp_path / "out" / "recipe.json").exists()

"""The Model dock beside opening: several models, a test on the view, statistics, reasons, cards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMenu

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.ui import recent
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.saving import recipe_of
from napari_defectseg.ui.session import session_of

WAIT = 30000


@pytest.fixture
def page(qtbot, viewer_model, tmp_path, monkeypatch):
    monkeypatch.setattr(recent, "_file", lambda name: tmp_path / "state" / name)
    page = ModelDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    page.release()
    session_of(viewer_model).close()


def saved(tmp_path: Path, name: str, seed: int, **fields: object) -> Path:
    card = design(
        f"{name} model",
        settings={"dims": 2, "widths": (4, 6), "norm": "batch"},
        classes=ClassMap.of([name]),
        task="binary",
        activation="sigmoid",
        **fields,
    )
    return save_model(TorchModel.new(card, seed=seed), tmp_path / f"{name}{seed}")


def opened(page, qtbot, path, how=None):
    before = page.session.model
    (how or page.open)(str(path))
    qtbot.waitUntil(
        lambda: page.session.model is not before or page.messages.worst() == "error", timeout=WAIT
    )
    return page.session.model


def message(page, topic):
    return page.messages.strip(topic)


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_another_model_is_put_beside_and_taken_out_again(page, qtbot, tmp_path):
    opened(page, qtbot, saved(tmp_path, "void", 1))
    assert not page.members.removers
    found = opened(page, qtbot, saved(tmp_path, "loop", 2), page.work.add)
    assert isinstance(found, JoinedModel)
    assert found.card.classes.names == ("void", "loop")
    assert "Side by side" in page.members.way.text()
    assert [row.edit.text() for row in page.classes.rows] == ["void", "loop"]
    assert page.card.values["From"].text() == "made here, not saved"
    assert len(recent.recent_models()) == 1
    click(qtbot, page.members.removers[0])
    assert page.session.model.card.classes.names == ("loop",)
    assert not page.members.removers


def test_the_same_classes_become_a_mean_and_half_the_same_are_refused(page, qtbot, tmp_path):
    opened(page, qtbot, saved(tmp_path, "void", 1))
    found = opened(page, qtbot, saved(tmp_path, "void", 2), page.work.add)
    assert isinstance(found, EnsembleModel)
    assert "Their mean" in page.members.way.text()
    assert isinstance(opened(page, qtbot, saved(tmp_path, "void", 3), page.work.add), EnsembleModel)
    assert len(page.members.removers) == 3
    opened(page, qtbot, saved(tmp_path, "loop", 4))
    both = opened(page, qtbot, saved(tmp_path, "void", 6), page.work.add)
    kept = opened(page, qtbot, saved(tmp_path, "void", 5), page.work.add)
    assert kept is both
    assert "Both find void" in message(page, "add model").sentence


def test_models_to_add_are_offered(page, qtbot, tmp_path):
    opened(page, qtbot, saved(tmp_path, "void", 1))
    menu = QMenu()
    page.work.fill_adding(menu)
    words = [action.text() for action in menu.actions()]
    assert words[:2] == ["Model file…", "Model folder…"]
    assert "TEM defects" in words


def test_joined_models_are_in_the_recipe_and_open_again_from_it_and_from_a_folder(
    page, qtbot, tmp_path, image
):
    from napari_defectseg.batch.analyse import open_recipe_model
    from napari_defectseg.measurement.settings import MeasureSettings

    opened(page, qtbot, saved(tmp_path, "void", 1))
    opened(page, qtbot, saved(tmp_path, "loop", 2), page.work.add)
    page.classes.rows[1].edit.setText("ring")
    page.classes.rows[1].edit.editingFinished.emit()
    page.session.image = image
    recipe = recipe_of(page.session, MeasureSettings())
    assert len(recipe.model.members) == 2
    again = open_recipe_model(type(recipe).from_dict(recipe.as_dict()))
    assert isinstance(again, JoinedModel)
    assert again.card.classes.names == ("void", "ring")
    page.work.save(str(tmp_path / "both"))
    qtbot.waitUntil(lambda: message(page, "saved") is not None, timeout=WAIT)
    assert page.session.model.path == str(tmp_path / "both")
    assert open_model(tmp_path / "both").card.classes.names == ("void", "ring")
    assert recipe_of(page.session, MeasureSettings()).model.path == str(tmp_path / "both")


def test_another_pixel_size_is_answered_where_it_is_said(page, qtbot, tmp_path, image):
    folder = saved(tmp_path, "void", 1, pixel_size=(1.0, 2.0), pixel_unit="nm")
    page.session.image = image
    opened(page, qtbot, folder)
    shown = [link.text() for link in page.ways.all if link.isVisibleTo(page.ways)]
    assert shown == ["Resample for the model", "Go on as it is"]
    click(qtbot, page.ways.all[0])
    assert page.session.model.card.pixel_policy == "resample"
    assert "will see the image at 1 nm/px" in page.fit.text()
    assert page.more.policy.currentData() == "resample"
    assert open_model(folder).card.pixel_policy == "resample"
    page.session.image = image.with_calibration(Calibration.of((1.5, 1.5), "nm"))
    assert not page.ways.isVisibleTo(page)


def test_which_statistics_are_used_is_said_and_can_be_calibrated(page, qtbot, tmp_path, image):
    opened(page, qtbot, saved(tmp_path, "void", 1, batch_norm="image", segment=16))
    more = page.more
    more.set_open(True)
    assert more.statistics.isVisibleTo(more)
    assert "rest of its image" in more.statistics_words.text()
    click(qtbot, more.calibrate)
    assert "Open an image" in message(page, "calibrate").sentence
    page.session.image = image
    before = page.session.model
    click(qtbot, more.calibrate)
    qtbot.waitUntil(lambda: page.session.model is not before, timeout=WAIT)
    assert page.session.model.card.batch_norm == "calibrated"
    assert "Measured once on steel" in more.statistics_words.text()
    assert "Save it" in message(page, "calibrate").sentence
    page.work.save(str(tmp_path / "fixed"))
    qtbot.waitUntil(lambda: page.session.model.path != "", timeout=WAIT)
    assert open_model(tmp_path / "fixed").card.training["calibrated_on"] == "steel"
    opened(page, qtbot, saved(tmp_path, "loop", 2))
    assert not more.statistics.isVisibleTo(more)


def test_it_is_said_why_it_was_recognised(page, qtbot, tmp_path):
    opened(page, qtbot, saved(tmp_path, "void", 1))
    click(qtbot, page.more.why)
    qtbot.waitUntil(lambda: message(page, "evidence") is not None, timeout=WAIT)
    assert "of the network 'unet'" in message(page, "evidence").sentence


def test_a_card_is_saved_beside_the_file_and_replaced_when_asked(page, qtbot, tmp_path):
    path = tmp_path / "mailed.safetensors"
    write_safetensors(open_model(saved(tmp_path, "void", 1)).state_dict(), path)
    opened(page, qtbot, path)
    page.classes.rows[0].edit.setText("bubble")
    page.classes.rows[0].edit.editingFinished.emit()
    click(qtbot, page.more.beside)
    assert message(page, "saved").sentence.endswith("mailed.safetensors.card.json.")
    click(qtbot, page.more.beside)
    strip = message(page, "saved")
    assert strip.kind == "warning"
    click(qtbot, strip.links()[0])
    assert message(page, "saved").kind == "info"
    shutil.rmtree(tmp_path / "state")
    assert open_model(path).card.classes.names == ("bubble",)


def test_answers_go_into_a_model_folder_and_can_be_taken_back(page, qtbot, tmp_path):
    folder = saved(tmp_path, "void", 1)
    opened(page, qtbot, folder)
    assert not page.more.beside.isVisibleTo(page.more)
    assert not page.more.forget.isVisibleTo(page.more)
    page.more.set_open(True)
    for name in ("bubble", "hole"):
        page.classes.rows[0].edit.setText(name)
        page.classes.rows[0].edit.editingFinished.emit()
    card = open_model(folder).card
    assert card.classes.names == ("hole",)
    assert card.sources["classes"] == "you"
    click(qtbot, page.more.forget)
    qtbot.waitUntil(lambda: page.session.model.card.classes.names == ("void",), timeout=WAIT)
    assert open_model(folder).card.sources["classes"] == "card"
    assert not page.more.forget.isVisibleTo(page.more)


def test_a_folder_that_may_not_be_written_keeps_answers_on_this_computer(
    page, qtbot, tmp_path, monkeypatch
):
    folder = saved(tmp_path, "void", 1)
    monkeypatch.setattr(recent.os, "access", lambda *_: False)
    opened(page, qtbot, folder)
    page.classes.rows[0].edit.setText("bubble")
    page.classes.rows[0].edit.editingFinished.emit()
    assert open_model(folder).card.classes.names == ("void",)
    page.session.model = None
    assert opened(page, qtbot, folder).card.classes.names == ("bubble",)


@pytest.mark.parametrize("how", ["loop", "void"])
def test_several_models_predict_in_the_window_as_without_it(page, qtbot, tmp_path, image, how):
    """Joined or averaged: decoded, shown a layer a class, saved with what the mean disagrees on."""
    from napari_defectseg.inference.predict import predict
    from napari_defectseg.ui.decoding import decoder_of

    opened(page, qtbot, saved(tmp_path, "void", 1))
    model = opened(page, qtbot, saved(tmp_path, how, 2), page.work.add)
    session = page.session
    session.image = image
    decoder = decoder_of(session)
    session.prediction = predict(model, image)
    qtbot.waitUntil(lambda: session.labels is not None and not decoder.busy, timeout=WAIT)
    assert session.labels.classes == model.card.classes
    assert len(page.stage.labels_layers) == (2 if how == "loop" else 1)
    assert (session.prediction.disagreement is None) == (how == "loop")

"""Model by pressing its buttons: open, check, rename; what was made with it follows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import PALETTE
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.open import open_model
from napari_defectseg.models.settings import spoken
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.ui import recent
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.text import Link

SCROLL_BAR = 13


@pytest.fixture
def page(qtbot, viewer_model, tmp_path, monkeypatch):
    monkeypatch.setattr(recent, "_file", lambda name: tmp_path / "state" / name)
    page = ModelDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    page.release()
    session_of(viewer_model).close()


@pytest.fixture
def model_folder(model_folder, tmp_path):
    """A folder of this test's own: answers are written into its card."""
    return Path(shutil.copytree(model_folder, tmp_path / "small"))


@pytest.fixture
def bare(tmp_path, model_folder):
    """A weight file without a card."""
    path = tmp_path / "mailed.safetensors"
    write_safetensors(open_model(model_folder).state_dict(), path)
    return path


def opened(page, qtbot, path):
    before = page.session.model
    page.open(str(path))
    qtbot.waitUntil(lambda: page.session.model is not before, timeout=30000)
    return page.session.model


def press(page, words, qtbot):
    link = next(one for one in page.findChildren(Link) if one.text() == words)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)


def test_without_a_model_those_of_the_program_are_offered_by_plain_name(page, qtbot):
    assert page.is_empty
    press(page, "TEM defects", qtbot)
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    assert page.card.title.text() == "TEM defects"
    assert page.card.values["Pixels"].text() == "0.2 – 0.8 nm/px"
    assert page.footer.primary.text() == "Use this model"
    assert not page.messages.topics()


def test_the_image_fits_the_model_or_a_sentence_says_why_not(page, qtbot, image):
    opened(page, qtbot, "tem-defects")
    page.session.image = image
    assert page.fit.text() == "Image 0.5, model 0.2 – 0.8 nm/px: fits."
    coarse = Calibration.of((3.2, 3.2), "nm", "typed by you")
    page.session.image = image.with_calibration(coarse)
    assert "3.2 nm/px; this model was made for 0.2 – 0.8 nm/px" in page.fit.text()
    opened(page, qtbot, "tomogram-pores")
    assert "needs a volume" in page.fit.text()


def test_another_name_goes_to_prediction_labels_layers_and_table(page, qtbot, image, model_folder):
    session = page.session
    opened(page, qtbot, model_folder)
    session.image = image
    from napari_defectseg.inference.predict import predict
    from napari_defectseg.measurement.regions import measure_regions
    from napari_defectseg.ui.decoding import decoder_of

    decoder = decoder_of(session)
    session.prediction = predict(session.model, image)
    qtbot.waitUntil(lambda: session.labels is not None and not decoder.busy, timeout=20000)
    session.table = measure_regions(session.labels)
    session.decode = replace(decoder.settings(), thresholds={"void": 0.4, "loop": None})
    qtbot.waitUntil(lambda: not decoder.busy, timeout=20000)
    steps, planes = session.history.entries, session.labels.planes
    row = page.classes.rows[0]
    row.edit.setText("bubble")
    row.edit.editingFinished.emit()
    _, colour, pattern = PALETTE[4]
    page.classes.choose_sign(0, colour, pattern)
    assert session.model.card.classes.names == ("bubble", "loop")
    assert session.model.card.thresholds == {"bubble": 0.3}
    assert session.prediction.classes == session.labels.classes == session.model.card.classes
    assert session.decode.thresholds == {"bubble": 0.4, "loop": None}
    assert set(session.table["class"]) <= {"bubble", "loop"}
    assert session.history.entries == steps
    assert session.labels.planes is planes
    assert not decoder.busy
    layer = page.stage.labels_layers[0]
    assert layer.metadata["napari_defectseg"]["classes"]["classes"][0]["name"] == "bubble"
    assert row.source.text() == "you"


@pytest.mark.parametrize("typed", ["loop", " "])
def test_a_name_that_cannot_be_is_not_taken_and_a_sentence_says_why(
    page, qtbot, model_folder, typed
):
    opened(page, qtbot, model_folder)
    page.classes.rows[0].edit.setText(typed)
    page.classes.rows[0].edit.editingFinished.emit()
    assert page.session.model.card.classes.names == ("void", "loop")
    assert page.classes.complaint.isVisibleTo(page.classes)
    assert page.classes.complaint.text()


def test_what_a_file_does_not_say_is_asked_once_and_kept_for_its_weights(page, qtbot, bare):
    opened(page, qtbot, bare)
    assert "which class is which" in page.messages.strip("question").sentence
    assert page.mark == "attention"
    press(page, "Why?", qtbot)
    (shown,) = [one for one in page.messages.topics() if one != "question"]
    assert "3 outputs" in page.messages.strip(shown).sentence
    row = page.classes.rows[1]
    row.edit.setText("bubble")
    row.edit.editingFinished.emit()
    assert "which class" not in page.messages.strip("question").sentence
    press(page, "All as shown", qtbot)
    assert page.messages.strip("question") is None
    page.session.model = None
    assert opened(page, qtbot, bare).card.classes.names == ("class 1", "bubble")
    assert page.messages.strip("question") is None
    assert page.session.model.card.sources["classes"] == "you"
    press(page, "Back to the file's own card", qtbot)
    qtbot.waitUntil(lambda: page.session.model.card.classes.names[1] == "class 2", timeout=20000)
    assert page.messages.strip("question") is not None


def test_where_two_networks_fit_a_person_chooses_and_is_not_asked_again(page, qtbot, tmp_path):
    from napari_defectseg.models.architectures.plain_unet import UP_FIRST

    path = tmp_path / "homemade.safetensors"
    write_safetensors(UP_FIRST.build({"width": 4, "poolings": 1}).state_dict(), path)
    assert opened(page, qtbot, path).card.architecture == "plain_unet"
    assert "which of several networks" in page.messages.strip("question").sentence
    press(page, "The other network", qtbot)
    qtbot.waitUntil(
        lambda: page.session.model.card.architecture == "plain_unet_up_first", timeout=20000
    )
    press(page, "All as shown", qtbot)
    page.session.model = None
    assert opened(page, qtbot, path).card.architecture == "plain_unet_up_first"
    assert spoken(page.session.model.card)["architecture"] == "plain_unet_up_first"
    assert page.messages.strip("question") is None


def test_grey_values_and_pixel_size_are_set_as_on_the_command_line(page, qtbot, bare):
    opened(page, qtbot, bare)
    more = page.more
    more.scaling.setCurrentIndex(more.scaling.findData("zscore"))
    more.scaling.activated.emit(0)
    more.shading.setCurrentIndex(1)
    more.shading.activated.emit(1)
    kinds = [step.kind for step in page.session.model.card.preprocessing]
    assert kinds == ["normalise", "invert"]
    assert page.session.model.card.preprocessing[1].about == 0
    assert "bright and dark exchanged" in page.card.values["Grey"].text()
    more.size.setText("nonsense")
    more.size.setModified(True)
    more.size.editingFinished.emit()
    assert "0.2-0.6 nm" in page.messages.strip("answer").sentence
    more.size.setText("0.2-0.6 nm")
    more.size.setModified(True)
    more.size.editingFinished.emit()
    assert page.session.model.card.pixel_size == (0.2, 0.6)
    assert page.messages.strip("answer") is None


def test_a_file_of_another_network_is_named_with_what_was_seen_and_the_model_stays(
    page, qtbot, tmp_path, model_folder
):
    import torch

    kept = opened(page, qtbot, model_folder)
    path = tmp_path / "model_final.pth"
    torch.save({"backbone.stem.conv.weight": torch.zeros(64, 3, 7, 7)}, path)
    page.open(str(path))
    qtbot.waitUntil(lambda: page.messages.worst() == "error", timeout=20000)
    said = page.messages.strip("model").sentence
    assert "1 tensors" in said
    assert "backbone.stem.conv.weight 64×3×7×7" in said
    assert "nearest" in said
    assert page.session.model is kept
    assert not page.footer.working


def test_a_model_can_be_dropped_and_is_remembered(page, qtbot, model_folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(model_folder))])
    page.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=20000)
    assert recent.recent_models() == (str(model_folder),)
    page.session.model = None
    assert any("Lately: small" in link.text() for link in page.empty.links())


def test_stop_puts_the_file_down_at_once_and_keeps_the_model(page, qtbot, model_folder):
    page.open(str(model_folder))
    assert page.footer.primary.text() == "Stop"
    qtbot.mouseClick(page.footer.primary, Qt.MouseButton.LeftButton)
    assert page.session.model is None
    assert page.is_empty
    qtbot.waitUntil(lambda: not page.session.jobs.alive(), timeout=20000)
    qtbot.wait(50)
    assert page.session.model is None


def test_a_copy_with_its_card_opens_again_with_the_names(page, qtbot, bare, tmp_path):
    opened(page, qtbot, bare)
    page.classes.rows[0].edit.setText("void")
    page.classes.rows[0].edit.editingFinished.emit()
    page.work.save(str(tmp_path / "copy"))
    qtbot.waitUntil(lambda: page.messages.strip("saved") is not None, timeout=20000)
    assert open_model(tmp_path / "copy").card.classes.names[0] == "void"


def test_the_page_fits_the_narrowest_dock(page, qtbot, bare):
    image = np.zeros((8, 8), np.uint8)
    page.session.image = CalibratedImage.from_array(image, name="a name that is very long indeed")
    opened(page, qtbot, bare)
    page.more.set_open(True)
    page.show()
    assert page.minimumSizeHint().width() <= PAGE_WIDTH - SCROLL_BAR

"""Export… in the Model dock: asked where and as what, checked, said; nothing is replaced."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.open import open_model
from napari_defectseg.ui import exporting, model_work, recent
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.text import Link


@pytest.fixture
def page(qtbot, viewer_model, tmp_path, monkeypatch, model_folder):
    monkeypatch.setattr(recent, "_file", lambda name: tmp_path / "state" / name)
    page = ModelDock(viewer_model)
    qtbot.addWidget(page)
    page.open(str(shutil.copytree(model_folder, tmp_path / "small")))
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    page.more.set_open(True)
    yield page
    page.release()
    session_of(viewer_model).close()


def shown(page, topic):
    """The message of a topic; None: there is none."""
    return page.messages.strip(topic)


def exported(page, qtbot, monkeypatch, path, chosen, topic="exported"):
    """Press Export…, answer the system's dialog, and return what is said then."""
    monkeypatch.setattr(model_work.QFileDialog, "getSaveFileName", lambda *_: (str(path), chosen))
    link = next(one for one in page.findChildren(Link) if one.text() == "Export…")
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown(page, topic) is not None, timeout=60000)
    return shown(page, topic)


@pytest.mark.parametrize("chosen", exporting.FILTERS)
def test_every_kind_is_written_and_opens_with_the_same_classes(
    page, qtbot, monkeypatch, tmp_path, chosen
):
    if "safetensors" not in chosen:
        pytest.importorskip("onnxscript")
    model = page.session.model
    strip = exported(page, qtbot, monkeypatch, tmp_path / "out", chosen)
    assert strip.kind == "info"
    assert "of the original" in strip.sentence
    _, place, _ = exporting.resolved(str(tmp_path / "out"), chosen)
    again = open_model(place)
    assert again.card.classes == model.card.classes
    assert page.session.model is model
    block = np.random.default_rng(0).normal(size=(1, 32, 32)).astype(np.float32)
    if isinstance(again, ArrayModel):
        assert np.isfinite(again.start(1).run(block)).all()
        again.close()


def test_a_dialog_that_is_closed_writes_nothing(page, monkeypatch, tmp_path):
    monkeypatch.setattr(model_work.QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    before = sorted(p.name for p in tmp_path.iterdir())
    page.work.ask_export()
    assert page.messages.topics() == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_what_is_there_is_kept_and_said(page, qtbot, tmp_path):
    """A name without ending gets one: about that file the dialog did not ask."""
    kept = tmp_path / "out.safetensors"
    kept.write_text("mine")
    page.work.export("safetensors", str(kept))
    qtbot.waitUntil(lambda: shown(page, "export model") is not None, timeout=30000)
    strip = shown(page, "export model")
    assert strip.kind == "error"
    assert "out.safetensors" in strip.sentence
    assert kept.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_a_sentence(page, qtbot, tmp_path):
    (tmp_path / "blocked").write_text("a file, not a folder")
    page.work.export("safetensors", str(tmp_path / "blocked" / "out.safetensors"))
    qtbot.waitUntil(lambda: shown(page, "export model") is not None, timeout=30000)
    strip = shown(page, "export model")
    assert strip.kind == "error"
    assert "blocked" in strip.sentence
    assert "mistake" not in strip.sentence

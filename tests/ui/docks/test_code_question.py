"""Layers of code in model files, in the dock: never run, asked about, answered, kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from tests.models.keras.test_lambda import code_of, saved

from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.settings import spoken
from napari_defectseg.ui import recent
from napari_defectseg.ui.code_question import LATER
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.text import Link


@pytest.fixture
def page(qtbot, viewer_model, tmp_path, monkeypatch):
    monkeypatch.setattr(recent, "_file", lambda name: tmp_path / "state" / name)
    page = ModelDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    page.release()
    session_of(viewer_model).close()


@pytest.fixture
def scaled(tmp_path) -> Path:
    """A Keras model whose first layer is a Lambda of x / 255."""
    return saved(code_of(lambda x: x / 255.0), tmp_path / "mailed.h5")


def shown(page, topic="consent"):
    """The message of a topic; None: there is none."""
    return page.messages.strip(topic)


def asked(page, qtbot, path):
    page.open(str(path))
    qtbot.waitUntil(lambda: shown(page) is not None, timeout=30000)
    return shown(page)


def press(strip, words, qtbot):
    link = next(one for one in strip.findChildren(Link) if one.text() == words)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)


def test_the_strip_says_what_was_read_and_offers_what_it_seems_to_do_first(page, qtbot, scaled):
    strip = asked(page, qtbot, scaled)
    assert page.session.model is None
    assert [link.text() for link in strip.links()] == [
        "x / 255", "x / 127.5 - 1", "x as it is", LATER,
    ]  # fmt: skip
    for part in ("mailed.h5 has the layer 'scale'", "never run", "numbers in it 255"):
        assert part in strip.sentence
    assert page.minimumSizeHint().width() <= PAGE_WIDTH + 100


def test_an_answer_opens_the_model_and_is_kept_for_the_file(page, qtbot, scaled):
    press(asked(page, qtbot, scaled), "x / 255", qtbot)
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    first = page.session.model
    assert isinstance(first, TorchModel)
    assert first.card.preprocessing == ()  # what scales is inside
    assert spoken(first.card)["lambda.scale"] == "divide255"
    page.open(str(scaled))
    qtbot.waitUntil(lambda: page.session.model is not first, timeout=30000)
    assert shown(page) is None


def test_not_now_leaves_it_closed_and_it_is_asked_again(page, qtbot, scaled):
    press(asked(page, qtbot, scaled), LATER, qtbot)
    assert page.session.model is None
    assert shown(page) is None
    assert asked(page, qtbot, scaled) is not None


def test_an_answer_can_be_taken_back(page, qtbot, scaled):
    press(asked(page, qtbot, scaled), "x as it is", qtbot)
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    assert recent.can_forget(page.session.model)
    page.forget_answers()
    qtbot.waitUntil(lambda: shown(page) is not None, timeout=30000)
    assert not recent.can_forget(page.session.model)


def test_a_model_with_an_answer_is_put_beside_another(page, qtbot, scaled, model_folder):
    page.open(str(model_folder))
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    page.work.add(str(scaled))
    qtbot.waitUntil(lambda: shown(page, "add model") is not None, timeout=30000)
    assert "Lambda" in shown(page, "add model").sentence
    from napari_defectseg.models.open import open_model

    known = open_model(scaled, settings={"lambda.scale": "divide255"})
    recent.remember_code(known.sha256, "lambda.scale", "divide255")
    page.work.add(str(scaled))
    qtbot.waitUntil(lambda: len(getattr(page.session.model, "models", ())) == 2, timeout=30000)

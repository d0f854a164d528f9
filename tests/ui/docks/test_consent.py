"""Programs in model files, in the dock: asked about, closed until trusted, taken back."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from qtpy.QtCore import Qt

from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.trust.record import listed
from napari_defectseg.ui import consent, recent
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.docks.model import ModelDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.text import Link


@pytest.fixture
def page(qtbot, viewer_model, tmp_path, monkeypatch):
    monkeypatch.setattr(recent, "_file", lambda name: tmp_path / "state" / name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "trust"))
    page = ModelDock(viewer_model)
    qtbot.addWidget(page)
    yield page
    if page.session.model is not None:
        page.session.model.close()
    page.release()
    session_of(viewer_model).close()


@pytest.fixture
def strange(tmp_path) -> Path:
    """A TorchScript program whose weights fit no network of ours."""
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ELU(),
                              torch.nn.Conv2d(4, 2, 1), torch.nn.Tanh())  # fmt: skip
    path = tmp_path / "mailed.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch wants others to write another format
        torch.jit.script(net).save(str(path))
    return path


@pytest.fixture
def known(tmp_path, model_folder) -> Path:
    """A TorchScript program whose weights fit a network of ours."""
    torch = pytest.importorskip("torch")
    from napari_defectseg.models.open import open_model

    path = tmp_path / "ours.pt"
    network = open_model(model_folder).network()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch wants others to write another format
        torch.jit.trace(network, torch.zeros(1, 1, 16, 16)).save(str(path))
    return path


def shown(page, topic):
    """The message of a topic; None: there is none."""
    return page.messages.strip(topic)


def asked(page, qtbot, path):
    page.open(str(path))
    qtbot.waitUntil(lambda: shown(page, "consent") is not None, timeout=30000)
    return shown(page, "consent")


def press(strip, words, qtbot):
    link = next(one for one in strip.findChildren(Link) if one.text() == words)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)


def test_a_program_is_closed_and_the_strip_says_what_would_run(page, qtbot, strange):
    strip = asked(page, qtbot, strange)
    assert page.session.model is None
    words = [link.text() for link in strip.links()]
    assert words == [consent.TRUST, consent.LATER]  # weights cannot be taken: not offered
    for part in ("mailed.pt contains a program", "TorchScript", "SHA-256", "process of its own"):
        assert part in strip.sentence
    assert page.minimumSizeHint().width() <= PAGE_WIDTH + 100


def test_not_now_leaves_everything_as_it_was(page, qtbot, strange):
    press(asked(page, qtbot, strange), consent.LATER, qtbot)
    assert page.session.model is None
    assert shown(page, "consent") is None
    assert page.footer.primary.text().startswith("Open a model")
    assert listed() == ()


def test_weights_alone_are_the_primary_answer_and_asked_about_once(page, qtbot, known):
    strip = asked(page, qtbot, known)
    assert strip.links()[0].text() == consent.WEIGHTS
    assert page.footer.primary.text() == consent.WEIGHTS
    page.press_primary()
    assert isinstance(page.session.model, TorchModel)
    assert page.card.trust.text() == "weights of a program"
    first = page.session.model
    page.open(str(known))
    qtbot.waitUntil(lambda: page.session.model is not first, timeout=30000)
    assert shown(page, "consent") is None
    assert listed() == ()


def test_a_trusted_program_runs_and_the_trust_is_taken_back_in_the_dock(page, qtbot, strange):
    press(asked(page, qtbot, strange), consent.TRUST, qtbot)
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=60000)
    assert isinstance(page.session.model, ArrayModel)
    assert page.card.trust.text() == "a program you trusted"
    assert [record.name for record in listed()] == ["mailed.pt"]
    page.show_evidence("trust")
    press(shown(page, "evidence"), "Take the trust back", qtbot)
    qtbot.waitUntil(lambda: shown(page, "consent") is not None, timeout=30000)
    assert listed() == ()


def test_a_program_that_is_added_is_asked_about_too(page, qtbot, known, model_folder):
    """Its weights are the primary answer; the same classes become a mean."""
    page.open(str(model_folder))
    qtbot.waitUntil(lambda: page.session.model is not None, timeout=30000)
    page.work.add(str(known))
    qtbot.waitUntil(lambda: shown(page, "consent") is not None, timeout=30000)
    assert page.footer.primary.text() == consent.WEIGHTS
    assert page.open_button.isHidden()
    page.press_primary()
    qtbot.waitUntil(lambda: page.footer.primary.text() == "Use this model", timeout=30000)
    assert not page.open_button.isHidden()
    assert shown(page, "consent") is None
    told = shown(page, "add model")
    assert len(getattr(page.session.model, "models", ())) == 2 or "classes" in told.sentence


def test_a_program_that_is_trusted_and_cannot_run_gives_the_button_back(
    page, qtbot, known, monkeypatch
):
    from napari_defectseg.core.errors import ModelError

    asked(page, qtbot, known)

    def refuse(where):
        raise ModelError("It does not run.")

    monkeypatch.setattr(consent, "trust_file", refuse)
    press(shown(page, "consent"), consent.TRUST, qtbot)
    qtbot.waitUntil(lambda: shown(page, "model") is not None, timeout=30000)
    assert "does not run" in shown(page, "model").sentence
    assert page.footer.primary.text().startswith("Open a model")

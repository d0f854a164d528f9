"""What an earlier session left is offered once; continued, looked at, or put aside."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from napari_defectseg.images.save import save_image
from napari_defectseg.labels.restore import list_journals
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.ui.docks.correct import CorrectDock
from napari_defectseg.ui.keeper import journals_root, keeper_of
from napari_defectseg.ui.kept_edits import FAILED, TOPIC
from napari_defectseg.ui.session import Session, session_of


@pytest.fixture
def left(qapp, image, labels, tmp_path):
    """A session that deleted object 1 and then 2, and was closed; returns the last labels."""
    from napari_defectseg.images.open import open_image

    path = save_image(image, tmp_path / "steel.tif")
    session = Session()
    session.image = open_image(path)
    keeper_of(session)
    session.labels = labels
    for number in (1, 2):
        session.edit(delete(labels, [number]))
    session.close()
    return labels


@pytest.fixture
def dock(left, viewer_model, qtbot):
    made = CorrectDock(viewer_model)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.messages.strip(TOPIC) is not None, timeout=5000)
    yield made
    made.release()
    made.session.close()


def press(dock, words: str) -> None:
    strip = dock.messages.strip(TOPIC)
    next(link for link in strip.links() if link.text() == words).click()


def test_one_strip_with_three_answers(dock):
    strip = dock.messages.strip(TOPIC)
    assert strip.sentence.startswith("steel: 2 edits from ")
    assert [link.text() for link in strip.links()] == ["Continue", "Look first", "Put aside"]


def test_continue_brings_image_and_history_back(dock, left, qtbot):
    press(dock, "Continue")
    session = dock.session
    qtbot.waitUntil(lambda: session.labels is not None, timeout=5000)
    assert session.image.name == "steel"
    assert session.image.calibration.describe() == "0.5 nm/px"
    np.testing.assert_array_equal(session.labels.planes[0], left.planes[0])
    assert dock.messages.strip(TOPIC) is None
    assert session.undo() is not None
    assert 2 in session.labels.object_classes
    assert session.undo() is not None
    assert 1 in session.labels.object_classes
    session.redo()
    qtbot.waitUntil(lambda: session.saved.startswith("all edits on disk"), timeout=5000)
    session.close()
    (info,) = list_journals(journals_root())
    assert info.edits == 1


def test_look_first_shows_and_asks_again(dock, qtbot):
    press(dock, "Look first")
    qtbot.waitUntil(lambda: dock.session.labels is not None, timeout=5000)
    strip = dock.messages.strip(TOPIC)
    assert [link.text() for link in strip.links()] == ["Continue", "Put aside"]
    press(dock, "Put aside")
    assert dock.session.labels is None
    assert dock.messages.strip(TOPIC) is None
    dock.session.close()
    assert list_journals(journals_root()) == ()
    assert len(list_journals(journals_root(), aside=True)) == 1


def test_put_aside_is_kept_and_not_offered_again(dock):
    press(dock, "Put aside")
    assert dock.messages.strip(TOPIC) is None
    assert list_journals(journals_root()) == ()
    assert len(list_journals(journals_root(), aside=True)) == 1


def test_a_missing_image_is_said_and_nothing_is_lost(dock, tmp_path, qtbot):
    (tmp_path / "steel.tif").unlink()
    press(dock, "Continue")
    qtbot.waitUntil(lambda: dock.messages.strip(FAILED) is not None, timeout=5000)
    assert "no longer there" in dock.messages.strip(FAILED).sentence
    assert dock.messages.strip(TOPIC) is not None
    assert len(list_journals(journals_root())) == 1


def test_a_killed_program_loses_no_edit(viewer_model, qtbot, image, tmp_path):
    """SIGKILL right after the status line said that all edits are on the disk."""
    path = save_image(image, tmp_path / "steel.tif")
    code = textwrap.dedent(f"""
        import os, signal, sys, time
        from qtpy.QtWidgets import QApplication
        app = QApplication([])
        from napari_defectseg.core.classes import ClassMap
        from napari_defectseg.images.open import open_image
        from napari_defectseg.labels.labelmap import LabelMap
        from napari_defectseg.labels.stroke import Stroke
        from napari_defectseg.labels.tools.paint import paint
        from napari_defectseg.ui.keeper import keeper_of
        from napari_defectseg.ui.session import Session
        import numpy as np
        session = Session()
        session.image = image = open_image({str(path)!r})
        keeper_of(session)
        classes = ClassMap.of(["void"])
        session.labels = LabelMap.empty(
            image.label_shape, classes, image.label_axes, image.calibration)
        for step in range(5):
            box = (slice(10 * step, 10 * step + 5), slice(0, 5))
            session.edit(paint(session.labels, Stroke(box, np.ones((5, 5), bool), None), 1))
        while not session.saved.startswith("all edits on disk"):
            app.processEvents()
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9, done.stderr
    page = CorrectDock(viewer_model)
    qtbot.addWidget(page)
    qtbot.waitUntil(lambda: page.messages.strip(TOPIC) is not None, timeout=5000)
    assert "5 edits" in page.messages.strip(TOPIC).sentence
    press(page, "Continue")
    session = session_of(viewer_model)
    qtbot.waitUntil(lambda: session.labels is not None, timeout=5000)
    assert len(session.labels.object_classes) == 5
    page.release()
    session.close()

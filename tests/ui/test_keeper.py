"""Every edit is on the disk at once; a full disk stops nothing; what is needed is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_defectseg.core.errors import NotSaved
from napari_defectseg.labels.journalfile import JournalFile
from napari_defectseg.labels.restore import list_journals, restore
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.ui.docks.correct import CorrectDock
from napari_defectseg.ui.keeper import journals_root, keeper_of
from napari_defectseg.ui.session import Session
from napari_defectseg.ui.unsaved import TOPIC


@pytest.fixture
def session(qapp, image, labels):
    made = Session()
    made.image = image
    keeper_of(made)
    made.labels = labels
    yield made
    made.close()


def settled(qtbot, session, words: str) -> None:
    qtbot.waitUntil(lambda: session.saved.startswith(words), timeout=5000)


def test_each_edit_is_on_the_disk_and_said(session, qtbot, image):
    session.edit(delete(session.labels, [1]))
    settled(qtbot, session, "all edits on disk")
    assert "1 edit since" in session.saved
    (info,) = list_journals(journals_root())
    assert (info.image, info.image_sha256) == (image.name, image.sha256())
    assert info.edits == 1
    assert info.busy
    history, _ = restore(info.path, attach=False)
    np.testing.assert_array_equal(history.labelmap.planes[0], session.labels.planes[0])
    session.undo()
    settled(qtbot, session, "all edits on disk")
    qtbot.waitUntil(lambda: list_journals(journals_root())[0].edits == 0, timeout=10_000)


def test_a_full_disk_stops_nothing_and_is_made_up_for(session, qtbot, monkeypatch):
    settled(qtbot, session, "")
    real, full = JournalFile.append, [True]

    def append(self, record):
        if full[0]:
            raise NotSaved("edits.jsonl could not be written: No space left on device.")
        real(self, record)

    monkeypatch.setattr(JournalFile, "append", append)
    session.edit(delete(session.labels, [1]))
    session.edit(delete(session.labels, [2]))
    settled(qtbot, session, "not saved: disk full")
    assert "2 not on disk" in session.saved
    assert 2 not in session.labels.object_classes
    assert "No space" in keeper_of(session).problem
    full[0] = False
    keeper_of(session).retry()
    settled(qtbot, session, "all edits on disk")
    assert list_journals(journals_root())[0].edits == 2


def test_another_folder_takes_over_with_all_that_waits(session, qtbot, monkeypatch, tmp_path):
    real, full = JournalFile.append, journals_root()

    def append(self, record):
        if self.folder.parent == full:
            raise NotSaved("No space left on device.")
        real(self, record)

    monkeypatch.setattr(JournalFile, "append", append)
    session.edit(delete(session.labels, [1]))
    settled(qtbot, session, "not saved")
    keeper_of(session).move(tmp_path / "elsewhere")
    settled(qtbot, session, "all edits on disk")
    assert list_journals(tmp_path / "elsewhere")[0].edits == 1


def test_closing_keeps_what_a_person_did_and_nothing_else(qapp, image, labels):
    for edits in (0, 1):
        session = Session()
        session.image = image
        keeper_of(session)
        session.labels = labels.copy()
        if edits:
            session.edit(delete(session.labels, [1]))
        session.close()
        found = list_journals(journals_root())
        assert [info.edits for info in found] == [1] * edits
        assert not any(info.busy for info in found)


def test_what_lies_in_a_result_is_not_offered_again(session, qtbot):
    keeper = keeper_of(session)
    session.edit(delete(session.labels, [1]))
    keeper.note_saved(session.history, session.labels.revision)
    session.close()
    assert list_journals(journals_root()) == ()
    assert len(list_journals(journals_root(), aside=True)) == 1


def test_each_image_has_its_own_journal(session, qtbot, image, labels):
    session.edit(delete(session.labels, [1]))
    other = image.with_calibration(image.calibration)
    other = type(image).from_array(np.zeros((64, 80), np.uint8), name="second")
    session.image = other
    assert session.saved == ""
    fresh = labels.copy()
    session.labels = fresh
    session.edit(delete(fresh, [2]))
    settled(qtbot, session, "all edits on disk")
    assert {info.image for info in list_journals(journals_root())} == {"steel", "second"}
    session.image = image
    session.edit(delete(session.labels, [3]))
    settled(qtbot, session, "all edits on disk\n2 edits")


def test_correct_says_it_and_another_folder_is_a_click_away(
    viewer_model, qtbot, monkeypatch, tmp_path, image, labels
):
    full, real = journals_root(), JournalFile.append

    def append(self, record):
        if self.folder.parent == full:
            raise NotSaved("No space left on device.")
        real(self, record)

    monkeypatch.setattr(JournalFile, "append", append)
    page = CorrectDock(viewer_model)
    qtbot.addWidget(page)
    session = page.session
    session.image, session.labels = image, labels
    session.edit(delete(labels, [1]))
    qtbot.waitUntil(lambda: page.messages.strip(TOPIC) is not None, timeout=5000)
    strip = page.messages.strip(TOPIC)
    assert "No space left" in strip.sentence
    assert "drawing goes on" in strip.sentence
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", staticmethod(lambda *_: str(tmp_path / "stick"))
    )
    next(link for link in strip.links() if link.text() == "Another folder…").click()
    settled(qtbot, session, "all edits on disk")
    assert page.messages.strip(TOPIC) is None
    assert list_journals(tmp_path / "stick")[0].edits == 1
    page.release()
    session.close()


def test_a_program_that_ends_with_its_window_open_lets_go_in_peace(tmp_path):
    """The window goes after Python has ended all threads."""
    code = textwrap.dedent("""
        import napari
        from scene import micrograph
        from napari_defectseg.labels.tools.delete import delete
        from napari_defectseg.ui.keeper import journals_root, keeper_of
        from napari_defectseg.ui.session import session_of
        from napari_defectseg.ui.workbench import Workbench
        viewer = napari.Viewer(show=False)
        viewer.window.add_dock_widget(Workbench(viewer), name="Defects")
        session = session_of(viewer)
        session.image, session.labels = micrograph()
        session.edit(delete(session.labels, [1]))
        print(journals_root(), flush=True)
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    (info,) = list_journals(Path(done.stdout.strip().splitlines()[-1]))
    assert info.edits == 1
    assert not info.busy

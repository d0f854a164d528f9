"""*Watch a folder* in the window: frames, lag, a growing plot, and it goes on where it stopped."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from threshold_net import picture, threshold_model

from napari_defectseg.images.save import save_image
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.docks.predict import PredictDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.watch import START, STOP, WatchPart


@pytest.fixture
def page(qtbot, viewer_model, tmp_path):
    session = session_of(viewer_model)
    session.image = picture((80, 80), "yx")
    save_model(threshold_model(), tmp_path / "model")
    session.model = open_model(tmp_path / "model")
    session.computing = PredictSettings(device="cpu", threads=1)
    page = PredictDock(viewer_model)
    qtbot.addWidget(page)
    page.findChild(WatchPart).set_open(True)
    yield page
    page.release()
    session.close()
    assert not session.jobs.alive()


@pytest.fixture
def part(page):
    return page.findChild(WatchPart)


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "scan_17"
    folder.mkdir()
    return folder


def write(inbox, number, bright=5):
    image = picture((80, 80), "yx", bright=bright)
    save_image(image, inbox / f"scan_{number:03}.ome.tif")


def press(part, qtbot):
    qtbot.mouseClick(part.button, Qt.MouseButton.LeftButton)


def drawn(part, count, name="void"):
    def check():
        assert name in part.curve.names
        assert len(part.curve.points(name)[0]) == count

    return check


def test_frames_are_drawn_as_they_come_and_a_stop_keeps_them(part, inbox, qtbot):
    part.folder.setText(str(inbox))
    assert part.out.text() == f"{inbox}-results"
    write(inbox, 0, bright=5)
    press(part, qtbot)
    assert part.button.text() == STOP
    qtbot.waitUntil(drawn(part, 1), timeout=30000)
    write(inbox, 1, bright=3)
    qtbot.waitUntil(drawn(part, 2), timeout=30000)
    assert part.curve.points("void")[1].tolist() == [
        frame.objects["void"] for frame in part.watching.frames
    ]
    assert "2 frames" in part.state.text()
    assert "behind" in part.state.text()
    part.numbers.setValue("fraction")
    np.testing.assert_array_equal(
        part.curve.points("void")[1], [frame.fraction["void"] for frame in part.watching.frames]
    )
    press(part, qtbot)
    qtbot.waitUntil(lambda: part.button.text() == START, timeout=10000)
    assert part.state.text() == "Stopped: 2 frames kept."
    write(inbox, 2)
    press(part, qtbot)
    qtbot.waitUntil(drawn(part, 3), timeout=30000)
    assert [frame.image for frame in part.watching.frames] == [
        f"scan_{number:03}.ome.tif" for number in range(3)
    ]


def test_a_broken_frame_is_named_and_the_next_one_goes_on(part, inbox, qtbot):
    part.folder.setText(str(inbox))
    (inbox / "scan_000.tif").write_bytes(b"II*\x00 and so on")
    write(inbox, 1)
    press(part, qtbot)
    qtbot.waitUntil(lambda: len(part.watching.frames) == 2, timeout=60000)
    assert "scan_000.tif" in part.problem.text()


def test_without_a_folder_or_a_model_nothing_can_be_started(page, part, inbox):
    assert not part.button.isEnabled()
    part.folder.setText(str(inbox))
    assert part.button.isEnabled()
    page.session.model = None
    assert not part.button.isEnabled()


def test_results_of_another_model_are_refused_in_words(part, inbox, qtbot):
    part.folder.setText(str(inbox))
    (inbox.with_name("scan_17-results")).mkdir()
    (inbox.with_name("scan_17-results") / "frames.csv").write_text("image,something\n")
    press(part, qtbot)
    assert "another folder" in part.problem.text()
    assert part.button.text() == START


def test_it_fits_the_narrow_dock(part):
    assert part.minimumSizeHint().width() <= PAGE_WIDTH

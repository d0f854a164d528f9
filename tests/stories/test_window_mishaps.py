"""What goes wrong in the window is told in a sentence in its dock, and nothing is lost."""

from __future__ import annotations

import errno
import os
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QWidget
from tests.stories.journey import LABELLED, micrograph, opened, with_shipped_model

import napari_defectseg as ds
from napari_defectseg.core.progress import Step
from napari_defectseg.ui.workbench import docks


def told(window: Any, *words: str) -> str:
    """Wait until the dock in front says something, and return it."""
    window.until(lambda: all(word in window.said() for word in words), 20_000)
    return window.said()


def test_a_broken_file_is_named_and_the_open_image_stays(window, tmp_path):
    image = opened(window, micrograph(tmp_path, 3))
    for name, content, words in (
        ("empty.tif", b"", "is empty"),
        ("broken.tif", b"II*\x00\xff\xff\xff\xff", "broken.tif"),
        ("text.tif", b"not a picture at all", "text.tif"),
    ):
        (tmp_path / name).write_bytes(content)
        window.answer("open files", [tmp_path / name])
        window.primary("Open")
        assert "Traceback" not in told(window, words)
        assert window.session.image is image


def test_without_a_model_predict_says_so_and_leads_there(window, tmp_path):
    opened(window, micrograph(tmp_path, 3))
    page = window.go("predict")
    assert page.is_empty
    assert not page.footer.primary.isEnabled()
    window.link("model")
    assert window.bench.current == "model"


def test_a_file_that_is_no_model_is_named(window, tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 not really")
    window.go("model")
    window.answer("open file", tmp_path / "broken.pt")
    window.primary("Open a model")
    told(window, "broken.pt")
    assert window.session.model is None


def test_a_layer_without_scale_is_worked_on_in_px(window):
    made = ds.phantom("micrograph", seed=27, scene="mixed", labelled=LABELLED, shape=(192, 192))
    window.viewer.add_image(made.image.read(), name="from somewhere")
    assert window.session.image is not None
    with_shipped_model(window)
    window.predict()
    assert window.session.table.calibration.length_unit == "px"
    window.go("statistics")
    window.quiet()
    assert "px" in told(window, "pixel size")


def test_an_image_of_nothing_but_nan_is_told(window):
    window.viewer.add_image(np.full((64, 64), np.nan, np.float32), name="nothing")
    with_shipped_model(window)
    window.primary("Predict")
    told(window, "finite")
    assert window.session.prediction is None
    assert window.page.footer.primary.isEnabled()


def test_a_model_of_volumes_says_that_a_picture_does_not_fit(window, tmp_path):
    opened(window, micrograph(tmp_path, 3))
    with_shipped_model(window, "Pores in tomograms")
    window.primary("Predict")
    told(window, "3")
    assert window.session.prediction is None


def slow_steps(began: list[int], ended: list[int]) -> Any:
    """Work that never ends by itself."""

    def steps(*_: Any, **__: Any) -> Any:
        began.append(1)
        try:
            while True:
                yield Step(1, 100, "tile 2 of 100")
        finally:
            ended.append(1)

    return steps


def test_a_run_that_is_stopped_keeps_what_was_there(window, tmp_path, monkeypatch):
    opened(window, micrograph(tmp_path, 3))
    with_shipped_model(window)
    labels = window.predict()
    known = labels.planes[0].copy()
    began: list[int] = []
    ended: list[int] = []
    monkeypatch.setattr(
        "napari_defectseg.inference.predict.predict_steps", slow_steps(began, ended)
    )
    window.go("predict")
    window.primary("Predict again")
    window.until(lambda: began and window.page.footer.working)
    window.key("Escape")
    window.until(lambda: ended and not window.page.footer.working)
    assert window.session.labels is labels
    assert np.array_equal(labels.planes[0], known)
    window.until(lambda: window.page.footer.primary.text().startswith("Predict"))


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_dataset_labels_and_edits_whole(window, tmp_path, monkeypatch):
    opened(window, micrograph(tmp_path, 27))
    with_shipped_model(window)
    labels = window.predict()
    window.session.dataset = ds.Dataset.create(tmp_path / "alloy", labels.classes)
    page = window.go("correct")
    window.key("Ctrl+D")
    window.type(page.save.specimen, "A3")
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        broken.setattr("os.fdatasync", full, raising=False)
        window.press(page.save.save)
        window.until(lambda: "No space" in page.save.told.text())
        window.key("N")
        (number,) = window.session.selection
        window.key("D")
        assert number not in labels.object_classes
        window.until(lambda: "not saved" in window.session.saved.lower())
    assert not ds.Dataset.open(tmp_path / "alloy").pairs()
    window.key("Ctrl+Z")
    assert number in labels.object_classes
    window.press(page.save.save)
    window.until(lambda: "Saved" in page.save.told.text())
    assert len(ds.Dataset.open(tmp_path / "alloy").pairs()) == 1
    window.until(lambda: "all edits on disk" in window.session.saved.lower())


@pytest.mark.long
def test_a_table_that_cannot_be_written_is_told(window, tmp_path, monkeypatch):
    opened(window, micrograph(tmp_path, 27))
    with_shipped_model(window)
    window.predict()
    window.go("statistics")
    window.quiet()
    window.answer("save file", tmp_path / "objects.csv")
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        window.link("CSV…")
        told(window, "No space")
    assert not (tmp_path / "objects.csv").exists()


# -- windows that come and go --------------------------------------------------------------


@pytest.mark.long
def test_two_windows_do_not_know_each_other(open_window, tmp_path):
    one, two = open_window(), open_window()
    opened(one, micrograph(tmp_path, 3))
    assert two.session.image is None
    opened(two, micrograph(tmp_path, 27))
    for window in (one, two):
        with_shipped_model(window)
        window.predict()
    kept = dict(two.session.labels.object_classes)
    one.go("correct")
    one.key("N")
    one.key("D")
    assert two.session.labels.object_classes == kept
    assert two.session.selection == frozenset()
    one.viewer.close()
    two.go("correct")
    two.key("N")
    assert two.session.selection


def test_closing_the_window_in_the_middle_of_a_run_leaves_nothing_alive(
    window, tmp_path, monkeypatch, qtbot
):
    opened(window, micrograph(tmp_path, 3))
    with_shipped_model(window)
    began: list[int] = []
    ended: list[int] = []
    monkeypatch.setattr(
        "napari_defectseg.inference.predict.predict_steps", slow_steps(began, ended)
    )
    window.primary("Predict")
    window.until(lambda: began)
    with qtbot.captureExceptions() as errors:
        window.viewer.close()
        window.until(lambda: ended, 10_000)
        window.until(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, 10_000)
        window.settle(400)
    assert not errors
    assert not window.session.jobs.alive()


# -- small screens and both themes ---------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", pytest.param("light", marks=pytest.mark.long)])
def test_nothing_is_cut_off_on_a_small_screen(window, tmp_path, theme):
    """At 1366 × 768 every dock shows all its words in the narrowest form of the workbench."""
    window.viewer.theme = theme
    opened(window, micrograph(tmp_path, 27))
    with_shipped_model(window)
    window.predict()
    window.session.dataset = ds.Dataset.create(tmp_path / "alloy", window.session.labels.classes)
    for entry in docks():
        page = window.go(entry.key)
        window.quiet()
        assert page.minimumSizeHint().width() <= 244, entry.key
        inside = page.scroll.widget()
        assert inside.width() <= page.scroll.viewport().width(), entry.key
        cut = [
            (type(child).__name__, child.accessibleName(), child.geometry())
            for child in page.findChildren(QWidget)
            if child.isVisible()
            and child.parentWidget() is not None
            and child.parentWidget().isVisible()
            and child.mapTo(page, child.rect().bottomRight()).x() > page.width()
        ]
        assert not cut, (entry.key, cut)
    assert window.bench.minimumSizeHint().width() <= 300
    assert window.viewer.window._qt_window.width() <= 1366
    assert window.viewer.window._qt_window.height() <= 768

"""Every dock: it has names for those who cannot see it, fits the narrowest window, and ends."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import weakref

import pytest
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtGui import QFont
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QScrollBar,
    QWidget,
)
from scene import CLASSES, micrograph

from napari_defectseg.core.progress import Step
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.models.open import open_model
from napari_defectseg.ui.docks.base import PAGE_WIDTH
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.stage import stage_of
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.workbench import docks, open_workbench, workbench_of

KEYS = [entry.key for entry in docks()]
CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit,
)  # fmt: skip
FONTS = ("Inter", "DejaVu Sans")


@pytest.fixture
def filled(viewer_model, model_folder, tmp_path):
    """A session in which every dock has something to show."""
    session = stage_of(viewer_model).session
    session.image, session.labels = micrograph()
    session.model = open_model(model_folder)
    dataset = Dataset.create(tmp_path / "alloy", CLASSES, licence="CC0-1.0")
    image, labels = micrograph()
    for specimen in "ABC":
        dataset.add(image, labels, specimen=specimen)
    session.dataset = dataset
    yield viewer_model
    session.close()


def page_of(key, viewer, qtbot, *, empty=False):
    """Return a dock on its own, with everything that is hidden behind *More* open."""
    from importlib import import_module

    entry = next(one for one in docks() if one.key == key)
    module, _, name = entry.target.partition(":")
    page = getattr(import_module(module), name)(viewer)
    qtbot.addWidget(page)
    if not empty:
        for more in page.findChildren(More):
            more.set_open(True)
    QApplication.processEvents()
    return page


def own_controls(top):
    """Return the controls a person can reach, without the parts that Qt makes inside of them."""
    for widget in top.findChildren(QWidget):
        inside = widget.parentWidget()
        if not isinstance(widget, CONTROLS) or isinstance(widget, QScrollBar | QHeaderView):
            continue
        around = inside.parentWidget()
        if isinstance(inside, QAbstractSpinBox | QComboBox | QAbstractItemView):
            continue
        if isinstance(around, QComboBox | QAbstractItemView):
            continue
        if not widget.isVisibleTo(top) or widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
            continue
        yield widget


@pytest.mark.parametrize("key", KEYS)
def test_every_control_has_a_name(key, filled, qtbot):
    page = page_of(key, filled, qtbot)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in own_controls(page)
        if not widget.accessibleName()
    ]
    assert nameless == []
    page.release()


def test_the_workbench_names_its_controls(viewer_model, qtbot):
    from napari_defectseg.ui.workbench import Workbench

    bench = Workbench(viewer_model)
    qtbot.addWidget(bench)
    assert [w for w in own_controls(bench) if not w.accessibleName()] == []
    bench.release()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("font", FONTS)
def test_no_page_needs_more_than_the_narrowest_dock(theme, font, filled, qtbot, monkeypatch):
    before = QApplication.font()
    QApplication.setFont(QFont(font, 9))
    monkeypatch.setattr(filled, "theme", theme)
    try:
        wide = {}
        for key in KEYS:
            page = page_of(key, filled, qtbot)
            wide[key] = page.minimumSizeHint().width()
            page.release()
    finally:
        QApplication.setFont(before)
    assert {key: width for key, width in wide.items() if width > PAGE_WIDTH} == {}


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_dock_says_what_to_do(key, viewer_model, qtbot):
    page = page_of(key, viewer_model, qtbot, empty=True)
    assert page.is_empty
    assert page.empty.sentence.text().endswith((".", "?"))
    assert page.footer.primary.text()
    assert page.minimumSizeHint().width() <= PAGE_WIDTH
    page.release()


# -- closing --------------------------------------------------------------------------------


def endless(told):
    """A run that never ends by itself and says when it is closed."""
    try:
        number = 0
        while True:
            number += 1
            time.sleep(0.01)
            told["steps"] = number
            yield Step(number, 10**6, "working")
    finally:
        told["closed"] = True


def wait_until_closed(told, qtbot):
    qtbot.waitUntil(lambda: told.get("closed", False), timeout=10_000)
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=10_000)


@pytest.mark.parametrize("key", KEYS)
def test_closing_the_workbench_in_a_run_leaves_nothing_alive(key, make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    bench = open_workbench(viewer)
    page, told = bench.page(key), {}
    job = page.run("test", endless(told), text="a long run")
    qtbot.waitUntil(lambda: told.get("steps", 0) > 2, timeout=10_000)
    viewer.window.remove_dock_widget(bench)
    wait_until_closed(told, qtbot)
    assert job.dropped
    assert workbench_of(viewer) is None
    assert page.released
    session_of(viewer).close()


def test_closing_a_lone_dock_in_a_run_leaves_nothing_alive(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    page = viewer.window.add_plugin_dock_widget("napari-defectseg", "Predict")[1]
    told = {}
    page.run("test", endless(told))
    qtbot.waitUntil(lambda: told.get("steps", 0) > 2, timeout=10_000)
    gone = weakref.ref(page)
    viewer.window.remove_dock_widget(page)
    wait_until_closed(told, qtbot)
    del page
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None, timeout=10_000)


def test_closing_the_viewer_in_a_run_leaves_nothing_alive(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    bench = open_workbench(viewer)
    session, told, opening = bench.session, {}, {}
    bench.page("predict").run("test", endless(told), text="a long run")
    # Work that no dock owns: it ends with the window too.
    session.jobs.start("measure", endless(opening))
    qtbot.waitUntil(lambda: min(told.get("steps", 0), opening.get("steps", 0)) > 2, timeout=10_000)
    viewer.close()
    wait_until_closed(told, qtbot)
    wait_until_closed(opening, qtbot)
    qtbot.waitUntil(lambda: session.jobs.alive() == [], timeout=10_000)


def test_two_viewers_work_at_once(make_napari_viewer, qtbot):
    one, two = make_napari_viewer(), make_napari_viewer()
    first, second = open_workbench(one), open_workbench(two)
    assert first.session is not second.session
    first.session.image, first.session.labels = micrograph()
    assert len(one.layers) == 2
    assert len(two.layers) == 0
    assert second.session.image is None
    told, other = {}, {}
    first.page("predict").run("test", endless(told))
    second.page("predict").run("test", endless(other))
    qtbot.waitUntil(lambda: min(told.get("steps", 0), other.get("steps", 0)) > 2, timeout=10_000)
    one.window.remove_dock_widget(first)
    qtbot.waitUntil(lambda: told.get("closed", False), timeout=10_000)
    steps = other["steps"]
    qtbot.waitUntil(lambda: other["steps"] > steps, timeout=10_000)
    assert "closed" not in other
    second.session.image, _ = micrograph()
    assert len(two.layers) == 1
    two.window.remove_dock_widget(second)
    wait_until_closed(other, qtbot)


EXIT = """
import sys, time
import napari
from napari_defectseg.core.progress import Step
from napari_defectseg.ui.workbench import open_workbench
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

def endless():
    for number in range(10**6):
        time.sleep(0.05)
        yield Step(number, 10**6)

viewer = napari.Viewer()
bench = open_workbench(viewer)
bench.page("predict").run("test", endless(), text="a long run")
bench.session.jobs.start("other", endless())
how = sys.argv[1]
if how == "close":
    QTimer.singleShot(300, viewer.window._qt_window.close)
else:
    QTimer.singleShot(300, QApplication.instance().quit)
napari.run()
print("over", flush=True)
"""


@pytest.mark.parametrize("how", ["close", "quit"])
def test_leaving_the_program_in_a_run_is_quiet(how, tmp_path):
    (tmp_path / "leave.py").write_text(EXIT)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "leave.py"), how],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "over" in done.stdout
    assert "Traceback" not in done.stderr, done.stderr[-3000:]

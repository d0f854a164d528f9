"""Keys as the window gets them: real events into a real viewer."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_defectseg.ui.commands import COMMANDS
from napari_defectseg.ui.key_table import key_table
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.stage import stage_of
from napari_defectseg.ui.widgets.key_sheet import KeySheet, spoken
from napari_defectseg.ui.workbench import Workbench

MODIFIERS = {
    "Ctrl": Qt.KeyboardModifier.ControlModifier,
    "Shift": Qt.KeyboardModifier.ShiftModifier,
    "Alt": Qt.KeyboardModifier.AltModifier,
}
QT = {"Enter": "Return"}


def send(widget, key: str) -> None:
    """Press and release a key of napari's spelling."""
    *held, last = key.split("+")
    modifiers = Qt.KeyboardModifier.NoModifier
    for one in held:
        modifiers |= MODIFIERS[one]
    code = getattr(Qt.Key, f"Key_{QT.get(last, last)}")
    QTest.keyClick(widget, code, modifiers)


@pytest.fixture
def shown(make_napari_viewer, image, labels):
    viewer = make_napari_viewer()
    stage = stage_of(viewer)
    stage.session.image, stage.session.labels = image, labels
    stage.activate_labels()
    return stage


@pytest.fixture
def bench(shown):
    made = Workbench(shown.viewer)
    shown.viewer.window.add_dock_widget(made, name="Defects")
    yield made
    made.release()


def test_every_command_is_done_by_its_key(shown):
    """One event each: no key is unknown to napari, none does another's work."""
    done: list[str] = []
    keys = keys_of(shown.viewer)
    for name in COMMANDS:
        keys.provide(name, lambda name=name: done.append(name))
    canvas = shown.viewer.window._qt_viewer.canvas.native
    with_key = [name for name, command in COMMANDS.items() if command.key]
    for name in with_key:
        send(canvas, COMMANDS[name].key)
    assert done == with_key


def test_alt_digits_bring_the_docks_that_exist(bench):
    canvas = bench.viewer.window._qt_viewer.canvas.native
    for digit, key in enumerate(("data", "model", "predict", "correct"), start=1):
        send(canvas, f"Alt+{digit}")
        assert bench.current == (key if key in bench._entries else bench.current)
    assert "Alt+1" in bench.rail.button("data").toolTip()


def test_the_key_sheet_opens_filters_and_closes(bench, qtbot):
    canvas = bench.viewer.window._qt_viewer.canvas.native
    send(canvas, "F1")
    page = bench.page(bench.current)
    sheet = page.findChild(KeySheet)
    assert sheet.isVisibleTo(page)
    assert ("Undo", "Ctrl+Z") in sheet.rows()
    assert ("Brush (napari)", "P") in sheet.rows()
    sheet.filter.setText("outl")
    assert sheet.rows() == [("Show objects filled or as outlines", "U")]
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: page.findChild(KeySheet) is None, timeout=2000)


def test_a_click_on_a_row_and_a_key_change_it(bench):
    page = bench.page("data")
    page.show_keys()
    sheet = page.findChild(KeySheet)
    row = next(
        row for row in range(sheet.table.rowCount()) if sheet.table.item(row, 1).text() == "U"
    )
    sheet.table.cellClicked.emit(row, 0)
    assert "Press the new key" in sheet.hint.text()
    QTest.keyClick(sheet.table, Qt.Key.Key_P)
    assert "taken" in sheet.hint.text()
    QTest.keyClick(sheet.table, Qt.Key.Key_Shift)
    QTest.keyClick(sheet.table, Qt.Key.Key_U, Qt.KeyboardModifier.AltModifier)
    assert key_table().key("outlines") == "Alt+U"
    assert ("Show objects filled or as outlines", "Alt+U ·") in sheet.rows()
    sheet.all_back.click()
    assert key_table().key("outlines") == "U"
    sheet.close_sheet()


def test_tooltips_follow_their_keys(bench, qtbot):
    keys = keys_of(bench.viewer)
    assert bench.subject.on.toolTip() == "Next image of the collection (PageDown)"
    field = QLineEdit()
    qtbot.addWidget(field)
    keys.follow(field, "split", "Cut it in two")
    keys.change("split", "Alt+K")
    assert field.toolTip() == "Cut it in two (Alt+K)"
    keys.change("dock_data", "Alt+9")
    assert "(Alt+9)" in bench.rail.button("data").toolTip()
    keys.change("primary", "Ctrl+K")
    assert bench.page("data").footer.primary.toolTip().endswith("(Ctrl+K)")


def test_a_closed_workbench_takes_its_keys_along(bench):
    bench.release()
    assert not {"primary", "keys", "dock_data"} & set(keys_of(bench.viewer).offered())


@pytest.mark.parametrize(
    ("key", "modifiers", "text"),
    [
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, "PageDown"),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, "Ctrl+Enter"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5"),
        (Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier, "Ctrl++"),
        (Qt.Key.Key_Z, MODIFIERS["Ctrl"] | MODIFIERS["Shift"], "Ctrl+Shift+Z"),
    ],
)
def test_events_are_spelt_as_napari_spells_keys(key, modifiers, text):
    assert spoken(QKeyEvent(QKeyEvent.Type.KeyPress, key, modifiers)) == text


def test_painting_on_a_real_canvas_is_an_edit_and_shown(make_napari_viewer, image, labels):
    """The canvas shows after undo what it showed before the stroke."""
    from tests.ui.conftest import drag

    shown = stage_of(make_napari_viewer(show=True))
    shown.session.image, shown.session.labels = image, labels
    layer = shown.activate_labels()
    layer.mode, layer.brush_size = "paint", 8
    QApplication.processEvents()
    before = shown.viewer.export_figure(flash=False)
    drag(layer, [(26, 5), (26, 15)])
    drawn = shown.viewer.export_figure(flash=False)
    assert (drawn != before).any()
    shown.session.undo()
    QApplication.processEvents()
    assert not (shown.viewer.export_figure(flash=False) != before).any()

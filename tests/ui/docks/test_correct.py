"""The Correct dock: strokes, tools and keys become edits that can be undone."""

import numpy as np
import pytest
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QLineEdit, QSlider
from scene import COUNT, micrograph

from napari_defectseg.ui.docks.correct import CorrectDock
from napari_defectseg.ui.session import session_of


@pytest.fixture
def viewer(viewer_model):
    """Most of it needs no window."""
    return viewer_model


@pytest.fixture
def dock(viewer, qtbot):
    made = CorrectDock(viewer)
    qtbot.addWidget(made)
    session = session_of(viewer)
    session.image, session.labels = micrograph()
    made.hand.stage.activate_labels()
    yield made
    made.release()


def drag(owner, *points, button=1):
    """Press at the first point, move over the others, let go."""
    points = [np.asarray(point, float) * 0.5 for point in points]

    def event(kind, at):
        return read_only_mouse_event(
            type=kind,
            position=tuple(at),
            pos=at * 8,
            button=button,
            dims_displayed=[0, 1],
            is_dragging=kind == "mouse_move",
        )

    mouse_press_callbacks(owner, event("mouse_press", points[0]))
    for point in points[1:]:
        mouse_move_callbacks(owner, event("mouse_move", point))
    mouse_release_callbacks(owner, event("mouse_release", points[-1]))


def layer_of(dock):
    return dock.hand.stage.labels_layers[0]


def test_a_stroke_is_a_new_object_and_undo_takes_it_back(dock):
    labels, layer = dock.session.labels, layer_of(dock)
    before = labels.planes[0].copy()
    dock.choose_class(3)
    dock.tools.use("paint")
    drag(layer, (40, 5), (40, 20), (42, 30))
    new = max(labels.object_classes)
    assert labels.object_classes[new] == 3
    assert labels.planes[0][40, 12] == new
    assert "brush" in dock.steps.undo.text()
    assert dock.steps.edits.text() == "1 edit"
    dock.steps.undo.click()
    np.testing.assert_array_equal(labels.planes[0], before)
    assert new not in labels.object_classes
    dock.steps.redo.click()
    assert labels.planes[0][40, 12] == new


def test_history_survives_replaced_data_without_stale_pixels(dock):
    layer = layer_of(dock)
    dock.tools.use("paint")
    drag(layer, (40, 5), (40, 30))
    _, fresh = micrograph()
    expected = fresh.planes[0].copy()
    dock.session.labels = fresh
    dock.hand.undo()
    np.testing.assert_array_equal(dock.session.labels.planes[0], expected)
    assert not dock.steps.undo.isEnabled()


def test_click_selects_and_the_card_says_what_it_is(dock, viewer):
    dock.hand.drop()
    layer_of(dock).mode = "pan_zoom"
    drag(viewer, (20, 48))
    assert dock.session.selection == {2}
    assert dock.card.number.text() == "Object 2"
    assert dock.card.class_name.text() == "precipitate"
    assert dock.card.size_label.text().endswith(" nm")


def test_accept_marks_and_the_walk_goes_on(dock, qtbot):
    dock.footer.primary.click()
    first = dock.reviewer.at
    assert dock.session.selection == {first}
    dock.card.accept.click()
    assert first in dock.session.labels.checked
    assert dock.reviewer.at != first
    assert dock.checked.told.text() == f"1 of {COUNT} checked"
    seen = {first}
    for _ in range(COUNT - 1):
        seen.add(dock.reviewer.at)
        dock.accept()
    assert seen == set(range(1, COUNT + 1))
    assert dock.footer.primary.text() == "Statistics →"


def test_delete_and_class_change_are_edits(dock):
    dock.session.select([4, 5])
    dock.card.delete.click()
    assert not {4, 5} & dock.session.labels.object_classes.keys()
    assert dock.session.selection == frozenset()
    dock.hand.undo()
    dock.session.select([4])
    dock.card.relabel.click()
    dock.rows.row(3).click()
    assert dock.session.labels.object_classes[4] == 3
    dock.hand.drop()
    dock.hand.undo()
    assert dock.session.labels.object_classes[4] == 1


def test_merge_takes_partners_by_click_and_the_key_again(dock, viewer):
    dock.session.select([1])
    dock.tools.use("merge")
    assert "partners" in dock.tools.waits.text()
    drag(viewer, (20, 48))
    assert dock.session.selection == {1, 2}
    dock.tools.use("merge")
    labels = dock.session.labels
    assert 2 not in labels.object_classes
    assert labels.planes[0][20, 48] == 1
    assert dock.hand.tool == ""


def test_split_by_two_points_and_by_a_line(dock, viewer):
    labels = dock.session.labels
    dock.hand.merge([9, 10])
    dock.tools.use("split")
    drag(viewer, (100, 16))
    drag(viewer, (100, 48))
    assert labels.planes[0][100, 16] != labels.planes[0][100, 48] != 0
    number = labels.planes[0][60, 48]
    assert number == 6
    drag(viewer, (50, 48), (60, 48), (70, 48))
    assert labels.planes[0][60, 44] != labels.planes[0][60, 52]
    dock.hand.drop()
    assert layer_of(dock).mouse_pan


def test_right_click_hides_a_class_and_shows_it_again(dock):
    layer = layer_of(dock)

    def seen(number):
        return layer.colormap.map(number)[3] > 0

    assert seen(1)
    dock.rows.row(1).customContextMenuRequested.emit(dock.rows.row(1).rect().center())
    assert not seen(1)
    assert not seen(4)
    assert seen(2)
    assert "hidden" in dock.rows.row(1).accessibleName()
    dock.session.select([2])
    dock.hand.relabel(1)
    assert not seen(2), "what becomes of a hidden class is hidden too"
    dock.session.undo()
    dock.rows.row(1).customContextMenuRequested.emit(dock.rows.row(1).rect().center())
    assert seen(1)


def test_a_tool_that_cannot_says_why(dock):
    dock.session.select([1, 2])
    dock.hand.merge([1])
    strip = dock.messages.strip("edit")
    assert strip is not None
    assert "two objects" in strip.sentence


def test_brush_size_is_in_the_unit_of_the_image(dock):
    dock.brush.slider.setValue(20)
    assert dock.brush.size_label.text() == "10 nm"
    assert layer_of(dock).brush_size == 20
    layer_of(dock).brush_size = 8
    assert dock.brush.size_label.text() == "4.0 nm"


def test_clean_is_one_step(dock):
    dock.more.clean.smallest.setValue(100)
    before = dict(dock.session.labels.object_classes)
    dock.more.clean.remove.click()
    gone = before.keys() - dock.session.labels.object_classes.keys()
    assert gone
    assert dock.more.clean.told.text() == f"{len(gone)} removed"
    dock.hand.undo()
    assert dock.session.labels.object_classes == before


def test_keys_reach_the_tools(dock, viewer, qtbot):
    from napari_defectseg.ui.keys import keys_of

    keys = keys_of(viewer)
    keys.run("next")
    assert dock.reviewer.at
    keys.run("accept")
    assert len(dock.session.labels.checked) == 1
    keys.run("split")
    assert dock.hand.tool == "split"
    assert dock.tools.grid.button("split").isChecked()
    assert "(S)" in dock.tools.grid.button("split").toolTip()


def test_drawing_can_begin_with_nothing(dock):
    dock.session.labels = None
    assert dock.begin.isVisibleTo(dock)
    dock.begin.names.setText("void, line")
    dock.begin.draw.click()
    assert dock.session.labels.classes.names == ("void", "line")
    drag(layer_of(dock), (64, 20), (64, 90))
    assert dock.session.labels.counts() == {1: 1, 2: 0}


def test_without_an_image_one_sentence_leads_on(viewer, qtbot):
    page = CorrectDock(viewer)
    qtbot.addWidget(page)
    assert page.is_empty
    assert not page.footer.primary.isEnabled()
    page.release()


def test_in_a_window_the_selected_object_is_framed(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    page = CorrectDock(viewer)
    qtbot.addWidget(page)
    page.session.image, page.session.labels = micrograph()
    layers = len(viewer.layers)
    page.next()
    assert page.hand.frames.count == 1
    assert len(viewer.layers) == layers
    page.hand.delete()
    assert page.hand.frames.count == 0
    page.release()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_in_the_narrowest_dock(dock, viewer, theme):
    viewer.theme = theme
    dock.more.set_open(True)
    dock.save.set_open(True)
    assert dock.minimumSizeHint().width() <= 244
    assert dock.body.parentWidget().minimumSizeHint().width() <= 213


def test_every_control_has_a_name(dock):
    found = [w for kind in (QAbstractButton, QLineEdit, QSlider) for w in dock.findChildren(kind)]
    for widget in found:
        if widget.isVisibleTo(dock) and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            assert widget.accessibleName() or widget.objectName()[:3] == "qt_", widget


def test_what_the_brush_left_alone_is_said_until_the_next_stroke(dock):
    dock.hand.stage.drawing.went_around.emit(2)
    assert dock.tools.waits.text().startswith("2 checked objects stay.")
    dock.hand.stage.drawing.went_around.emit(0)
    assert dock.tools.waits.isHidden()

"""The further tools of Correct: what a hand does becomes one edit, refusals are sentences."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
    mouse_wheel_callbacks,
)
from scene import CLASSES, micrograph

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui.docks.correct import CorrectDock
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.session import session_of


@pytest.fixture
def dock(viewer_model, qtbot):
    made = CorrectDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image, session.labels = micrograph()
    made.hand.stage.activate_labels()
    yield made
    made.release()
    session.close()


def drag(owner, *points, scale=0.5):
    points = [np.asarray(point, float) * scale for point in points]

    def event(kind, at):
        shown = [len(at) - 2, len(at) - 1]
        return read_only_mouse_event(
            type=kind, position=tuple(at), pos=at[-2:] * 8, button=1,
            dims_displayed=shown, is_dragging=kind == "mouse_move",
        )  # fmt: skip

    mouse_press_callbacks(owner, event("mouse_press", points[0]))
    for point in points[1:]:
        mouse_move_callbacks(owner, event("mouse_move", point))
    mouse_release_callbacks(owner, event("mouse_release", points[-1]))


def layer_of(dock):
    return dock.hand.stage.labels_layers[0]


def volume(axes="zyx", empty=False):
    """Twelve discs in the first slice of four, or in the first frame."""
    image, labels = micrograph()
    data = np.stack([image.data] * 4)
    calibration = Calibration.of((1.0, 0.5, 0.5)[-(2 + ("z" in axes)) :], "nm", "typed by you")
    whole = CalibratedImage(data, tuple(axes), calibration, "volume")
    plane = np.zeros(data.shape, np.int32)
    if not empty:
        plane[0] = labels.planes[0]
    table = {} if empty else dict(labels.object_classes)
    return whole, LabelMap((plane,), table, CLASSES, tuple(axes), calibration)


def finish(dock, qtbot):
    """Wait until the worker has answered."""
    qtbot.waitUntil(lambda: not dock.hand.later._running, timeout=20000)


def test_the_edge_brush_stops_at_the_edge_and_the_plain_one_does_not(dock):
    labels = dock.session.labels
    dock.session.select([12])
    dock.hand.delete()
    image = np.asarray(dock.session.image.data)
    dock.tools.use("edge")
    assert dock.tools.grid.button("edge").isChecked()
    assert not dock.tools.grid.button("paint").isChecked()
    layer_of(dock).brush_size = 30
    drag(layer_of(dock), (100, 112))
    drawn = labels.planes[0] == max(labels.object_classes)
    assert np.median(image[drawn]) > 150
    assert np.count_nonzero(drawn) < 300
    dock.hand.undo()
    dock.tools.use("paint")
    drag(layer_of(dock), (100, 112))
    assert np.count_nonzero(labels.planes[0] == max(labels.object_classes)) > 600
    dock.tools.use("edge")
    dock.tools.use("edge")
    assert str(layer_of(dock).mode) == "pan_zoom"
    assert not dock.hand.stage.drawing.follow_edge


def test_box_and_lasso_are_dragged(dock, viewer_model):
    labels = dock.session.labels
    dock.tools.use("box")
    assert dock.tools.outlines.button("box").isChecked()
    assert not layer_of(dock).mouse_pan
    drag(viewer_model, (2, 2), (5, 5), (8, 8))
    assert (labels.planes[0][2:9, 2:9] == max(labels.object_classes)).all()
    assert dock.steps.undo.text().endswith("box")
    dock.tools.use("lasso")
    drag(viewer_model, (40, 2), (40, 12), (50, 12), (50, 2))
    assert labels.planes[0][45, 6] == max(labels.object_classes)
    dock.tools.use("lasso")
    assert layer_of(dock).mouse_pan
    dock.tools.use("polygon")
    assert str(layer_of(dock).mode) == "polygon"


def test_trace_goes_on_from_click_to_click_in_the_order_of_the_clicks(dock, viewer_model, qtbot):
    labels = dock.session.labels
    image = dock.session.image.data
    image[80, 10:120] = 400
    dock.choose_class(3)
    keys_of(viewer_model).run("trace")
    for column in (10, 60, 118):
        drag(viewer_model, (80, column))
    finish(dock, qtbot)
    new = [n for n in labels.object_classes if n > 12]
    assert len(new) == 1, "each click goes on from the last"
    assert (labels.planes[0][80, 12:117] == new[0]).all()
    keys_of(viewer_model).run("escape")
    assert dock.hand.tool == ""


def test_cut_join_and_width_of_lines(dock, viewer_model):
    labels = dock.session.labels
    dock.tools.use("box")
    drag(viewer_model, (78, 10), (79, 50), (80, 100))
    line = max(labels.object_classes)
    keys_of(viewer_model).run("cut")
    assert dock.more.lines.cut.isChecked()
    drag(viewer_model, (79, 60))
    assert len(labels.object_classes) == 14
    parts = sorted(dock.session.selection)
    assert line in parts
    dock.hand.drop()
    dock.session.select(parts)
    dock.more.lines.join.click()
    assert len(labels.object_classes) == 13
    dock.more.lines.width_box.setValue(7)
    dock.more.lines.set.click()
    assert np.count_nonzero(labels.planes[0][:, 56] == line) == 7
    assert "3.5 nm" in dock.more.lines.width_box.toolTip()


def prediction(dock, channels=4):
    """Scores that fall off around each object."""
    from scipy import ndimage

    labels = dock.session.labels
    away = ndimage.distance_transform_edt(labels.planes[0] == 0)
    inner = ndimage.distance_transform_edt(labels.planes[0] > 0)
    hill = 1 / (1 + np.exp((away - inner) / 3))
    scores = np.stack([1 - hill] + [hill] * (channels - 1)).astype(np.float32)
    return SimpleNamespace(scores=scores, shape=scores.shape[1:], has_background=True)


def test_grow_and_shrink_by_key_button_and_wheel(dock, viewer_model):
    labels = dock.session.labels
    dock.session.select([5])
    keys_of(viewer_model).run("grow")
    assert "no scores" in dock.messages.strip("edit").sentence
    dock.session._values["prediction"] = prediction(dock)
    sizes = [labels.index.size(5)]
    acts = (
        lambda: keys_of(viewer_model).run("grow"),
        dock.more.levels.grow.click,
        lambda: mouse_wheel_callbacks(viewer_model, wheel(1)),
    )
    for act in acts:
        act()
        sizes.append(labels.index.size(5))
    assert sizes == sorted(set(sizes))
    for act in (
        lambda: keys_of(viewer_model).run("shrink"),
        dock.more.levels.shrink.click,
        lambda: mouse_wheel_callbacks(viewer_model, wheel(-1)),
    ):
        act()
    assert labels.index.size(5) < sizes[-1]
    assert "shrink" in dock.steps.undo.text()
    dock.session.select([])
    dock.more.levels.grow.click()
    assert "one selected object" in dock.messages.strip("edit").sentence


def wheel(turned):
    return SimpleNamespace(
        type="mouse_wheel",
        modifiers=["Shift"],
        delta=(0.0, float(turned)),
        handled=False,
        native=SimpleNamespace(inverted=lambda: False),
    )


def test_in_a_volume_objects_are_copied_filled_between_and_from_strokes(dock, viewer_model, qtbot):
    dock.session.image, dock.session.labels = volume()
    labels = dock.session.labels
    assert not dock.more.slices.slices.isHidden()
    assert dock.more.slices.frames.isHidden()
    viewer_model.dims.set_current_step(0, 0)
    dock.session.select([4])
    dock.more.slices.copy_on.click()
    assert viewer_model.dims.current_step[0] == 1
    assert (labels.planes[0][1] == 4).sum() == (labels.planes[0][0] == 4).sum()
    dock.more.slices.copy_back.click()
    assert "no room" in dock.messages.strip("edit").sentence
    dock.hand.undo()
    viewer_model.dims.set_current_step(0, 3)
    dock.hand.in_volume = False
    layer_of(dock).n_edit_dimensions = 2
    dock.tools.use("box")
    drag(viewer_model, (1.5, 20, 112), (1.5, 24, 116), (1.5, 26, 118), scale=(2, 0.5, 0.5))
    painted = max(labels.object_classes)
    assert painted > 12
    dock.hand.drop()
    dock.session.select([4, painted])
    keys_of(viewer_model).run("between")
    assert all((labels.planes[0][i] == 4).any() for i in range(4))
    dock.session.select([5])
    dock.more.levels.fill.click()
    finish(dock, qtbot)
    assert len({int(i) for i in np.argwhere(labels.planes[0] == 5)[:, 0]}) > 1


def test_in_a_movie_a_correction_is_repeated(dock, viewer_model, qtbot):
    dock.session.image, dock.session.labels = volume("tyx")
    labels = dock.session.labels
    assert not dock.more.slices.frames.isHidden()
    dock.session.select([4])
    dock.more.slices.count.setValue(2)
    dock.more.slices.behind.click()
    finish(dock, qtbot)
    assert [bool((labels.planes[0][t] > 0).any()) for t in range(4)] == [True, True, True, False]
    dock.more.slices.before.click()
    finish(dock, qtbot)
    assert "Nothing was repeated" in dock.messages.strip("edit").sentence


def test_an_edit_of_other_labels_that_comes_late_is_dropped(dock, qtbot):
    _, fresh = micrograph()
    dock.session.select([5])
    dock.hand.later("slow", lambda: None)
    dock.session.labels = fresh
    qtbot.wait(100)
    assert dock.session.history.entries == ()
    dock.hand.later("again", lambda: None)
    finish(dock, qtbot)


def test_polygons_are_drawn_in_the_slice_also_in_a_volume(dock):
    dock.session.image, dock.session.labels = volume()
    dock.tools.where.setValue(True)
    assert layer_of(dock).n_edit_dimensions == 3
    dock.tools.use("polygon")
    assert layer_of(dock).n_edit_dimensions == 2
    dock.tools.use("paint")
    assert layer_of(dock).n_edit_dimensions == 3


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_in_a_volume_and_a_movie(dock, viewer_model, theme):
    viewer_model.theme = theme
    dock.more.set_open(True)
    for axes in ("zyx", "tyx"):
        dock.session.image, dock.session.labels = volume(axes)
        assert dock.body.parentWidget().minimumSizeHint().width() <= 213

"""What a viewer shows follows its session, and the session follows the viewer."""

from __future__ import annotations

import gc
import weakref
from time import perf_counter

import numpy as np
import pytest
from napari.components import ViewerModel
from tests.ui.conftest import drag

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.stage import stage_of


@pytest.fixture
def stage(viewer_model):
    return stage_of(viewer_model)


@pytest.fixture
def shown(stage, image, labels):
    """A stage with an image and its objects."""
    stage.session.image = image
    stage.session.labels = labels
    return stage


def other_image(image, name="other") -> CalibratedImage:
    return CalibratedImage.from_array(image.data.copy(), calibration=image.calibration, name=name)


def same_as_refreshed(layer) -> None:
    view = layer._slice.image.view.copy()
    layer.refresh()
    np.testing.assert_array_equal(view, layer._slice.image.view)


# -- subject -----------------------------------------------------------------------------


def test_a_new_subject_gets_a_layer_and_is_chosen(stage, image):
    stage.session.image = image
    assert [layer.name for layer in stage.viewer.layers] == ["steel"]
    assert stage.image_layer is stage.viewer.layers.selection.active


def test_the_subject_follows_the_chosen_layer_and_back(shown, image):
    second = other_image(image)
    shown.session.image = second
    first_layer, labels_layer, second_layer = shown.viewer.layers
    assert shown.session.labels is None
    shown.viewer.layers.selection.active = first_layer
    assert shown.session.image is image
    assert shown.session.labels is not None
    shown.viewer.layers.selection.active = second_layer
    assert shown.session.image is second
    shown.viewer.layers.selection.active = labels_layer
    assert shown.session.image is image
    assert shown.viewer.layers.selection.active is labels_layer
    assert len(shown.viewer.layers) == 3


def test_edits_and_history_come_back_with_their_image(shown, image):
    history = shown.session.history
    shown.session.edit(delete(shown.session.labels, [2]))
    shown.session.select([1])
    shown.session.image = other_image(image)
    assert shown.session.history is None
    assert shown.session.selection == frozenset()
    shown.session.image = image
    assert shown.session.history is history
    assert shown.session.selection == {1}
    shown.session.undo()
    assert shown.session.labels.object_classes == {1: 1, 2: 1, 3: 3}


def test_an_image_that_somebody_else_opened_is_taken_at_once(viewer_model):
    viewer_model.add_image(np.zeros((8, 9)), name="theirs")
    stage = stage_of(viewer_model)
    assert stage.session.image.name == "theirs"
    assert len(viewer_model.layers) == 1
    viewer_model.add_image(np.ones((8, 9)), name="second")
    assert stage.session.image.name == "second"


def test_other_layers_do_not_change_the_subject(shown, image):
    shown.viewer.add_points(np.zeros((1, 2)))
    shown.viewer.add_labels(np.zeros((4, 4), int))
    assert shown.session.image is image


def test_another_pixel_size_reaches_every_layer_and_the_labels(shown, image):
    new = Calibration((2.0, 2.0), "µm", "typed by you")
    shown.session.image = image.with_calibration(new)
    assert len(shown.viewer.layers) == 2
    for layer in shown.viewer.layers:
        assert tuple(layer.scale) == (2.0, 2.0)
        assert str(layer.units[0]) == "micrometer"
    assert shown.session.labels.calibration == new


def test_a_scale_set_in_napari_is_taken_over(shown):
    layer = shown.image_layer
    layer.scale = (4.0, 4.0)
    assert shown.session.image.calibration.spacing == (4.0, 4.0)
    assert shown.session.image.calibration.source == "layer steel"
    assert tuple(shown.labels_layers[0].scale) == (4.0, 4.0)


def test_other_pixels_in_a_layer_are_another_image(shown, image):
    shown.image_layer.data = np.zeros(image.shape, np.uint8)
    assert shown.session.image is not image
    assert shown.session.labels is None


def test_a_removed_subject_is_forgotten(shown, image):
    second = other_image(image)
    shown.session.image = second
    shown.viewer.layers.remove(shown.image_layer)
    assert shown.session.image is image
    shown.viewer.layers.clear()
    assert shown.session.image is None
    assert shown.session.labels is None
    assert not shown.session._put_by


def test_removed_labels_are_no_longer_current(shown):
    shown.viewer.layers.remove(shown.labels_layers[0])
    assert shown.session.labels is None
    assert shown.session.history is None


def test_two_viewers_do_not_know_each_other(shown, image):
    other = ViewerModel()
    stage_of(other)
    assert session_of(other).image is None
    assert len(other.layers) == 0


def test_a_stage_goes_with_its_viewer(qapp, image, labels):
    viewer = ViewerModel()
    stage = stage_of(viewer)
    stage.session.image, stage.session.labels = image, labels
    seen = weakref.ref(viewer)
    del viewer, stage
    gc.collect()
    assert seen() is None


# -- labels ------------------------------------------------------------------------------


def test_labels_lie_above_without_taking_the_choice(shown, labels):
    assert [layer.name for layer in shown.viewer.layers] == ["steel", "defects"]
    assert shown.viewer.layers.selection.active is shown.image_layer
    assert shown.labels_layers[0].data is labels.planes[0]
    shown.activate_labels()
    assert shown.viewer.layers.selection.active is shown.labels_layers[0]
    assert shown.session.labels is labels


def test_new_labels_take_the_place_of_old_ones(shown, labels):
    layer = shown.labels_layers[0]
    shown.session.labels = new = labels.copy()
    assert len(shown.viewer.layers) == 2
    assert shown.labels_layers == (layer,)
    assert layer.data is new.planes[0]
    classes = ClassMap.of(["a", "b"], exclusive=False)
    shown.session.labels = LabelMap.empty(labels.shape, classes, labels.axes, labels.calibration)
    assert [one.name for one in shown.viewer.layers] == ["steel", "a", "b"]
    shown.session.labels = None
    assert len(shown.viewer.layers) == 1


def test_an_edit_is_drawn_where_it_touched_and_nowhere_else(shown):
    layer = shown.labels_layers[0]
    told = []
    layer.events.labels_update.connect(lambda event: told.append(event.data.shape))
    shown.session.edit(delete(shown.session.labels, [2]))
    assert told == [(10, 10)]
    same_as_refreshed(layer)
    shown.session.undo()
    assert told == [(10, 10)] * 2
    same_as_refreshed(layer)


def test_a_changed_class_is_drawn_though_no_pixel_changed(shown, labels):
    from napari_defectseg.labels.edit import Edit

    layer = shown.labels_layers[0]
    before = layer._slice.image.view[45, 65]
    shown.session.edit(Edit("class", classes_before={3: 3}, classes_after={3: 2}))
    assert layer._slice.image.view[45, 65] != before
    same_as_refreshed(layer)


def test_a_whole_change_is_drawn_as_a_whole(shown, labels):
    labels.planes[0][...] = 0
    labels.planes[0][1, 1] = 3
    shown.session.tell_edited()
    assert np.count_nonzero(shown.labels_layers[0]._slice.image.view) == 1


def test_other_colours_are_shown(shown, labels):
    from dataclasses import replace

    items = tuple(replace(item, colour="#00ff00") for item in labels.classes)
    labels.classes = ClassMap(items)
    shown.recolour()
    np.testing.assert_allclose(shown.labels_layers[0].get_color(1), [0, 1, 0, 1])


def test_outlines_hold_for_labels_that_come_later(shown, labels):
    shown.display.set_outlines(True)
    assert shown.labels_layers[0].contour == 2
    shown.session.labels = None
    shown.session.labels = labels
    assert shown.labels_layers[0].contour == 2


def test_everything_but_the_image_is_hidden_while_a_key_is_held(shown):
    points = shown.viewer.add_points(np.zeros((1, 2)), visible=False)
    show = shown.display.peek()
    assert [layer.visible for layer in shown.viewer.layers] == [True, False, False]
    show()
    assert [layer.visible for layer in shown.viewer.layers] == [True, True, False]
    assert not points.visible


# -- drawing -----------------------------------------------------------------------------


@pytest.fixture
def brush(shown):
    layer = shown.activate_labels()
    layer.mode = "paint"
    layer.brush_size = 4
    return layer


def at(*points):
    """Pixels to world coordinates (0.5 nm per pixel)."""
    return [(0.5 * y, 0.5 * x) for y, x in points]


def test_a_stroke_becomes_an_edit_of_the_current_class(shown, brush, labels):
    shown.session.current_class = 2
    drag(brush, at((50, 10), (50, 15), (50, 20)))
    assert labels.object_classes == {1: 1, 2: 1, 3: 3, 4: 2}
    assert labels.planes[0][50, 15] == 4
    assert shown.session.history.undo_name == "brush"
    same_as_refreshed(brush)
    shown.session.undo()
    assert 4 not in labels.object_classes
    assert not (labels.planes[0] == 4).any()
    same_as_refreshed(brush)


def test_a_stroke_that_begins_on_an_object_extends_it(shown, brush, labels):
    shown.session.current_class = 1
    drag(brush, at((25, 25), (25, 35)))
    assert set(labels.object_classes) == {1, 2, 3}
    assert labels.planes[0][25, 35] == 2


def test_the_eraser_and_painting_with_background_erase(shown, brush, labels):
    brush.mode = "erase"
    drag(brush, at((10, 10)))
    assert labels.planes[0][10, 10] == 0
    assert shown.session.history.undo_name == "erase"
    brush.mode = "paint"
    brush.selected_label = 0
    drag(brush, at((25, 25)))
    assert labels.planes[0][25, 25] == 0
    assert len(shown.session.history.entries) == 2
    same_as_refreshed(brush)


def test_checked_objects_are_drawn_around(shown, brush, labels):
    labels.checked.add(2)
    shown.session.current_class = 2
    drag(brush, at((25, 16), (25, 25)))
    assert labels.planes[0][25, 25] == 2
    shown.session.undo()
    shown.drawing.protect = False
    drag(brush, at((25, 16), (25, 25)))
    assert labels.object_classes[labels.planes[0][25, 25]] == 2
    same_as_refreshed(brush)


def test_it_is_told_how_many_checked_objects_a_stroke_went_around(shown, brush, labels):
    told = []
    shown.drawing.went_around.connect(told.append)
    labels.checked.add(2)
    shown.session.current_class = 2
    drag(brush, at((25, 16), (25, 25)))
    drag(brush, at((50, 50)))
    brush.mode = "erase"
    drag(brush, at((25, 25)))
    assert told == [1, 0, 0]
    assert labels.planes[0][25, 25] == 0


def test_the_bucket_gives_an_object_the_current_class(shown, brush, labels):
    brush.mode = "fill"
    shown.session.current_class = 2
    drag(brush, at((25, 25)))
    number = int(labels.planes[0][25, 25])
    assert labels.object_classes[number] == 2
    assert (labels.planes[0] == number).sum() == 100


def test_a_polygon_is_a_stroke(shown, brush, labels):
    told = []
    shown.session.events.edited.connect(told.append)
    brush.paint_polygon([[50, 10], [50, 20], [60, 20], [60, 10]], brush.selected_label)
    assert len(told) == 1
    assert labels.planes[0][55, 15] == 4
    assert labels.object_classes[4] == 1
    same_as_refreshed(brush)


def test_naparis_own_history_stays_empty_and_can_do_no_harm(shown, brush, labels):
    drag(brush, at((50, 10), (50, 20)))
    drawn = labels.planes[0].copy()
    brush.undo()
    brush.redo()
    np.testing.assert_array_equal(labels.planes[0], drawn)
    shown.session.labels = labels.copy()
    brush.undo()
    np.testing.assert_array_equal(shown.session.labels.planes[0], drawn)


def test_picking_an_object_chooses_its_class(shown, brush, labels):
    brush.mode = "pick"
    drag(brush, at((45, 65)))
    assert shown.session.current_class == 3
    assert shown.session.selection == {3}
    assert brush.selected_label == labels.next_label
    np.testing.assert_allclose(brush.get_color(labels.next_label), brush.get_color(3))


def test_the_brush_draws_with_the_next_number_in_the_colour_of_the_class(shown, brush, labels):
    shown.session.current_class = 3
    assert brush.selected_label == 4
    np.testing.assert_allclose(brush._selected_color, brush.get_color(3))


def test_in_a_stack_the_brush_stays_in_its_slice(stage):
    data = np.zeros((5, 40, 40), np.uint8)
    stage.session.image = image = CalibratedImage.from_array(data)
    stage.session.labels = labels = LabelMap.empty(
        image.shape, ClassMap.of(["pore"]), image.axes, image.calibration
    )
    stage.viewer.dims.set_current_step(0, 3)
    layer = stage.activate_labels()
    layer.mode = "paint"
    drag(layer, [(3, 10, 10), (3, 10, 20)])
    assert set(np.nonzero(labels.planes[0])[0].tolist()) == {3}
    layer.n_edit_dimensions = 3
    drag(layer, [(3, 30, 30)])
    assert len(set(np.nonzero(labels.planes[0][:, 25:])[0].tolist())) == 5
    same_as_refreshed(layer)
    assert len(stage.session.history.entries) == 2


def test_overlapping_classes_are_drawn_each_in_its_layer(stage, image):
    classes = ClassMap.of(["loop", "line"], exclusive=False)
    stage.session.image = image
    stage.session.labels = labels = LabelMap.empty(
        image.label_shape, classes, image.label_axes, image.calibration
    )
    stage.activate_labels()
    stage.session.current_class = 2
    layer = stage.viewer.layers.selection.active
    assert layer.name == "line"
    layer.mode = "paint"
    drag(layer, at((30, 30)))
    assert labels.planes[1].any()
    assert not labels.planes[0].any()
    stage.viewer.layers.selection.active = stage.labels_layers[0]
    assert stage.session.current_class == 1


# -- clicks ------------------------------------------------------------------------------


def test_a_click_selects_and_ctrl_adds(shown):
    drag(shown.viewer, at((10, 10)))
    assert shown.session.selection == {1}
    drag(shown.viewer, at((25, 25)), modifiers=("Control",))
    assert shown.session.selection == {1, 2}
    drag(shown.viewer, at((60, 2)))
    assert shown.session.selection == frozenset()


def test_dragging_and_drawing_select_nothing(shown):
    drag(shown.viewer, at((10, 10), (60, 60)))
    assert shown.session.selection == frozenset()
    shown.activate_labels().mode = "paint"
    drag(shown.viewer, at((10, 10)))
    assert shown.session.selection == frozenset()


def test_a_tool_that_asks_gets_the_clicks(shown):
    got = []

    def use(click) -> bool:
        got.append((click.number, click.place))
        return click.number != 3

    shown.clicks.ask(use)
    drag(shown.viewer, at((25, 26)))
    drag(shown.viewer, at((45, 65)))
    assert got == [(2, (25, 26)), (3, (45, 65))]
    assert shown.session.selection == {3}
    shown.clicks.leave(use)
    drag(shown.viewer, at((25, 26)))
    assert len(got) == 2


# -- time --------------------------------------------------------------------------------


def test_an_edit_of_a_large_image_is_drawn_quickly(stage):
    """Merging two of 10⁴ objects on 2048² takes below 50 ms on the main thread."""
    shape = (2048, 2048)
    image = CalibratedImage.from_array(np.zeros(shape, np.uint8))
    labels = LabelMap.empty(shape, ClassMap.of(["a", "b"]), ("y", "x"), image.calibration)
    ys, xs = np.mgrid[5:2045:20, 5:2045:20]
    for number, (y, x) in enumerate(zip(ys.ravel(), xs.ravel(), strict=True), start=1):
        labels.planes[0][y : y + 9, x : x + 9] = number
        labels.object_classes[number] = 1 + number % 2
    stage.session.image, stage.session.labels = image, labels
    stage.display.set_outlines(True)
    _ = labels.index
    edits = [merge(labels, [number, number + 2]) for number in (51, 55, 61)]
    took = []
    for edit in edits:
        began = perf_counter()
        stage.session.edit(edit)
        took.append(perf_counter() - began)
    assert min(took) < 0.05

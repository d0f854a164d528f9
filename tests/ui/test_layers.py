"""Values become layers that carry their geometry; edits are drawn where they touched."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui import layers


def layer_of(image: CalibratedImage) -> Image:
    data, settings, kind = layers.image_data(image)
    assert kind == "image"
    return Image(data, **settings)


def units(layer) -> list[str]:
    return [f"{unit:~P}" if str(unit) != "pixel" else "pixel" for unit in layer.units]


def test_an_image_carries_pixel_size_axes_and_origin(image):
    layer = layer_of(image)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert units(layer) == ["nm", "nm"]
    assert layer.axis_labels == ("y", "x")
    assert layer.name == "steel"
    assert layer.metadata[layers.KEY]["pixel_size_source"] == "a tag"
    assert layer.data is image.data


def test_what_is_not_known_is_in_pixels():
    layer = layer_of(CalibratedImage.from_array(np.zeros((4, 5, 6), np.float32)))
    assert units(layer) == ["pixel"] * 3
    assert tuple(layer.scale) == (1, 1, 1)


def test_each_axis_has_its_own_unit():
    """A movie has seconds along t; a stack of unknown spacing has pixels along z alone."""
    known = Calibration((None, 0.2, 0.2), "µm", "tag").with_frame_time(20.0, "µs")
    layer = layer_of(CalibratedImage(np.zeros((2, 3, 4, 5)), ("t", "z", "y", "x"), known))
    assert units(layer) == ["µs", "pixel", "µm", "µm"]
    assert tuple(layer.scale) == (20.0, 1.0, 0.2, 0.2)


@pytest.mark.parametrize(
    ("axes", "shape", "rgb", "shown"),
    [
        ("yxc", (4, 5, 3), True, ("y", "x")),
        ("tyxc", (2, 4, 5, 4), True, ("t", "y", "x")),
        ("yxc", (4, 5, 2), False, ("c", "y", "x")),
        ("tcyx", (2, 6, 4, 5), False, ("c", "t", "y", "x")),
        ("cyx", (3, 4, 5), False, ("c", "y", "x")),
    ],
)
def test_colour_is_colour_and_other_channels_come_first(axes, shape, rgb, shown):
    data = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    image = CalibratedImage.from_array(data, axes=axes)
    layer = layer_of(image)
    assert layer.rgb is rgb
    assert layer.axis_labels == shown
    if not rgb:
        order = [axes.index(name) for name in shown]
        np.testing.assert_array_equal(np.asarray(layer.data), data.transpose(order))


def test_coarser_copies_become_levels():
    data = np.zeros((64, 64), np.uint8)
    image = CalibratedImage(
        data, ("y", "x"), Calibration.uncalibrated(2), levels=(data[::2, ::2], data[::4, ::4])
    )
    layer = layer_of(image)
    assert layer.multiscale
    assert len(layer.data) == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_contrast_survives_constant_and_broken_pixels(bad):
    assert layers.contrast(np.full((5, 5), 7.0)) == (7.0, 8.0)
    assert layers.contrast(np.full((5, 5), bad)) == (0.0, 1.0)


def test_contrast_leaves_outliers_out():
    data = np.random.default_rng(0).normal(100, 5, (2, 500, 500))
    data[:, 0, 0] = 1e6
    low, high = layers.contrast(data)
    assert 60 < low < 100 < high < 140


def test_labels_share_their_plane_and_lie_where_the_image_lies(image, labels, viewer_model):
    labels.provenance = Provenance("predict", model="tem-defects")
    below = layers.add_image(viewer_model, image)
    below.translate = (3, 4)
    (layer,) = layers.add_labels(viewer_model, labels, below, image.name)
    assert layer.data is labels.planes[0]
    assert layer.data.dtype == np.int32
    assert tuple(layer.scale) == (0.5, 0.5)
    assert tuple(layer.translate) == (3, 4)
    assert layer.units == below.units
    assert layer.axis_labels == ("y", "x")
    assert layer.metadata[layers.KEY]["provenance"]["model"] == "tem-defects"
    red, green, blue, _ = layer.get_color(1)
    assert (round(red * 255), round(green * 255), round(blue * 255)) == (0xF0, 0xE1, 0x00)


def test_rotation_and_affine_are_taken_over(image, labels, viewer_model):
    below = layers.add_image(viewer_model, image)
    below.rotate = 30
    below.affine = np.array([[1, 0, 5], [0, 2, 6], [0, 0, 1]])
    (layer,) = layers.add_labels(viewer_model, labels, below)
    point = (10, 20)
    np.testing.assert_allclose(layer.data_to_world(point), below.data_to_world(point))


def test_labels_of_an_image_with_channels_lie_over_its_last_axes(viewer_model):
    known = Calibration((0.3, 0.4), "nm", "tag").with_frame_time(2.0, "s")
    image = CalibratedImage(np.zeros((3, 5, 8, 9)), ("t", "c", "y", "x"), known)
    below = layers.add_image(viewer_model, image)
    labels = LabelMap.empty(image.label_shape, ClassMap.of(["pore"]), image.label_axes, known)
    (layer,) = layers.add_labels(viewer_model, labels, below)
    assert layer.axis_labels == ("t", "y", "x")
    assert tuple(layer.scale) == (2.0, 0.3, 0.4)
    assert layer.units == below.units[1:]


def test_overlapping_classes_have_a_layer_each(image, viewer_model):
    classes = ClassMap.of(["loop", "line"], exclusive=False)
    labels = LabelMap.empty(image.label_shape, classes, image.label_axes, image.calibration)
    made = layers.add_labels(viewer_model, labels)
    assert [layer.name for layer in made] == ["loop", "line"]
    assert all(layer.data is plane for layer, plane in zip(made, labels.planes, strict=True))


def test_another_pixel_size_moves_every_layer(image, labels, viewer_model):
    below = layers.add_image(viewer_model, image)
    layers.recalibrate(below, image.with_calibration(Calibration((2.0, 3.0), "µm", "typed by you")))
    assert tuple(below.scale) == (2.0, 3.0)
    assert units(below) == ["µm", "µm"]


# -- drawn again -------------------------------------------------------------------------


@pytest.fixture
def shown(labels) -> Labels:
    viewer = ViewerModel()
    (layer,) = layers.add_labels(viewer, labels)
    return layer


def told_of(layer: Labels) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    told = []
    layer.events.labels_update.connect(
        lambda event: told.append((tuple(event.offset), event.data.shape))
    )
    return told


@pytest.mark.parametrize(("outlines", "margin"), [(False, 0), (True, layers.OUTLINE)])
def test_only_the_touched_box_is_drawn_again(labels, shown, outlines, margin):
    layers.show_outlines(shown, outlines)
    told = told_of(shown)
    labels.planes[0][33:36, 40:44] = 2
    layers.show_again(shown, (slice(33, 36), slice(40, 44)))
    assert told == [((33 - margin, 40 - margin), (3 + 2 * margin, 4 + 2 * margin))]
    partly = shown._slice.image.view.copy()
    shown.refresh()
    np.testing.assert_array_equal(partly, shown._slice.image.view)


def test_a_box_at_the_edge_and_an_empty_one(labels, shown):
    told = told_of(shown)
    layers.show_outlines(shown, True)
    layers.show_again(shown, (slice(0, 2), slice(78, 80)))
    assert told[-1] == ((0, 76), (4, 4))
    layers.show_outlines(shown, False)
    layers.show_again(shown, (slice(4, 4), slice(3, 9)))
    assert len(told) == 1


def test_what_lies_in_another_slice_costs_nothing():
    viewer = ViewerModel()
    labels = LabelMap.empty(
        (6, 20, 30), ClassMap.of(["pore"]), ("z", "y", "x"), Calibration.uncalibrated(3)
    )
    (layer,) = layers.add_labels(viewer, labels)
    viewer.dims.set_current_step(0, 2)
    told = told_of(layer)
    layers.show_again(layer, (slice(3, 5), slice(4, 6), slice(7, 8)))
    assert told == []
    layers.show_again(layer, (slice(1, 3), slice(4, 6), slice(7, 8)))
    assert told == [((4, 7), (2, 1))]
    viewer.dims.order = (0, 2, 1)
    layers.show_again(layer, (slice(1, 3), slice(4, 6), slice(7, 8)))
    assert told[-1] == ((7, 4), (1, 2))


def test_the_layer_of_a_plane_is_found_by_its_data(qapp, image, labels):
    from napari_defectseg.ui.session import Session

    viewer, session = ViewerModel(), Session()
    (layer,) = layers.add_labels(viewer, labels)
    assert layers.labels_layer(viewer, session) is None
    session.labels = labels
    assert layers.labels_layer(viewer, session) is layer
    assert layers.labels_layer(viewer, session, 1) is None


def test_origin_is_written_down():
    image = CalibratedImage(
        np.zeros((3, 3)),
        ("y", "x"),
        Calibration.uncalibrated(2),
        origin=Origin("/data/a.tif", "2", "JEOL 80k"),
    )
    said = layer_of(image).metadata[layers.KEY]
    assert (said["path"], said["part"], said["instrument"]) == ("/data/a.tif", "2", "JEOL 80k")
    assert said["pixel_size"] == "no pixel size: sizes in px"

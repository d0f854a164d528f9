"""Layers in nm and in µm side by side: clicks, strokes and flights hit what is drawn there."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

CLASSES = ClassMap.of(["void", "loop"])


def scene(shape, axes, calibration, name):
    """An image with two boxes, and its labels."""
    pixels = np.random.default_rng(0).normal(100, 5, shape).astype(np.float32)
    image = CalibratedImage(pixels, axes, calibration, name)
    labels = LabelMap.empty(shape, CLASSES, axes, calibration)
    for number, middle in ((1, 0.3), (2, 0.7)):
        box = tuple(slice(int(n * middle) - 4, int(n * middle) + 4) for n in shape)
        labels.planes[0][box] = number
    labels.object_classes.update({1: 1, 2: 2})
    return image, labels


MICROGRAPH = ((60, 80), ("y", "x"), Calibration.of((0.5, 0.5), "nm"), "micrograph")
TOMOGRAM = ((24, 40, 48), ("z", "y", "x"), Calibration.of((0.7, 0.7, 0.7), "µm"), "tomogram")


@pytest.mark.parametrize("order", [(MICROGRAPH, TOMOGRAM), (TOMOGRAM, MICROGRAPH)])
def test_clicks_and_strokes_hit_what_is_drawn(window, order):
    window.go("correct")
    for subject in order:
        image, labels = scene(*subject)
        window.session.image, window.session.labels = image, labels
        window.settle(100)
        layer = window.layer
        window.viewer.layers.selection.active = layer
        for number in (1, 2):
            window.session.select([number])
            from napari_defectseg.ui.places import fly_to

            fly_to(window.viewer, window.session, number)
            window.settle()
            at = window.spot(layer, window.inside(number))
            assert 0 < at.x() < window.canvas.width()
            assert 0 < at.y() < window.canvas.height()
            window.key("Z")
            window.session.select([])
            window.click(layer, window.inside(number))
            assert window.session.selection == {number}, (image.name, number)
        place = list(window.inside(2))
        place[-1] -= 8
        assert labels.planes[0][tuple(place)] == 0
        window.key("P")
        window.page.brush.slider.setValue(3)
        window.drag(layer, [place, [*place[:-1], place[-1] + 1]])
        assert labels.planes[0][tuple(place)] > 2, image.name
        assert labels.calibration == image.calibration
        low, high = layer.corner_pixels[:, -2:]
        assert (high - low < np.array(labels.shape[-2:]) + 2).all()
        assert (high > low).all()


def test_going_back_to_an_image_of_another_unit_goes_on_where_it_was(window):
    image, labels = scene(*MICROGRAPH)
    window.session.image, window.session.labels = image, labels
    window.session.image, window.session.labels = scene(*TOMOGRAM)
    window.session.image = image
    window.go("correct")
    window.settle(100)
    assert window.session.labels is labels
    window.viewer.layers.selection.active = window.layer
    window.key("N")
    (number,) = window.session.selection
    at = window.spot(window.layer, window.inside(number))
    assert 0 < at.x() < window.canvas.width()
    window.key("Z")
    window.session.select([])
    window.click(window.layer, window.inside(number))
    assert window.session.selection == {number}


def test_a_layer_that_somebody_drops_in_another_unit_does_not_move_the_clicks(window):
    window.session.image, window.session.labels = scene(*TOMOGRAM)
    window.viewer.add_points(np.zeros((1, 3)), scale=(1, 1, 1), units=("nm", "nm", "nm"))
    window.go("correct")
    window.settle(100)
    window.viewer.layers.selection.active = window.layer
    window.key("N")
    (number,) = window.session.selection
    window.key("Z")
    window.session.select([])
    window.click(window.layer, window.inside(number))
    assert window.session.selection == {number}
    assert window.session.image.calibration == TOMOGRAM[2]

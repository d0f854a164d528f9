"""Where several models disagree is shown beside the objects, and is never taken for an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.inference.disagreement import FirstChannel
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.ui.adopt import image_of
from napari_defectseg.ui.stage import stage_of


@pytest.fixture
def stage(viewer_model, image):
    made = stage_of(viewer_model)
    made.session.image = image
    return made


def prediction_of(image, labels, spread) -> Prediction:
    """Scores of nothing, with a map of where models disagree."""
    scores = np.zeros((1 + len(labels.classes), *image.label_shape), np.float32)
    scores[0] = 1
    origin = Provenance(made_by="predict")
    return Prediction(
        scores, labels.classes, "exclusive", image.label_axes, image.calibration, image.name,
        {}, 0.0, origin, disagreement=spread,
    )  # fmt: skip


@pytest.fixture
def spread(image):
    return np.linspace(0, 0.5, 64 * 80, dtype=np.float32).reshape(image.label_shape)


def test_it_is_a_layer_called_disagreement_that_lies_on_the_image(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, spread)
    layer = stage.maps.layer
    assert layer.name == "disagreement"
    assert layer in stage.viewer.layers
    np.testing.assert_array_equal(layer.data, spread)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert {str(unit) for unit in layer.units} == {"nanometer"}
    assert tuple(layer.contrast_limits) == (0, 0.5)
    assert stage.viewer.layers.selection.active is stage.image_layer


def test_it_goes_with_the_prediction_and_when_another_comes(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, spread)
    stage.session.prediction = prediction_of(image, labels, spread / 2)
    shown = [layer for layer in stage.viewer.layers if layer.name.startswith("disagreement")]
    assert shown == [stage.maps.layer]
    assert shown[0].data.max() == 0.25
    stage.session.prediction = prediction_of(image, labels, None)
    assert stage.maps.layer is None
    assert not [layer for layer in stage.viewer.layers if layer.name.startswith("disagreement")]


def test_choosing_it_does_not_make_it_the_subject(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, spread)
    stage.viewer.layers.selection.active = stage.maps.layer
    assert stage.session.image is image
    with pytest.raises(ImageError, match="a map of disagreement, not an image"):
        image_of(stage.maps.layer)


def test_it_moves_with_the_image_when_the_pixel_size_becomes_known(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, spread)
    stage.session.image = image.with_calibration(Calibration.of((2.0, 2.0), "nm"))
    assert tuple(stage.maps.layer.scale) == (2.0, 2.0)


def test_a_person_may_take_it_away(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, spread)
    stage.viewer.layers.remove(stage.maps.layer)
    assert stage.maps.layer is None
    stage.session.image = replace(image, name="renamed")
    stage.session.prediction = None


def test_a_map_on_the_disk_is_read_when_it_is_looked_at(stage, image, labels, spread):
    stage.session.prediction = prediction_of(image, labels, FirstChannel(spread[None]))
    np.testing.assert_array_equal(np.asarray(stage.maps.layer.data), spread)

"""Scores become masks and objects by the card's thresholds, or by others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_models import image_of, make

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ClassError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.settings import PredictSettings


def prediction(scores: Any, names: list[str], task: Any, **fields: Any) -> Prediction:
    values = np.asarray(scores, np.float32)
    values = values[:, None] if values.ndim == 2 else values
    return Prediction(
        scores=values,
        classes=ClassMap.of(names, exclusive=task != "multilabel"),
        task=task,
        axes=("y", "x"),
        calibration=Calibration.uncalibrated(2),
        image_name="field",
        thresholds=fields.get("thresholds", {}),
        min_size=fields.get("min_size", 0.0),
        provenance=Provenance(made_by="predict"),
    )


EXCLUSIVE = [
    [0.6, 0.2, 0.1, 0.45, 0.3],  # background
    [0.3, 0.7, 0.4, 0.35, 0.3],  # void
    [0.1, 0.1, 0.5, 0.20, 0.4],  # loop
]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ({}, [0, 1, 2, 0, 2]),
        ({"void": 0.3}, [1, 1, 2, 1, 2]),
        ({"void": 0.75}, [0, 0, 2, 0, 2]),
        ({"void": 0.3, "loop": 0.45}, [1, 1, 2, 1, 0]),
    ],
)
def test_exclusive_classes(thresholds: dict[str, float], expected: list[int]) -> None:
    found = prediction(EXCLUSIVE, ["void", "loop"], "exclusive")
    mask = found.mask(found.decode_settings(thresholds))
    assert mask.tolist() == [expected]
    by_card = prediction(EXCLUSIVE, ["void", "loop"], "exclusive", thresholds=thresholds)
    assert by_card.mask().tolist() == [expected]


def test_one_class_or_not() -> None:
    found = prediction([[0.49, 0.5, 0.9, 0.2, 0.8]], ["pore"], "binary")
    assert found.mask().tolist() == [[0, 1, 1, 0, 1]]
    assert found.mask(found.decode_settings({"pore": 0.85})).tolist() == [[0, 0, 1, 0, 0]]
    assert found.labels().counts() == {1: 2}


def test_overlapping_classes_have_their_own_planes_and_thresholds() -> None:
    scores = [[0.6, 0.7, 0.2, 0.1], [0.1, 0.6, 0.4, 0.3]]
    found = prediction(scores, ["void", "loop"], "multilabel", thresholds={"loop": 0.3})
    assert found.mask().tolist() == [[[1, 1, 0, 0]], [[0, 1, 1, 1]]]
    labels = found.labels()
    assert len(labels.planes) == 2
    assert labels.counts() == {1: 1, 2: 1}


def test_small_objects_are_left_out_of_mask_and_objects() -> None:
    found = prediction([[0.9, 0.1, 0.9, 0.9]], ["pore"], "binary", min_size=2)
    assert found.mask().tolist() == [[0, 0, 1, 1]]
    assert found.labels().counts() == {1: 1}
    every = found.decode_settings(min_size=0)
    assert found.labels(every).counts() == {1: 2}


def test_a_threshold_of_no_class_is_refused() -> None:
    found = prediction(EXCLUSIVE, ["void", "loop"], "exclusive")
    with pytest.raises(ClassError, match="crack"):
        found.mask(found.decode_settings({"crack": 0.5}))


@pytest.mark.parametrize("task", ["exclusive", "binary", "multilabel"])
def test_the_whole_way_from_image_to_objects(task: Any, tmp_path: Any) -> None:
    names = ["void"] if task == "binary" else ["void", "loop"]
    classes = ClassMap.of(names, exclusive=task != "multilabel")
    activation = "softmax" if task == "exclusive" else "sigmoid"
    model = make(2, classes=classes, task=task, activation=activation)
    image = image_of((40, 52), "yx")
    found = predict(model, image)
    assert found.scores.shape[0] == {"exclusive": 3, "binary": 1, "multilabel": 2}[task]
    stored = predict(model, image, PredictSettings(scores_path=str(tmp_path / "s.zarr")))
    np.testing.assert_array_equal(found.mask(), stored.mask())
    labels = found.labels()
    np.testing.assert_array_equal(labels.class_mask(), found.mask())
    assert labels.provenance == found.provenance
    assert labels.shape == (40, 52)


def test_a_network_without_a_background_gives_a_class_everywhere() -> None:
    model = make(2, has_background=False)
    found = predict(model, image_of((20, 20), "yx"))
    assert found.scores.shape[0] == 3
    assert (np.asarray(found.scores)[0] == 0).all()
    assert set(np.unique(found.mask())) <= {1, 2}
    assert found.mask().all()

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.classes import UNLABELLED, ClassMap, DefectClass
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.training.example import Example, pad_to, targets_of

CLASSES = ClassMap((DefectClass(7, "void", "#f0e100"), DefectClass(3, "loop", "#1e4bff")))


def test_targets_are_channels_and_unlabelled_stays() -> None:
    mask = np.array([[0, 7], [3, 255]], np.uint8)
    assert targets_of(mask, CLASSES).tolist() == [[0, 1], [2, 255]]


def test_a_value_that_is_no_class_gets_a_sentence() -> None:
    with pytest.raises(TrainingError, match=r"\[9\].*7 void"):
        targets_of(np.array([[9]], np.uint8), CLASSES)


def test_padding_counts_as_unlabelled() -> None:
    example = Example(np.ones((1, 3, 4), np.float32), np.ones((3, 4), np.uint8))
    padded = pad_to(example, (8, 4))
    assert padded.spatial_shape == (8, 4)
    assert (padded.target[3:] == UNLABELLED).all()
    assert (padded.image == 1).all()


def test_foreground_is_where_objects_are() -> None:
    target = np.array([[0, 1], [255, 2]], np.uint8)
    example = Example(np.zeros((1, 2, 2), np.float32), target)
    assert [found.tolist() for found in example.foreground()] == [[1], [3]]

"""Scribble and see: a few strokes teach what the whole image then shows."""

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.training.scribble import ScribbleTeacher, teach

CLASSES = ClassMap.of(["bright", "rough"])


def scene(side: int = 300, frames: int = 0) -> tuple[CalibratedImage, np.ndarray]:
    """Bright discs and rough squares on a calm ground, with the truth."""
    rng = np.random.default_rng(3)
    truth = np.zeros((side, side), np.uint8)
    y, x = np.ogrid[:side, :side]
    for cy, cx in ((40, 50), (200, 60), (120, 220), (260, 250)):
        truth[(y - cy) ** 2 + (x - cx) ** 2 < 18**2] = 1
    for cy, cx in ((40, 180), (150, 110), (270, 150)):
        truth[cy - 18 : cy + 18, cx - 18 : cx + 18] = 2
    grey = rng.normal(100, 3, truth.shape) + 40 * (truth == 1)
    grey += (truth == 2) * rng.normal(0, 25, truth.shape)
    pixels = grey.astype(np.float32)
    axes, size = ("y", "x"), Calibration((0.5, 0.5), "nm", "made")
    if frames:
        pixels, axes = np.stack([pixels] * frames), ("t", "y", "x")
    return CalibratedImage(pixels, axes, size, "scene"), truth


def strokes() -> np.ndarray:
    """A stroke of each kind, a few pixels wide."""
    drawn = np.full((300, 300), UNLABELLED, np.uint8)
    drawn[38:42, 40:60] = 1
    drawn[30:50, 178:182] = 2
    drawn[90:93, 20:200] = 0
    return drawn


def corrected() -> np.ndarray:
    """Two strokes more, right outside a disc."""
    drawn = strokes()
    drawn[38:42, 69:80] = 0
    drawn[59:62, 40:60] = 0
    return drawn


def agreement(seen: np.ndarray, truth: np.ndarray) -> float:
    dice = [
        2 * np.sum((seen == v) & (truth == v)) / (np.sum(seen == v) + np.sum(truth == v))
        for v in (1, 2)
    ]
    return float(min(dice))


def test_one_stroke_a_class_finds_most_and_one_where_it_errs_nearly_all():
    image, truth = scene()
    teacher = ScribbleTeacher(image, CLASSES)
    assert teacher.learn({(): strokes()}) == 80 + 80 + 540
    first = agreement(teacher.see(), truth)
    assert first > 0.5
    # The rims of bright discs look rough: they are named background.
    teacher.learn({(): corrected()})
    assert agreement(teacher.see(), truth) > max(0.8, first)


def test_a_part_is_what_the_whole_shows_there():
    image, _ = scene()
    teacher = ScribbleTeacher(image, CLASSES)
    teacher.learn({(): strokes()})
    whole = teacher.see()
    np.testing.assert_array_equal(
        teacher.see(box=(slice(100, 290), slice(3, 260))), whole[100:290, 3:260]
    )


def test_the_same_strokes_teach_the_same_and_more_strokes_something_else():
    image, _ = scene()
    teacher, more = ScribbleTeacher(image, CLASSES), strokes()
    teacher.learn({(): strokes()})
    first = teacher.see()
    more[140:150, 90:130] = 2
    teacher.learn({(): more})
    assert (teacher.see() != first).any()
    teacher.learn({(): strokes()})
    np.testing.assert_array_equal(teacher.see(), first)


def test_it_is_saved_opened_and_predicts_like_any_other_model(tmp_path):
    image, _ = scene()
    teacher = ScribbleTeacher(image, CLASSES, "my strokes")
    teacher.learn({(): strokes()})
    opened = open_model(save_model(teacher.model(), tmp_path / "model"))
    assert opened.card.name == "my strokes"
    assert opened.card.pixel_size == (0.5, 0.5)
    mask = predict(opened, image).mask()
    assert np.mean(mask == teacher.see()) > 0.9995


def test_a_class_without_strokes_is_never_seen():
    image, _ = scene()
    drawn = strokes()
    drawn[drawn == 2] = UNLABELLED
    teacher = ScribbleTeacher(image, CLASSES)
    teacher.learn({(): drawn})
    assert set(np.unique(teacher.see())) == {0, 1}


def test_strokes_in_one_frame_teach_the_others():
    image, truth = scene(frames=3)
    model = teach(image, {(1,): corrected()}, CLASSES)
    teacher = ScribbleTeacher(image, CLASSES)
    teacher.learn({(1,): corrected()})
    assert agreement(teacher.see((2,)), truth) > 0.8
    assert predict(model, image).mask().shape == image.shape


def test_colours_are_channels_of_their_own():
    image, truth = scene()
    three = np.stack([image.data, 100 + 0 * image.data, 100 + 0 * image.data], axis=-1)
    coloured = CalibratedImage(three, ("y", "x", "c"), image.calibration, "colours")
    teacher = ScribbleTeacher(coloured, CLASSES)
    teacher.learn({(): corrected()})
    assert agreement(teacher.see(), truth) > 0.8


def test_what_cannot_be_learnt_is_said():
    image, _ = scene()
    teacher = ScribbleTeacher(image, CLASSES)
    drawn = np.full((300, 300), UNLABELLED, np.uint8)
    with pytest.raises(TrainingError, match="one class alone"):
        teacher.learn({(): drawn})
    with pytest.raises(TrainingError, match="Nothing was learnt"):
        teacher.model()
    with pytest.raises(TrainingError, match="do not fit"):
        teacher.learn({(): drawn[:10]})
    with pytest.raises(TrainingError, match="class value 7"):
        teacher.learn({(): np.full_like(drawn, 7)})
    with pytest.raises(TrainingError, match="may overlap"):
        ScribbleTeacher(image, ClassMap.of(["a", "b"], exclusive=False))

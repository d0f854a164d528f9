"""The overlay shows the classes in their colours, and leaves the rest as it is."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.classes import PALETTE, ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.results.overlay import LARGEST, PATTERNS, overlay

CLASSES = ClassMap.of(["void", "loop"])


def square(shape: tuple[int, ...] = (60, 60)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[..., 10:30, 10:30] = 1
    return mask


def test_outlines_have_the_colour_and_the_outside_is_grey() -> None:
    image = CalibratedImage.from_array(np.random.default_rng(0).random((60, 60)))
    found = overlay(image, square(), CLASSES)
    assert found.shape == (60, 60, 3)
    np.testing.assert_array_equal(found[10, 15], [0xF0, 0xE1, 0x00])
    outside = found[40:]
    assert (outside == outside[..., :1]).all()
    assert (found[15:25, 15:25, 2] < found[15:25, 15:25, 0]).all()


def test_every_pattern_of_the_palette_can_be_drawn_and_differs() -> None:
    y, x = np.ogrid[:40, :40]
    drawn = {name: PATTERNS[name](y, x) for _, _, name in PALETTE}
    assert all(pattern.shape == (40, 40) and pattern.any() for pattern in drawn.values())
    assert len({pattern.tobytes() for pattern in drawn.values()}) == len(PALETTE)


def test_of_a_volume_the_fullest_plane_is_shown() -> None:
    volume = np.zeros((5, 60, 60), np.float32)
    volume[3] = np.arange(60)
    mask = np.zeros((5, 60, 60), np.uint8)
    mask[3] = square()
    found = overlay(CalibratedImage.from_array(volume), mask, CLASSES)
    np.testing.assert_array_equal(found[10, 15], [0xF0, 0xE1, 0x00])


@pytest.mark.parametrize("axes", ["yxc", "cyx"])
def test_colour_images_and_overlapping_classes(axes: str) -> None:
    pixels = np.full((60, 60, 3), (10, 200, 30), np.uint8)
    pixels = pixels if axes == "yxc" else np.moveaxis(pixels, -1, 0)
    classes = ClassMap.of(["void", "loop"], exclusive=False)
    planes = np.stack([square(), np.zeros((60, 60), np.uint8)])
    found = overlay(CalibratedImage.from_array(pixels, axes=axes), planes, classes)
    np.testing.assert_array_equal(found[50, 50], [10, 200, 30])


def test_large_constant_and_not_finite_images_are_drawn() -> None:
    wide = np.full((30, LARGEST * 2), np.nan, np.float32)
    found = overlay(CalibratedImage.from_array(wide), np.zeros(wide.shape, np.uint8), CLASSES)
    assert found.shape == (15, LARGEST, 3)

"""Layers that others made become images; nothing about their size is believed without a unit."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels

from napari_defectseg.core.errors import ImageError
from napari_defectseg.ui.adopt import image_of, offer_of_file, offers
from napari_defectseg.ui.layers import image_data


def test_scale_one_in_pixels_is_unknown():
    image = image_of(Image(np.zeros((4, 5)), name="a"))
    assert not image.calibration.calibrated
    assert image.axes == ("y", "x")
    assert image.name == "a"
    assert offers(Image(np.zeros((4, 5)))) == ()


def test_another_scale_in_pixels_is_offered_not_believed():
    layer = Image(np.zeros((4, 5)), scale=(0.486, 0.486))
    assert not image_of(layer).calibration.calibrated
    (offer,) = offers(layer)
    assert offer.numbers == (0.486, 0.486)
    assert "0.486 × 0.486" in offer.sentence


def test_a_unit_of_length_is_believed():
    layer = Image(np.zeros((2, 4, 5)), scale=(2, 1e-3, 1e-3), units=("nm", "µm", "µm"), name="b")
    known = image_of(layer).calibration
    assert known.spacing == pytest.approx((2, 1, 1))
    assert known.unit == "nm"
    assert known.source == "layer b"
    assert offers(layer) == ()


def test_time_and_a_missing_z():
    layer = Image(
        np.zeros((2, 3, 4, 5)),
        scale=(0.02, 1, 5, 5),
        units=("ms", "pixel", "nm", "nm"),
        axis_labels=("t", "z", "y", "x"),
    )
    image = image_of(layer)
    assert image.axes == ("t", "z", "y", "x")
    assert image.calibration.spacing == (None, 5, 5)
    assert (image.calibration.frame_time, image.calibration.time_unit) == (0.02, "ms")


@pytest.mark.parametrize("unit", ["kg", "second", "degree"])
def test_units_that_are_no_lengths_are_not_believed(unit):
    layer = Image(np.zeros((4, 5)), scale=(2, 2), units=(unit, unit))
    assert not image_of(layer).calibration.calibrated


def test_negative_scale_is_not_believed():
    layer = Image(np.zeros((4, 5)), scale=(-2, 2), units=("nm", "nm"))
    assert image_of(layer).calibration.spacing[0] is None


def test_colour_and_levels():
    assert image_of(Image(np.zeros((4, 5, 3), np.uint8), rgb=True)).axes == ("y", "x", "c")
    levels = [np.zeros((8, 8)), np.zeros((4, 4))]
    image = image_of(Image(levels, multiscale=True))
    assert image.data is levels[0]
    assert len(image.levels) == 1


def test_what_is_no_image_is_refused_with_a_sentence():
    with pytest.raises(ImageError, match="labels layer, not an image"):
        image_of(Labels(np.zeros((4, 4), np.int32)))
    with pytest.raises(ImageError, match="not an image"):
        image_of(Image(np.zeros((2, 2, 2, 2, 2))))


def test_a_layer_that_our_reader_made_comes_back_as_it_was(image):
    data, settings, _ = image_data(image)
    back = image_of(Image(data, **settings))
    assert back.data is image.data
    assert back.calibration == image.calibration


def test_the_file_is_asked_again(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8), imagej=True, resolution=(2, 2),
                     metadata={"unit": "nm"})  # fmt: skip
    offer = offer_of_file(str(path), ("y", "x"))
    assert offer is not None
    assert offer.calibration.spacing == pytest.approx((0.5, 0.5))
    assert "0.5 nm" in offer.sentence
    deep = offer_of_file(str(path), ("z", "y", "x"))
    assert deep is not None
    assert deep.calibration.spacing[0] is None


def test_a_file_that_says_nothing_or_is_gone_offers_nothing(tmp_path):
    path = tmp_path / "b.tif"
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8))
    assert offer_of_file(str(path), ("y", "x")) is None
    assert offer_of_file(str(tmp_path / "c.tif"), ("y", "x")) is None
    assert offer_of_file("", ("y", "x")) is None

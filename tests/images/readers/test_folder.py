"""A folder of slices: natural order, gaps, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.natural import natural
from napari_defectseg.images.open import open_image
from napari_defectseg.images.readers.folder import gaps
from napari_defectseg.images.save import save_array


def write_slices(folder, numbers, shape=(6, 8), suffix=".tif"):
    for number in numbers:
        save_array(
            np.full(shape, number % 250, np.uint8),
            folder / f"scan2_{number}{suffix}",
            axes="yx",
            calibration=Calibration((2.0, 2.0), "µm"),
        )


def test_slices_come_in_natural_order(tmp_path):
    write_slices(tmp_path / "s", [1, 2, 9, 10, 11, 3, 4, 5, 6, 7, 8])
    stack = open_image(tmp_path / "s")
    assert stack.axes == ("z", "y", "x")
    assert stack.read(y=0, x=0).tolist() == list(range(1, 12))
    assert stack.calibration.spacing == (None, 2.0, 2.0)
    assert stack.calibration.question == ""


def test_missing_slices_are_asked_about(tmp_path):
    write_slices(tmp_path / "s", [1, 2, 3, 5, 6, 10])
    stack = open_image(tmp_path / "s")
    assert "4, 7 to 9" in stack.calibration.question


def test_a_slice_of_another_size_is_named(tmp_path):
    write_slices(tmp_path / "s", [1, 2, 3])
    write_slices(tmp_path / "s", [4], shape=(6, 9))
    with pytest.raises(ImageError, match=r"scan2_4\.tif is 6 × 9.*scan2_1\.tif is 6 × 8"):
        open_image(tmp_path / "s")


def test_a_movie_can_be_asked_for(tmp_path):
    write_slices(tmp_path / "s", [1, 2, 3], suffix=".png")
    assert open_image(tmp_path / "s", axes="tyx").axes == ("t", "y", "x")


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no images"):
        open_image(tmp_path)


def test_numbering_by_fives_has_no_gaps():
    names = [f"r3_{number:04}" for number in range(0, 50, 5)]
    assert gaps(names) == []
    assert gaps([name for name in names if "0020" not in name]) == ["20"]


def test_natural_order_puts_nine_before_ten():
    assert sorted(["a10", "a9", "a1"], key=natural) == ["a1", "a9", "a10"]

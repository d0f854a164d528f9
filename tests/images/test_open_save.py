"""Opening and saving: what goes in comes out, with axes, pixel size and frame time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import AlreadyExists, FileMissing, ImageError, NotSaved
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import PATTERNS, READERS, can_open, list_parts, open_image
from napari_defectseg.images.save import save_array, save_image

CASES = {
    "plane": ((7, 9), "yx", Calibration((0.4, 0.4), "nm")),
    "anisotropic": ((3, 7, 9), "zyx", Calibration((2.0, 0.5, 0.25), "µm")),
    "uncalibrated": ((7, 9), "yx", Calibration.uncalibrated(2)),
    "z unknown": ((3, 7, 9), "zyx", Calibration((None, 0.5, 0.5), "nm")),
    "movie": ((4, 7, 9), "tyx", Calibration((1.5, 1.5), "µm", frame_time=20.0, time_unit="µs")),
    "colour": ((7, 9, 3), "yxc", Calibration((12.0, 12.0), "µm")),
    "channels": ((2, 7, 9), "cyx", Calibration((0.4, 0.4), "nm")),
    "channel stack": ((2, 3, 7, 9), "czyx", Calibration((1.0, 0.4, 0.4), "nm")),
    "movie of volumes": (
        (2, 3, 7, 9),
        "tzyx",
        Calibration((1.0, 0.4, 0.4), "mm", frame_time=1.5, time_unit="s"),
    ),
}


def image_of(case: str, dtype: type = np.uint8) -> CalibratedImage:
    shape, axes, calibration = CASES[case]
    values = np.random.default_rng(3).integers(0, 200, shape).astype(dtype)
    return CalibratedImage(values, tuple(axes), calibration, "steel")


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif", ".npy", ".ome.zarr", ".nrrd"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_saved_is_opened_again(tmp_path, case, suffix):
    """Values, axes, pixel size, unit and frame time survive."""
    image = image_of(case, np.uint16 if case != "colour" else np.uint8)
    path = save_image(image, tmp_path / f"steel{suffix}")
    again = open_image(path)
    assert again.axes == image.axes
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(np.asarray(again.data), image.data)
    assert again.calibration.unit == image.calibration.unit
    for a, b in zip(again.calibration.spacing, image.calibration.spacing, strict=True):
        assert (a is None) == (b is None)
        assert a is None or a == pytest.approx(b, rel=1e-9)
    assert again.calibration.frame_time == pytest.approx(image.calibration.frame_time)
    if image.calibration.frame_time is not None:
        assert again.calibration.time_unit == image.calibration.time_unit


@pytest.mark.parametrize("case", ["plane", "colour", "uncalibrated"])
def test_png_keeps_values_and_pixel_size(tmp_path, case):
    image = image_of(case)
    again = open_image(save_image(image, tmp_path / "steel.png"))
    np.testing.assert_array_equal(np.asarray(again.data), image.data)
    assert again.axes == image.axes
    assert again.calibration.spacing == image.calibration.spacing
    assert again.calibration.unit == image.calibration.unit


def test_png_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(NotSaved, match=r"8-bit"):
        save_image(image_of("plane", np.uint16), tmp_path / "a.png")
    with pytest.raises(NotSaved, match=r"one plane"):
        save_image(image_of("anisotropic"), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float32, np.float64, np.int64])
def test_masks_labels_and_scores_keep_their_values(tmp_path, dtype):
    values = (np.arange(63).reshape(7, 9) % 2 * 90).astype(dtype)
    calibration = Calibration((0.4, 0.4), "nm")
    path = save_array(values, tmp_path / "m.ome.tif", axes="yx", calibration=calibration)
    again = open_image(path)
    np.testing.assert_array_equal(np.asarray(again.data), values.astype(again.dtype))
    assert again.calibration.spacing == (0.4, 0.4)


def test_object_numbers_too_large_for_the_file_are_refused(tmp_path):
    values = np.array([[0, 2**40]])
    with pytest.raises(NotSaved, match="do not fit"):
        save_array(values, tmp_path / "m.tif", axes="yx", calibration=Calibration.uncalibrated(2))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unasked(tmp_path):
    image = image_of("plane")
    path = save_image(image, tmp_path / "a.ome.tif")
    before = path.read_bytes()
    with pytest.raises(AlreadyExists, match=r"a\.ome\.tif"):
        save_image(image, path)
    assert path.read_bytes() == before
    assert save_image(image, path, overwrite=True) == path


def test_an_unknown_suffix_is_refused_with_those_that_work(tmp_path):
    with pytest.raises(NotSaved, match=r"\.ome\.tif"):
        save_image(image_of("plane"), tmp_path / "a.docx")


def test_a_missing_file_names_the_nearest(tmp_path):
    save_image(image_of("plane"), tmp_path / "steel_bf_07.tif")
    with pytest.raises(FileMissing, match=r"Did you mean steel_bf_07\.tif"):
        open_image(tmp_path / "steel_bf_7.tif")
    assert not can_open(tmp_path / "steel_bf_7.tif")


def test_text_is_refused_under_any_name(tmp_path):
    for name in ("a.tif", "a.png", "a.npy", "a.txt"):
        (tmp_path / name).write_text("not an image, only words about one")
        with pytest.raises(ImageError, match=name.replace(".", r"\.")):
            open_image(tmp_path / name)


def test_the_patterns_name_every_suffix_that_is_read():
    """What a file dialog and the manifest offer is what the readers know."""
    suffixes = set()
    for name in READERS.names():
        reader = READERS.get(name)
        suffixes |= set(getattr(reader, "SUFFIXES", ())) | set(getattr(reader, "PLUGINS", ()))
    offered = {pattern.removeprefix("*") for pattern in PATTERNS}
    packed = {f"{suffix}{pack}" for suffix in (".mrc", ".map") for pack in (".gz", ".bz2")}
    assert suffixes | packed | {".zarr"} == offered


def test_parts_of_one_image_are_one(tmp_path):
    path = save_image(image_of("plane"), tmp_path / "a.ome.tif")
    (part,) = list_parts(path)
    assert part.shape == (7, 9)
    np.testing.assert_array_equal(np.asarray(open_image(f"{path}::0").data), image_of("plane").data)

"""MRC: modes, byte orders, packing, and sizes that cannot be believed."""

from __future__ import annotations

import bz2
import gzip

import mrcfile
import numpy as np
import pytest

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.open import open_image, open_lazily

RAMP = np.arange(3 * 6 * 8).reshape(3, 6, 8)


def write(path, values, voxel=(4.0, 4.0, 10.0)):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(values)
        file.set_volume() if values.ndim == 3 else None
        if voxel:
            file.voxel_size = voxel
    return path


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint16", "float16"])
def test_all_modes_keep_their_type(tmp_path, dtype):
    values = (RAMP % 100).astype(dtype)
    image = open_image(write(tmp_path / "a.mrc", values))
    np.testing.assert_array_equal(image.data, values)
    assert image.dtype == np.dtype(dtype)
    assert image.calibration.to("nm").spacing == pytest.approx((1.0, 0.4, 0.4))


def test_one_section_is_a_plane(tmp_path):
    image = open_image(write(tmp_path / "a.mrc", RAMP[0].astype("int16")))
    assert image.axes == ("y", "x")


def test_a_stack_of_volumes_is_a_movie_of_them(tmp_path):
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(np.zeros((2, 3, 6, 8), np.int16))
    image = open_image(tmp_path / "a.mrc")
    assert (image.axes, image.shape) == (("t", "z", "y", "x"), (2, 3, 6, 8))


def test_the_other_byte_order(tmp_path):
    path = write(tmp_path / "a.mrc", RAMP.astype("int16"))
    raw = path.read_bytes()
    numbers = np.frombuffer(raw[:208], "<u4").astype(">u4").tobytes()
    mixed = numbers + raw[208:212] + b"\x11\x11\x00\x00" + raw[216:1024]
    path.write_bytes(mixed + np.frombuffer(raw[1024:], "<i2").astype(">i2").tobytes())
    image = open_image(path)
    np.testing.assert_array_equal(image.data, RAMP)
    assert image.calibration.to("nm").spacing == pytest.approx((1.0, 0.4, 0.4))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_packed_files_are_read_lazily(tmp_path, suffix, pack):
    path = write(tmp_path / "a.mrc", RAMP.astype("int16"))
    packed = tmp_path / f"a.mrc{suffix}"
    packed.write_bytes(pack(path.read_bytes()))
    image = open_lazily(packed)
    assert isinstance(image.data, LazyArray)
    assert image.name == "a"
    np.testing.assert_array_equal(image.data[1], RAMP[1])


@pytest.mark.parametrize("voxel", [(-10.0, -10.0, 0.0), None])
def test_sizes_that_are_not_positive_are_unknown(tmp_path, voxel):
    path = write(tmp_path / "a.mrc", RAMP.astype("int16"), voxel)
    assert open_image(path).calibration.spacing == (None, None, None)


def test_exactly_one_angstrom_is_asked_about(tmp_path):
    image = open_image(write(tmp_path / "a.mrc", RAMP.astype("int16"), (1.0, 1.0, 1.0)))
    assert image.calibration.to("nm").spacing == pytest.approx((0.1, 0.1, 0.1))
    assert "1 Å" in image.calibration.question


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (12, 4, "MRC mode 4"),
        (0, -5, "impossible shape"),
        (0, 2_000_000_000, "claims|ends after"),
        (92, -1, "impossible extended header"),
        (64, 77, "no header of an MRC file"),
    ],
)
def test_headers_that_make_no_sense_are_explained(tmp_path, place, value, words):
    path = write(tmp_path / "a.mrc", RAMP.astype("int16"))
    raw = bytearray(path.read_bytes())
    raw[place : place + 4] = value.to_bytes(4, "little", signed=True)
    path.write_bytes(raw)
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    assert "a.mrc" in str(caught.value)

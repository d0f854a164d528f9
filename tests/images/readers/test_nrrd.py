"""NRRD: headers of other programs, detached pixels, units."""

from __future__ import annotations

import bz2
import gzip

import nrrd
import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_array, save_image

RAMP = np.arange(3 * 6 * 8, dtype=np.uint16).reshape(3, 6, 8)


def write(path, lines, pixels=b""):
    path.write_bytes("\n".join(["NRRD0004", *lines]).encode() + b"\n\n" + pixels)
    return path


def fields(encoding="raw", **more):
    given = {"type": "uint16", "dimension": 3, "sizes": "8 6 3", "endian": "little", **more}
    return [f"{key.replace('_', ' ')}: {value}" for key, value in given.items()] + [
        f"encoding: {encoding}"
    ]


@pytest.mark.parametrize(
    ("encoding", "pack"), [("raw", bytes), ("gzip", gzip.compress), ("bzip2", bz2.compress)]
)
def test_encodings(tmp_path, encoding, pack):
    path = write(tmp_path / "a.nrrd", fields(encoding), pack(RAMP.astype("<u2").tobytes()))
    np.testing.assert_array_equal(open_image(path).data, RAMP)


def test_big_endian_with_bytes_to_skip(tmp_path):
    pixels = b"junk" + RAMP.astype(">u2").tobytes()
    path = write(tmp_path / "a.nrrd", fields(endian="big", byte_skip=4), pixels)
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    path = write(tmp_path / "b.nrrd", fields(endian="big", byte_skip=-1), pixels)
    np.testing.assert_array_equal(open_image(path).data, RAMP)


@pytest.mark.parametrize("unit", ["µm", "μm", "um"])
def test_space_directions_with_units_give_the_pixel_size(tmp_path, unit):
    """The micro sign is no ASCII; dropping it would make metres."""
    lines = fields(
        space_dimension=3,
        space_directions="(0.5,0,0) (0,0.5,0) (0,0,2)",
        space_units=f'"{unit}" "{unit}" "{unit}"',
    )
    image = open_image(write(tmp_path / "a.nrrd", lines, RAMP.tobytes()))
    assert image.calibration.to("µm").spacing == pytest.approx((2.0, 0.5, 0.5))


def test_spacing_without_unit_is_no_length_but_is_told(tmp_path):
    lines = fields(spacings="0.5 0.5 2")
    image = open_image(write(tmp_path / "a.nrrd", lines, RAMP.tobytes()))
    assert image.calibration.spacing == (None, None, None)
    assert "2 0.5 0.5 without a unit" in image.calibration.source


def test_colour_first_and_time_last_become_our_axes(tmp_path):
    lines = fields(sizes="3 8 6", kinds="RGB-color domain domain", type="uint8")
    image = open_image(write(tmp_path / "a.nrrd", lines, bytes(144)))
    assert (image.axes, image.shape) == (("y", "x", "c"), (6, 8, 3))
    lines = fields(kinds="domain domain time", spacings="1 1 5", units='"nm" "nm" "ms"')
    movie = open_image(write(tmp_path / "b.nrrd", lines, RAMP.tobytes()))
    assert movie.axes == ("t", "y", "x")
    assert (movie.calibration.frame_time, movie.calibration.time_unit) == (5.0, "ms")


def test_detached_pixels_lie_beside_their_header(tmp_path):
    path = write(tmp_path / "a.nhdr", fields(data_file="a.raw"))
    with pytest.raises(FileMissing, match=r"a\.nhdr is a header; its pixels, a\.raw"):
        open_image(path)
    (tmp_path / "a.raw").write_bytes(RAMP.tobytes())
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    for name in ("../a.raw", str(tmp_path / "a.raw")):
        write(path, fields(data_file=name))
        with pytest.raises(ImageError, match="outside of its folder"):
            open_image(path)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (fields("ascii"), "encoded as ascii"),
        (fields(type="block"), "type block"),
        (fields(sizes="8 6"), "could not be read|2 sizes for 3 axes"),
        (fields(data_file="a%03d.raw 1 9 1"), "several files"),
        (fields(sizes="8 6 300000"), "ends after|claims"),
        (fields(sizes="-8 6 -3"), "impossible shape"),
        (fields(sizes="0 6 3"), "empty"),
    ],
)
def test_headers_that_make_no_sense_are_explained(tmp_path, lines, words):
    path = write(tmp_path / "a.nrrd", lines, RAMP.tobytes())
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    assert "a.nrrd" in str(caught.value)


def test_other_programs_read_what_we_write(tmp_path):
    calibration = Calibration((2.0, 0.5, 0.5), "µm")
    image = CalibratedImage(RAMP, ("z", "y", "x"), calibration, "pores µ")
    values, header = nrrd.read(str(save_image(image, tmp_path / "a.nrrd")), index_order="C")
    np.testing.assert_array_equal(values, RAMP)
    assert header["spacings"].tolist() == [0.5, 0.5, 2.0]
    assert header["units"] == ["um", "um", "um"]
    mask = RAMP % 3
    path = save_array(
        mask, tmp_path / "m.nrrd", axes="zyx", calibration=calibration, colours={1: "#ff8800"}
    )
    assert nrrd.read_header(str(path))["class colour 1"] == "#ff8800"


def test_equal_pixels_give_equal_files(tmp_path):
    image = CalibratedImage.from_array(RAMP, name="a")
    one, two = (save_image(image, tmp_path / name) for name in ("a.nrrd", "b.nrrd"))
    assert one.read_bytes() == two.read_bytes()

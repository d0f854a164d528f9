"""Raw numbers: the form is given, beside the file, in its name, or asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.open import list_parts, open_image, open_lazily
from napari_defectseg.images.raw import RawForm
from napari_defectseg.images.readers.raw import FormNeeded

RAMP = np.arange(3 * 6 * 8, dtype=np.uint16).reshape(3, 6, 8)


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "rock.raw"
    path.write_bytes(RAMP.tobytes())
    return path


def test_a_form_opens_any_file_without_reading_it(raw):
    form = RawForm((3, 6, 8), "uint16", spacing=(2.0, 0.5, 0.5), unit="um")
    image = open_lazily(raw, raw=form)
    np.testing.assert_array_equal(image.data[2, 1], RAMP[2, 1])
    assert image.axes == ("z", "y", "x")
    assert image.calibration.spacing == (2.0, 0.5, 0.5)
    assert image.calibration.unit == "µm"
    assert image.calibration.source == "form of the raw file"
    assert open_image(raw, raw=RawForm((3, 6, 8), "uint16", axes="tyx")).axes == ("t", "y", "x")


def test_byte_order_and_header(tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(b"header" + RAMP.astype(">u2").tobytes())
    form = RawForm((3, 6, 8), "uint16", "big", 6)
    np.testing.assert_array_equal(open_image(path, raw=form).data, RAMP)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (RawForm((3, 6, 9), "uint16"), "ends after 288 bytes of 324 bytes"),
        (RawForm((3, 6, 7), "uint16"), "holds 288 bytes, but 3 × 6 × 7 of uint16 needs 252"),
        (RawForm((3, 6, 8), "word"), "'word' is no type"),
        (RawForm((3, 6, 8), "complex64"), "are not pixels"),
        (RawForm((3, 6, 8), "uint16", "middle"), "middle-endian"),
        (RawForm((), "uint16"), "no image"),
        (RawForm((-3, 6, 8), "uint16"), "impossible shape"),
        (RawForm((3, 6, 8), "uint16", offset=-5), "no image"),
        (RawForm((10**9, 10**9), "uint16"), "impossible shape"),
        (RawForm((3, 6, 8), "uint16", axes="zy"), "axis names"),
        (RawForm((3, 6, 8), "uint16", spacing=(1.0, 1.0, 1.0), unit="px"), "not a unit of length"),
    ],
)
def test_forms_that_do_not_fit_are_explained(raw, form, words):
    with pytest.raises(ValueError, match=words):
        open_image(raw, raw=form)


def test_without_a_form_a_person_is_asked(raw):
    with pytest.raises(FormNeeded, match=r"rock\.raw holds 288 bytes of bare numbers.*RawForm"):
        open_image(raw)


def test_the_name_may_tell_if_it_fits_the_length(tmp_path):
    for name in ("rock_8x6x3_uint16.raw", "rock_8x6x3_16bit.raw", "rock-8x6x3.vol"):
        path = tmp_path / name
        path.write_bytes(RAMP.tobytes())
        np.testing.assert_array_equal(open_image(path).data, RAMP)
    path = tmp_path / "rock_8x6x4_uint16.raw"
    path.write_bytes(RAMP.tobytes())
    with pytest.raises(FormNeeded):
        open_image(path)


def test_a_form_beside_the_file(raw):
    beside = raw.with_name("rock.raw.json")
    beside.write_text(json.dumps({"shape": [3, 6, 8], "dtype": "uint16", "axes": "tyx"}))
    assert open_image(raw).axes == ("t", "y", "x")
    assert list_parts(raw)[0].shape == (3, 6, 8)
    beside.write_text(json.dumps({"shape": [3, 6, 8], "colour": "red"}))
    with pytest.raises(ImageError, match=r"rock\.raw\.json is not the form"):
        open_image(raw)


def test_the_header_of_a_reconstruction(tmp_path):
    path = tmp_path / "scan.vol"
    path.write_bytes(RAMP.astype("<f4").tobytes())
    path.with_name("scan.vol.info").write_text(
        "! PyHST_SLAVE VOLUME INFO FILE\nNUM_X = 8\nNUM_Y = 6\nNUM_Z = 3\n"
        "voxelSize = 0.65\nBYTEORDER = LOWBYTEFIRST\n"
    )
    image = open_image(path)
    np.testing.assert_array_equal(image.data, RAMP)
    assert image.calibration.to("µm").spacing == pytest.approx((0.65, 0.65, 0.65))

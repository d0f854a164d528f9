"""MetaImage: headers with their pixels inside or beside them."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.collection import Collection
from napari_defectseg.images.open import open_image

RAMP = np.arange(3 * 6 * 8, dtype=np.uint16).reshape(3, 6, 8)


def header(data="LOCAL", **more):
    given = {
        "ObjectType": "Image", "NDims": 3, "DimSize": "8 6 3", "ElementType": "MET_USHORT",
        "ElementSpacing": "0.5 0.5 2", "BinaryDataByteOrderMSB": "False", **more,
    }  # fmt: skip
    lines = [f"{key} = {value}" for key, value in given.items()]
    return "\n".join([*lines, f"ElementDataFile = {data}"]).encode() + b"\n"


def test_pixels_inside_bare_and_packed(tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(header() + RAMP.tobytes())
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    path.write_bytes(header(CompressedData="True") + zlib.compress(RAMP.tobytes()))
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    path.write_bytes(header(ElementByteOrderMSB="True", BinaryDataByteOrderMSB="True"))
    with path.open("ab") as file:
        file.write(RAMP.astype(">u2").tobytes())
    np.testing.assert_array_equal(open_image(path).data, RAMP)


def test_spacing_is_a_length_only_with_a_unit(tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(header() + RAMP.tobytes())
    image = open_image(path)
    assert image.calibration.spacing == (None, None, None)
    assert "0.5 0.5 2 without a unit" in image.calibration.source
    path.write_bytes(header(DistanceUnits="um") + RAMP.tobytes())
    assert open_image(path).calibration.to("µm").spacing == (2.0, 0.5, 0.5)


def test_colour_and_planes(tmp_path):
    path = tmp_path / "a.mha"
    more = {"NDims": 2, "DimSize": "8 6", "ElementSpacing": "1 1"}
    path.write_bytes(header(**more, ElementType="MET_UCHAR", ElementNumberOfChannels=3))
    with path.open("ab") as file:
        file.write(bytes(144))
    image = open_image(path)
    assert (image.axes, image.shape) == (("y", "x", "c"), (6, 8, 3))


def test_pixels_beside_the_header(tmp_path):
    path = tmp_path / "a.mhd"
    path.write_bytes(header("a.raw"))
    with pytest.raises(FileMissing, match=r"a\.mhd is a header; its pixels, a\.raw"):
        open_image(path)
    (tmp_path / "a.raw").write_bytes(RAMP.tobytes())
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    with pytest.raises(ImageError, match=r"described by a\.mhd"):
        open_image(tmp_path / "a.raw")
    path.write_bytes(header("../a.raw"))
    with pytest.raises(ImageError, match="outside of its folder"):
        open_image(path)


def test_a_collection_lists_the_header_alone(tmp_path):
    (tmp_path / "a.mhd").write_bytes(header("a.raw"))
    (tmp_path / "a.raw").write_bytes(RAMP.tobytes())
    collection = Collection.scan(tmp_path)
    assert [entry.name for entry in collection.entries] == ["a"]
    assert not collection.entries[0].problem


def test_the_real_header_of_a_tomogram(real_data):
    image = open_image(real_data / "xct_polymer_fibres" / "volume.mhd")
    assert image.shape == (128, 128, 128)
    assert float(np.mean(image.data)) == pytest.approx(97.901, abs=1e-3)
    assert not image.calibration.calibrated


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (header(ElementType="MET_WORDS"), "MET_WORDS"),
        (header(DimSize="8 6"), "claims 3 dimensions"),
        (header(DimSize="8 6 -3"), "claims 3 dimensions"),
        (header(DimSize="8 6 x"), "could not be read"),
        (header("LIST"), "several files"),
        (header(DimSize="800 600 300"), "ends after"),
        (b"ObjectType = Image\n", "no ElementDataFile"),
    ],
)
def test_headers_that_make_no_sense_are_explained(tmp_path, text, words):
    path = tmp_path / "a.mha"
    path.write_bytes(text)
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    assert "a.mha" in str(caught.value)

"""TIFF: the tags of the makers, compressions, BigTIFF, pyramids, previews; files made here."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.open import open_image, open_lazily
from napari_defectseg.images.parts import PartNeeded

PLANE = np.random.default_rng(4).integers(0, 255, (24, 32)).astype(np.uint8)
STACK = np.random.default_rng(4).integers(0, 999, (5, 24, 32)).astype(np.uint16)


def write(path, values=PLANE, **options):
    tifffile.imwrite(path, values, photometric="minisblack", metadata=None, **options)
    return path


def test_zeiss_header(tmp_path):
    """Tag 34118: the pixel size of the stored image, not that of the full scan."""
    lines = [
        "0", "0", "0", "AP_IMAGE_PIXEL_SIZE", "Image Pixel Size = 4.962 nm",
        "AP_PIXEL_SIZE", "Pixel Size = 9.924 nm", "AP_MAG", "Mag = 22.50 K X",
        "DP_SEM", "SEM = GeminiSEM 500",
    ]  # fmt: skip
    text = "\r\n".join(lines).encode("cp1252") + b"\r\n"
    path = write(tmp_path / "a.tif", extratags=[(34118, 7, len(text), text, True)])
    image = open_image(path)
    assert image.calibration.spacing == pytest.approx((4.962, 4.962))
    assert image.calibration.unit == "nm"
    assert "Zeiss tag 34118" in image.calibration.source


def test_tvips_header(tmp_path):
    """Tag 37706 of EM-MENU: the pixel size in nm."""
    first = np.zeros((), tifffile.TIFF.TVIPS_HEADER_V1)
    second = np.zeros((), tifffile.TIFF.TVIPS_HEADER_V2)
    first["Version"] = 2
    second["PixelSizeX"] = second["PixelSizeY"] = 0.37
    second["Magic"] = 0xAAAAAAAA
    data = first.tobytes() + second.tobytes()
    path = write(tmp_path / "a.tif", extratags=[(37706, 7, len(data), data, True)])
    image = open_image(path)
    assert image.calibration.to("nm").spacing == pytest.approx((0.37, 0.37))
    assert "TVIPS tag 37706" in image.calibration.source


def test_fei_header_and_a_resized_copy(tmp_path):
    text = (
        "[User]\r\nUser=lab\r\n[System]\r\nSystemType=Helios\r\n[Scan]\r\n"
        "PixelWidth=3.4e-009\r\nPixelHeight=3.4e-009\r\n[Image]\r\nResolutionX={}\r\n"
    )
    for width, asked in ((32, False), (64, True)):
        data = text.format(width).encode()
        path = write(tmp_path / f"{width}.tif", extratags=[(34682, 2, len(data), data, True)])
        image = open_image(path)
        assert image.calibration.to("nm").spacing == pytest.approx((3.4, 3.4))
        assert bool(image.calibration.question) == asked
        assert image.origin.instrument == "Helios"


def test_tags_that_disagree_are_asked_about(tmp_path):
    """An FEI header and resolution tags that say something else."""
    data = b"[Scan]\r\nPixelWidth=3.4e-009\r\nPixelHeight=3.4e-009\r\n"
    path = write(
        tmp_path / "a.tif",
        extratags=[(34682, 2, len(data), data, True)],
        resolution=(1e6, 1e6),
        resolutionunit="CENTIMETER",
    )
    assert "Which is right?" in open_image(path).calibration.question


@pytest.mark.parametrize("dpi", [72, 96, 300, 1200, 4800])
def test_resolutions_for_printers_are_no_pixel_size(tmp_path, dpi):
    image = open_image(write(tmp_path / "a.tif", resolution=(dpi, dpi), resolutionunit="INCH"))
    assert not image.calibration.calibrated
    assert "printing" in image.calibration.source


@pytest.mark.parametrize("values", [PLANE, STACK])
def test_bigtiff(tmp_path, values):
    path = write(tmp_path / "a.btf", values, bigtiff=True)
    np.testing.assert_array_equal(open_image(path).data, values)


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_orders(tmp_path, order):
    image = open_image(write(tmp_path / "a.tif", STACK, byteorder=order))
    np.testing.assert_array_equal(image.data, STACK)
    assert image.dtype == np.dtype(np.uint16)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate", "jpeg"])
def test_compressions_of_other_programs(tmp_path, compression):
    """LZW and JPEG are decoded without a further package."""
    Image.fromarray(PLANE).save(tmp_path / "a.tif", compression=compression)
    values = np.asarray(open_image(tmp_path / "a.tif").data)
    if compression == "jpeg":
        assert np.abs(values.astype(int) - PLANE).mean() < 12
    else:
        np.testing.assert_array_equal(values, PLANE)


def test_lzw_stacks_are_read_page_by_page(tmp_path):
    pages = [Image.fromarray(plane) for plane in STACK]
    pages[0].save(
        tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=pages[1:]
    )
    image = open_lazily(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.data[3, 2:5], STACK[3, 2:5])
    np.testing.assert_array_equal(np.asarray(image.data), STACK)


def test_pages_may_be_predicted_and_tiled(tmp_path):
    path = write(tmp_path / "a.tif", STACK, compression="zlib", predictor=True, tile=(16, 16))
    np.testing.assert_array_equal(open_image(path).data, STACK)


def test_pyramids_give_coarser_levels(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        file.write(PLANE, subifds=1, tile=(16, 16), photometric="minisblack")
        file.write(PLANE[::2, ::2], subfiletype=1, tile=(16, 16), photometric="minisblack")
    image = open_lazily(tmp_path / "a.ome.tif")
    assert image.shape == (24, 32)
    assert [level.shape for level in image.levels] == [(12, 16)]


def test_several_images_are_a_question(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(PLANE, photometric="minisblack")
        file.write(STACK[0, :20, :30], photometric="minisblack")
    with pytest.raises(PartNeeded, match="holds 2 images"):
        open_image(tmp_path / "a.tif")
    assert open_image(f"{tmp_path / 'a.tif'}::1").shape == (20, 30)


def test_imagej_movies_have_a_frame_time(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        STACK,
        imagej=True,
        resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "unit": "um", "finterval": 0.05},
    )
    image = open_image(tmp_path / "a.tif")
    assert image.axes == ("t", "y", "x")
    assert image.calibration.spacing == pytest.approx((0.5, 0.5))
    assert (image.calibration.frame_time, image.calibration.time_unit) == (0.05, "s")


def test_planar_colour_is_last(tmp_path):
    colour = np.stack([PLANE, PLANE // 2, PLANE // 3])
    tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb", planarconfig="separate")
    image = open_image(tmp_path / "a.tif")
    assert sorted(image.axes) == ["c", "x", "y"]
    np.testing.assert_array_equal(image.read(c=1), PLANE // 2)


def test_values_that_are_no_pixels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", (PLANE + 1j).astype(np.complex64))
    with pytest.raises(ImageError, match=r"a\.tif"):
        open_image(tmp_path / "a.tif")

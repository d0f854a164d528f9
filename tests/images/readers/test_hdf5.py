"""HDF5: what its kinds say of their axes, a choice of data set, and links that lead out."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.open import list_parts, open_image, open_lazily
from napari_defectseg.images.parts import PartNeeded

RAMP = np.arange(3 * 6 * 8, dtype=np.uint16).reshape(3, 6, 8)


@pytest.fixture
def made(tmp_path):
    """Return a function that writes a file by one that fills it, and gives its path."""

    def make(fill, name="a.h5", **options):
        path = tmp_path / name
        with h5py.File(path, "w", **options) as file:
            fill(file)
        return path

    return make


def test_the_only_image_is_taken(made):
    def fill(file):
        file["exchange/data"] = RAMP
        file["exchange/theta"] = np.arange(3.0)
        file["process/name"] = "reconstruction"

    image = open_image(made(fill))
    np.testing.assert_array_equal(image.data, RAMP)
    assert image.axes == ("z", "y", "x")
    assert "exchange/data states no pixel size" in image.calibration.source


def test_several_images_are_a_question_that_says_how_to_answer(made):
    def fill(file):
        file["a"], file["b"] = RAMP, RAMP + 1

    path = made(fill)
    with pytest.raises(PartNeeded, match=r"a \(3 × 6 × 8, uint16\); b .*a\.h5::a"):
        open_image(path)
    np.testing.assert_array_equal(open_image(f"{path}::b").data, RAMP + 1)
    with pytest.raises(ImageError, match="no image called 'c'"):
        open_image(path, part="c")


def test_the_element_size_of_imagej_is_read(made):
    def fill(file):
        file["volume"] = RAMP
        file["volume"].attrs["element_size_um"] = [2.0, 0.5, 0.5]

    assert open_image(made(fill)).calibration.to("µm").spacing == (2.0, 0.5, 0.5)


def nexus(file, *, default=False):
    for name in ("raw", "clean"):
        group = file.create_group(f"entry/{name}")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["frame", "y", "x"]})
        group["data"] = RAMP
        for axis, step, unit in (("y", 0.2, "um"), ("x", 0.2, "um"), ("frame", 5.0, "ms")):
            length = dict(zip(("frame", "y", "x"), RAMP.shape, strict=True))[axis]
            group[axis] = np.arange(length) * step
            group[axis].attrs["units"] = unit
    file["entry"].attrs["NX_class"] = "NXentry"
    if default:
        file.attrs["default"] = "entry"
        file["entry"].attrs["default"] = "clean"


def test_nexus_default_signal_axes_and_frame_time(made):
    image = open_image(made(lambda file: nexus(file, default=True), "scan.nxs"))
    assert image.origin.part == "entry/clean/data"
    assert image.axes == ("t", "y", "x")
    assert image.calibration.to("µm").spacing == pytest.approx((0.2, 0.2))
    assert (image.calibration.frame_time, image.calibration.time_unit) == (5.0, "ms")
    assert "NeXus" in image.calibration.source


def test_nexus_without_default_asks(made):
    path = made(nexus)
    with pytest.raises(PartNeeded, match="entry/raw/data"):
        open_image(path)


def test_nexus_signals_may_be_links_inside_the_file(made):
    def fill(file):
        file["entry/detector/frames"] = RAMP
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data"})
        group["data"] = h5py.SoftLink("/entry/detector/frames")

    np.testing.assert_array_equal(open_image(made(fill)).data, RAMP)


def test_uneven_axes_have_no_step(made):
    def fill(file):
        group = file.create_group("d")
        group.attrs.update({"NX_class": "NXdata", "signal": "s", "axes": ["y", "x"]})
        group["s"] = RAMP[0]
        for name, length in (("y", 6), ("x", 8)):
            group[name] = np.arange(length) ** 2.0
            group[name].attrs["units"] = "nm"

    assert not open_image(made(fill)).calibration.calibrated


def test_berkeley_emd_units_in_brackets(made):
    def fill(file):
        group = file.create_group("data/tomogram")
        group.attrs["emd_group_type"] = 1
        group["data"] = RAMP
        for number, length in enumerate(RAMP.shape, 1):
            group[f"dim{number}"] = np.arange(length) * 0.5
            group[f"dim{number}"].attrs.update({"name": "zyx"[number - 1], "units": "[n_m]"})

    image = open_image(made(fill, "a.emd"))
    assert image.axes == ("z", "y", "x")
    assert image.calibration.spacing == (0.5, 0.5, 0.5)
    assert image.calibration.unit == "nm"
    np.testing.assert_array_equal(image.data, RAMP)


def velox(file, count):
    for index in range(count):
        group = file.create_group(f"Data/Image/{index:032x}")
        group["Data"] = RAMP.transpose(1, 2, 0)
        record = {
            "BinaryResult": {
                "Detector": f"HAADF{index}",
                "PixelSize": {"width": "2e-10", "height": "2e-10"},
                "PixelUnitX": "m",
                "PixelUnitY": "m",
            },
            "Scan": {"FrameTime": "1.5"},
        }
        text = json.dumps(record).encode().ljust(2000, b"\x00")
        group["Metadata"] = np.tile(np.frombuffer(text, np.uint8)[:, None], (1, 3))


def test_velox_frames_come_first_and_detectors_are_named(made):
    path = made(lambda file: velox(file, 2), "scan.emd")
    with pytest.raises(PartNeeded, match=r"HAADF0.*HAADF1"):
        open_image(path)
    image = open_lazily(path, part="1")
    assert image.axes == ("t", "y", "x")
    np.testing.assert_array_equal(np.asarray(image.data), RAMP)
    np.testing.assert_array_equal(image.data[1, ::2, 3], RAMP[1, ::2, 3])
    assert image.calibration.to("nm").spacing == pytest.approx((0.2, 0.2))
    assert image.calibration.frame_time == 1.5


def test_dm5_thumbnails_are_passed_over(made):
    def fill(file):
        for index, values in enumerate((RAMP[0, :3, :4], RAMP[0])):
            file[f"ImageList/[{index}]/ImageData/Data"] = values
        file.create_group("Thumbnails/[0]").attrs["ImageIndex"] = 0
        for number in (0, 1):
            tags = file.create_group(f"ImageList/[1]/ImageData/Calibrations/Dimension/[{number}]")
            tags.attrs.update({"Scale": 0.3, "Units": np.bytes_("nm")})

    image = open_image(made(fill, "a.dm5"))
    np.testing.assert_array_equal(image.data, RAMP[0])
    assert image.calibration.spacing == pytest.approx((0.3, 0.3))


def test_hyperspy_navigation_makes_a_scan(made):
    def fill(file):
        file["Experiments/scan/data"] = np.zeros((4, 5, 6, 6), np.uint8)
        for number in range(4):
            axis = file.create_group(f"Experiments/scan/axis-{number}")
            axis.attrs.update({"name": "yx"[number % 2], "navigate": number < 2, "scale": 1.0})

    with pytest.raises(ImageError, match="scan of 4 × 5 places with 6 × 6 values"):
        open_image(made(fill, "a.hspy"))


def test_links_out_of_the_file_are_named_not_followed(made, tmp_path):
    made(lambda file: file.create_dataset("secret", data=RAMP), "other.h5")

    def fill(file):
        file["entry/data"] = h5py.ExternalLink("other.h5", "/secret")

    path = made(fill)
    with pytest.raises(ImageError, match=r"a\.h5 .*entry/data is a link to another file, other"):
        open_image(path)
    with pytest.raises(ImageError):
        open_image(path, part="entry/data")


def test_pixels_stored_outside_are_refused(made, tmp_path):
    (tmp_path / "pixels.raw").write_bytes(RAMP.tobytes())

    def fill(file):
        outside = [(str(tmp_path / "pixels.raw"), 0, RAMP.nbytes)]
        file.create_dataset("data", RAMP.shape, RAMP.dtype, external=outside)

    with pytest.raises(ImageError, match=r"in another file: .*pixels\.raw"):
        open_image(made(fill))


def test_virtual_data_sets_need_their_files(made, tmp_path):
    source = made(lambda file: file.create_dataset("data", data=RAMP), "part.h5")
    layout = h5py.VirtualLayout(RAMP.shape, RAMP.dtype)
    layout[...] = h5py.VirtualSource("part.h5", "data", RAMP.shape)
    path = made(lambda file: file.create_virtual_dataset("whole", layout), "master.h5")
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    source.unlink()
    with pytest.raises(ImageError, match=r"from part\.h5, which is not beside it"):
        open_image(path)


def test_a_file_without_an_image_says_so(made):
    def fill(file):
        file["energy"] = np.arange(2048.0)
        file["names"] = np.array([[b"a", b"b"], [b"c", b"d"]])

    with pytest.raises(ImageError, match=r"without a data set that could be an image \(2 data"):
        open_image(made(fill))


def test_hard_links_in_a_circle_end(made):
    def fill(file):
        group = file.create_group("a")
        group["back"] = file["/"]
        group["data"] = RAMP
        file["again"] = group["data"]

    assert len(list_parts(made(fill))) == 1


def test_a_user_block_is_passed_over(made):
    path = made(lambda file: file.create_dataset("d", data=RAMP), "a.mat", userblock_size=512)
    np.testing.assert_array_equal(open_image(path).data, RAMP)

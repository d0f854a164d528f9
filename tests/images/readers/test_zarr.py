"""OME-Zarr of all versions, bare arrays, and what our writer leaves behind."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.open import list_parts, open_image, open_lazily
from napari_defectseg.images.parts import PartNeeded
from napari_defectseg.images.save import save_array, save_image
from napari_defectseg.images.store import create_store, finish_store

RAMP = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(2, 6, 8)


def dataset(scale):
    return {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}


def axes(*pairs):
    kinds = {"t": "time", "c": "channel"}
    return [
        {"name": name, "type": kinds.get(name, "space"), **({"unit": unit} if unit else {})}
        for name, unit in pairs
    ]


def store(folder, attributes, form, arrays):
    group = zarr.open_group(folder, mode="w", zarr_format=form)
    for name, values in arrays.items():
        group.create_array(name, data=values)
    group.attrs.update(attributes)
    return folder


def test_version_05_on_zarr_3(tmp_path):
    entry = {
        "axes": axes(("z", "micrometer"), ("y", "nanometer"), ("x", "nanometer")),
        "datasets": [dataset([0.1, 25.0, 25.0])],
        "name": "pores",
    }
    ome = {"ome": {"version": "0.5", "multiscales": [entry]}}
    image = open_image(store(tmp_path / "a.ome.zarr", ome, 3, {"0": RAMP}))
    np.testing.assert_array_equal(image.data, RAMP)
    assert image.axes == ("z", "y", "x")
    assert image.calibration.to("nm").spacing == pytest.approx((100.0, 25.0, 25.0))
    assert image.name == "pores"
    assert image.origin.details == {"format": "OME-Zarr 0.5"}


def test_version_04_multiplies_both_scales_and_reads_frame_times(tmp_path):
    entry = {
        "version": "0.4",
        "axes": axes(("t", "millisecond"), ("y", "nanometer"), ("x", "nanometer")),
        "datasets": [dataset([1.0, 0.5, 0.5])],
        "coordinateTransformations": [{"type": "scale", "scale": [20.0, 2.0, 2.0]}],
    }
    image = open_image(store(tmp_path / "a.zarr", {"multiscales": [entry]}, 2, {"0": RAMP}))
    assert image.axes == ("t", "y", "x")
    assert image.calibration.spacing == (1.0, 1.0)
    assert (image.calibration.frame_time, image.calibration.time_unit) == (20.0, "ms")


def test_version_03_names_axes_without_a_size(tmp_path):
    entry = {"version": "0.3", "axes": ["c", "y", "x"], "datasets": [{"path": "0"}]}
    image = open_image(store(tmp_path / "a.zarr", {"multiscales": [entry]}, 2, {"0": RAMP}))
    assert image.axes == ("c", "y", "x")
    assert not image.calibration.calibrated


def test_a_scale_without_unit_is_no_length(tmp_path):
    entry = {
        "axes": axes(("z", ""), ("y", ""), ("x", "")),
        "datasets": [dataset([1.0, 1.0, 1.0])],
    }
    image = open_image(store(tmp_path / "a.zarr", {"multiscales": [entry]}, 2, {"0": RAMP}))
    assert image.calibration.spacing == (None, None, None)


def test_labels_are_opened_only_when_named(tmp_path):
    entry = {"axes": axes(("z", ""), ("y", ""), ("x", "")), "datasets": [{"path": "0"}]}
    path = store(tmp_path / "a.zarr", {"multiscales": [entry]}, 2, {"0": RAMP})
    labels = zarr.open_group(path / "labels" / "pores", mode="w", zarr_format=2)
    labels.create_array("0", data=RAMP % 2)
    labels.attrs["multiscales"] = [entry]
    zarr.open_group(path / "labels", mode="a", zarr_format=2)
    np.testing.assert_array_equal(open_image(path).data, RAMP)
    assert [part.name for part in list_parts(path)] == ["a", "labels/pores"]
    np.testing.assert_array_equal(open_image(f"{path}::labels/pores").data, RAMP % 2)


def test_several_images_are_a_question(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    for name in ("first", "second"):
        group.create_array(name, data=RAMP)
    with pytest.raises(PartNeeded, match=r"first \(2 × 6 × 8, uint16"):
        open_image(tmp_path / "a.zarr")
    assert open_image(tmp_path / "a.zarr", part="second").name == "a"


@pytest.mark.parametrize("form", [2, 3])
def test_bare_arrays_are_opened(tmp_path, form):
    zarr.create_array(tmp_path / "a.zarr", data=RAMP, zarr_format=form)
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr").data, RAMP)
    assert open_image(tmp_path / "a.zarr", axes="tyx").axes == ("t", "y", "x")


def test_a_store_of_scores_is_opened_with_its_pixel_size(tmp_path):
    known = {"axes": ["c", "y", "x"], "pixel_size": [0.4, 0.4], "unit": "nm"}
    array = create_store(tmp_path / "scores.zarr", RAMP.shape, "float32", attributes=known)
    array[...] = RAMP
    finish_store(array)
    image = open_image(tmp_path / "scores.zarr")
    assert image.axes == ("c", "y", "x")
    assert image.calibration.spacing == (0.4, 0.4)


def test_large_images_get_coarser_levels_of_means(tmp_path):
    plane = np.random.default_rng(1).integers(0, 200, (1030, 700)).astype(np.uint8)
    image = CalibratedImage(plane, ("y", "x"), Calibration((0.4, 0.4), "nm"), "steel")
    again = open_lazily(save_image(image, tmp_path / "a.ome.zarr"))
    assert isinstance(again.data, LazyArray)
    assert [level.shape for level in again.levels] == [(515, 350), (258, 175)]
    coarse = np.asarray(again.levels[0])
    expected = np.rint(plane.reshape(515, 2, 350, 2).mean(axis=(1, 3)))
    np.testing.assert_array_equal(coarse, expected.astype(np.uint8))
    again.data[1000:1030, 690:]


def test_coarser_levels_of_masks_have_only_their_classes(tmp_path):
    mask = np.random.default_rng(1).choice(np.array([0, 7], np.uint8), (600, 600))
    calibration = Calibration((0.4, 0.4), "nm")
    path = save_array(
        mask, tmp_path / "m.zarr", axes="yx", calibration=calibration, colours={7: "#ff8800"}
    )
    image = open_image(path)
    assert set(np.unique(image.levels[0])) == {0, 7}
    attributes = json.loads((path / ".zattrs").read_text())
    assert attributes["image-label"]["colors"] == [{"label-value": 7, "rgba": [255, 136, 0, 255]}]


def test_what_we_write_is_what_the_format_says(tmp_path):
    """Axis types, units in words, one scale a level, as version 0.4 asks."""
    calibration = Calibration((1.5, 1.5), "µm", frame_time=20.0, time_unit="µs")
    image = CalibratedImage(RAMP, ("t", "y", "x"), calibration, "melt pool")
    path = save_image(image, tmp_path / "a.ome.zarr")
    (entry,) = json.loads((path / ".zattrs").read_text())["multiscales"]
    assert entry["version"] == "0.4"
    assert entry["axes"] == [
        {"name": "t", "type": "time", "unit": "microsecond"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    assert entry["datasets"][0]["coordinateTransformations"] == [
        {"type": "scale", "scale": [20.0, 1.5, 1.5]}
    ]


def test_a_store_without_its_hidden_files_is_explained(tmp_path):
    (tmp_path / "a.zarr" / "0").mkdir(parents=True)
    (tmp_path / "a.zarr" / "0" / "0.0").write_bytes(b"\x00" * 64)
    with pytest.raises(ImageError, match=r"a\.zarr is a zarr store without an image.*hidden"):
        open_image(tmp_path / "a.zarr")

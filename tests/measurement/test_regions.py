"""Every column equals scikit-image's, in 2D and 3D, on any pixel size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import regionprops_table

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

SHARED = (
    "label", "num_pixels", "area", "equivalent_diameter_area", "centroid", "bbox",
    "axis_major_length", "axis_minor_length", "intensity_mean", "intensity_std",
    "intensity_min", "intensity_max",
)  # fmt: skip


@st.composite
def scenes(draw):
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=2, max_side=12))
    labels = draw(hnp.arrays(np.int32, shape, elements=st.integers(0, 4), fill=st.just(0)))
    labels = labels * draw(st.sampled_from([1, 3]))
    image = draw(hnp.arrays(np.uint16, shape, elements=st.integers(0, 65535)))
    spacing = tuple(draw(st.floats(0.05, 40.0)) for _ in range(ndim))
    return labels, image, spacing


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_columns_equal_scikit_image(scene):
    labels, image, spacing = scene
    table = measure_regions(labels, image=image, spacing=spacing, unit="nm")
    truth = regionprops_table(labels, image, properties=SHARED, spacing=spacing)
    size = max(step * n for step, n in zip(spacing, labels.shape, strict=True))
    for name, expected in truth.items():
        # Lengths are roots of variances, and so are the rounding errors of flat objects.
        close = 1e-6 * size if "axis" in name else 1e-9
        np.testing.assert_allclose(table[name], expected, rtol=1e-7, atol=close, err_msg=name)


@settings(max_examples=80, deadline=None)
@given(scenes())
def test_orientation_equals_scikit_image_where_it_has_a_meaning(scene):
    labels, _, spacing = scene
    if labels.ndim == 3:
        assert "orientation" not in measure_regions(labels, spacing=spacing, unit="nm")
        return
    table = measure_regions(labels, spacing=spacing, unit="nm")
    truth = regionprops_table(labels, properties=("orientation",), spacing=spacing)
    clear = table["axis_major_length"] > 1.001 * table["axis_minor_length"]
    apart = np.abs(np.sin(table["orientation"] - truth["orientation"]))
    assert np.all(apart[clear] < 1e-6)
    assert table.column("orientation").unit == "rad"


def test_a_large_object_far_from_the_origin_keeps_its_digits():
    labels = np.zeros((40, 20_000), np.int32)
    labels[10:30, 15_000:19_000] = 1
    table = measure_regions(labels)
    # Variance of 4000 equally spaced positions: (n² - 1) / 12.
    assert table["axis_major_length"][0] == pytest.approx(
        4 * np.sqrt((4000**2 - 1) / 12), rel=1e-13
    )


def test_units_are_those_of_the_pixel_size():
    table = measure_regions(np.ones((4, 4, 4), np.int32), spacing=(2, 1, 1), unit="um")
    assert table.heading("area") == "area [µm³]"
    assert table.heading("equivalent_diameter_area") == "equivalent_diameter_area [µm]"
    assert table.heading("centroid-0") == "centroid-0 [µm]"
    assert table.heading("bbox-5") == "bbox-5 [px]"
    assert table.heading("aspect") == "aspect"
    assert table["area"].tolist() == [128.0]


def test_no_pixel_size_means_px_and_says_so():
    table = measure_regions(np.ones((4, 4), np.int32))
    assert table.heading("area") == "area [px²]"
    assert any("in px" in note for note in table.warnings)


@pytest.mark.parametrize("ndim", [2, 3])
def test_nothing_there_gives_an_empty_table_of_the_right_types(ndim):
    full = measure_regions(np.ones((3,) * ndim, np.int32), image=np.ones((3,) * ndim))
    empty = measure_regions(np.zeros((3,) * ndim, np.int32), image=np.ones((3,) * ndim))
    assert len(empty) == 0
    assert empty.names == full.names
    assert {n: empty[n].dtype for n in empty.names} == {n: full[n].dtype for n in full.names}


def test_single_pixels_and_lines():
    labels = np.zeros((9, 9), np.int32)
    labels[1, 1] = 1
    labels[3, 2:7] = 2
    labels[range(4, 9), range(4, 9)] = 3
    table = measure_regions(labels)
    assert table["axis_major_length"][0] == 0
    assert table["axis_minor_length"].tolist() == [0, 0, 0]
    assert np.isnan(table["aspect"]).all()
    assert table["axis_major_length"][1] == pytest.approx(4 * np.sqrt(2))
    assert table["equivalent_diameter_area"][0] == pytest.approx(2 / np.sqrt(np.pi))


def test_numbers_with_gaps_and_huge_numbers_are_kept():
    labels = np.zeros((5, 5), np.int64)
    labels[0, 0], labels[2, 2], labels[4, 4] = 7, 3_000_000_000, 70_000
    table = measure_regions(labels)
    assert table["label"].tolist() == [7, 70_000, 3_000_000_000]
    assert table["centroid-0"].tolist() == [0, 4, 2]


def test_class_masks_are_labelled_first():
    mask = np.zeros((6, 9), np.uint8)
    mask[1:3, 1:3] = 1
    mask[1:3, 3:5] = 2
    mask[4:, 6:] = 1
    table = measure_regions(mask, classes=ClassMap.of(["void", "precipitate"]))
    assert table["class"].tolist() == ["void", "precipitate", "void"]
    assert table["num_pixels"].tolist() == [4, 4, 6]
    assert measure_regions(mask > 0)["num_pixels"].tolist() == [8, 6]


def test_classes_of_numbered_objects():
    labels = np.array([[1, 1, 0, 5]], np.int32)
    classes = ClassMap.of(["void", "loop"])
    table = measure_regions(labels, classes=classes, object_classes={1: 2, 5: 1})
    assert table["class"].tolist() == ["loop", "void"]
    with pytest.raises(MeasurementError, match="which object is of which class"):
        measure_regions(labels, classes=classes)


def test_unlabelled_pixels_are_not_counted():
    mask = np.ones((4, 5), np.uint8)
    mask[:, 3:] = 255
    table = measure_regions(mask, classes=ClassMap.of(["void"]))
    assert table["num_pixels"].tolist() == [12]
    assert table.region.pixels == 12
    assert table["touches_border"].tolist() == [True]


def test_a_mask_of_0_and_255_alone_is_a_mask_and_says_so():
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 1:3] = 255
    table = measure_regions(mask)
    assert table["num_pixels"].tolist() == [4]
    assert any("255" in note for note in table.warnings)


def test_a_value_that_is_no_class_is_said():
    with pytest.raises(MeasurementError, match="value 7"):
        measure_regions(np.full((2, 2), 7, np.uint8), classes=ClassMap.of(["void"]))


def test_frames_are_rows():
    labels = np.zeros((3, 4, 4), np.int32)
    labels[0, :2, :2] = 2
    labels[1, 0, 0] = 2
    labels[1, 3, 3] = 1
    grey = np.arange(48.0).reshape(3, 4, 4)
    table = measure_regions(labels, image=grey, spacing=(2.0, 2.0), unit="nm")
    assert table["frame"].tolist() == [0, 1, 1]
    assert table["label"].tolist() == [2, 1, 2]
    assert table["area"].tolist() == [16.0, 4.0, 4.0]
    assert table["intensity_mean"].tolist() == [2.5, 31.0, 16.0]
    assert table.region.frames == 3


def labelmap_of_two_planes():
    planes = (np.zeros((5, 6), np.int32), np.zeros((5, 6), np.int32))
    planes[0][1:4, 1:4] = 1
    planes[1][2:5, 2:5] = 2
    classes = ClassMap.of(["void", "loop"], exclusive=False)
    return LabelMap(planes, {1: 1, 2: 2}, classes, ("y", "x"), Calibration.of((0.5, 0.5), "nm"))


def test_overlapping_classes_are_measured_each_in_its_plane():
    table = measure_regions(labelmap_of_two_planes())
    assert table["class"].tolist() == ["void", "loop"]
    assert table["area"].tolist() == [2.25, 2.25]
    stacked = np.stack([plane > 0 for plane in labelmap_of_two_planes().planes])
    bare = measure_regions(
        stacked, classes=ClassMap.of(["void", "loop"], exclusive=False), spacing=0.5, unit="nm"
    )
    assert bare["area"].tolist() == [2.25, 2.25]


def test_score_of_the_own_class_with_and_without_a_background_channel():
    labels = np.array([[1, 1, 0, 2]], np.int32)
    classes = ClassMap.of(["void", "loop"])
    scores = np.array([[[0.5, 0.7, 0.1, 0.2]], [[0.1, 0.1, 0.1, 0.9]]], np.float32)
    both = [scores, np.concatenate([np.zeros((1, 1, 4), np.float32), scores])]
    for given_scores in both:
        table = measure_regions(
            labels, classes=classes, object_classes={1: 1, 2: 2}, scores=given_scores
        )
        np.testing.assert_allclose(table["mean_score"], [0.6, 0.9], rtol=1e-6)
    with pytest.raises(MeasurementError, match="scores have the shape"):
        measure_regions(labels, scores=np.zeros((3, 1, 4)))


def test_colours_become_luminance():
    labels = np.ones((2, 2), np.int32)
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 1] = 100
    assert measure_regions(labels, image=image)["intensity_mean"][0] == pytest.approx(71.54)


def test_pixel_size_comes_from_the_image():
    image = CalibratedImage.from_array(
        np.ones((4, 4)), calibration=Calibration.of((3.2, 3.2), "nm")
    )
    table = measure_regions(np.ones((4, 4), bool), image=image)
    assert table["area"][0] == pytest.approx(16 * 3.2**2)
    assert table.heading("area") == "area [nm²]"


def test_only_what_lies_in_the_region_is_counted():
    labels = np.zeros((8, 8), np.int32)
    labels[2:6, 1:5] = 1
    labels[6:8, 6:8] = 2
    roi = np.zeros((8, 8), bool)
    roi[:, :4] = True
    table = measure_regions(labels, space=ReferenceSpace((8, 8), roi=roi))
    assert table["label"].tolist() == [1]
    assert table["num_pixels"].tolist() == [12]
    assert table["touches_border"].tolist() == [True]
    assert table.region.pixels == 32


def test_border_objects_are_left_out_where_wanted():
    labels = np.zeros((8, 8), np.int32)
    labels[0:2, 3:5] = 1
    labels[4:6, 3:5] = 2
    kept = measure_regions(labels, settings=MeasureSettings(border="exclude"))
    assert kept["label"].tolist() == [2]
    assert kept.region.border_objects == {"": 1}
    assert measure_regions(labels)["touches_border"].tolist() == [True, False]


def test_small_objects_are_noise():
    labels = np.array([[1, 0, 2, 2]], np.int32)
    table = measure_regions(labels, settings=MeasureSettings(min_size=2))
    assert table["label"].tolist() == [2]
    assert table.region.too_small == 1


def test_a_grey_value_that_is_no_number_is_said():
    image = np.ones((2, 3))
    image[0, 0] = np.nan
    table = measure_regions(np.array([[1, 1, 0], [0, 0, 2]], np.int32), image=image)
    assert np.isnan(table["intensity_mean"]).tolist() == [True, False]
    assert np.isnan(table["intensity_max"]).tolist() == [True, False]
    assert any("without a grey value" in note for note in table.warnings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"labels": np.zeros((3, 3), np.float32)}, "whole numbers"),
        ({"labels": np.full((3, 3), -1)}, "0 or more"),
        ({"labels": np.zeros(3, np.int32)}, "do not fit"),
        ({"labels": np.zeros((3, 3), np.int32), "image": np.zeros((3, 4))}, "image has the shape"),
        ({"labels": np.zeros((3, 3), np.int32), "spacing": (2.0, 2.0)}, "no unit"),
        ({"labels": np.zeros((3, 3), np.int32), "spacing": (1, 2), "unit": "kg"}, "kg"),
        ({"labels": np.zeros((3, 3), np.int32), "spacing": (1, 0), "unit": "nm"}, "positive"),
        (
            {
                "labels": np.zeros((3, 3), np.int32),
                "space": ReferenceSpace((2, 2), roi=np.ones((2, 2), bool)),
            },
            "region that is counted",
        ),
    ],
)
def test_what_does_not_fit_is_said(arguments, words):
    labels = arguments.pop("labels")
    with pytest.raises(DefectSegError, match=words):
        measure_regions(labels, **arguments)


def test_many_objects_are_measured_without_loops_over_them():
    labels = np.zeros((600, 600), np.int32)
    labels[::2, ::2] = np.arange(1, 90_001).reshape(300, 300)
    table = measure_regions(labels, image=labels.astype(np.float32))
    assert len(table) == 90_000
    assert np.array_equal(table["intensity_mean"], table["label"])

"""Every column under one of scikit-image's names has scikit-image's values, on any pixel size."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import euler_number, label, regionprops_table

from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

ALL = MeasureSettings(columns=("shape", "surface", "scikit"))
ANY_PIXEL = ("area_bbox", "extent", "inertia_tensor_eigvals", "area_filled", "euler_number")
PLANE = ("eccentricity",)
SQUARE = ("perimeter", "perimeter_crofton")


@st.composite
def scenes(draw, ndims=(2, 3), square=False):
    ndim = draw(st.sampled_from(ndims))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=2, max_side=11))
    labels = draw(hnp.arrays(np.int32, shape, elements=st.integers(0, 3), fill=st.just(0)))
    if square:
        return labels, (draw(st.floats(0.05, 40.0)),) * ndim
    return labels, tuple(draw(st.floats(0.05, 40.0)) for _ in range(ndim))


def compare(labels, spacing, names):
    table = measure_regions(labels, spacing=spacing, unit="nm", settings=ALL)
    truth = regionprops_table(labels, properties=names, spacing=spacing)
    size = max(step * n for step, n in zip(spacing, labels.shape, strict=True))
    for name, expected in truth.items():
        close = 1e-9 * size**2 if "inertia" in name else 1e-7 if name == "eccentricity" else 1e-9
        np.testing.assert_allclose(table[name], expected, rtol=1e-7, atol=close, err_msg=name)


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_sizes_topology_and_inertia(scene):
    labels, spacing = scene
    compare(labels, spacing, ANY_PIXEL)


@settings(max_examples=60, deadline=None)
@given(scenes(ndims=(2,)))
def test_eccentricity(scene):
    labels, spacing = scene
    table = measure_regions(labels, spacing=spacing, unit="nm", settings=ALL)
    truth = regionprops_table(labels, properties=("eccentricity",), spacing=spacing)
    # The root of a rounding error is large: their squares are compared.
    np.testing.assert_allclose(
        table["eccentricity"] ** 2, truth["eccentricity"] ** 2, rtol=1e-9, atol=1e-9
    )


@settings(max_examples=80, deadline=None)
@given(scenes(ndims=(2,), square=True))
def test_perimeters_on_square_pixels(scene):
    labels, spacing = scene
    compare(labels, spacing, SQUARE)


def blobs(ndim: int, seed: int) -> np.ndarray:
    """Return smooth objects of all sizes, none of them flat."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(48,) * ndim), 1.7)
    found = label(field > 1.4 * field.std(), connectivity=ndim).astype(np.int32)
    sizes = np.bincount(found.ravel())
    found[sizes[found] < 30] = 0
    return found


@pytest.mark.parametrize("ndim", [2, 3])
def test_convex_hull_and_feret_diameter(ndim):
    labels, spacing = blobs(ndim, 2), (0.4, 0.7, 1.3)[:ndim]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(labels, spacing, ("area_convex", "solidity", "feret_diameter_max"))


def test_what_scikit_image_refuses_is_not_a_number():
    """One voxel has no hull, and a perimeter needs square pixels."""
    labels = np.zeros((4, 4, 4), np.int32)
    labels[1, 1, 1] = 1
    table = measure_regions(labels, settings=ALL)
    for name in ("area_convex", "solidity", "feret_diameter_max"):
        assert np.isnan(table[name]).all()
    oblong = measure_regions(labels[1], spacing=(1, 2), unit="nm", settings=ALL)
    assert np.isnan(oblong["perimeter"]).all()
    assert np.isfinite(oblong["perimeter_crofton"]).all()


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=8)))
def test_euler_number_of_face_neighbours(mask):
    if not mask.any():
        return
    table = measure_regions(mask.astype(np.int32), settings=ALL)
    assert table["euler_number_faces"].tolist() == [euler_number(mask, 1)]
    assert table["euler_number"].tolist() == [euler_number(mask, mask.ndim)]

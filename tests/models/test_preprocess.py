"""Preprocessing: the same straight line for every block of an image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from napari_defectseg.core.errors import ImageError
from napari_defectseg.models.preprocess import Invert, Normalise, fit_chain, scope_of

IMAGES = arrays.arrays(
    st.sampled_from([np.uint8, np.uint16, np.int16]), st.tuples(*[st.integers(2, 12)] * 2)
).map(lambda a: a[None])
METHODS = st.sampled_from(["zscore", "percentile", "minmax", "divide"])


@given(image=IMAGES, method=METHODS, cut=st.integers(1, 11))
def test_a_block_gets_the_numbers_of_the_whole(image, method, cut) -> None:
    chain = fit_chain((Normalise(method=method), Invert()), image)
    whole = chain.apply(image)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(chain.apply(image[:, :cut]), whole[:, :cut])


@given(image=IMAGES)
def test_each_method_does_what_its_name_says(image) -> None:
    flat = image.min() == image.max()
    zscore = fit_chain((Normalise(method="zscore"),), image).apply(image).astype(float)
    assert abs(zscore.mean()) < 1e-3
    assert zscore.std() == pytest.approx(0 if flat else 1, abs=1e-3)
    unit = fit_chain((Normalise(method="minmax"),), image).apply(image)
    assert unit.min() == 0
    assert unit.max() == (0 if flat else 1)
    low, high = np.percentile(image, (5, 90))
    found = Normalise(low=5.0, high=90.0).fit(image)
    assert found.offset[0] == pytest.approx(low)
    if high > low:
        assert found.scale[0] == pytest.approx(high - low)


@given(image=IMAGES, gain=st.integers(1, 3), offset=st.integers(0, 50))
def test_brightness_and_contrast_of_the_camera_do_not_matter(image, gain, offset) -> None:
    other = image.astype(np.int64) * gain + offset
    # Without a spread between its percentiles a picture is flat: only its level is taken off.
    assume(len(set(np.percentile(image, (1, 99)))) == 2)
    for method in ("zscore", "percentile", "minmax"):
        one, two = (
            fit_chain((Normalise(method=method),), part.astype(np.float64)).apply(part)
            for part in (image, other)
        )
        np.testing.assert_allclose(one, two, atol=2e-3)


def test_division_by_the_largest_value_of_the_type() -> None:
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.bool_, 1)):
        assert Normalise(method="divide").fit(np.zeros((1, 2), dtype)).scale == (most,)
    assert Normalise(method="divide", high=4095.0).fit(np.zeros((1, 2))).scale == (4095.0,)


def test_constants_and_channels_have_values_of_their_own() -> None:
    image = np.stack([np.full((2, 2), 10.0), np.full((2, 2), 30.0)])
    step = Normalise(method="zscore", scope="constant", low=(10.0, 20.0), high=(1.0, 5.0))
    assert step.fit(image).apply(image)[:, 0, 0].tolist() == [0, 2]
    unit = Normalise(method="minmax", scope="constant", low=10.0, high=20.0, clip=True)
    assert unit.fit(image).apply(image)[:, 0, 0].tolist() == [0, 1]
    image[0, 0, 0], image[1, 0, 0] = 12, 50
    own = Normalise(method="minmax", per_channel=True).fit(image)
    assert (own.offset, own.scale) == ((10, 30), (2, 20))


def test_values_that_are_not_finite_are_left_out_of_the_measure() -> None:
    image = np.array([[[1.0, 3.0, np.nan, np.inf]]])
    assert Normalise(method="minmax").fit(image).scale == (2.0,)
    with pytest.raises(ImageError, match="no finite value"):
        Normalise().fit(np.full((1, 2, 2), np.nan))


def test_large_offsets_lose_no_digits() -> None:
    image = (1e7 + np.arange(4, dtype=np.float64))[None]
    found = fit_chain((Normalise(method="minmax"),), image).apply(image)
    np.testing.assert_allclose(found[0], np.arange(4) / 3, atol=1e-6)


def test_scope_of_several_steps() -> None:
    assert scope_of(()) == "constant"
    assert scope_of((Invert(), Normalise(scope="slice"))) == "slice"
    assert scope_of((Normalise(), Invert())) == "image"


@pytest.mark.parametrize(
    "fields",
    [
        {"low": 50.0, "high": 10.0},
        {"low": (1.0, 2.0)},
        {"method": "minmax", "scope": "constant"},
        {"method": "minmax", "scope": "constant", "low": 2.0, "high": 1.0},
        {"method": "zscore", "scope": "constant", "low": 0.0, "high": 0.0},
        {"method": "divide", "high": 0.0},
        {"method": "median"},
        {"colour": "red"},
    ],
)
def test_steps_that_make_no_sense_are_refused(fields) -> None:
    with pytest.raises(ValidationError):
        Normalise(**fields)

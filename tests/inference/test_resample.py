"""What the network sees on another grid, and how its scores come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.resample import ResampledArray, Resampling
from napari_defectseg.inference.taps import eight_bit, taps
from napari_defectseg.inference.tiling import TilingSettings, plan_tiles

lengths = st.integers(1, 60)


@given(lengths, lengths, st.sampled_from(["cubic", "linear"]), st.booleans())
def test_weights_have_the_sum_one_and_constants_stay(n: int, m: int, kernel: Any, smooth: bool):
    found = taps(n, m, slice(0, m), kernel, smooth=smooth)
    np.testing.assert_allclose(found.weight.sum(axis=1), 1)
    np.testing.assert_allclose(found.apply(np.full((n,), 7.0), 0, 0), 7)


@given(st.integers(2, 40), st.integers(1, 80))
def test_a_ramp_stays_a_ramp_inside(n: int, m: int) -> None:
    """Places of both grids are those of one field: no shift by half a pixel."""
    found = taps(n, m, slice(0, m), "cubic").apply(np.arange(n, dtype=float), 0, 0)
    places = (np.arange(m) + 0.5) * n / m - 0.5
    reach = 2 * max(1.0, n / m) + 1
    inside = (places > reach) & (places < n - 1 - reach)
    # A widened kernel that is sampled is not quite even between its pixels.
    np.testing.assert_allclose(found[inside], places[inside], atol=1e-9 if m >= n else 0.05)


def test_what_is_finer_than_the_new_pixels_does_not_fold_back() -> None:
    """Stripes of two pixels, shrunk to a third: grey, not other stripes."""
    stripes = np.tile([0.0, 100.0], 150)
    smooth = taps(300, 100, slice(0, 100), "cubic").apply(stripes, 0, 0)
    assert np.ptp(smooth[5:-5]) < 3
    assert smooth.mean() == pytest.approx(50, abs=1)
    coarse = taps(300, 100, slice(0, 100), "linear", smooth=False).apply(stripes, 0, 0)
    assert np.ptp(coarse) > 90


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_part_is_what_the_whole_is_there(data: Any) -> None:
    """Any type, any order of axes, integers and slices, plain and smooth."""
    kind = data.draw(st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]))
    shape = tuple(data.draw(st.integers(2, 12)) for _ in range(3))
    values = np.random.default_rng(0).uniform(0, 250, shape).astype(kind)
    target = [data.draw(st.integers(1, 30)) for _ in range(3)]
    seen = data.draw(st.sampled_from([(0, 1), (1, 2), (0, 1, 2)]))
    pairs = tuple((shape[n], target[n]) if n in seen else (0, 0) for n in range(3))
    array = ResampledArray(values, pairs, data.draw(st.booleans()))
    whole = array[...]
    assert whole.shape == array.shape
    assert whole.dtype == kind
    key: list[Any] = []
    for length in array.shape:
        start = data.draw(st.integers(0, length - 1))
        stop = data.draw(st.integers(start + 1, length))
        key.append(start if data.draw(st.booleans()) else slice(start, stop))
    np.testing.assert_allclose(array[tuple(key)], whole[tuple(key)], atol=1e-4)


@given(st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=2, max_size=3),
       st.integers(1, 3), st.booleans())  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_tiles_cover_the_image_once_and_give_what_the_whole_gives(
    pairs: list[tuple[int, int]], grid: int, plain: bool
) -> None:
    source, target = tuple(s for s, _ in pairs), tuple(t for _, t in pairs)
    axes = ("z", "y", "x")[-len(pairs) :]
    both = Resampling(axes, source, target, plain)
    scores = np.random.default_rng(1).uniform(0, 1, (2, *target)).astype(np.float32)
    halo = -(-both.margin // grid) * grid
    plan = plan_tiles(target, grid, halo, TilingSettings(10**9, 1.0, 2 * halo + 2 * grid))
    count = np.zeros(source, int)
    found = np.zeros((2, *source), np.float32)
    padding = [(0, 0), *((0, p - t) for p, t in zip(plan.padded, target, strict=True))]
    padded = np.pad(scores, padding, constant_values=np.nan)
    for tile in plan:
        box, values = both.part(padded[(slice(None), *tile.outer)], tile)
        count[box] += 1
        found[(slice(None), *box)] = values
    assert (count == 1).all()
    everything = tuple(slice(0, n) for n in target)
    whole = both.back(scores, (0,) * len(pairs), everything)
    np.testing.assert_allclose(found, whole, atol=1e-6)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-6


def test_the_seen_image_has_its_own_pixel_size_and_the_others_stay() -> None:
    image = CalibratedImage.from_array(
        np.zeros((5, 40, 60), np.uint8),
        axes="zyx",
        calibration=Calibration.of((7.0, 2.0, 1.0), "nm"),
    )
    seen = Resampling(("y", "x"), (40, 60), (20, 20)).seen(image)
    assert seen.shape == (5, 20, 20)
    assert seen.calibration.steps == (7.0, 4.0, 3.0)
    assert seen.read(z=2, y=slice(3, 9)).shape == (6, 20)


def test_eight_bits_shrink_as_opencv_does(published_page: dict[str, np.ndarray]) -> None:
    """Every grey level of the authors' page, and the same in parts."""
    grey = published_page["gray"]
    for size in (256, 128):
        whole = (slice(0, size), slice(0, size))
        found = eight_bit(grey, (size, size), whole)
        np.testing.assert_array_equal(found, published_page[f"resized{size}"])
        part = (slice(17, 90), slice(40, 41))
        np.testing.assert_array_equal(eight_bit(grey, (size, size), part), found[part])


def test_scores_of_the_authors_come_back_as_on_their_page(
    published_page: dict[str, np.ndarray],
) -> None:
    masks = np.unpackbits(published_page["mask256"], axis=-1).astype(np.float32)
    both = Resampling(("y", "x"), (90, 130), (256, 256), plain=True)
    found = both.back(masks, (0, 0), (slice(0, 256), slice(0, 256)))
    np.testing.assert_allclose(found, published_page["mask_back"], atol=2e-5)

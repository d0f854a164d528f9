"""Intervals of counts, weighted counts, ratios and fields, against the page's cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.intervals import (
    combined_error,
    dispersion,
    effective_number,
    garwood,
    lag_correlation,
    mean_span,
    rate_span,
    ratio_span,
    weighted_count,
    wilson,
)

FIELDS = np.array([12, 7, 19, 9, 14, 5, 21, 11])


@given(st.integers(1, 500), st.floats(0.01, 100))
def test_equal_weights_give_garwood(count, weight):
    low, high = garwood(count)
    assert weighted_count(np.full(count, weight)) == pytest.approx((low * weight, high * weight))


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=40))
def test_the_weighted_interval_holds_its_sum(weights):
    low, high = weighted_count(weights)
    assert 0 <= low < sum(weights) < high


def test_weighted_counts_cover_with_random_sizes():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1000):
        sizes = rng.lognormal(0, 0.4, rng.poisson(25))
        low, high = weighted_count(sizes)
        held += low <= 25 * np.exp(0.08) <= high
    assert held >= 930


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(8, 10, 0.490162, 0.943318), (0, 20, 0, 0.161125), (45, 60, 0.627679, 0.842235)],
)
def test_wilson(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-6)


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(MeasurementError, match="no share"):
        wilson(3, 2)


def test_eight_fields_are_over_dispersed_and_get_students_interval():
    found = dispersion(FIELDS)
    assert found.index == pytest.approx(2.5364, abs=1e-4)
    assert found.p == pytest.approx(0.0132, abs=1e-4)
    assert mean_span(FIELDS) == pytest.approx((7.5899, 16.9101), abs=1e-4)
    assert rate_span(FIELDS) == pytest.approx((7.5899, 16.9101), abs=1e-4)


def test_fields_that_agree_are_never_narrower_than_counting():
    low, high = garwood(50)
    assert rate_span([10] * 5) == pytest.approx((low / 5, high / 5))


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12), st.floats(0.1, 10))
def test_fields_of_one_size_scale_with_it(counts, size):
    sizes = np.full(len(counts), size)
    assert np.array(rate_span(counts, sizes)) * size == pytest.approx(np.array(rate_span(counts)))


def test_dispersion_of_unequal_fields_is_pearsons():
    rng = np.random.default_rng(0)
    sizes = rng.uniform(1, 10, 4000)
    found = dispersion(rng.poisson(5 * sizes), sizes)
    assert found.index == pytest.approx(1, abs=0.1)
    assert dispersion(np.zeros(3)).fields == 3
    with pytest.raises(MeasurementError, match="One field"):
        dispersion([3])


def test_the_ratio_interval_follows_the_bottoms():
    bottoms = np.array([1.0, 2.0, 5.0])
    low, high = ratio_span(3 * bottoms, bottoms)
    assert low == pytest.approx(3)
    assert high == pytest.approx(3)


def test_frames_are_worth_less_the_more_they_resemble_one_another():
    rng = np.random.default_rng(1)
    series = np.zeros(20_000)
    for index in range(1, series.size):
        series[index] = 0.9 * series[index - 1] + rng.normal()
    assert lag_correlation(series) == pytest.approx(0.9, abs=0.01)
    assert effective_number(series) / series.size == pytest.approx(0.053, abs=0.006)
    assert effective_number(np.full(10, 2.0)) == 10


def test_the_worked_error_of_a_foil_density():
    assert combined_error(120, 10 / 85) == pytest.approx(0.14891, abs=1e-5)

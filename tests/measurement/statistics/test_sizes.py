"""Percentiles and means of sizes, with intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.measurement.statistics.fits import log_normal_moments
from napari_defectseg.measurement.statistics.sizes import (
    describe_sizes,
    mean_of,
    median_of,
    std_of,
)


def test_a_log_normal_distribution_in_numbers():
    rng = np.random.default_rng(0)
    found = describe_sizes(rng.lognormal(np.log(10), 0.4, 400_000), unit="nm")
    truth = log_normal_moments(10, 0.4)
    assert found["geometric_mean"].value == pytest.approx(10, rel=0.01)
    assert found["geometric_std"].value == pytest.approx(np.exp(0.4), rel=0.01)
    assert found["geometric_std"].unit == ""
    assert found["d32"].value == pytest.approx(truth["d32"], rel=0.01)
    assert found["d43"].value == pytest.approx(truth["d43"], rel=0.01)
    assert found["d50_by_volume"].value == pytest.approx(truth["volume_median"], rel=0.01)
    assert found["d43"].unit == "nm"


def test_the_moments_of_the_page():
    found = log_normal_moments(10, 0.4)
    assert found == pytest.approx(
        {"mean": 10.832871, "std": 4.512392, "mode": 8.521438, "cube_mean": 12.712491,
         "d32": 14.918247, "d43": 17.506725, "volume_median": 16.160744}, abs=1e-6,
    )  # fmt: skip


def test_the_median_by_number_is_the_usual_one():
    rng = np.random.default_rng(1)
    for count in (7, 8):
        values = rng.uniform(size=count)
        found = describe_sizes(values)["d50_by_number"].value
        assert found == pytest.approx(np.median(values))


def test_the_five_largest_and_nothing():
    found = describe_sizes([1.0] * 95 + [10.0] * 5)
    assert found["share_of_five_largest"].value == pytest.approx(5000 / 5095)
    assert describe_sizes([])["d43"].reason == "there are no objects"


def test_intervals_of_mean_median_and_spread_hold_the_truth():
    rng = np.random.default_rng(2)
    held = np.zeros(3)
    for _ in range(600):
        values = rng.normal(10, 2, 40)
        weights = np.ones(40)
        mean, span = mean_of(values, weights, None)
        assert mean == pytest.approx(values.mean())
        held[0] += span[0] <= 10 <= span[1]
        median, (low, high) = median_of(values)
        assert median == pytest.approx(np.median(values))
        held[1] += low <= 10 <= high
        spread, span = std_of(values, weights, median)
        assert spread == pytest.approx(values.std(ddof=1))
        held[2] += span[0] <= 2 <= span[1]
    assert (held >= [558, 558, 558]).all()
    assert median_of(np.arange(5.0)) == (2.0, None)
    assert median_of(np.array([1.0, 2.0])) == (1.5, None)


def test_fields_widen_the_interval_of_a_mean():
    values = np.repeat([8.0, 12.0, 10.0], 20) + np.tile([-0.1, 0.1], 30)
    fields = np.repeat([0, 1, 2], 20)
    _, alone = mean_of(values, np.ones(60), None)
    _, by_field = mean_of(values, np.ones(60), fields)
    assert by_field[1] - by_field[0] > 3 * (alone[1] - alone[0])

"""Gumbel, peaks over a threshold and criticality, against the page and seeded phantom sets."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.criticality import criticality, stress_intensity
from napari_defectseg.measurement.statistics.exceedances import (
    fit_exceedances,
    mean_excess,
    stability,
)
from napari_defectseg.measurement.statistics.gumbel import (
    fit_gumbel,
    return_level,
    section_block,
)


def test_the_worked_gumbel():
    levels = [return_level(50, 8, t) for t in (2, 10, 100, 1000)]
    assert levels == pytest.approx([52.932103, 68.002939, 86.801194, 105.258041], abs=1e-6)
    x = 50 - 8 * np.log(-np.log(np.arange(1, 21) / 21))
    fit = fit_gumbel(x, unit="µm")
    assert fit.location.value == pytest.approx(50.19426, abs=1e-4)
    assert fit.scale.value == pytest.approx(6.93904, abs=1e-4)
    assert fit.log_likelihood == pytest.approx(-70.25536, abs=5e-5)
    largest = fit.largest(100)
    assert largest.size.value == pytest.approx(return_level(50.19426, 6.93904, 100), abs=1e-3)
    assert largest.size.low < largest.size.value < largest.size.high
    assert any("24" in note for note in largest.warnings)


def test_the_largest_of_a_thousand_exponentials():
    rng = np.random.default_rng(0)
    maxima = rng.exponential(10, (400, 1000)).max(axis=1)
    assert maxima.mean() == pytest.approx(74.854709, rel=0.02)
    fit = fit_gumbel(maxima)
    assert fit.location.value == pytest.approx(69.077553, rel=0.02)
    assert fit.scale.value == pytest.approx(10, rel=0.08)
    assert fit.shape_p > 0.01


def test_two_kinds_of_defects_are_seen():
    rng = np.random.default_rng(1)
    maxima = np.where(rng.uniform(size=200) < 0.1, rng.normal(200, 5, 200), rng.normal(50, 5, 200))
    assert any("two kinds" in note for note in fit_gumbel(maxima).largest(1000).warnings)


def test_far_extrapolation_is_warned_of():
    rng = np.random.default_rng(2)
    fit = fit_gumbel(rng.gumbel(50, 8, 40))
    assert not any("extrapolates" in note for note in fit.largest(1000 * 40).warnings)
    found = fit.largest(2000 * 40)
    assert any("extrapolates to 2e+03" in note for note in found.warnings)
    assert found.factor == pytest.approx(2000)


def test_giants_cut_by_the_frame_are_not_dropped():
    """Censored fits have the true location; dropped or believed giants give too small ones."""
    rng = np.random.default_rng(3)
    with_cut, dropped, believed = [], [], []
    for _ in range(60):
        x = rng.gumbel(50, 8, 60)
        cut = rng.uniform(size=60) < (x - 35) / 80
        seen = np.where(cut, x * rng.uniform(0.7, 1, 60), x)
        with_cut.append(fit_gumbel(seen, cut).largest(1000).size.value)
        dropped.append(fit_gumbel(seen[~cut]).largest(1000).size.value)
        believed.append(fit_gumbel(seen).largest(1000).size.value)
    truth = return_level(50, 8, 1000)
    assert abs(np.mean(with_cut) - truth) < abs(np.mean(dropped) - truth)
    assert np.mean(with_cut) > np.mean(believed)


def test_the_interval_of_the_largest_holds_the_truth_in_200_sets():
    """Gumbel: 30 blocks extrapolated 33 times; at least 90 of 100 hold."""
    rng = np.random.default_rng(4)
    truth, held = return_level(50, 8, 1000), 0
    for _ in range(200):
        size = fit_gumbel(rng.gumbel(50, 8, 30)).largest(1000).size
        held += size.low <= truth <= size.high
    assert held >= 180


@pytest.mark.parametrize("xi", [-0.15, 0.0, 0.15])
def test_the_interval_of_peaks_over_a_threshold_holds_the_truth(xi):
    """Sizes with a Pareto tail, number by Poisson, 67 sets a shape (200 in all)."""
    rng = np.random.default_rng(5)
    sigma, u, rate, volume = 10.0, 20.0, 120, 50.0
    number = rate * volume
    growth = np.log(number) if xi == 0 else (number**xi - 1) / xi
    truth, held = u + sigma * growth, 0
    for _ in range(67):
        count = rng.poisson(rate)
        z = rng.exponential(size=count)
        x = u + sigma * (z if xi == 0 else np.expm1(xi * z) / xi)
        found = fit_exceedances(x, u, 1.0).largest(volume)
        held += found.size.low <= truth <= found.size.high
    assert held >= 61


def test_cut_peaks_are_censored():
    rng = np.random.default_rng(6)
    x = 20 + rng.exponential(10, 4000)
    cut = rng.uniform(size=4000) < np.minimum((x - 15) / 200, 0.5)
    seen = np.where(cut, 20 + (x - 20) * rng.uniform(0, 1, 4000), x)
    right = fit_exceedances(seen, 20, 1.0, cut)
    wrong = fit_exceedances(seen, 20, 1.0)
    assert right.scale.value > wrong.scale.value
    assert np.array_equal(right.excess.size, 4000)


def test_thresholds_are_judged_by_mean_excess_and_stability():
    rng = np.random.default_rng(7)
    x = rng.exponential(10, 5000)
    assert mean_excess(x, [5, 10, 20]) == pytest.approx([10, 10, 10], rel=0.1)
    assert np.isnan(mean_excess(x, [1e9])[0])
    shapes = stability(x, [5.0, 15.0], 1.0)
    assert all(shape.low < 0.05 and shape.high > -0.05 for shape in shapes)


def test_what_is_too_little_is_said():
    with pytest.raises(MeasurementError, match="too few"):
        fit_gumbel([1.0, 2.0])
    with pytest.raises(MeasurementError, match="too few"):
        fit_exceedances(np.arange(8.0), 1.0, 1.0)
    fit = fit_exceedances(np.random.default_rng(0).exponential(size=50), 0.1, 1.0)
    with pytest.raises(MeasurementError, match="larger volume"):
        fit.largest(0.01)
    assert any("extrapolates" in note for note in fit.largest(5000).warnings)
    with pytest.raises(MeasurementError, match="no larger volume"):
        fit_gumbel(np.random.default_rng(0).gumbel(size=30)).largest(1)


def test_a_section_stands_for_a_volume():
    assert section_block(100.0, [2.0, 4.0]) == 300.0


def test_the_worked_stress_intensity():
    assert stress_intensity(50e-6, 500, surface=True) == pytest.approx(4.07327, abs=1e-5)
    assert stress_intensity(50e-6, 500, surface=False) == pytest.approx(3.13329, abs=1e-5)


def test_near_the_surface_and_near_another_is_worse():
    size = [10.0, 12.0, 9.0, 9.0]
    places = [[0, 0, 0], [500, 0, 0], [0, 500, 0], [0, 512, 0]]
    found = criticality(size, places, [2.0, 300.0, 300.0, 300.0])
    assert found.at_surface.tolist() == [True, False, False, False]
    assert found.cluster[2] == found.cluster[3]
    assert found.root_area[2] == pytest.approx(np.sqrt(81 + 81 + 3 * 9))
    assert found.order[0] == 0
    assert found.order.tolist().index(1) > found.order.tolist().index(2)
    assert found.factor[1] == pytest.approx(0.5 * np.sqrt(np.pi * 12))
    plain = criticality(size)
    assert plain.order.tolist() == [1, 0, 2, 3]
    assert criticality([]).order.size == 0
    with pytest.raises(MeasurementError, match="differ in number"):
        criticality(size, places[:2])

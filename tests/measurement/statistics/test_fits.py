"""Truncated fits and their goodness, against the page and drawn sizes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.fits import fit_sizes, quantiles, vuong
from napari_defectseg.measurement.statistics.goodness import goodness

PAGE = (8.2, 8.9, 9.6, 10.4, 11.1, 12, 13.1, 14.5, 16.8, 21)


def test_the_worked_truncated_fit():
    fit = fit_sizes(PAGE, limit=8.0)
    assert fit.parameters["mu"].value == pytest.approx(2.30421, abs=2e-5)
    assert fit.parameters["sigma"].value == pytest.approx(0.39269, abs=2e-5)
    assert fit.log_likelihood == pytest.approx(-25.05328, abs=1e-5)
    plain = fit_sizes(PAGE)
    assert plain.parameters["mu"].value == pytest.approx(2.48983, abs=1e-5)
    assert plain.parameters["sigma"].value == pytest.approx(0.27934, abs=1e-5)


def test_a_weibull_distribution_is_found_again():
    rng = np.random.default_rng(4)
    x = 10 * rng.weibull(2, 20_000)
    fit = fit_sizes(x, "weibull", limit=4.0, unit="nm")
    assert fit.parameters["shape"].value == pytest.approx(2, rel=0.04)
    assert fit.parameters["scale"].value == pytest.approx(10, rel=0.02)
    assert fit.parameters["scale"].unit == "nm"
    assert fit.parameters["shape"].low < 2 < fit.parameters["shape"].high
    assert fit.largest_difference < 0.02
    # Of the whole distribution the median is 8.325546; above 4 it is larger.
    whole = fit_sizes(x, "weibull")
    assert quantiles(whole, [0.5])[0] == pytest.approx(8.325546, rel=0.02)
    assert quantiles(fit, [0.5])[0] == pytest.approx(np.median(x[x >= 4]), rel=0.02)


def test_profile_intervals_hold_the_truth():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        x = rng.lognormal(2.3, 0.4, 150)
        sigma = fit_sizes(x, limit=7.0).parameters["sigma"]
        held += (sigma.low or 0) <= 0.4 <= (sigma.high or np.inf)
    assert held >= 90


def test_the_right_family_is_closer():
    rng = np.random.default_rng(1)
    x = rng.lognormal(2, 0.5, 800)
    one, other = fit_sizes(x), fit_sizes(x, "weibull")
    z, p = vuong(x, one, other)
    assert z > 2
    assert p < 0.05
    assert one.aic < other.aic
    with pytest.raises(MeasurementError, match="limits"):
        vuong(x, one, fit_sizes(x, limit=5.0))


def test_goodness_holds_for_fitted_parameters():
    """About one in ten of right fits has p < 0.1; a wrong family is rejected."""
    rng = np.random.default_rng(2)
    ps = []
    for seed in range(20):
        x = rng.lognormal(2, 0.4, 60)
        ps.append(goodness(x, fit_sizes(x, limit=5.0), rounds=19, seed=seed))
    assert 0.25 < np.mean(ps) < 0.8
    wrong = rng.uniform(1, 20, 400)
    assert goodness(wrong, fit_sizes(wrong), rounds=49) <= 0.04


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(MeasurementError, match="too few"):
        fit_sizes([1.0, 2.0])
    with pytest.raises(MeasurementError, match="equal"):
        fit_sizes([3.0] * 20)
    with pytest.raises(MeasurementError, match="no size distribution"):
        fit_sizes(PAGE, "gamma")
    many = np.random.default_rng(0).lognormal(0, 1, 10_001)
    with pytest.raises(MeasurementError, match="rejected"):
        goodness(many, fit_sizes(many))

"""Projections through a foil, against the page's Poisson foil and simulated ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.foils import (
    depths,
    foil_density,
    line_sink,
    loop_sink,
    mean_projected,
    swelling,
    true_diameter,
    void_sink,
    volume_fraction,
    without_overlap,
)


def test_the_worked_density():
    assert foil_density(np.full(120, 10.0), 1e6, 85) * 1e27 == pytest.approx(1.26316e21, rel=1e-5)


def test_the_poisson_foil():
    n_a = 2e-6 * (80 + 20)
    assert foil_density(np.full(200, 20.0), 1e6, 80) == pytest.approx(2e-6)
    # Mean projected area of balls cut by the surfaces: π/4 D² (t + 2D/3)/(t + D).
    projected = n_a * np.pi / 4 * 20**2 * (80 + 40 / 3) / 100
    assert projected == pytest.approx(0.0586431, abs=1e-7)
    assert volume_fraction(projected, 20, 80) == pytest.approx(0.00837758, abs=1e-8)
    assert mean_projected(20, 80) == pytest.approx(19.14159, abs=1e-5)


@given(st.floats(1, 200), st.floats(1, 500))
def test_the_true_diameter_undoes_the_cut(diameter, thickness):
    assert true_diameter(mean_projected(diameter, thickness), thickness) == pytest.approx(diameter)


def test_simulated_foils_give_density_and_fraction():
    """Balls of several sizes at random, projected; density by each one's own depth."""
    rng = np.random.default_rng(7)
    thickness, side, density = 60.0, 400.0, 4e-6
    found, fractions = [], []
    for _ in range(900):
        d = rng.choice([10.0, 20.0, 40.0], rng.poisson(density * side**2 * 200))
        z = rng.uniform(-70, 130, d.size)
        inside = (z + d / 2 > 0) & (z - d / 2 < thickness)
        z, d = z[inside], d[inside]
        # A ball is seen by its section where its middle lies outside the foil.
        beyond = np.maximum(np.maximum(-z, z - thickness), 0)
        seen = 2 * np.sqrt((d / 2) ** 2 - beyond**2)
        found.append(foil_density(d, side**2, thickness))
        fractions.append((np.pi / 4 * seen**2).sum() / side**2)
    assert np.mean(found) == pytest.approx(density, rel=0.015)
    one = np.mean([10.0**3, 20.0**3, 40.0**3]) / np.mean([10.0**2, 20.0**2, 40.0**2])
    truth = density * np.pi / 6 * np.mean([10.0**3, 20.0**3, 40.0**3])
    assert volume_fraction(np.mean(fractions), one, thickness) == pytest.approx(truth, rel=0.02)


def test_overlap_and_swelling():
    assert without_overlap(1 - np.exp(-0.3)) == pytest.approx(0.3)
    assert swelling(0.1) == pytest.approx(0.1111, abs=1e-4)
    # Spheres r 5 on a cubic lattice of 20.
    assert swelling(0.0654498) == pytest.approx(0.0700335, abs=1e-7)
    with pytest.raises(MeasurementError, match="leaves no matrix"):
        swelling(1.0)
    with pytest.raises(MeasurementError, match="hide the rest"):
        without_overlap(1.0)


def test_sinks():
    assert void_sink(5e-9, 1e22) == pytest.approx(6.28319e14, rel=1e-6)
    assert loop_sink(5e-9, 1e22, 1.1) == pytest.approx(1.1 * 3.14159e14, rel=1e-5)
    assert line_sink(1e14, 1.2) == pytest.approx(1.2e14)


def test_zones_and_caps():
    assert depths([10, 20], 80, zone=5) == pytest.approx([70, 70])
    assert depths([10, 20], 80, cap=2) == pytest.approx([86, 96])
    with pytest.raises(MeasurementError, match="either"):
        depths([10], 80, cap=2, zone=5)
    with pytest.raises(MeasurementError, match="no depth"):
        depths([10], 80, zone=40)
    with pytest.raises(MeasurementError, match="not negative"):
        depths([10], 0)

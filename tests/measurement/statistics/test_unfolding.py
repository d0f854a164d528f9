"""Unfolding of sections, exact and simulated; refused for foils and slices."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.unfolding import (
    fullman,
    saltykov,
    saltykov_matrix,
    unfold,
)


def test_the_worked_triangle():
    matrix = saltykov_matrix(5)
    assert np.diag(matrix) == pytest.approx([1, 1.732051, 2.236068, 2.645751, 3], abs=1e-6)
    assert matrix[0] == pytest.approx([1, 0.267949, 0.171573, 0.127017, 0.101021], abs=1e-6)
    truth = np.array([0.0, 2, 5, 3, 1])
    sections = matrix @ truth
    assert sections == pytest.approx([1.875833, 7.968946, 14.217966, 8.937254, 3], abs=1e-6)
    assert sections.sum() == pytest.approx(36)
    assert saltykov(sections, 1.0) == pytest.approx(truth, abs=1e-12)


def sections_of(rng: np.random.Generator, diameters: np.ndarray) -> np.ndarray:
    """Draw section diameters of balls; a plane hits a ball in proportion to its diameter."""
    hit = rng.choice(diameters, diameters.size, p=diameters / diameters.sum())
    return hit * np.sqrt(1 - rng.uniform(size=hit.size) ** 2)


@pytest.mark.parametrize("method", ["saltykov", "em"])
def test_sections_of_balls_give_number_and_mean_diameter(method):
    rng = np.random.default_rng(1)
    balls = rng.normal(10, 1.5, 40_000)
    seen = sections_of(rng, balls)
    area = seen.size / (2e-3 * balls.mean())
    found = unfold(seen, area, method=method, classes=10)
    upper = found.edges[1:]
    sizes = upper if method == "saltykov" else (upper + found.edges[:-1]) / 2
    assert found.density.sum() == pytest.approx(2e-3, rel=0.05)
    assert (found.density @ sizes) / found.density.sum() == pytest.approx(10, rel=0.05)
    assert (found.low <= found.density + 1e-12).all()
    if method == "em":
        assert (found.density >= 0).all()


def test_fullmans_means():
    rng = np.random.default_rng(2)
    seen = sections_of(rng, np.full(100_000, 10.0))
    number, diameter = fullman(seen, seen.size / (2e-3 * 10), 0.05)
    assert number == pytest.approx(2e-3, rel=0.02)
    assert diameter == pytest.approx(10, rel=0.02)
    assert seen.mean() == pytest.approx(np.pi / 4 * 10, rel=0.01)
    assert np.median(seen) == pytest.approx(8.66, rel=0.01)


@pytest.mark.parametrize("seen", ["foil", "slice"])
def test_foils_and_slices_are_refused(seen):
    with pytest.raises(MeasurementError, match="cannot be unfolded"):
        unfold(np.ones(600), 1.0, seen=seen)


def test_too_many_classes_and_too_few_sections_are_said():
    with pytest.raises(MeasurementError, match="told apart"):
        unfold(np.ones(600), 1.0, classes=20)
    with pytest.raises(MeasurementError, match="too few"):
        unfold(np.ones(3), 1.0)
    assert any("few" in note for note in unfold(np.linspace(1, 5, 50), 1.0).warnings)

"""Lengths of strips, rings and waves within 2 %, and the densities that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.lengths import path_length, smoothed, step_length
from napari_defectseg.measurement.statistics.lines import (
    grid_crossings,
    ham_density,
    measure_lines,
)
from napari_defectseg.measurement.statistics.roses import rose


def strip(seed: int, length: float, width: float, side: int = 150) -> np.ndarray:
    """Draw a straight strip of any direction at any sub-pixel place."""
    rng = np.random.default_rng(seed)
    angle, centre = rng.uniform(0, np.pi), side / 2 + rng.uniform(-5, 5, 2)
    y, x = np.ogrid[:side, :side]
    along = (y - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
    across = (y - centre[0]) * np.cos(angle) - (x - centre[1]) * np.sin(angle)
    return (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)


def ring(seed: int, radius: float, width: float = 3, side: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[:side, :side]
    centre = side / 2 + rng.uniform(-5, 5, 2)
    return np.abs(np.hypot(y - centre[0], x - centre[1]) - radius) <= width / 2


@pytest.mark.parametrize("width", [2, 3, 5, 9])
def test_straight_lines_have_their_length(width):
    """Mean bias at most 2 % (in fact 0.5 %) over 40 directions; raw steps are 5 % too long."""
    found = [measure_lines(strip(seed, 100, width)) for seed in range(40)]
    ratio = np.array([lines.length for lines in found]) / 100
    assert abs(ratio.mean() - 1) < 0.006
    assert ratio.std() < 0.01
    assert all(len(lines.branches) == 1 for lines in found)
    assert np.mean([lines.branches[0].tortuosity for lines in found]) == pytest.approx(1, abs=0.01)
    assert np.mean([lines.branches[0].width for lines in found]) == pytest.approx(width, abs=0.5)


@pytest.mark.parametrize("radius", [10, 20, 50])
def test_rings_have_their_length(radius):
    found = [measure_lines(ring(seed, radius)).length for seed in range(8)]
    assert np.mean(found) == pytest.approx(2 * np.pi * radius, rel=0.005)
    assert np.isnan(measure_lines(ring(0, radius)).branches[0].tortuosity)


def test_lines_in_a_volume_have_their_length():
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(12):
        d = rng.normal(size=3)
        d /= np.linalg.norm(d)
        g = np.stack(np.meshgrid(*[np.arange(60.0)] * 3, indexing="ij"), -1) - 30
        g -= rng.uniform(-3, 3, 3)
        along = g @ d
        away = np.linalg.norm(g - along[..., None] * d, axis=-1)
        lines = measure_lines((np.abs(along) <= 20) & (away <= 2), 0.5, "µm")
        ratios.append(lines.length / 20)
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)
    assert lines.density().unit == "µm⁻²"
    assert lines.rose is None
    with pytest.raises(MeasurementError, match="volume"):
        lines.foil_density(100)


def test_the_factor_of_steps_is_right_in_the_mean():
    raw, corrected, smooth = [], [], []
    for angle in np.radians(np.linspace(0, 90, 91)):
        t = np.arange(0, 400, 0.05)
        line = np.rint(np.stack([t * np.sin(angle), t * np.cos(angle)], axis=1))
        line = line[np.concatenate([[True], (np.diff(line, axis=0) != 0).any(axis=1)])]
        # Corners of four-connected steps are left out, as thinning does.
        keep = [0]
        for index in range(1, len(line) - 1):
            if np.abs(line[index + 1] - line[keep[-1]]).max() > 1:
                keep.append(index)
        line = line[[*keep, len(line) - 1]]
        raw.append(path_length(line) / 400)
        corrected.append(step_length(line) / 400)
        smooth.append(path_length(smoothed(line)) / 400)
    assert np.mean(raw) == pytest.approx(1.0548, abs=0.003)
    assert np.max(raw) == pytest.approx(1.0824, abs=0.003)
    assert np.mean(corrected) == pytest.approx(1, abs=0.003)
    assert np.mean(smooth) == pytest.approx(1, abs=0.004)
    assert np.max(smooth) < 1.01


def test_the_worked_dislocations():
    """Lines of 12 µm in 1 µm² and a foil of 100 nm; Ham: 30 crossings on 5 µm."""
    mask = np.zeros((1000, 1000), bool)
    mask[50:1000:83, :] = True
    lines = measure_lines(mask, 1.0, "nm")
    assert lines.length == pytest.approx(12_000, rel=0.001)
    density = lines.foil_density(100)
    assert density.value * 1e18 == pytest.approx(1.527887e14, rel=0.001)
    assert density.low < density.value < density.high
    assert lines.foil_density(100, 0.5).value == pytest.approx(2 * density.value)
    assert ham_density(30, 5e-6, 100e-9).value == pytest.approx(1.2e14)
    crossings, length = grid_crossings(mask, 100)
    # Ten columns cross twelve lines each; one row runs along a line.
    assert (crossings, length) == (121, 20_000)


def test_crossings_of_lines_at_random_give_their_length():
    """L_A = (π/2) n/L against the length from branches, within 6 %."""
    ratios = []
    for seed in range(25):
        mask = strip(seed, 100, 2)
        crossings, length = grid_crossings(mask, 4)
        ratios.append(np.pi / 2 * crossings / length * mask.size / measure_lines(mask).length)
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)


def test_spurs_go_and_true_branches_stay():
    mask = np.zeros((120, 160), bool)
    mask[58:63, 20:140] = True
    mask[55:58, 80:82] = True
    lines = measure_lines(mask)
    assert len(lines.branches) == 1
    assert lines.length == pytest.approx(120, rel=0.02)
    mask[20:58, 78:82] = True
    branched = measure_lines(mask)
    assert len(branched.branches) == 3
    assert branched.junctions == 1
    assert len(branched.groups) == 1
    assert branched.length == pytest.approx(120 + 40, rel=0.03)


def test_the_rose_and_the_width_of_a_crack():
    y, x = np.mgrid[:100, :200]
    mask = (np.abs(y - 50) <= 1 + x / 40) & (x > 10) & (x < 190)
    lines = measure_lines(mask, 2.0, "µm")
    assert lines.rose.mean == pytest.approx(0, abs=2) or lines.rose.mean > 178
    assert lines.rose.strength > 0.97
    assert lines.branches[0].widest == pytest.approx(2 * (2 * (1 + 189 / 40)), rel=0.2)
    plain = lines.as_dict()
    assert plain["mean_width"]["unit"] == "µm"
    assert sum(plain["rose"]["length"]) == pytest.approx(lines.length, rel=0.1)


def test_axial_directions_are_doubled():
    found = rose([10, 190, 10], [1, 1, 2])
    assert found.mean == pytest.approx(10)
    assert found.strength == pytest.approx(1)
    opposite = rose([0, 90], [1, 1])
    assert np.isnan(opposite.mean)
    assert np.isnan(rose([], []).mean)


def test_a_region_and_nothing_at_all():
    mask = np.zeros((50, 50), bool)
    mask[25, :] = True
    roi = np.zeros((50, 50), bool)
    roi[:, :25] = True
    assert measure_lines(mask, roi=roi).density().value == pytest.approx(25 / 1250, rel=0.01)
    empty = measure_lines(np.zeros((9, 9), bool))
    assert empty.density().value == 0
    assert empty.as_dict()["branches"] == 0
    dot = np.zeros((9, 9), bool)
    dot[4, 4] = True
    assert measure_lines(dot).points == 1
    assert measure_lines(mask, roi=np.zeros((50, 50), bool)).density().value is None
    with pytest.raises(MeasurementError, match="no density"):
        measure_lines(mask).foil_density(0)
    with pytest.raises(MeasurementError, match="planes and volumes"):
        measure_lines(np.zeros(4, bool))

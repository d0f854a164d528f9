from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.phantoms import fields, optics


@pytest.mark.parametrize("dose", [4.0, 50.0, 900.0])
def test_counting_keeps_the_mean_and_has_the_variance_of_poisson(dose: float) -> None:
    seen = optics.counted(np.full((300, 300), 0.7), dose, np.random.default_rng(0))
    error = np.sqrt(0.7 / dose / seen.size)
    assert abs(seen.mean() - 0.7) < 4 * error
    # The variance of a sample variance of Poisson counts is (2 λ² + λ) / n.
    lam = 0.7 * dose
    assert abs(seen.var() * dose**2 - lam) < 4 * np.sqrt((2 * lam**2 + lam) / seen.size)


def test_counting_never_sees_negative_light() -> None:
    assert optics.counted(np.array([-1.0, 0.0]), 100, np.random.default_rng(0)).tolist() == [0, 0]


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("frequency", [1 / 32, 1 / 12, 1 / 8])
def test_blur_transfers_waves_as_a_gaussian_does(sigma: float, frequency: float) -> None:
    """MTF of a Gaussian point spread: exp(-2 π² σ² f²)."""
    x = np.arange(192)
    wave = np.cos(2 * np.pi * frequency * x)[None] * np.ones((16, 1))
    seen = optics.blurred(wave, sigma)[:, 48:144]
    part = np.exp(-2j * np.pi * frequency * x[48:144])
    gain = 2 * abs((seen * part).mean())
    assert gain == pytest.approx(np.exp(-2 * (np.pi * sigma * frequency) ** 2), abs=0.01)


@given(st.floats(0.2, 4.0), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_blur_keeps_light(sigma: float, seed: int) -> None:
    image = np.pad(np.random.default_rng(seed).uniform(0, 1, (12, 12)), 24)
    assert optics.blurred(image, sigma).sum() == pytest.approx(image.sum(), rel=1e-6)


@pytest.mark.parametrize("enlargement", [1.0, 1.7, 2.6])
def test_enlarged_recording_keeps_the_brightness(enlargement: float) -> None:
    seen = optics.recorded(
        np.full((130, 120), 0.8),
        np.random.default_rng(1),
        dose=400,
        spread=0.6,
        enlargement=enlargement,
    )
    assert seen.shape == (130, 120)
    assert seen.mean() == pytest.approx(0.8, abs=0.005)


def test_enlargement_makes_noise_smooth() -> None:
    def neighbours(enlargement: float) -> float:
        seen = optics.recorded(
            np.ones((160, 160)),
            np.random.default_rng(2),
            dose=100,
            spread=0.0,
            enlargement=enlargement,
        )
        return float(np.corrcoef(seen[:, 1:].ravel(), seen[:, :-1].ravel())[0, 1])

    assert abs(neighbours(1.0)) < 0.03
    assert neighbours(2.4) > 0.7


@pytest.mark.parametrize("defocus", [-900.0, 900.0])
def test_defocus_transfers_phase_as_theory_says(defocus: float) -> None:
    """2 sin(π λ Δf k²) for a weak phase object; the sign turns with the defocus."""
    pixel, period = 0.4, 8.0
    x = np.arange(320) * pixel
    phase = 0.01 * np.cos(2 * np.pi * x / period)[None] * np.ones((64, 1))
    change = optics.fresnel(phase, pixel, defocus, 0.0)[:, 60:260]
    gain = 2 * (change * np.cos(2 * np.pi * x / period)[60:260]).mean() / 0.01
    expected = 2 * np.sin(np.pi * optics.ELECTRON_WAVELENGTH * defocus / period**2)
    assert gain == pytest.approx(expected, abs=0.02)


def test_underfocus_makes_the_inside_of_a_void_bright_and_its_edge_dark() -> None:
    y, x = np.mgrid[-60:60, -60:60] * 0.3
    rho = np.hypot(y, x) / 6
    phase = -0.08 * 12 * np.sqrt(np.maximum(1 - rho**2, 0))
    under, over = (optics.fresnel(phase, 0.3, defocus, 0.4) for defocus in (-500.0, 500.0))
    for change, sign in ((under, 1), (over, -1)):
        assert sign * change[(rho > 0.8) & (rho < 0.95)].mean() > 0
        assert sign * change[(rho > 1.03) & (rho < 1.15)].mean() < 0
        assert abs(change[rho > 2.5]).max() < 0.05


def test_phase_fringes_of_a_pore_are_bright_inside_and_dark_outside() -> None:
    y, x = np.mgrid[-30:31, -30:31].astype(float)
    r = np.hypot(y, x)
    path = -2 * np.sqrt(np.maximum(14**2 - r**2, 0))
    change = optics.edge_fringe(path, -0.03, 1.0)
    assert change[(r > 12) & (r < 13.5)].mean() > 0.01
    assert change[(r > 14.5) & (r < 16)].mean() < -0.01
    assert abs(change.sum()) < 0.002 * abs(change).sum()


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.floats(0.3, 50),
    st.sampled_from([None, 2.0, 3.5]),
)
@settings(max_examples=40, deadline=None)
def test_random_fields_are_standardised_in_any_shape(
    shape: list[int], scale: float, slope: float | None
) -> None:
    made = fields.random_field(shape, np.random.default_rng(0), scale, slope=slope)
    assert made.shape == tuple(shape)
    assert abs(made.mean()) < 1e-9
    assert made.std() == pytest.approx(1, abs=1e-6) or made.std() < 1e-9


@pytest.mark.parametrize("angle", [0.0, np.pi / 2])
def test_turned_fields_are_long_along_their_direction(angle: float) -> None:
    made = fields.turned_field((128, 128), np.random.default_rng(0), (20.0, 2.0), angle)
    along_y = np.corrcoef(made[8:].ravel(), made[:-8].ravel())[0, 1]
    along_x = np.corrcoef(made[:, 8:].ravel(), made[:, :-8].ravel())[0, 1]
    long, short = (along_y, along_x) if angle == 0 else (along_x, along_y)
    assert long > 0.5
    assert abs(short) < 0.2


def test_grey_levels_run_from_nought_to_the_largest_value() -> None:
    image = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    assert optics.grey_levels(image, 0, 1, 8).tolist() == [0, 0, 128, 255, 255]
    assert optics.grey_levels(image, 0, 1, 16).dtype == np.uint16
    assert optics.grey_levels(image, 0, 1, 16).max() == 65535

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.phantoms.tomography import Beam, detector_bins, projector, scan

ROWS, COLUMNS = 61, 67


def supersampled_disc(radius: float, at: tuple[float, float]) -> np.ndarray:
    """Share of each pixel inside a disc, about the middle of the slice."""
    fine = 8
    y = (np.arange(ROWS * fine) + 0.5) / fine - ROWS / 2
    x = (np.arange(COLUMNS * fine) + 0.5) / fine - COLUMNS / 2
    inside = np.hypot(y[:, None] - at[0], x[None] - at[1]) <= radius
    return inside.reshape(ROWS, fine, COLUMNS, fine).mean((1, 3))


@pytest.mark.parametrize("angles", [1, 7, 36])
def test_every_projection_holds_the_whole_mass(angles: int) -> None:
    """Sum of each view = sum of the slice: no ray is lost, none is counted twice."""
    image = np.random.default_rng(0).uniform(0, 1, (ROWS, COLUMNS))
    views = (projector(ROWS, COLUMNS, angles) @ image.ravel()).reshape(angles, -1)
    assert views.shape[1] == detector_bins(ROWS, COLUMNS)
    assert views.sum(axis=1) == pytest.approx(image.sum(), rel=1e-5)


@pytest.mark.parametrize("at", [(0.0, 0.0), (7.3, -11.6)])
def test_the_radon_transform_of_a_disc_is_that_of_the_formula(at: tuple[float, float]) -> None:
    """A chord at distance s from the centre is 2 √(r² - s²) long, from every side."""
    radius, angles = 15.0, 24
    disc = supersampled_disc(radius, at)
    views = (projector(ROWS, COLUMNS, angles) @ disc.ravel()).reshape(angles, -1)
    bins = np.arange(views.shape[1]) - (views.shape[1] - 1) / 2
    theta = np.arange(angles) * np.pi / angles
    s = bins[None] - (at[0] * np.sin(theta) + at[1] * np.cos(theta))[:, None]
    edges = np.clip(np.stack([s - 0.5, s + 0.5]) / radius, -1, 1)
    # The mean of the chord over a bin, by its integral.
    whole = radius**2 * (edges * np.sqrt(1 - edges**2) + np.arcsin(edges))
    error = abs(views - (whole[1] - whole[0]))
    assert error[abs(s) < radius - 3].max() < 0.3
    # At the rim the chord falls by 5 px within one, and pixels' shadows are 1.4 px wide.
    assert error.max() < 1.5
    assert error[abs(s) > radius + 1.5].max() < 1e-4
    assert abs(error).mean() < 0.06


def test_a_bright_beam_gives_back_the_attenuation() -> None:
    """One energy, many photons, no gain errors: the reconstruction is the disc again."""
    disc = supersampled_disc(20.0, (0.0, 0.0))
    beam = Beam(weights=(1.0,), softness=(1.0,), photons=1e9, angles=120, rings=0.0)
    grey = scan([disc[None]], [0.02], beam, np.random.default_rng(0))[0]
    inner, air = supersampled_disc(16, (0, 0)) == 1, supersampled_disc(26, (0, 0)) == 0
    assert grey[inner].mean() == pytest.approx(0.02, rel=0.02)
    assert abs(grey[air].mean()) < 0.0006


def test_a_soft_beam_hardens_into_a_cup() -> None:
    disc = supersampled_disc(24.0, (0.0, 0.0))
    grey = [
        scan([disc[None]], [0.04], beam, np.random.default_rng(0))[0]
        for beam in (
            Beam(photons=1e9, angles=90, rings=0.0),
            Beam(weights=(1.0,), softness=(1.0,), photons=1e9, angles=90, rings=0.0),
        )
    ]
    middle = supersampled_disc(6, (0, 0)) == 1
    rim = (supersampled_disc(21, (0, 0)) == 1) & (supersampled_disc(17, (0, 0)) == 0)
    cup = [g[middle].mean() / g[rim].mean() for g in grey]
    assert cup[0] < 0.96
    assert cup[1] == pytest.approx(1, abs=0.02)


def test_fewer_photons_give_noise_that_grows_as_their_root() -> None:
    disc = supersampled_disc(22.0, (0.0, 0.0))
    middle = supersampled_disc(14, (0, 0)) == 1

    def noise(photons: float) -> float:
        beam = Beam(weights=(1.0,), softness=(1.0,), photons=photons, angles=90, rings=0.0)
        return float(scan([disc[None]], [0.03], beam, np.random.default_rng(0))[0][middle].std())

    clean = noise(1e12)
    faint, strong = (np.sqrt(noise(p) ** 2 - clean**2) for p in (1e4, 9e4))
    assert faint / strong == pytest.approx(3, rel=0.15)

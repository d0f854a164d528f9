from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.phantoms import draw
from napari_defectseg.phantoms.contrast import void_chord, void_volume
from napari_defectseg.phantoms.foil import Foil
from napari_defectseg.phantoms.make import phantom


@pytest.mark.parametrize("facets", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_volume_of_a_void_is_the_integral_of_its_chords(facets: float, seed: int) -> None:
    shape = draw.blob((50.0, 50.0), 30.0, np.random.default_rng(seed), roughness=0.3, stretch=1.3)
    step = 0.25
    y, x = np.mgrid[0:100:step, 0:100:step]
    measured = void_chord(shape, 44.0, facets, y, x).sum() * step**2
    assert void_volume(shape, 44.0, facets) == pytest.approx(measured, rel=0.01)


def test_a_round_void_has_the_volume_of_a_ball() -> None:
    made = phantom("micrograph", seed=1, shape=(128, 128), scene="voids", visibility=0.0)
    voids = made.rows("void")
    ratio = voids["volume"] / (voids["area"] * voids["size_along_beam"])
    assert ((ratio > 0.6) & (ratio < 2 / 3 + 1e-9)).all()


def test_far_from_the_reflection_only_absorption_is_left() -> None:
    thickness = np.linspace(20, 120, 7)
    foil = Foil(thickness, np.full(7, 1e6), 30.0, 0.01, 0.003)
    assert foil.bright_field() == pytest.approx(np.exp(-0.003 * thickness), rel=1e-6)


def test_thickness_fringes_repeat_after_an_extinction_distance() -> None:
    """At the Bragg condition and without damping the beam is dark at odd multiples of ξ/2."""
    thickness = np.array([30.0, 45.0, 60.0, 75.0, 90.0])
    foil = Foil(thickness, np.zeros(5), 30.0, 0.0, 0.0)
    assert foil.bright_field() == pytest.approx([1, 0, 1, 0, 1], abs=1e-9)

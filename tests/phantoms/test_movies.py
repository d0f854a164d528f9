from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_defectseg.core.errors import ImageError
from napari_defectseg.phantoms.beamline import Beamline
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.movie_settings import MovieSettings
from napari_defectseg.phantoms.phantom import Phantom

SHAPE = (10, 96, 220)
STEADY = {"before": (2, 2), "texture": (0.0, 0.0), "photons": (4e5, 4e5), "shape": SHAPE}


def made(seed: int, above: str = "dark", **settings: object) -> Phantom:
    return phantom("movie", seed=seed, above=above, **(STEADY | settings))  # type: ignore[arg-type]


def flattened(picture: Phantom) -> np.ndarray:
    """Frames over the first, which has no keyhole yet."""
    grey = picture.image.read().astype(float)
    return grey[1:] / np.maximum(grey[0], 1)


def below_surface(picture: Phantom, rows: int) -> np.ndarray:
    y = np.arange(SHAPE[1]) * picture.image.calibration.steps[0]
    return y > picture.facts["surface"] + rows * picture.image.calibration.steps[0]


@pytest.mark.parametrize("above", ["dark", "bright"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_keyholes_are_bright_inside_and_have_a_dark_rim_in_the_metal(above: str, seed: int) -> None:
    shape = {"depth": (0.7, 0.75), "slenderness": (1.8, 2.0)}
    picture = made(seed, above, pore_rate=0.0, old_pores=(0, 0), wall_pores=(0, 0), **shape)
    ratio = flattened(picture)
    hole = picture.mask[1:] == 1
    deep = below_surface(picture, 14)[None, :, None] & np.ones_like(hole)
    inner = np.stack([ndimage.binary_erosion(m, iterations=3) for m in hole]) & deep
    rim = np.stack([ndimage.binary_dilation(m, iterations=2) for m in hole]) & ~hole & deep
    far = ~np.stack([ndimage.binary_dilation(m, iterations=12) for m in hole]) & deep
    assert inner.sum() > 200
    assert np.median(ratio[inner]) > 1.04 * np.median(ratio[far])
    assert np.median(ratio[rim]) < np.median(ratio[far])


@pytest.mark.parametrize("above", ["dark", "bright"])
def test_pores_of_the_truth_are_brighter_than_what_surrounds_them(above: str) -> None:
    picture = made(3, above, pore_rate=0.8, texture=(0.03, 0.03), photons=(2e4, 2e4))
    grey = picture.image.read().astype(float)
    rows = picture.rows("pore")
    brighter = []
    for frame, label in zip(rows["frame"], rows["label"], strict=True):
        body = picture.instances[frame] == label
        beside = ndimage.binary_dilation(body, iterations=5) & (picture.mask[frame] == 0)
        if body.sum() > 8 and beside.sum() > 20:
            brighter.append(grey[frame][body].mean() - np.median(grey[frame][beside]))
    assert len(brighter) > 5
    assert np.mean(np.array(brighter) > 0) > 0.9


def test_metal_lets_through_what_beer_and_lambert_say() -> None:
    picture = made(4, "bright", rounding=(3, 3), wall_pores=(0, 0))
    grey = picture.image.read()[0].astype(float) - 100
    path = picture.facts["thickness_um"] * picture.facts["attenuation_per_mm"] / 1000
    air = np.median(grey[: int(SHAPE[1] * 0.08)])
    metal = np.median(grey[below_surface(picture, 12)])
    # The raw beam is uneven by several per cent.
    assert metal / air == pytest.approx(np.exp(-path), rel=0.15)


def test_shot_noise_is_that_of_the_counts() -> None:
    picture = made(5, photons=(2e4, 2e4), texture=(0.03, 0.03), before=(9, 9), old_pores=(0, 0))
    grey = picture.image.read()[:8].astype(float)[:, below_surface(picture, 10)] - 100
    change = np.diff(grey / grey.mean((1, 2), keepdims=True), axis=0)
    assert change.std() / np.sqrt(2) == pytest.approx(
        picture.facts["noise"] * np.sqrt((1 / grey.mean() * grey).mean()), rel=0.12
    )


def test_above_a_plate_it_is_darker_than_the_metal_and_above_a_wall_brighter() -> None:
    for above, sign in (("dark", -1), ("bright", 1)):
        picture = made(6, above)
        grey = picture.image.read()[0].astype(float)
        top = np.median(grey[: int(SHAPE[1] * 0.1)])
        assert sign * (top - np.median(grey[below_surface(picture, 15)])) > 200


def test_melt_rises_behind_the_keyhole() -> None:
    picture = made(7, "bright", bump=(0.25, 0.25), slenderness=(3, 3), depth=(0.5, 0.5))
    grey = picture.image.read().astype(float)
    rise = (grey[0] - grey[-1])[~below_surface(picture, 0)]
    assert (rise > 0.2 * grey[0].max()).sum() > 15


def test_conditions_and_lists_are_complete() -> None:
    picture = made(8, pore_rate=0.5)
    known = picture.image.acquisition
    assert known.exposure is not None
    assert known.exposure.unit == "µs"
    assert 0 < known.exposure.value <= 20
    assert picture.image.calibration.frame_time == 20
    holes = picture.rows("keyhole")
    way = np.diff(holes["centroid-1"]).mean()
    assert known.scan_direction == ("left to right" if way > 0 else "right to left")
    for name in ("depth", "width_at_surface", "width_at_half_depth", "front_wall_angle"):
        assert np.isfinite(holes[name]).all()
        assert picture.unit_of(name)
    assert holes["time"] == pytest.approx(holes["frame"] * 20.0)
    present = picture.facts["keyhole_present"]
    assert np.array_equal(np.flatnonzero(present), holes["frame"])
    assert (picture.rows("pore")["volume"] > 0).all()


def test_depth_in_the_list_is_the_depth_of_the_mask() -> None:
    picture = made(9, pore_rate=0.0, old_pores=(0, 0))
    pixel = picture.image.calibration.steps[0]
    for frame, depth in zip(*(picture.rows("keyhole")[n] for n in ("frame", "depth")), strict=True):
        drawn = (picture.mask[frame] == 1).any(axis=1).sum() * pixel
        assert drawn == pytest.approx(depth, abs=1.6 * pixel)


def test_pores_below_the_criterion_of_rose_are_left_out_and_counted() -> None:
    settings = {"pore_diameter": (4, 20), "photons": (2e3, 2e3), "wall_pores": (60, 60)}
    few, every = (made(2, "bright", visibility=v, **settings) for v in (5.0, 0.0))
    assert few.facts["too_faint"] > 0
    assert every.facts["too_faint"] == 0

    def pores(picture: Phantom) -> int:
        return len(np.unique(picture.rows("pore")["label"]))

    assert pores(few) + few.facts["too_faint"] == pores(every)


def test_larger_pores_and_more_photons_are_seen_better() -> None:
    beam = Beamline.drawn(MovieSettings(), np.random.default_rng(0))
    small, large = (beam.signal_to_noise((r, r), 2.0) for r in (5.0, 10.0))
    # Signal grows as the volume, noise as the root of the area.
    assert large / small == pytest.approx(4, rel=0.1)


def test_what_may_lie_above_is_refused_in_words() -> None:
    with pytest.raises(ImageError, match="above is 'grey'"):
        MovieSettings(above="grey")

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.steel import Lay

NONE = {"inclusions": (0, 0), "patches": (0, 0), "scratches": (0, 0)}
EVEN = {"texture": (0.02, 0.02), "lighting": (0.0, 0.0), "turned": 0.0}


def made(seed: int, **settings: object) -> Phantom:
    wanted = {"shape": (192, 192)} | NONE | EVEN | settings
    return phantom("surface", seed=seed, **wanted)  # type: ignore[arg-type]


def steps(picture: Phantom) -> np.ndarray:
    """Difference of the medians on both sides of each object's outline, grey levels."""
    grey = picture.image.read().astype(float)
    found = []
    for label in picture.objects["label"]:
        body = picture.instances == label
        outside = ndimage.binary_dilation(body, iterations=4) & (picture.mask == 0)
        if body.sum() > 20 and outside.sum() > 20:
            found.append(np.median(grey[body]) - np.median(grey[outside]))
    return np.array(found)


@pytest.mark.parametrize(
    ("settings", "sign"),
    [({"inclusions": (50, 50)}, -1), ({"patches": (20, 20), "pitted": 1.0}, -1)],
)
def test_inclusions_and_break_outs_are_dark(settings: dict, sign: int) -> None:
    found = np.concatenate([steps(made(seed, **settings)) for seed in range(4)])
    assert len(found) > 4
    assert np.mean(sign * found > 5) > 0.85


def test_stains_and_scratches_differ_from_the_steel() -> None:
    for settings in ({"patches": (20, 20), "pitted": 0.0}, {"scratches": (40, 40)}):
        found = np.concatenate([steps(made(seed, **settings)) for seed in range(4)])
        assert len(found) > 4
        assert np.mean(abs(found) > 4) > 0.75


def test_the_edge_of_a_stain_in_the_picture_lies_on_its_outline() -> None:
    """Sharp: within two pixels most of the step has been made."""
    profiles = []
    for seed in range(7):
        picture = made(seed, patches=(14, 14), pitted=0.0, noise=(0.001, 0.001))
        body = picture.mask > 0
        if body.sum() < 400:
            continue
        grey = picture.image.read().astype(float)
        distance = np.where(
            body,
            0.5 - ndimage.distance_transform_edt(body),
            ndimage.distance_transform_edt(~body) - 0.5,
        )
        if distance.min() > -8 or distance.max() < 8:
            continue
        near = [np.median(grey[(distance > d) & (distance <= d + 1)]) for d in range(-6, 5)]
        inside, outside = near[2], near[-1]
        profiles.append((np.array(near) - outside) / (inside - outside))
    middle = np.median(profiles, axis=0)
    assert len(profiles) > 2
    assert middle[7:].max() < 0.25
    assert middle[4] > 0.7


def test_scratches_bend_and_keep_the_length_in_the_list() -> None:
    bent = made(1, scratches=(40, 40), bend=(1.2, 1.2))
    straight = made(1, scratches=(40, 40), bend=(0.0, 0.0))
    for picture in (bent, straight):
        lengths = picture.objects["length"] / picture.image.calibration.steps[0]
        assert ((lengths > 59.9) & (lengths < 420.1)).all()
        area = picture.objects["length"] * picture.objects["width"]
        area = area + np.pi / 4 * picture.objects["width"] ** 2
        assert picture.objects["area"] == pytest.approx(area, rel=0.01)
    assert not np.array_equal(bent.mask, straight.mask)


@pytest.mark.parametrize("seed", range(3))
def test_texture_runs_along_the_lay(seed: int) -> None:
    picture = made(seed, texture=(0.1, 0.1), noise=(0.0, 0.0))
    grey = picture.image.read().astype(float)
    along_y = np.corrcoef(grey[6:].ravel(), grey[:-6].ravel())[0, 1]
    along_x = np.corrcoef(grey[:, 6:].ravel(), grey[:, :-6].ravel())[0, 1]
    upright = abs(np.cos(picture.facts["rolling_direction"])) > 0.7
    assert (along_y > along_x + 0.1) if upright else (along_x > along_y + 0.1)


def test_bent_fields_follow_their_lines() -> None:
    """A field that is constant along straight lines is constant along the arcs after bending."""
    lay = Lay(np.pi / 2, 0.004)
    rows = np.arange(160.0)[:, None] * np.ones((1, 160))
    bent = lay.bent(rows, 30)
    across = lay.across((100, 100))
    # Across is measured to the other side of y here.
    assert np.std(bent + across) < 1e-6
    assert bent.shape == (100, 100)


def test_colour_has_three_channels_and_the_same_truth() -> None:
    grey, colour = (made(2, patches=(4, 4), colour=c) for c in (False, True))
    assert colour.image.axes == ("y", "x", "c")
    assert colour.image.shape == (192, 192, 3)
    assert np.array_equal(grey.mask, colour.mask)
    assert np.array_equal(grey.objects["area"], colour.objects["area"])


@pytest.mark.parametrize("seed", range(3))
def test_turned_parts_are_exposed_without_losing_the_picture(seed: int) -> None:
    grey = phantom("surface", seed=seed, shape=(200, 200), turned=1.0).image.read()
    assert (grey == 255).mean() < 0.02
    assert (grey == 0).mean() < 0.02
    assert grey.std() > 6

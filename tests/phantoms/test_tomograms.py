from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_defectseg.phantoms import matrix
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom

PLAIN = {
    "specimen": "cylinder",
    "grains": (0.0, 0.0),
    "fibrous": 0.0,
    "ends": (0.0, 0.0),
    "precipitates": (0, 0),
    "phase": (0.0, 0.0),
    "rings": (0.0, 0.0),
    "shape": (16, 80, 80),
}


def made(seed: int, **settings: object) -> Phantom:
    return phantom("tomogram", seed=seed, **(PLAIN | settings))  # type: ignore[arg-type]


def levels(picture: Phantom) -> dict[str, float]:
    """Mean and noise of the matrix, and of pores, near and far air, in units of the matrix."""
    grey = picture.image.read().astype(float)
    matrix_ = ndimage.distance_transform_edt(picture.space & (picture.mask == 0)) > 4
    air = ndimage.distance_transform_edt(~picture.space)
    far = grey[air > 10].mean()
    unit = grey[matrix_].mean() - far
    detail = (grey - ndimage.gaussian_filter(grey, (0, 3, 3)))[matrix_]
    return {
        "noise": detail.std() / unit,
        "near": (grey[(air > 2) & (air < 5)].mean() - far) / unit,
        "pores": (grey[picture.mask == 1].mean() - far) / unit,
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_quick_volumes_resemble_reconstructed_ones(seed: int) -> None:
    real, quick = (levels(made(seed, artefacts=a)) for a in ("sinogram", "image"))
    assert quick["noise"] == pytest.approx(real["noise"], rel=0.3)
    assert quick["near"] == pytest.approx(real["near"], abs=0.05)
    assert quick["pores"] == pytest.approx(real["pores"], abs=0.15)


def test_halo_darkens_a_ring_outside_of_the_specimen() -> None:
    assert (
        levels(made(0, halo=(0.4, 0.4)))["near"] < levels(made(0, halo=(0.0, 0.0)))["near"] - 0.05
    )


def test_every_pore_in_the_truth_is_darker_than_its_surroundings() -> None:
    picture = made(2, pore_diameter=(1.8, 4.0), pores=(300, 300), shape=(32, 64, 64))
    grey = picture.image.read().astype(float)
    local = ndimage.median_filter(grey, 9)
    whole = ~picture.objects["cut_by_border"] & ~picture.objects["open_to_surface"]
    labels = picture.objects["label"][whole & (picture.objects["pixels"] > 0)]
    darker = ndimage.minimum(grey - local, picture.instances, labels)
    assert len(labels) > 10
    assert (darker < 0).mean() > 0.97


def test_pores_that_noise_hides_are_left_out_and_counted() -> None:
    settings = {"pore_diameter": (1.2, 3.0), "photons": (600.0, 600.0), "artefacts": "image"}
    few, all_ = made(1, **settings), made(1, visibility=0.0, **settings)
    assert few.facts["too_faint"] > 0
    assert few.count + few.facts["too_faint"] == all_.count


def test_fibres_are_bright_and_no_objects() -> None:
    settings = {"pores": (0, 0), "artefacts": "image", "specimen": "full"}
    none = made(4, **settings)
    many = made(4, fibrous=1.0, fibres=(200, 200), **settings)
    assert many.facts["fibres"] > 0
    assert many.count == none.count == 0
    share = matrix.fibres((20, 40, 40), 20, np.random.default_rng(0))
    assert share.max() == 1
    assert 0.01 < share.mean() < 0.6


def test_end_slices_darken() -> None:
    grey = made(3, ends=(0.5, 0.5), artefacts="image").image.read().astype(float)
    inner = grey[:, 30:50, 30:50].mean((1, 2))
    assert inner[0] < inner[8]
    assert inner[-1] < inner[8]


@pytest.mark.parametrize("seed", range(4))
def test_grains_vary_about_one(seed: int) -> None:
    made_ = matrix.grains((20, 30, 30), 0.08, np.random.default_rng(seed))
    assert made_.mean() == pytest.approx(1, abs=0.01)
    assert 0.01 < made_.std() < 0.1

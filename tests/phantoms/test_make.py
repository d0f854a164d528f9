from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.errors import ImageError
from napari_defectseg.phantoms.make import KINDS, phantom
from napari_defectseg.phantoms.phantom import Phantom

SMALL: dict[str, tuple[int, ...]] = {
    "micrograph": (96, 130),
    "surface": (250, 236),
    "movie": (5, 60, 110),
    "tomogram": (24, 40, 44),
}


def arrays(made: Phantom) -> Mapping[str, np.ndarray]:
    return {"image": made.image.read(), "mask": made.mask, "instances": made.instances} | dict(
        made.objects
    )


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_gives_the_same_bytes(kind: str) -> None:
    first, second = (arrays(phantom(kind, seed=3, shape=SMALL[kind])) for _ in range(2))
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        assert array.tobytes() == second[name].tobytes(), name


@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds_give_other_pictures(kind: str) -> None:
    first, second = (phantom(kind, seed=s, shape=SMALL[kind]) for s in (1, 2))
    assert not np.array_equal(first.image.read(), second.image.read())
    assert not np.array_equal(first.instances, second.instances)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_object_list_agrees_with_mask_and_instances(kind: str, seed: int) -> None:
    made = phantom(kind, seed=seed, shape=SMALL[kind])
    assert made.mask.dtype == np.uint8
    assert made.instances.dtype == np.int32
    assert np.array_equal(made.mask > 0, made.instances > 0)
    frames = made.objects.get("frame")
    for row, label in enumerate(made.objects["label"]):
        plane = ... if frames is None else frames[row]
        here = made.instances[plane] == label
        assert here.sum() == made.objects["pixels"][row]
        assert set(made.mask[plane][here]) <= {made.objects["class_value"][row]}
        name = made.classes.by_value(int(made.objects["class_value"][row])).name
        assert made.objects["class"][row] == name
    assert set(np.unique(made.instances)) - {0} <= set(made.objects["label"].tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_calibrated_and_on_the_axes_of_their_kind(kind: str) -> None:
    made = phantom(kind, seed=1, shape=SMALL[kind])
    axes = {"movie": ("t", "y", "x"), "tomogram": ("z", "y", "x")}.get(kind, ("y", "x"))
    assert made.image.axes == axes
    assert made.image.shape == SMALL[kind]
    assert made.image.calibration.calibrated
    assert made.image.calibration.unit == ("nm" if kind == "micrograph" else "µm")
    assert (made.image.calibration.frame_time is not None) == (kind == "movie")
    assert made.image.read().dtype == (np.uint8 if kind in ("micrograph", "surface") else np.uint16)


TINY = [(1, 1, 1), (1, 1, 7), (2, 1, 1), (1, 33, 1), (3, 2, 5), (5, 3, 2), (1, 2, 64)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sides", TINY)
def test_tiny_and_thin_pictures_are_made_too(kind: str, sides: tuple[int, ...]) -> None:
    shape = sides[-len(SMALL[kind]) :]
    made = phantom(kind, seed=2, shape=shape)
    assert made.image.shape == tuple(shape)
    assert np.isfinite(made.image.read()).all()
    assert np.array_equal(made.mask > 0, made.instances > 0)


def test_conditions_of_a_micrograph_are_known() -> None:
    made = phantom("micrograph", seed=4, shape=(80, 90))
    known = made.image.acquisition
    assert known.thickness is not None
    assert known.thickness.unit == "nm"
    assert 30 < known.thickness.value < 200
    assert known.thickness.value == made.facts["thickness_nm"]
    assert 0 <= known.thickness.sigma < known.thickness.value
    assert known.thickness_method
    assert known.defocus is not None
    assert known.defocus.value == made.facts["defocus_nm"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_length_in_an_object_list_has_a_unit(kind: str) -> None:
    made = phantom(kind, seed=1, shape=SMALL[kind])
    unit, square = ("nm", "nm²") if kind == "micrograph" else ("µm", "µm²")
    assert made.unit_of("axis_major_length") == unit
    assert made.unit_of("centroid-0") == unit
    assert made.unit_of("area") == ("µm³" if kind == "tomogram" else square)
    assert made.unit_of("orientation") == "rad"
    bare = {"label", "class", "class_value", "pixels", "pixels_whole", "cut_by_border"}
    bare |= {"hidden", "hidden_fraction", "open_to_surface", "frame", "contrast", "style"}
    assert {name for name in made.objects if not made.unit_of(name)} <= bare | {"texture"}


@pytest.mark.parametrize("kind", ["micrograph", "surface"])
def test_sizes_follow_the_pixel_size_and_nothing_else_does(kind: str) -> None:
    """Sizes of these kinds are asked for in px: the same seed at twice the pixel, twice the nm."""
    still = {"visibility": 0.0} if kind == "micrograph" else {}
    one, two = (
        phantom(kind, seed=5, shape=(120, 130), pixel_size=(p, p), **still) for p in (0.4, 0.8)
    )
    for name in ("axis_major_length", "equivalent_diameter_area", "centroid-1"):
        assert 2 * one.objects[name] == pytest.approx(two.objects[name])
    assert np.array_equal(one.objects["class"], two.objects["class"])


def test_a_movie_keeps_its_micrometres_whatever_the_pixel() -> None:
    """Sizes of movies are asked for in µm: finer pixels show the same plot."""
    fine, coarse = (
        phantom(
            "movie", seed=6, shape=(4, 40 * n, 90 * n), pixel_size=(3 / n, 3 / n), visibility=0.0
        )
        for n in (2, 1)
    )
    for name in ("area", "depth", "axis_major_length", "volume"):
        assert fine.objects[name] == pytest.approx(coarse.objects[name], nan_ok=True)
    assert fine.facts["surface"] == pytest.approx(coarse.facts["surface"])


def test_labels_that_may_overlap_have_a_plane_a_class() -> None:
    """Multi-label: each plane holds its class whole, whatever other classes lie on it."""
    settings_ = {"voids": (40, 40), "precipitates": (40, 40), "loops": (40, 40), "visibility": 0.0}
    layered = phantom("micrograph", seed=3, shape=(200, 200), multilabel=True, **settings_)
    flat = phantom("micrograph", seed=3, shape=(200, 200), **settings_)
    assert layered.mask.shape == (4, 200, 200) == layered.instances.shape
    assert set(np.unique(layered.mask)) <= {0, 1}
    assert np.array_equal(layered.image.read(), flat.image.read())
    assert np.array_equal(layered.mask.any(0), flat.mask > 0)
    assert (layered.mask.sum(0) > 1).any()
    assert layered.objects["pixels"].sum() > flat.objects["pixels"].sum()
    # Voids lie on top in the exclusive mask: their plane is the same as there.
    assert np.array_equal(layered.mask[0] > 0, flat.mask == 1)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    sides=st.lists(st.integers(1, 33), min_size=3, max_size=3),
    seed=st.integers(0, 999),
)
def test_every_shape_works(kind: str, sides: list[int], seed: int) -> None:
    shape = sides[: len(SMALL[kind])]
    made = phantom(kind, seed=seed, shape=shape)
    assert made.mask.shape == tuple(shape) == made.image.shape
    assert np.array_equal(made.mask > 0, made.instances > 0)


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        ("painting", {}, "There is no phantom 'painting'"),
        ("micrograph", {"shape": (4, 4, 4)}, "needs 2 positive lengths"),
        ("tomogram", {"shape": (4, 0, 4)}, "needs 3 positive lengths"),
        ("micrograph", {"scene": "desert"}, "There is no scene 'desert'"),
        ("surface", {"pores": (1, 2)}, "has no setting 'pores'"),
        ("tomogram", {"artefacts": "none"}, "artefacts is 'none'"),
        ("movie", {"seed": -1}, "A seed is a whole number"),
    ],
)
def test_wrong_wishes_are_refused_in_words(kind: str, wrong: dict, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        phantom(kind, **wrong)

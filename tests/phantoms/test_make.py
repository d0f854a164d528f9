from __future__ import annotations

import time
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
SLOWEST = {"micrograph": 4, "surface": 4, "movie": 6, "tomogram": 15}
"""Seconds allowed for a picture of usual size, on a busy machine."""


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


@pytest.mark.parametrize("kind", KINDS)
def test_usual_size_is_made_in_seconds(kind: str) -> None:
    start = time.process_time()
    made = phantom(kind, seed=0)
    assert time.process_time() - start < SLOWEST[kind]
    assert made.count > 3


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

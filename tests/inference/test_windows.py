"""Overlapping patches: places, weights, resampling, the whole way of a plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.patches import WindowPlan, boxes, places, weights
from napari_defectseg.inference.spacing import axis_apart, new_shape, resampled
from napari_defectseg.inference.windowed import WindowedPlane
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.preprocess import FittedChain
from napari_defectseg.models.windows import Windows

STYLES = st.sampled_from(["nnunet", "monai"])


@given(STYLES, st.integers(8, 40), st.integers(0, 90), st.floats(0.25, 1.0))
def test_patches_cover_every_pixel_and_stay_inside(
    style: str, size: int, more: int, step: float
) -> None:
    """For any length, the first begins at 0, the last ends at the end, no gap between."""
    windows = Windows(size=(size, size), step=step, style=style)  # type: ignore[arg-type]
    length = size + more
    starts, _ = places((length, length), windows)
    assert starts[0] == 0
    assert starts[-1] == length - size
    gaps = np.diff(starts)
    assert (gaps > 0).all()
    assert gaps.max(initial=0) <= size


def test_places_are_those_of_nnunet_and_monai() -> None:
    """Even steps 0, 23, 46 for 110 pixels; whole steps with the last moved back inside."""
    assert places((110, 64), Windows(size=(64, 64))) == [[0, 23, 46], [0]]
    monai = Windows(size=(64, 64), style="monai", step=0.75)
    assert places((110, 200), monai) == [[0, 46], [0, 48, 96, 136]]


@settings(deadline=None)  # the first call loads scipy
@given(STYLES, st.integers(1, 32), st.integers(1, 32), st.floats(0.02, 1.0))
def test_weights_are_positive_and_largest_in_the_middle(
    style: str, y: int, x: int, sigma: float
) -> None:
    bell = weights(Windows(size=(y, x), style=style, sigma=sigma))  # type: ignore[arg-type]
    assert bell.dtype == np.float32
    assert bell.shape == (y, x)
    assert (bell > 0).all()
    assert bell[y // 2, x // 2] == bell.max()


def test_weights_of_nnunet_are_rounded_as_there() -> None:
    """Ten in the middle; in the corners of a volume the least number of half precision."""
    bell = weights(Windows(size=(32, 32, 32)))
    assert bell[16, 16, 16] == 10
    assert bell[0, 0, 0] == bell.min() > 0
    np.testing.assert_array_equal(bell, bell.astype(np.float16).astype(np.float32))
    assert (weights(Windows(size=(4, 4), weights="flat")) == 1).all()


def test_the_coarsest_axis_is_resampled_by_itself_where_it_is_much_coarser() -> None:
    assert axis_apart((5, 1, 1), (2, 1, 1), None) == 0
    assert axis_apart((2, 1, 1), (1, 1, 4), None) == 2
    assert axis_apart((2, 1, 1), (1, 1, 1), None) is None
    assert axis_apart((5, 5, 1), (5, 5, 1), None) is None  # two axes are as coarse
    assert axis_apart((5, 1, 1), (2, 1, 1), False) is None
    assert axis_apart((2, 1, 1), (2, 1, 1), True) == 0


def test_resampling_keeps_constants_and_slices() -> None:
    constant = np.full((2, 6, 8, 8), 3.0, np.float32)
    found = resampled(constant, (9, 5, 7), None, 3)
    assert found.shape == (2, 9, 5, 7)
    np.testing.assert_allclose(found, 3, atol=1e-5)
    steps = np.arange(4, dtype=np.float32)[None, :, None, None] * np.ones((1, 4, 6, 6), np.float32)
    doubled = resampled(steps, (8, 6, 6), 0, 3)
    np.testing.assert_allclose(doubled[0, :, 0, 0], np.repeat(np.arange(4), 2), atol=1e-5)
    assert resampled(steps, (4, 6, 6), None, 3) is steps
    assert new_shape((18, 40, 44), (2.5, 0.8, 0.8), (2, 1, 1)) == (22, 32, 35)


class Identity:
    """An engine whose network gives the image and its negative."""

    members = 1

    def logits(self, blocks: np.ndarray, member: int | None = None) -> np.ndarray:
        return np.concatenate([blocks, -blocks], axis=1)

    def activated(self, logits: np.ndarray) -> np.ndarray:
        return logits


def _card(windows: Windows) -> ModelCard:
    return ModelCard.of(
        {
            "name": "identity",
            "architecture": "unet",
            "dims": len(windows.size),
            "classes": {
                "exclusive": True,
                "classes": [{"value": 1, "name": "void", "colour": "#ff0000", "pattern": "plain"}],
            },
            "preprocessing": [],
            "windows": windows,
            "halo": None,
        }
    )


@settings(deadline=None)
@given(
    STYLES,
    st.lists(st.integers(3, 20), min_size=2, max_size=2),
    st.permutations([0, 1]),
    st.sampled_from([(), (0,), (0, 1)]),
)
def test_blending_what_changes_nothing_changes_nothing(
    style: str, shape: list[int], order: list[int], mirror: tuple[int, ...]
) -> None:
    """Padding, mirroring, exchanged axes and weights leave the identity as it is."""
    windows = Windows(size=(8, 6), style=style, mirror=mirror, order=tuple(order))  # type: ignore[arg-type]
    item = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    seen = tuple(shape[axis] for axis in order)
    plan = WindowPlan(tuple(shape), seen, windows)
    plane = WindowedPlane(_card(windows), plan, item, FittedChain(()), None)
    parts = list(plane.passes(Identity()))  # type: ignore[arg-type]
    assert len(parts) == len(plan) == len(list(boxes(plan.padded, windows)))
    assert parts[-1] == 1
    found = plane.scores(Identity())  # type: ignore[arg-type]
    # The least weights of nnU-Net have few digits left in its half precision.
    np.testing.assert_allclose(found[0], item[0], atol=0.1 if style == "nnunet" else 1e-5)
    assert plan.as_dict()["tiles"] == len(plan)
    assert plan.smaller() is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": (8,)}, "windows.size"),
        ({"size": (8, 0)}, "empty"),
        ({"size": (8, 8), "mirror": (2,)}, "does not|do not have"),
        ({"size": (8, 8), "order": (1, 1)}, "no order"),
        ({"size": (8, 8), "spacing": (1.0,)}, "not one size"),
        ({"size": (8, 8, 8)}, "windows of 3 axes"),
        ({"size": (8, 8), "masked": (True, False)}, "one value for each channel"),
    ],
)
def test_windows_that_make_no_sense_are_refused(fields: dict[str, object], words: str) -> None:
    values = _card(Windows(size=(8, 8))).as_dict()
    with pytest.raises(ModelError, match=words):
        ModelCard.from_dict({**values, "windows": fields})


def test_windows_are_written_with_the_card_and_read_again() -> None:
    card = _card(Windows(size=(8, 8), mirror=(1,), spacing=(0.5, 2.0), unit="nm"))
    assert ModelCard.from_dict(card.as_dict()) == card

"""Means over mirror images and turns: which, their arithmetic, and what refuses them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, kernel_model, make

from napari_defectseg.core import stopwatch
from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference import pace
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.flips import Turn, TurnedEngine, turns_of
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.ensemble import EnsembleModel

ALL = ("flip_y", "flip_x", "rot90_yx", "transpose_yx")
POINT = np.zeros((3, 3))
POINT[1, 1] = 1
UP = np.array([[0, -1, 0], [0, 1, 0], [0, 0, 0]])
"""How much brighter a pixel is than the one above it: its mirror image means another thing."""

symmetries = st.sets(st.sampled_from(["flip_z", *ALL]), min_size=1).map(tuple)


@given(symmetries, st.integers(2, 3))
@settings(max_examples=40, deadline=None)
def test_turns_are_a_group_and_each_can_be_undone(names: tuple[str, ...], dims: int) -> None:
    """Every turn followed by every other one is there, and the inverse of each."""
    if dims == 2 and names == ("flip_z",):
        return
    model = make(dims, (2,), symmetries=names)
    turns = turns_of(model.card, "all")
    assert turns[0] == Turn.none(dims)
    assert len(set(turns)) == len(turns)
    assert len(turns) in (2, 4, 8, 16)
    assert {a.then(b) for a in turns for b in turns} == set(turns)
    block = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)[-1 if dims == 2 else slice(None)]
    for turn in turns:
        np.testing.assert_array_equal(turn.undo(turn.apply(block)), block)
        for other in turns:
            np.testing.assert_array_equal(
                turn.then(other).apply(block), other.apply(turn.apply(block))
            )


@pytest.mark.parametrize(
    ("names", "flips", "count"),
    [
        (("flip_x",), "mirror", 2),
        (("flip_y", "flip_x"), "mirror", 4),
        (("flip_y", "rot90_yx"), "mirror", 2),
        (("rot90_yx",), "all", 4),
        (("flip_y", "rot90_yx"), "all", 8),
        (("flip_y", "transpose_yx"), "all", 8),
        (ALL, "off", 1),
    ],
)
def test_the_card_says_which_turns(names: tuple[str, ...], flips: str, count: int) -> None:
    assert len(turns_of(make(2, (2,), symmetries=names).card, flips)) == count


class Pointwise:
    """An engine for which it does not matter how an image lies, to the last bit."""

    name, threads, members = "fake", 1, 1

    def run_batch(self, blocks: np.ndarray) -> np.ndarray:
        return np.concatenate([blocks, np.float32(1) - blocks], axis=1)

    def begin(self, block: np.ndarray) -> Any:
        yield
        return self.run_batch(block[None])[0]


@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    names=symmetries,
    flips=st.sampled_from(["mirror", "all"]),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_an_equivariant_network_gives_the_same_bits(
    shape: tuple[int, ...], names: tuple[str, ...], flips: str, seed: int
) -> None:
    """Halves are added to halves, so the mean of equal numbers is that number."""
    if flips == "mirror" and not {"flip_z", "flip_y", "flip_x"} & set(names):
        return
    turns = turns_of(make(3, (2,), symmetries=names).card, flips)
    block = np.random.default_rng(seed).random((2, *shape), np.float32)
    engine = TurnedEngine(Pointwise(), turns)
    wanted = Pointwise().run_batch(block[None])[0]
    np.testing.assert_array_equal(engine.run(block), wanted)
    np.testing.assert_array_equal(engine.run_batch(np.stack([block, block]))[1], wanted)


@pytest.mark.parametrize("flips", ["mirror", "all"])
def test_a_network_that_decides_by_pixel_gives_the_same(flips: str) -> None:
    """But for the last bit, which the processor rounds otherwise at the end of a row."""
    model = kernel_model(POINT, symmetries=ALL)
    image = image_of((33, 21), "yx")
    found = predict(model, image, PredictSettings(flips=flips)).scores  # type: ignore[arg-type]
    np.testing.assert_allclose(found, predict(model, image).scores, atol=2e-7)


def test_the_mean_is_that_of_the_probabilities_of_each_mirror_image() -> None:
    model = kernel_model(UP, symmetries=("flip_y", "flip_x"))
    data = image_of((24, 30), "yx").read()
    found = predict(model, CalibratedImage.from_array(data), PredictSettings(flips="mirror"))
    each = [
        np.flip(predict(model, CalibratedImage.from_array(np.flip(data, axes))).scores,
                tuple(1 + axis for axis in axes))
        for axes in ((), (0,), (1,), (0, 1))
    ]  # fmt: skip
    np.testing.assert_allclose(found.scores, np.mean(each, axis=0), atol=1e-6)
    assert np.abs(found.scores - each[0]).max() > 0.1
    assert found.plan["turns"] == 4


@pytest.mark.parametrize("dims", [2, 3])
def test_tiles_give_what_the_whole_image_gives(dims: int) -> None:
    """Each tile is turned by itself; its edges still lie on the network's grid."""
    widths = (4, 6, 8) if dims == 2 else (3, 4)
    model = make(dims, widths, symmetries=("flip_y", "flip_x", "rot90_yx"))
    image = image_of((90, 70) if dims == 2 else (16, 60, 50), "zyx"[-dims:])
    settings = PredictSettings(flips="all")
    tile = {2: 64, 3: 32}[dims]
    whole = predict(model, image, settings)
    tiled = predict(model, image, PredictSettings(flips="all", tile=tile))
    assert tiled.plan["tiles"] > 1
    np.testing.assert_allclose(tiled.scores, whole.scores, atol=1e-5)


def test_networks_that_measure_the_whole_image_are_turned_with_it() -> None:
    """All squares of an image are turned together, so its statistics stay its own."""
    model = make(2, (4,), symmetries=("flip_x",))
    model = model.with_card(model.card.replaced(batch_norm="image", segment=16))
    image = image_of((32, 48), "yx")
    found = predict(model, image, PredictSettings(flips="mirror")).scores
    data = image.read()
    turned = predict(model, CalibratedImage.from_array(np.flip(data, 1))).scores
    each = (predict(model, image).scores, np.flip(turned, 2))
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)


def test_what_the_card_forbids_is_refused_with_what_to_do() -> None:
    image = image_of((20, 20), "yx")
    with pytest.raises(ModelError, match=r"does not say that a mirror image.*symmetries=flip_y"):
        predict(make(2, (2,)), image, PredictSettings(flips="mirror"))
    with pytest.raises(ModelError, match=r"allows rot90_yx, no mirror images.*flips=all"):
        predict(make(2, (2,), symmetries=("rot90_yx",)), image, PredictSettings(flips="mirror"))
    fixed: Any = {"tile": (32, 16), "halo": 0, "symmetries": ("rot90_yx",)}
    model = make(2, (2,))
    model = model.with_card(model.card.replaced(**fixed))
    with pytest.raises(ModelError, match=r"32 × 16 px alone.*flips=mirror"):
        turns_of(model.card, "all")
    with pytest.raises(DeviceError, match="flips='each' is not known"):
        PredictSettings(flips="each")  # type: ignore[arg-type]


def test_a_guess_of_the_card_is_said() -> None:
    model = make(2, (2,), symmetries=("flip_x",))
    card = model.card.model_copy(update={"sources": {**model.card.sources, "symmetries": "guess"}})
    found = predict(model.with_card(card), image_of((9, 9), "yx"), PredictSettings(flips="mirror"))
    assert "is a guess; state it with symmetries" in " ".join(found.warnings)


def test_models_of_an_ensemble_are_turned_each_by_itself() -> None:
    one, two = (make(2, w, symmetries=("flip_x",)) for w in ((4,), (5,)))
    image = image_of((24, 24), "yx")
    settings = PredictSettings(flips="mirror")
    found = predict(EnsembleModel([one, two]), image, settings).scores
    each = [predict(model, image, settings).scores for model in (one, two)]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-6)


def test_it_is_stopped_between_two_turns() -> None:
    """A tile of eight turns does not have to end before it can be stopped."""
    model = kernel_model(POINT, symmetries=ALL)
    steps = predict_steps(model, image_of((16, 16), "yx"), PredictSettings(flips="all"))
    seen = [next(steps) for _ in range(4)]
    assert all(step.partial is None for step in seen)
    steps.close()


def test_the_forecast_counts_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which each pass takes a second."""
    clock, begin = [0.0], ExactEngine.begin

    def passing(self: ExactEngine, block: Any) -> Any:
        clock[0] += 1
        return (yield from begin(self, block))

    monkeypatch.setattr(ExactEngine, "begin", passing)
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    pace.forget()
    model = make(2, (4,), symmetries=ALL)
    image = image_of((64, 64), "yx")
    plain = forecast(model, image, measure=True).seconds
    turned = forecast(model, image, PredictSettings(flips="all"), measure=True).seconds
    assert plain is not None
    assert turned is not None
    assert turned == pytest.approx(8 * plain)

"""Several devices share the tiles: same bits, in order, and one that fails stops the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.errors import Cancelled, DeviceError, ModelError
from napari_defectseg.inference import devices
from napari_defectseg.inference.crew import Crew, abreast
from napari_defectseg.inference.devices import DeviceChoice, wanted_devices
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.predict import go_on_steps, predict, predict_steps
from napari_defectseg.inference.recover import MemoryFull
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.ensemble import EnsembleModel

ONE = PredictSettings(device="cpu", threads=1, tile=64)
TWO = PredictSettings(devices=("cpu", "cpu"), threads=1, tile=64)


@pytest.fixture(autouse=True)
def _nothing_left_alive() -> Iterator[None]:
    yield
    assert not [one for one in threading.enumerate() if one.name.startswith("tiles-")]


class Slow:
    """Counts who computed what, and may fail at one tile of the whole run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int = 0, error: Any = None) -> None:
        self.by: dict[int, int] = {}
        self._count, self._lock = 0, threading.Lock()
        run = ExactEngine.run

        def counted(engine: ExactEngine, block: np.ndarray) -> np.ndarray:
            with self._lock:
                self._count += 1
                mine = self._count == at
                thread = threading.get_ident()
                self.by[thread] = self.by.get(thread, 0) + 1
            if mine:
                raise error
            time.sleep(0.002)
            return run(engine, block)

        monkeypatch.setattr(ExactEngine, "run", counted)


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 120), st.integers(1, 120)),
    count=st.integers(2, 4),
)
@settings(max_examples=6, deadline=None)
def test_the_result_is_that_of_one_device_bit_for_bit(shape: tuple[int, ...], count: int) -> None:
    model, image = make(2, (4, 6)), image_of(shape, "zyx")
    wanted = predict(model, image, ONE)
    found = predict(model, image, PredictSettings(devices=["cpu"] * count, threads=1, tile=64))  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert found.plan["devices"] == ["cpu"] * count


def test_all_devices_compute_and_tiles_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Slow(monkeypatch)
    model, image = make(2, (4, 6)), image_of((2, 150, 150), "zyx")
    steps = list(predict_steps(model, image, TWO))
    parts = [step for step in steps if step.partial is not None]
    assert [step.done for step in parts] == list(range(1, parts[0].total + 1))
    places = [step.partial.where for step in parts]
    wanted = [s.partial.where for s in predict_steps(model, image, ONE) if s.partial is not None]
    assert places == wanted
    assert len(watched.by) >= 2
    assert min(sorted(watched.by.values())[:2]) > 3


@pytest.mark.parametrize("at", [1, 4, 9])
def test_memory_that_ends_on_one_device_gives_smaller_tiles_on_all(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    model, image = make(2, (4, 6)), image_of((150, 150), "yx")
    wanted = predict(model, image, ONE).scores
    Slow(monkeypatch, at, MemoryFull("cuda:1 has no memory left."))
    found = predict(model, image, TWO)
    assert "Smaller tiles were used" in " ".join(found.warnings)
    np.testing.assert_allclose(found.scores, wanted, atol=1e-5)


def test_a_device_that_fails_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is told once; the tiles behind it are not computed."""
    watched = Slow(monkeypatch, 3, ModelError("The second card fell out of its slot."))
    model, image = make(2, (4, 6)), image_of((200, 200), "yx")
    with pytest.raises(ModelError, match="fell out of its slot"):
        predict(model, image, TWO)
    assert sum(watched.by.values()) < 10


def test_stopping_stops_all_and_what_is_done_can_go_on() -> None:
    model, image = make(2, (4, 6)), image_of((150, 150), "yx")
    wanted = predict(model, image, TWO).scores
    steps = predict_steps(model, image, TWO)
    begun = None
    for step in steps:
        if step.partial is not None:
            begun = step.partial.begun
        if step.done == 5:
            break
    steps.close()
    assert begun is not None
    rest = go_on_steps(begun)
    while True:
        try:
            next(rest)
        except StopIteration as end:
            np.testing.assert_array_equal(end.value.scores, wanted)
            break
    with pytest.raises(Cancelled):
        predict(model, image, TWO, cancelled=lambda: True)


def test_an_error_far_behind_is_told_at_once() -> None:
    """Nobody waits for a slow tile once a later one has failed."""
    from queue import SimpleQueue

    class Name:
        name, threads, members = "fake", 1, 1

    queue: Any = SimpleQueue()
    crew = Crew((Name(), Name(), Name()), queue)  # type: ignore[arg-type]
    going = abreast(crew, iter((n, np.zeros(1)) for n in range(9)))
    assert next(going)[1] is None
    futures = [queue.get()[1] for _ in range(4)]
    futures[3].set_exception(ModelError("broken"))
    with pytest.raises(ModelError, match="broken"):
        next(going)


def test_several_models_and_directions_share_devices_too() -> None:
    models = [make(2, (4,)), make(2, (5,))]
    image = image_of((5, 20, 22), "zyx")
    one = PredictSettings(device="cpu", threads=1, volume="three-axes")
    two = PredictSettings(devices=("cpu", "cpu"), threads=1, volume="three-axes")
    wanted, found = (predict(EnsembleModel(models), image, how) for how in (one, two))
    np.testing.assert_array_equal(found.scores, wanted.scores)


def test_a_network_that_needs_the_whole_image_uses_one_and_says_so() -> None:
    model = make(2, (4,))
    model = model.with_card(model.card.replaced(batch_norm="image", segment=16))
    found = predict(model, image_of((32, 48), "yx"), PredictSettings(devices=("cpu", "cpu")))
    assert "looks at each image as a whole, so cpu computed alone" in " ".join(found.warnings)
    assert "devices" not in found.plan


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_why_no_cuda", lambda: "No graphics card was found.")
    with pytest.raises(DeviceError, match="No graphics card was found"):
        prepare(make(2, (4,)), image_of((9, 9), "yx"), PredictSettings(devices=("cpu", "cuda:1")))


def test_all_is_every_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert wanted_devices(PredictSettings(devices=("all",))) == ("auto",)
    card = DeviceChoice("cuda:0", "", "a card")
    monkeypatch.setattr(devices, "choose", lambda name: card)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert wanted_devices(PredictSettings(devices=("all",))) == ("cuda:0", "cuda:1", "cuda:2")
    assert wanted_devices(PredictSettings(device="cpu")) == ("cpu",)

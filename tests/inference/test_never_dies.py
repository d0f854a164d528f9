"""Memory that is full at any tile, values that are no numbers, a disk that is full: no run dies."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_models import image_of

from napari_defectseg.core.errors import ImageError, ModelError, NotSaved
from napari_defectseg.core.progress import drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.devices import DeviceChoice, choose
from napari_defectseg.inference.engines import exact
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.landing import LandSettings, land_steps, progress_of
from napari_defectseg.inference.predict import go_on_steps, predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.stores import Stores
from napari_defectseg.models.model import TorchModel

SETTINGS = PredictSettings(device="cpu", threads=1, tile=96)
SHAPE = (2, 90, 100)
FAILURES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
    MemoryError(),
]


class Passes:
    """Counts the passes of the network, and lets some of them fail or give something else.

    Parameters
    ----------
    patch : MonkeyPatch
    fails : callable
        Takes the number of a pass, from 1 on, and the device; true: it fails.
    error : BaseException
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, fails: Callable[[int, str], bool], error: BaseException
    ) -> None:
        self.count = 0
        run = ExactEngine._run

        def counted(engine: ExactEngine, blocks: Any, *rest: Any) -> Any:
            self.count += 1
            network = engine._network

            def raising(x: torch.Tensor) -> torch.Tensor:
                raise error

            if fails(self.count, devices[id(engine)]):
                engine._network = raising  # type: ignore[assignment]
            try:
                return run(engine, blocks, *rest)
            finally:
                engine._network = network

        devices: dict[int, str] = {}
        made = ExactEngine.__init__

        def init(engine: ExactEngine, network: Any, card: Any, device: str, *rest: Any) -> None:
            devices[id(engine)] = device
            made(engine, network, card, "cpu", *rest)

        patch.setattr(ExactEngine, "__init__", init)
        patch.setattr(ExactEngine, "_run", counted)


@pytest.mark.parametrize("error", FAILURES, ids=["cuda", "cpu", "mps", "python"])
def test_memory_full_at_any_tile_gives_the_result_of_the_smaller_plan(
    plane_model: TorchModel, error: BaseException
) -> None:
    """At every index: bit for bit what that plan gives when nothing fails, and it is said."""
    image = image_of(SHAPE, "zyx")
    found: list[Any] = []
    for at in range(1, prepare(plane_model, image, SETTINGS).total + 1):
        with pytest.MonkeyPatch.context() as patch:
            Passes(patch, lambda number, _, at=at: number == at, error)  # type: ignore[misc]
            found.append(predict(plane_model, image, SETTINGS))
        assert "Smaller tiles were used" in found[-1].warnings[0]
        np.testing.assert_array_equal(found[-1].scores, found[0].scores)
        assert found[-1].plan["core"] == found[0].plan["core"]
    assert len(found) > 3
    whole = predict(plane_model, image, SETTINGS)
    np.testing.assert_allclose(found[0].scores, whole.scores, atol=1e-5)


@pytest.fixture
def fake_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graphics card that computes on the processor, so that the way back to that is seen."""
    card = DeviceChoice("cuda:0", "It was asked for.", "Fake 3000")
    monkeypatch.setattr(
        "napari_defectseg.inference.job.choose",
        lambda name: card if name.startswith("cuda") else choose(name),
    )
    monkeypatch.setattr(exact, "prepared", lambda model, _: PREPARED(model, "cpu"))


PREPARED = exact.prepared


@pytest.mark.usefixtures("fake_card")
def test_a_card_without_memory_hands_over_to_the_processor_with_the_first_tiles(
    plane_model: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smaller tiles first, then the processor: the bits are those of the processor alone."""
    image = image_of((200, 200), "yx")
    alone = predict(plane_model, image, replace(SETTINGS, tile=160))
    Passes(monkeypatch, lambda _, device: device != "cpu", FAILURES[0])
    asked = PredictSettings(device="cuda", threads=1, tile=160)
    found = predict(plane_model, image, asked)
    np.testing.assert_array_equal(found.scores, alone.scores)
    assert found.plan["device"] == "cpu"
    assert any("Smaller tiles were used" in text for text in found.warnings)
    assert "The processor was used instead of Fake 3000" in found.warnings[-1]


@pytest.mark.usefixtures("fake_card")
@pytest.mark.parametrize("at", range(1, 5))
def test_a_card_whose_memory_is_full_once_keeps_its_work(
    plane_model: TorchModel, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """One tile that was too much makes the tiles smaller; the card goes on."""
    image = image_of((200, 200), "yx")
    Passes(monkeypatch, lambda number, _: number == at, FAILURES[0])
    found = predict(plane_model, image, PredictSettings(device="cuda", threads=1, tile=160))
    assert found.plan["device"] == "cuda:0"
    assert "Smaller tiles were used" in found.warnings[0]


@pytest.mark.parametrize("at", range(1, 7))
def test_a_run_block_by_block_gets_lighter_too(
    plane_model: TorchModel, tmp_path: Path, at: int
) -> None:
    image = image_of(SHAPE, "zyx")
    landing = LandSettings(scores=True)
    with pytest.MonkeyPatch.context() as patch:
        Passes(patch, lambda number, _: number == at, FAILURES[1])
        found = drive(land_steps(plane_model, image, SETTINGS, tmp_path / "run", landing))
    assert "Smaller tiles were used" in found.warnings[0]
    whole = predict(plane_model, image, SETTINGS)
    np.testing.assert_allclose(found.stores.scores[...], whole.scores, atol=1e-5)


def spoilt(monkeypatch: pytest.MonkeyPatch, at: int, value: float) -> None:
    """Let the network give a value that is no number in one pixel of one pass."""
    run = ExactEngine.run
    passes: list[int] = []

    def wrong(self: ExactEngine, block: Any) -> Any:
        scores = run(self, block)
        passes.append(1)
        if len(passes) == at:
            scores[1, 3, 5] = value
        return scores

    monkeypatch.setattr(ExactEngine, "run", wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_named_with_the_place(
    plane_model: TorchModel, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Tile, slice, y and x of the first pixel; what was found before can go on."""
    image = image_of(SHAPE, "zyx")
    each = len(prepare(plane_model, image, SETTINGS).plan)
    with monkeypatch.context() as patch:
        spoilt(patch, each + 1, value)
        begun, steps = None, predict_steps(plane_model, image, SETTINGS)
        with pytest.raises(ModelError, match=r"no numbers.*for 1 of.*slice 2, y 3, x 5"):
            for step in steps:
                begun = step.partial.begun if step.partial is not None else begun
    assert begun is not None
    assert begun.done == each
    wanted = predict(plane_model, image, SETTINGS)
    np.testing.assert_array_equal(drive(go_on_steps(begun)).scores, wanted.scores)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_without_value_is_named_with_its_place(
    plane_model: TorchModel, value: float
) -> None:
    data = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    data[1, 70, 80] = value
    data[1, 71, 80] = value
    image = CalibratedImage.from_array(data, axes="zyx")
    with pytest.raises(ImageError, match=r"has 2 pixels.*slice 2.*y 70, x 80"):
        predict(plane_model, image, SETTINGS)
    mended = predict(plane_model, image, PredictSettings(nan="mean", device="cpu", tile=96))
    assert any("2 pixels" in text and "y 70, x 80" in text for text in mended.warnings)


def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_space(
    plane_model: TorchModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever block the disk is full at: those before it stay, and the result is the same."""
    image = image_of(SHAPE, "zyx")
    fresh = drive(land_steps(plane_model, image, SETTINGS, tmp_path / "fresh", LandSettings()))
    total = fresh.job.total
    for at in (1, total // 2, total):
        folder, puts = tmp_path / f"run{at}", []
        put = Stores.put

        def full(self: Stores, *rest: Any, puts: Any = puts, at: int = at, put: Any = put) -> str:
            puts.append(1)
            if len(puts) == at:
                raise OSError(errno.ENOSPC, "No space left on device")
            digest: str = put(self, *rest)
            return digest

        with monkeypatch.context() as patch:
            patch.setattr(Stores, "put", full)
            with pytest.raises(NotSaved, match="No space left") as told:
                drive(land_steps(plane_model, image, SETTINGS, folder, LandSettings()))
        assert "finished blocks are kept" in told.value.hint
        assert progress_of(folder) == (at - 1, total)
        again = LandSettings(resume=True)
        found = drive(land_steps(plane_model, image, SETTINGS, folder, again))
        assert found.kept == at - 1
        np.testing.assert_array_equal(found.stores.mask[...], fresh.stores.mask[...])

"""Predictions on a graphics card: near to the processor's, memory given back, much faster."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel, design

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="No graphics card of NVIDIA is at hand."
)
CASES = {"plane": (2, (512, 480)), "stack": (2, (3, 200, 180)), "volume": (3, (64, 96, 80))}
CARD = PredictSettings(device="cuda", mode="exact")
PROCESSOR = PredictSettings(device="cpu", mode="exact")


def make(dims: int) -> TorchModel:
    """Return the small U-Net with statistics as a trained one has them."""
    torch.manual_seed(0)
    widths = (32, 64, 128, 256) if dims == 2 else (16, 32, 64, 128)
    card = design(
        "card",
        settings={"dims": dims, "widths": widths},
        classes=ClassMap.of(["a", "b", "c"]),
        preprocessing=(),
    )
    network = TorchModel.new(card).network()
    with torch.no_grad():
        network.train()(torch.randn(2, 1, *(64,) * dims))
    return TorchModel.from_network(card, network)


def noise(shape: tuple[int, ...]) -> CalibratedImage:
    data = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return CalibratedImage.from_array(data, axes="zyx"[-len(shape) :])


@pytest.mark.parametrize("case", CASES)
def test_exact_scores_are_those_of_the_processor(case: str) -> None:
    """At most 1e-4 away, and at most one pixel in 100,000 of another class; TF32 is off."""
    dims, shape = CASES[case]
    model, image = make(dims), noise(shape)
    card, processor = predict(model, image, CARD), predict(model, image, PROCESSOR)
    assert card.plan["device"].startswith("cuda")
    assert np.abs(card.scores - processor.scores).max() <= 1e-4
    flips = (card.scores.argmax(0) != processor.scores.argmax(0)).mean()
    assert flips <= 1e-5


@pytest.mark.parametrize("dims", [2, 3])
def test_tiles_give_what_the_whole_image_gives(dims: int) -> None:
    shape, tile = ((600, 500), 256) if dims == 2 else ((128, 160, 128), 144)
    model, image = make(dims), noise(shape)
    whole = predict(model, image, CARD)
    tiled = predict(model, image, PredictSettings(device="cuda", mode="exact", tile=tile))
    assert tiled.plan["tiles"] > 1
    assert np.abs(whole.scores - tiled.scores).max() <= 1e-5


def test_memory_of_the_card_is_free_afterwards() -> None:
    """Also after a run that was stopped in its middle."""
    model, image = make(2), noise((600, 600))
    before = torch.cuda.memory_allocated()
    predict(model, image, CARD)
    steps = predict_steps(model, image, PredictSettings(device="cuda", tile=256))
    for step in steps:
        if step.partial is not None:
            break
    steps.close()
    del steps, step
    gc.collect()
    assert torch.cuda.memory_allocated() <= before


def test_settings_of_the_card_are_put_back() -> None:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    predict(make(2), noise((200, 200)), PredictSettings(device="cuda", mode="fast"))
    assert (matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark) == before


def test_fast_says_its_engine_and_its_error() -> None:
    model = make(2)
    lenient = model.with_card(model.card.replaced(fast_agreement=0.9))
    found = predict(lenient, noise((900, 900)), PredictSettings(device="cuda", mode="fast"))
    if found.plan["engine"] != "torch float32":
        assert found.plan["error"]["agreement"] >= 0.9
    assert found.plan["engine"] in found.warnings[-1] or "exactly" in found.warnings[-1]


@pytest.mark.long
@pytest.mark.parametrize(("dims", "shape"), [(2, (4096, 4096)), (3, (256, 256, 256))])
def test_it_is_twenty_times_as_fast_as_two_cores(dims: int, shape: tuple[int, ...]) -> None:
    model, image = make(dims), noise(shape)
    predict(model, image, CARD)  # kernels are loaded once
    seconds = []
    for settings in (CARD, PredictSettings(device="cpu", mode="exact", threads=2)):
        started = time.perf_counter()
        predict(model, image, settings)
        seconds.append(time.perf_counter() - started)
    assert 20 * seconds[0] <= seconds[1]

"""Models that run elsewhere give what the exact engine gives, tile by tile, and can be stopped."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.errors import Cancelled, DeviceError, ModelError
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.several import predict_several
from napari_defectseg.models.arraymodel import ArrayModel, OutOfMemory, Program, Started
from napari_defectseg.models.joined import JoinedModel

MODELS = {2: make(2), 3: make(3, (3, 4, 5))}


class Here:
    """A runner without a process: one of our networks."""

    confinement = ""

    def __init__(self, network, most=1 << 60, wait=0.0):
        self.network = network
        self.most = most
        self.wait = wait
        self.shapes: list[tuple[int, ...]] = []
        self._stop = threading.Event()

    def run(self, block):
        self.shapes.append(block.shape[1:])
        if np.prod(block.shape[1:]) > self.most:
            raise OutOfMemory("The model has no memory left to compute a tile.")
        if self._stop.wait(self.wait):
            self._stop.clear()
            raise Cancelled("Stopped.")
        with torch.inference_mode():
            return self.network(torch.from_numpy(block)[None])[0].numpy()

    def interrupt(self):
        self._stop.set()

    def close(self):
        pass


def elsewhere(dims=2, runner=None, **fields):
    """Return one of our models as one that runs elsewhere."""
    model = MODELS[dims]
    started = Started()
    started.runner = runner or Here(model.network())
    started.threads = torch.get_num_threads()
    card = model.card.replaced(**fields) if fields else model.card
    return ArrayModel(card, Program("here", Path("here")), sha256="0" * 64, started=started)


@pytest.mark.parametrize("shape", [(70, 90), (3, 40, 50)])
def test_scores_are_those_of_the_exact_engine(shape):
    image = image_of(shape, "yx" if len(shape) == 2 else "zyx")
    wanted = predict(MODELS[2], image)
    found = predict(elsewhere(), image, PredictSettings(tile=64))
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
    assert found.plan["engine"] == "here float32"
    assert found.provenance.model_sha256 == "0" * 64


@given(
    shape=st.tuples(st.integers(1, 130), st.integers(1, 130)),
    edges=st.tuples(st.integers(14, 22), st.integers(14, 22)),
)
@settings(max_examples=15, deadline=None)
def test_tiles_of_one_size_leave_no_seam(shape, edges):
    """Images smaller than a tile are mirrored; at the borders tiles move inwards."""
    tile = tuple(4 * n for n in edges)
    halo = MODELS[2].card.halo
    runner = Here(MODELS[2].network())
    image = image_of(shape, "yx")
    found = predict(elsewhere(runner=runner, tile=tile), image)
    assert set(runner.shapes) == {tile}
    assert halo * 2 < min(tile)
    if all(n >= t for n, t in zip(shape, tile, strict=True)):
        wanted = predict(MODELS[2], image)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
    assert found.plan["fixed"] == list(tile)


def test_another_tile_than_the_only_one_is_refused():
    model = elsewhere(tile=(64, 64))
    with pytest.raises(ModelError, match="takes tiles of 64 × 64 pixels alone"):
        predict(model, image_of((90, 90), "yx"), PredictSettings(tile=80))


def test_a_network_that_sees_all_of_its_one_tile_is_tiled_with_overlap():
    found = predict(elsewhere(tile=(64, 64), halo=None), image_of((100, 90), "yx"))
    assert found.plan["halo"] == 8
    assert found.scores.shape == (3, 100, 90)


def test_without_memory_the_tiles_become_smaller_and_that_is_said():
    runner = Here(MODELS[2].network(), most=90 * 90)
    image = image_of((120, 120), "yx")
    found = predict(elsewhere(runner=runner), image)
    np.testing.assert_allclose(found.scores, predict(MODELS[2], image).scores, atol=1e-5)
    assert any("Smaller tiles were used" in one for one in found.warnings)


def test_a_wrong_number_of_classes_is_told():
    with pytest.raises(ModelError, match="where its card promises"):
        predict(elsewhere(3, runner=Here(MODELS[3].network()), classes=_one()),
                image_of((8, 16, 16), "zyx"))  # fmt: skip


def _one():
    from napari_defectseg.core.classes import ClassMap

    return ClassMap.of(["void"])


def test_the_processor_is_its_device():
    with pytest.raises(DeviceError, match="on the processor; cuda was asked for"):
        predict(elsewhere(), image_of((20, 20), "yx"), PredictSettings(device="cuda"))


def test_a_graphics_card_is_used_where_it_is_asked_for(monkeypatch):
    """A fake card: which device the process is started for, and what the result says."""
    from napari_defectseg.inference import job
    from napari_defectseg.inference.devices import DeviceChoice
    from napari_defectseg.models.worker import start

    model = elsewhere()
    ours = ArrayModel(model.card, Program("onnxruntime", Path("m.onnx")), sha256="0" * 64)
    started = []

    def start_worker(program, threads, *, device):
        started.append(device)
        return Here(MODELS[2].network())

    monkeypatch.setattr(start, "start_worker", start_worker)
    monkeypatch.setattr(job, "choose", lambda name: DeviceChoice(
        "cuda:1" if name == "cuda:1" else "cpu", "fake", "fake"))  # fmt: skip
    image = image_of((20, 20), "yx")
    found = predict(ours, image, PredictSettings(device="cuda:1"))
    assert found.plan["device"] == "cuda:1"
    predict(ours, image)
    predict(ours, image, PredictSettings(device="cpu"))
    assert started == ["cuda:1", "cpu"]  # auto is the processor, and its process is kept
    with pytest.raises(DeviceError, match="run by onnxruntime, on the processor; mps"):
        predict(ours, image, PredictSettings(device="mps"))


def test_a_stopped_prediction_ends_the_pass_within_half_a_second():
    steps = predict_steps(elsewhere(runner=Here(MODELS[2].network(), wait=30)),
                          image_of((40, 40), "yx"))  # fmt: skip
    for _ in range(4):
        next(steps)
    asked = time.monotonic()
    steps.close()
    assert time.monotonic() - asked <= 0.5


def test_what_it_will_take_is_told_and_measured():
    said = forecast(elsewhere(tile=(64, 64)), image_of((200, 200), "yx"), measure=True)
    assert said.tile == (64, 64)
    assert said.seconds is not None
    assert "GB of memory (a guess)" in said.sentence


def test_models_elsewhere_stand_beside_ours():
    from napari_defectseg.core.classes import ClassMap

    other = elsewhere(classes=ClassMap.of(["pore", "crack"]), thresholds={})
    joined = JoinedModel([MODELS[2], other])
    image = image_of((50, 60), "yx")
    steps = predict_several(joined, image, PredictSettings())
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found = end.value
    np.testing.assert_allclose(found.scores[:2], found.scores[2:], atol=1e-5)


def test_a_collection_fails_once_where_the_model_cannot_be_loaded(tmp_path):
    from napari_defectseg.images.collection import Collection
    from napari_defectseg.inference.collection import predict_collection_steps
    from napari_defectseg.models.worker.start import WorkerRunner

    file = tmp_path / "broken.pt"
    file.write_bytes(b"no program")
    model = ArrayModel(MODELS[2].card, Program("torchscript", file))
    steps = predict_collection_steps(model, Collection(()))
    with pytest.raises(ModelError, match=r"broken\.pt failed to be loaded"):
        next(steps)
    assert isinstance(model.start(1), WorkerRunner)
    model.close()

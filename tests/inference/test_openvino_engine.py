"""Our networks by OpenVINO: converted in memory, the same numbers, stopped at once, no reports."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

pytest.importorskip("openvino", reason="OpenVINO is not installed: napari-defectseg[openvino].")

from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.engines.openvino import OpenVinoEngine, openvino_engine
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.recover import MemoryFull
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.ways import Way, has_bfloat16
from napari_defectseg.models.model import TorchModel

OPENVINO = PredictSettings(engine="openvino-float32", threads=1)
MODELS = {2: make(2), 3: make(3, (3, 4, 5))}


@contextmanager
def engine(dims=2, dtype="float32"):
    with openvino_engine(MODELS[dims], 1, Way("openvino", dtype)) as made:
        yield made


@given(shape=st.tuples(st.integers(1, 150), st.integers(1, 150)), tile=st.integers(56, 120))
@settings(max_examples=3, deadline=None)
def test_tiles_give_what_torch_gives_for_the_whole(shape, tile) -> None:
    image = image_of(shape, "yx")
    whole = predict(MODELS[2], image)
    found = predict(MODELS[2], image, PredictSettings(engine="openvino-float32", tile=tile))
    assert found.plan["engine"] == "openvino float32"
    assert found.plan["error"]["max"] < 1e-5
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-5)


def test_volumes_too() -> None:
    image = image_of((20, 30, 41), "zyx")
    found = predict(MODELS[3], image, OPENVINO)
    np.testing.assert_allclose(found.scores, predict(MODELS[3], image).scores, atol=1e-5)


@pytest.mark.skipif(not has_bfloat16(), reason="This processor has no bfloat16.")
def test_in_bfloat16_the_error_is_measured_and_said() -> None:
    found = predict(
        MODELS[2], image_of((90, 90), "yx"), PredictSettings(engine="openvino-bfloat16")
    )
    assert found.plan["dtype"] == "bfloat16"
    assert 1e-6 < found.plan["error"]["max"] < 0.1
    assert "Computed by openvino bfloat16" in found.warnings[-1]


def test_the_network_is_converted_once_for_a_model_and_kept_until_it_is_closed() -> None:
    model = make(2)
    predict(model, image_of((40, 40), "yx"), OPENVINO)
    assert model.has_form("openvino")
    kept = model.form("openvino", lambda: None)
    predict(model, image_of((40, 40), "yx"), OPENVINO)
    assert model.form("openvino", lambda: None) is kept
    model.close()
    assert not model.has_form("openvino")


def test_logits_and_batches_are_those_of_the_network() -> None:
    blocks = np.random.default_rng(0).standard_normal((3, 1, 24, 16), np.float32)
    with engine() as made, torch.inference_mode():
        wanted = MODELS[2].network()(torch.from_numpy(blocks)).numpy()
        np.testing.assert_allclose(made.logits(blocks), wanted, atol=1e-5)
        assert made.run_batch(blocks).shape == (3, 3, 24, 16)
        assert made.members == made.threads == 1


class Slow:
    """A request that ends only when it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    def start_async(self, given, share_inputs) -> None:
        pass

    def wait_for(self, milliseconds) -> bool:
        time.sleep(milliseconds / 1000)
        return False

    def cancel(self) -> None:
        self.cancelled = True

    def wait(self) -> None:
        raise RuntimeError("Infer Request was canceled")


def test_a_pass_is_ended_within_half_a_second(monkeypatch) -> None:
    request = Slow()
    monkeypatch.setattr(OpenVinoEngine, "_request", lambda self, shape: request)
    with engine() as made:
        passing = made.begin(np.zeros((1, 16, 16), np.float32))
        next(passing)
        asked = time.monotonic()
        passing.close()
        assert time.monotonic() - asked < 0.5
    assert request.cancelled


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Failed to allocate 1 byte", MemoryFull, "no memory left for a tile of 16 × 16"),
        ("\nNo kernel\nmore", ModelError, "failed on a tile of 16 × 16 pixels of small: No kernel"),
    ],
)
def test_what_it_refuses_is_a_sentence(monkeypatch, text, kind, words) -> None:
    def refuse(self, shape):
        raise RuntimeError(text)

    monkeypatch.setattr(OpenVinoEngine, "_request", refuse)
    with engine() as made, pytest.raises(kind, match=words):
        made.run(np.zeros((1, 16, 16), np.float32))


def test_a_network_it_cannot_convert_is_a_sentence(monkeypatch) -> None:
    class Strange(torch.nn.Module):
        def forward(self, x):
            return torch.special.airy_ai(x)

    model = TorchModel(MODELS[2].card, dict)
    monkeypatch.setattr(model, "network", Strange)
    with (
        pytest.raises(ModelError, match="cannot convert the network of small"),
        openvino_engine(model, 1, Way("openvino")) as made,
    ):
        made.run(np.zeros((1, 16, 16), np.float32))


def test_a_card_that_promises_another_number_of_classes_is_found_out() -> None:
    from napari_defectseg.core.classes import ClassMap

    card = MODELS[2].card.replaced(classes=ClassMap.of(["a", "b", "c"]))
    with (
        openvino_engine(MODELS[2].with_card(card), 1, Way("openvino")) as made,
        pytest.raises(ModelError, match=r"gave \(3, 16, 16\) where its card promises \(4, 16"),
    ):
        made.run(np.zeros((1, 16, 16), np.float32))


def test_its_statistics_are_never_loaded_and_no_trace_of_that_stays() -> None:
    code = (
        "import sys, tempfile\n"
        "from napari_defectseg.inference.engines.openvino import _imported\n"
        "_imported()\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
        "import openvino.tools.ovc.telemetry_utils as utils\n"
        "assert 'stub' in utils.tm.__name__, utils.tm.__name__\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)

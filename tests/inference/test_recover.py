"""A device without memory gets smaller tiles, and the result says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from small_models import image_of, make

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.predict import predict
from napari_defectseg.models.model import TorchModel

MESSAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the network fail for tiles of more than so many pixels."""

    def limit(pixels: int, error: RuntimeError) -> None:
        network_of = ExactEngine.__init__

        def init(self: ExactEngine, network: torch.nn.Module, *rest: Any) -> None:
            def checked(x: torch.Tensor) -> torch.Tensor:
                if math.prod(x.shape[2:]) > pixels:
                    raise error
                result: torch.Tensor = network(x)
                return result

            network_of(self, checked, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(ExactEngine, "__init__", init)

    return limit


@pytest.mark.parametrize("error", MESSAGES, ids=["cuda", "cpu", "mps"])
def test_smaller_tiles_give_the_same_scores(
    plane_model: TorchModel, little: Any, error: RuntimeError
) -> None:
    image = image_of((200, 160), "yx")
    whole = predict(plane_model, image)
    little(20_000, error)
    seen = []
    found = predict(plane_model, image, on_step=seen.append)
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-5)
    assert found.plan["tiles"] > 1
    assert "no memory left for a tile of 200 × 160" in found.warnings[0]
    assert "Smaller tiles were used" in found.warnings[0]
    assert any("Smaller tiles were used" in step.text for step in seen)


def test_memory_that_is_never_enough_ends_in_a_sentence(
    plane_model: TorchModel, little: Any
) -> None:
    little(0, MESSAGES[0])
    with pytest.raises(DeviceError, match=r"no memory left.*Close other programs"):
        predict(plane_model, image_of((100, 100), "yx"))


def test_a_network_that_sees_everything_cannot_be_cut(little: Any) -> None:
    little(0, MESSAGES[0])
    with pytest.raises(DeviceError, match="not possible with this network"):
        predict(make(2, norm="instance"), image_of((100, 100), "yx"))


def test_another_failure_of_the_network_is_named(plane_model: TorchModel, little: Any) -> None:
    little(0, RuntimeError("size mismatch between layers\nand a long trace"))
    with pytest.raises(ModelError, match=r"small failed on a block.*size mismatch between layers"):
        predict(plane_model, image_of((20, 20), "yx"))

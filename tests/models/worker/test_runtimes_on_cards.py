"""Runtimes on a graphics card, with fakes of their frameworks: what is asked, what is told."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_defectseg.models.runtimes import onnxruntime as runtime
from napari_defectseg.models.runtimes import torch_export, torchscript
from napari_defectseg.models.runtimes.results import as_function

PORTS = {"input": "x", "output": "y"}


@pytest.fixture
def onnx(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A onnxruntime that knows a card and gives twice what it gets."""
    made = SimpleNamespace(providers=None, known=[runtime.CUDA, runtime.CPU], used=None)

    class Session:
        def __init__(self, path: str, settings: Any, providers: Any) -> None:
            made.providers = providers

        def get_providers(self) -> list[str]:
            return made.used or [p if isinstance(p, str) else p[0] for p in made.providers]

        def run(self, outputs: Any, inputs: Any, options: Any) -> list[np.ndarray]:
            return [2 * inputs["x"]]

    fake = SimpleNamespace(
        InferenceSession=Session,
        SessionOptions=lambda: SimpleNamespace(add_session_config_entry=lambda *a: None),
        GraphOptimizationLevel=SimpleNamespace(ORT_ENABLE_ALL=99),
        RunOptions=SimpleNamespace,
        set_default_logger_severity=lambda level: None,
        get_available_providers=lambda: made.known,
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    return made


def test_onnxruntime_takes_the_card_in_float32(onnx: SimpleNamespace) -> None:
    session = runtime.load(Path("m.onnx"), {**PORTS, "device": "cuda:1"}, 1)
    assert onnx.providers == [(runtime.CUDA, {"device_id": 1, "use_tf32": 0}), runtime.CPU]
    block = np.ones((1, 1, 4, 4), np.float32)
    np.testing.assert_array_equal(session(block), 2 * block)
    runtime.load(Path("m.onnx"), PORTS, 1)
    assert onnx.providers == [runtime.CPU]


def test_onnxruntime_without_cards_says_what_to_install(onnx: SimpleNamespace) -> None:
    onnx.known = [runtime.CPU]
    with pytest.raises(RuntimeError, match="pip install onnxruntime-gpu"):
        runtime.load(Path("m.onnx"), {**PORTS, "device": "cuda:0"}, 1)


def test_a_silent_return_to_the_processor_is_an_error(onnx: SimpleNamespace) -> None:
    onnx.used = [runtime.CPU]
    with pytest.raises(RuntimeError, match="cannot use cuda:0 here"):
        runtime.load(Path("m.onnx"), {**PORTS, "device": "cuda:0"}, 1)


def test_programs_of_torch_are_loaded_onto_the_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The device without numbers stands for a card."""
    asked = []
    module = torch.nn.Conv2d(1, 2, 1)
    monkeypatch.setattr(torch.jit, "load", lambda path, map_location: (
        asked.append(map_location), module)[1])  # fmt: skip
    torchscript.load(tmp_path / "m.pt", {"device": "cuda:0"}, torch.get_num_threads())
    torchscript.load(tmp_path / "m.pt", {}, torch.get_num_threads())
    assert asked == ["cuda:0", "cpu"]
    program = torch.export.export(module, (torch.zeros(1, 1, 4, 4),))
    torch.export.save(program, tmp_path / "m.pt2")
    import torch.export.passes as passes

    moved = []
    monkeypatch.setattr(passes, "move_to_device_pass", lambda p, device: (
        moved.append(device), p)[1])  # fmt: skip
    torch_export.load(tmp_path / "m.pt2", {"device": "cuda:0"}, torch.get_num_threads())
    assert moved == ["cuda:0"]


def test_blocks_go_to_the_device_and_come_back() -> None:
    seen = []

    def module(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.device.type)
        return torch.zeros(x.shape)

    as_function(module, {"device": "meta"})(np.zeros((1, 1, 2, 2), np.float32))
    assert seen == ["meta"]

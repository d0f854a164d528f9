"""Which ways there are to run a model, by what processor and packages offer."""

from __future__ import annotations

import pytest
import torch
from small_models import make

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.inference import ways
from napari_defectseg.inference.devices import DeviceChoice
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.ways import EXACT, Way, way_called, ways_for
from napari_defectseg.models.arraymodel import ArrayModel, Program

CPU = DeviceChoice("cpu", "", "processor")
CUDA = DeviceChoice("cuda:0", "", "a card")


def offered(monkeypatch, *, bfloat16: bool, openvino: bool) -> None:
    found = {"avx512_bf16": bfloat16, "avx2": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    monkeypatch.setattr(ways, "has_openvino", lambda: openvino)


def names(model, device=CPU):
    return [way.name for way in ways_for(model, device)]


@pytest.mark.parametrize(
    ("bfloat16", "openvino", "expected"),
    [
        (False, False, ["torch-float32"]),
        (True, False, ["torch-float32", "torch-bfloat16"]),
        (False, True, ["torch-float32", "openvino-float32"]),
        (True, True, ["torch-float32", "torch-bfloat16", "openvino-float32", "openvino-bfloat16"]),
    ],
)
def test_bfloat16_is_offered_only_where_the_processor_has_it(
    monkeypatch, plane_model, bfloat16, openvino, expected
) -> None:
    offered(monkeypatch, bfloat16=bfloat16, openvino=openvino)
    assert names(plane_model) == expected


@pytest.mark.parametrize(("capability", "halves"), [((7, 5), []), ((8, 0), ["torch-bfloat16"])])
def test_a_graphics_card_offers_what_its_generation_has(
    monkeypatch, plane_model, capability, halves
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert names(plane_model, CUDA) == ["torch-float32", "torch-tf32", *halves, "torch-float16"]
    apple = DeviceChoice("mps", "", "Apple GPU")
    assert names(plane_model, apple) == ["torch-float32", "torch-float16"]


def test_a_network_that_measures_each_image_stays_exact(monkeypatch) -> None:
    offered(monkeypatch, bfloat16=True, openvino=True)
    assert ways_for(make(2, batch_norm="image"), CPU) == (EXACT,)


def test_files_of_onnx_run_by_openvino_too_and_others_do_not(monkeypatch, plane_model) -> None:
    offered(monkeypatch, bfloat16=False, openvino=True)
    onnx, script = (
        ArrayModel(plane_model.card, Program(runtime, ways.__file__))  # type: ignore[arg-type]
        for runtime in ("onnxruntime", "torchscript")
    )
    assert names(onnx) == ["onnxruntime-float32", "openvino-float32"]
    assert names(script) == ["torchscript-float32"]


def test_a_way_is_found_by_its_name_in_settings_and_in_plans(monkeypatch, plane_model) -> None:
    offered(monkeypatch, bfloat16=True, openvino=False)
    for name in ("torch-bfloat16", "torch bfloat16"):
        assert way_called(name, plane_model, CPU) == Way("torch", "bfloat16")
    with pytest.raises(DeviceError, match=r"cannot be computed by openvino-float32 on processor"):
        way_called("openvino-float32", plane_model, CPU)


def test_compiled_ways_need_a_compiler(monkeypatch, plane_model) -> None:
    offered(monkeypatch, bfloat16=False, openvino=False)
    monkeypatch.setattr(ways, "has_compiler", lambda: False)
    with pytest.raises(DeviceError, match=r"Here there are torch-float32\."):
        way_called("compiled-float32", plane_model, CPU)
    monkeypatch.setattr(ways, "has_compiler", lambda: True)
    assert way_called("compiled-float32", plane_model, CPU) == Way("compiled")


def test_every_engine_that_can_be_asked_for_has_a_name_for_people() -> None:
    known = dict(ways.ENGINES)
    for dtype in ("float32", "tf32", "bfloat16", "float16"):
        assert Way("torch", dtype).name in known
    assert all(known.values())


def test_exact_mode_refuses_an_engine_that_is_not() -> None:
    with pytest.raises(DeviceError, match="torch-bfloat16 is not exact"):
        PredictSettings(mode="exact", engine="torch-bfloat16")
    assert PredictSettings(mode="exact", engine="torch float32").engine == "torch float32"

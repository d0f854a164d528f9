"""Our own formats of models keep the contract that strangers' formats must keep."""

from __future__ import annotations

import zipfile

import pytest
import torch
from tests.models import test_containers  # noqa: F401 - it holds the contracts of further formats
from tests.models.keras.writing import (
    seeded,
    small_config,
    write_defectsegnet,
    write_h5,
    write_keras,
)
from tests.models.onnx.writing import small_onnx

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.format import FORMATS
from napari_defectseg.models.keras.configuration import network_in
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.testing import FormatContract


def small_model() -> TorchModel:
    card = design("small", settings={"widths": (4, 8)}, classes=ClassMap.of(["void", "loop"]))
    return TorchModel.new(card, seed=1)


class TestFolder(FormatContract):
    format = FORMATS.get("folder")

    def write(self, folder):
        return save_model(small_model(), folder / "model")


class TestSafetensors(FormatContract):
    format = FORMATS.get("safetensors")

    def write(self, folder):
        path = folder / "model.safetensors"
        write_safetensors(small_model().state_dict(), path)
        return path


class TestStateDict(FormatContract):
    format = FORMATS.get("state_dict")

    def write(self, folder):
        path = folder / "model.pt"
        torch.save(dict(small_model().state_dict()), path)
        return path


class TestCheckpoint(FormatContract):
    format = FORMATS.get("state_dict")

    def write(self, folder):
        path = folder / "model.ckpt"
        torch.save({"state_dict": dict(small_model().state_dict()), "epoch": 3}, path)
        return path


class TestWholeModule(FormatContract):
    format = FORMATS.get("state_dict")

    def write(self, folder):
        path = folder / "model.pt"
        torch.save(small_model().network(), path)
        return path


class TestProgram(FormatContract):
    format = FORMATS.get("program")

    def write(self, folder):
        path = folder / "model.pt2"
        network, x = small_model().network(), torch.zeros(1, 1, 8, 8)
        torch.export.save(torch.export.export(network, (x,)), path)
        return path


RDF = """
name: small
type: model
format_version: 0.5.3
inputs:
  - axes: [{type: batch}, {type: channel, channel_names: [sem]}]
    preprocessing: [{id: zero_mean_unit_variance}]
outputs:
  - axes: [{type: channel, channel_names: [background, void, loop]}]
    postprocessing: [{id: softmax}]
weights:
  pytorch_state_dict: {source: weights.pt}
"""


class TestBioimageio(FormatContract):
    format = FORMATS.get("bioimageio")

    def write(self, folder):
        torch.save(dict(small_model().state_dict()), folder / "weights.pt")
        path = folder / "model.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rdf.yaml", RDF)
            archive.write(folder / "weights.pt", "weights.pt")
        return path


class TestKerasWeights(FormatContract):
    format = FORMATS.get("keras")

    def write(self, folder):
        graph = ARCHITECTURES.get("am_unet").graph({"base": 2})
        return write_h5(graph, seeded(graph), folder / "model.h5")


class TestKerasModel(FormatContract):
    format = FORMATS.get("keras")

    def write(self, folder):
        graph = network_in(small_config(), "small").graph
        return write_h5(graph, seeded(graph), folder / "model.h5", config=small_config())


class TestKerasArchive(FormatContract):
    format = FORMATS.get("keras")

    def write(self, folder):
        return write_keras(folder / "model.keras")


class TestTensorFlow(FormatContract):
    format = FORMATS.get("tensorflow")

    def write(self, folder):
        graph = ARCHITECTURES.get("defectsegnet").graph({"base": 1})
        return write_defectsegnet(graph, folder)


class TestOnnx(FormatContract):
    format = FORMATS.get("onnx")

    def write(self, folder):
        pytest.importorskip("onnxruntime")
        return small_onnx(folder / "model.onnx")


class TestOpenVino(FormatContract):
    format = FORMATS.get("openvino")

    def write(self, folder):
        openvino = pytest.importorskip("openvino")
        model = openvino.Core().read_model(str(small_onnx(folder / "model.onnx")))
        openvino.save_model(model, str(folder / "model.xml"), compress_to_fp16=False)
        return folder / "model.xml"


def test_every_format_is_put_to_the_test():
    tested = {item.format for item in FormatContract.__subclasses__()}
    assert {FORMATS.get(name) for name in FORMATS.names()} <= tested

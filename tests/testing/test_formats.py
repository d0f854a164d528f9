"""Our own formats of models keep the contract that strangers' formats must keep."""

from __future__ import annotations

import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.format import FORMATS
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


def test_every_format_is_put_to_the_test():
    tested = {item.format for item in FormatContract.__subclasses__()}
    assert {FORMATS.get(name) for name in FORMATS.names()} <= tested

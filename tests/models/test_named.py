"""What cannot be opened is called by its name, with what to do."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.named_files import BYTES, MADE

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model


def refused(path: Path, words: str, advice: str) -> ModelError:
    """Check that a file is refused with these words and this advice."""
    with pytest.raises(ModelError) as caught:
        open_model(path)
    error = caught.value
    assert str(path) in error.sentence
    assert words in error.sentence
    assert advice in (error.hint or "")
    return error


@pytest.mark.parametrize("name", BYTES)
def test_files_of_other_programs_are_named(name: str, tmp_path: Path) -> None:
    content, words, advice = BYTES[name]
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, words, advice)


@pytest.mark.parametrize("name", MADE)
def test_files_and_folders_with_things_inside_are_named(name: str, tmp_path: Path) -> None:
    make, words, advice = MADE[name]
    make(tmp_path / name)
    refused(tmp_path / name, words, advice)


def weights(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(4, 3, 3, 3) for name in names}


FAMILIES = {
    "SAM,": (weights("image_encoder.blocks.0.attn.qkv.weight", "mask_decoder.x.weight"), "labels"),
    "SAM 2": (weights("image_encoder.trunk.a.weight", "memory_attention.b.weight"), "labels"),
    "SAM in the form": (
        weights("vision_encoder.a", "mask_decoder.b", "prompt_encoder.c"), "labels",
    ),
    "Cellpose,": (
        weights("downsample.down.res_down_0.conv.weight", "upsample.up.a", "output.2.weight"),
        "labels",
    ),
    "Cellpose-SAM": (weights("encoder.blocks.0.a", "out.weight", "W2"), "labels"),
    "Ultralytics": (weights("model.0.conv.weight", "model.22.cv2.weight"), "format='onnx'"),
    "Detectron2": (weights("backbone.bottom_up.stem.weight"), "export_model.py"),
    "MMSegmentation": (weights("backbone.a.weight", "decode_head.conv_seg.weight"), "ONNX"),
}  # fmt: skip


@pytest.mark.parametrize("words", FAMILIES)
def test_weights_of_widespread_models_are_named(words: str, tmp_path: Path) -> None:
    state, advice = FAMILIES[words]
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    refused(tmp_path / "w.pth", words, advice)


def test_names_of_classes_in_a_file_that_is_refused_are_said(tmp_path: Path) -> None:
    """MMSegmentation keeps them beside the weights."""
    meta = {"CLASSES": ("crack", "pore"), "PALETTE": [[255, 0, 0], [0, 255, 0]]}
    state = FAMILIES["MMSegmentation"][0]
    torch.save({"meta": meta, "state_dict": state}, tmp_path / "iter_80000.pth")
    refused(tmp_path / "iter_80000.pth", "It states the classes crack, pore.", "ONNX")


def made_elsewhere(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> Any:
    """Return a class that pickles as one of a package that is not installed."""
    for depth in range(1, module.count(".") + 2):
        part = ".".join(module.split(".")[:depth])
        monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


def test_the_network_in_a_learner_of_fastai_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are read and nothing of fastai is run; another network is named."""
    learner = made_elsewhere(monkeypatch, "fastai.learner", "Learner")()
    card = design("small", settings={"widths": (2, 4)}, classes=ClassMap.of(["void"]))
    learner.model, learner.dls = TorchModel.new(card, seed=1).network(), None
    torch.save(learner, tmp_path / "export.pkl")
    learner.model = torch.nn.ModuleDict({"odd": torch.nn.Linear(3, 4)})
    torch.save(learner, tmp_path / "other.pkl")
    monkeypatch.undo()
    assert open_model(tmp_path / "export.pkl").card.architecture == "unet"
    refused(tmp_path / "other.pkl", "a learner of fastai", "learn.model.state_dict()")


def test_yolo_and_forests_are_named_by_their_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yolo = made_elsewhere(monkeypatch, "ultralytics.nn.tasks", "SegmentationModel")()
    yolo._modules, yolo._parameters, yolo._buffers = {}, {"w": torch.zeros(3)}, {}
    forest = made_elsewhere(monkeypatch, "sklearn.ensemble", "RandomForestClassifier")()
    forest.trees = np.zeros(3)
    torch.save({"model": yolo, "epoch": -1}, tmp_path / "best.pt")
    (tmp_path / "forest.pkl").write_bytes(pickle.dumps(forest))
    monkeypatch.undo()
    refused(tmp_path / "best.pt", "ultralytics.nn.tasks.SegmentationModel", "format='onnx'")
    refused(tmp_path / "forest.pkl", "sklearn.ensemble.RandomForestClassifier", "labels")


def test_a_checkpoint_in_the_first_form_of_tensorflow_is_named(tmp_path: Path) -> None:
    """One file without the end ``.index``, as before 2017."""
    content = bytes(100) + (0xDB4775248B80FB57).to_bytes(8, "little")
    (tmp_path / "model.ckpt").write_bytes(content)
    refused(tmp_path / "model.ckpt", "in the first form of TensorFlow", "tf.train.Saver")

"""Folders and archives of other programs keep the contract of formats, whole or damaged."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.models.test_monai import _bundle
from tests.models.test_nnunet import _written
from tests.models.test_smp import _folder
from tests.models.test_transformers import FORMER

from napari_defectseg.models.architectures import segformer
from napari_defectseg.models.formats import monai, nnunet, smp, transformers
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.testing.format import FormatContract


class TestNNUNetFolder(FormatContract):
    format = nnunet

    def write(self, folder: Path) -> Path:
        return _written(folder / "result", folds=2)


class TestNNUNetCheckpoint(FormatContract):
    format = nnunet

    def write(self, folder: Path) -> Path:
        return _written(folder / "result") / "fold_0" / "checkpoint_final.pth"


class TestMonaiFolder(FormatContract):
    format = monai

    def write(self, folder: Path) -> Path:
        return _bundle(folder / "bundle", {})


class TestMonaiArchive(FormatContract):
    format = monai

    def write(self, folder: Path) -> Path:
        inside, archive = _bundle(folder / "bundle", {}), folder / "bundle.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for item in sorted(inside.rglob("*")):
                if item.is_file():
                    file.write(item, f"bundle/{item.relative_to(inside)}")
        return archive


class TestSmpFolder(FormatContract):
    format = smp

    def write(self, folder: Path) -> Path:
        return _folder(folder / "unet", {})


class TestTransformersFolder(FormatContract):
    format = transformers

    def write(self, folder: Path) -> Path:
        place = folder / "former"
        place.mkdir()
        write_safetensors(segformer.KIND.build(FORMER).state_dict(), place / "model.safetensors")
        config = {
            "architectures": ["SegformerForSemanticSegmentation"],
            "model_type": "segformer",
            "num_attention_heads": FORMER["heads"],
            "hidden_act": "gelu",
            "id2label": {"0": "background", "1": "pore"},
        }
        (place / "config.json").write_text(json.dumps(config))
        return place

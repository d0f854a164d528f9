"""Folders and archives of other programs keep the contract of formats, whole or damaged."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.models.test_monai import _bundle
from tests.models.test_nnunet import _written
from tests.models.test_smp import _folder

from napari_defectseg.models.formats import monai, nnunet, smp
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

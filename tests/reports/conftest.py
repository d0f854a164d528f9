"""Results of two images, with and without a pixel size error."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_defectseg.batch.analyse import analyse
from napari_defectseg.results.recipe import ModelReference, Recipe


def analysed(model: Path, images: list[Path], out: Path, **fields: object) -> Path:
    recipe = Recipe(model=ModelReference(path=str(model)), predict={"device": "cpu"}, **fields)
    for number, image in enumerate(images):
        from napari_defectseg.batch.analyse import AnalyseSettings

        analyse(image, recipe, out, AnalyseSettings(stem=f"field {number}", specimen="A3"))
    return out


@pytest.fixture
def result(model_folder: Path, two_images: list[Path], tmp_path: Path) -> Path:
    foil = {"thickness": {"value": 85, "sigma": 10, "unit": "nm"}}
    return analysed(model_folder, two_images, tmp_path / "result", acquisition=foil)

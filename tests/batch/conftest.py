"""A small model folder and images that it finds something in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_image
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights: it calls some pixels void."""
    card = design(
        "small",
        settings={"dims": 2, "widths": (4, 6), "in_channels": 1},
        classes=ClassMap.of(["void", "loop"]),
        thresholds={"void": 0.3},
        min_size=3,
    )
    folder = tmp_path_factory.mktemp("model") / "small"
    save_model(TorchModel.new(card, seed=11), folder)
    return folder


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Two images of one name in two folders, with pixel sizes in nm."""
    rng = np.random.default_rng(5)
    paths = []
    for number in range(2):
        data = rng.integers(0, 4000, (40, 50 + number), dtype=np.uint16)
        image = CalibratedImage.from_array(data, calibration=Calibration.of((0.5, 0.5), "nm"))
        path = tmp_path / f"specimen{number}" / "field 1.ome.tif"
        path.parent.mkdir()
        paths.append(save_image(image, path))
    return paths

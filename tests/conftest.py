"""What tests of several rooms share."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # a busy machine is no failure

ROOT = Path(__file__).resolve().parents[1]
ONE_IN = 8
WINDOWS = ("tests/ui/", "tests/stories/test_window")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run every long test, not a seeded part")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a seeded part of the long tests, the same on every machine, unless --all is given."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(_process(item)))
    if config.getoption("--all"):
        return
    later = pytest.mark.skip(reason="a long test outside the seeded part; `dev.py test --all`")
    for item in items:
        if item.get_closest_marker("long") and zlib.crc32(item.nodeid.encode()) % ONE_IN:
            item.add_marker(later)


def _process(item: pytest.Item) -> str:
    """Return what must run in one process: all windows, for they share keyboard; or a file."""
    name = item.path.relative_to(ROOT).as_posix()
    return "windows" if name.startswith(WINDOWS) else name


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real micrographs and tomograms, or a skip with a sentence."""
    folder = Path(os.environ.get("DEFECTSEG_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"No real images at {folder}: set DEFECTSEG_TEST_DATA to their folder to run this test."
        )
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights: it calls some pixels void."""
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.models.model import TorchModel, design
    from napari_defectseg.models.save import save_model

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
def two_images(tmp_path: Path) -> list[Path]:
    """Two images of one name in two folders, with pixel sizes in nm."""
    import numpy as np

    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.images.save import save_image

    rng = np.random.default_rng(5)
    paths = []
    for number in range(2):
        data = rng.integers(0, 4000, (40, 50 + number), dtype=np.uint16)
        image = CalibratedImage.from_array(data, calibration=Calibration.of((0.5, 0.5), "nm"))
        path = tmp_path / f"specimen{number}" / "field 1.ome.tif"
        path.parent.mkdir()
        paths.append(save_image(image, path))
    return paths

"""An image larger than the memory is analysed in the memory that was allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model
from napari_defectseg.results.recipe import ModelReference, Recipe
from napari_defectseg.results.stored import read_result

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is read where Linux tells it"
)
SCRIPT = Path(__file__).parent / "landing_worker.py"


def saved_model(folder: Path, dims: int, widths: tuple[int, ...]) -> Path:
    card = design(
        "small",
        settings={"dims": dims, "widths": widths, "in_channels": 1},
        classes=ClassMap.of(["void", "loop"]),
        min_size=3,
    )
    save_model(TorchModel.new(card, seed=5), folder / "model")
    return folder / "model"


def sparse_image(folder: Path, shape: tuple[int, ...]) -> Path:
    """Write an image most of which was never written, and reads as zeros."""
    chunks = tuple(
        min(n, side) for n, side in zip(shape, (64, 256, 256)[-len(shape) :], strict=True)
    )
    array = zarr.create_array(
        folder / "big.zarr", shape=shape, dtype=np.uint8, chunks=chunks, zarr_format=2
    )
    rng = np.random.default_rng(0)
    for number in range(2):
        corner = tuple(slice(number * side, (number + 1) * side) for side in chunks)
        array[corner] = rng.integers(0, 255, chunks, np.uint8)
    return folder / "big.zarr"


def growth(
    folder: Path, shape: tuple[int, ...], widths: tuple[int, ...], memory: int, *words: str
) -> int:
    """Return by how many bytes a process grows that analyses a large image in so much memory."""
    model = saved_model(folder, len(shape), widths)
    predict = {"device": "cpu", "memory": memory, "threads": 1}
    recipe = Recipe(model=ModelReference(path=str(model)), predict=predict)
    (folder / "recipe.json").write_text(json.dumps(recipe.as_dict()), "utf-8")
    command = [sys.executable, str(SCRIPT), str(sparse_image(folder, shape))]
    command += [str(folder / "recipe.json"), str(folder / "out"), "0", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    summary = read_result(folder / "out")[1][0].summary
    assert summary["plan"]["streamed"]
    assert summary["plan"]["memory"] == memory
    return int(done.stdout)


@pytest.mark.parametrize(
    "shape",
    [(5200, 5200), pytest.param((140, 400, 400), marks=pytest.mark.long)],
    ids=["plane", "volume"],
)
def test_a_run_stays_within_its_memory(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Prediction, objects, table and picture: the process grows by less than was allowed."""
    memory = 200_000_000 if len(shape) == 2 else 160_000_000
    assert 4 * 2 * np.prod(shape) > memory
    assert growth(tmp_path, shape, (8,), memory) <= memory


@pytest.mark.long
def test_a_volume_of_gigabytes_under_a_cap_of_the_system(tmp_path: Path) -> None:
    """Where the system refuses more memory than was allowed, the run comes to its end."""
    memory = 400_000_000
    assert growth(tmp_path, (400, 1024, 1280), (8,), memory, "capped") <= memory

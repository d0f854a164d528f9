"""An image larger than the memory gives what the same image gives in memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_defectseg.batch.analyse import AnalyseSettings, analyse, analyse_steps
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, RecipeError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_image
from napari_defectseg.images.store import open_store
from napari_defectseg.inference import landing
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model
from napari_defectseg.results.recipe import ModelReference, Recipe
from napari_defectseg.results.stored import read_result

MEMORY = 12_000_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks with random weights in 2D and 3D, exclusive and with overlapping classes."""
    found = {}
    for name, dims, exclusive in (("plane", 2, True), ("volume", 3, True), ("both", 2, False)):
        card = design(
            name,
            settings={"dims": dims, "widths": (4, 6), "in_channels": 1},
            classes=ClassMap.of(["void", "loop"], exclusive=exclusive),
            min_size=3,
            **({} if exclusive else {"task": "multilabel", "activation": "sigmoid"}),
        )
        found[name] = tmp_path_factory.mktemp("models") / name
        network = TorchModel.new(card, seed=5).network().eval()
        with torch.no_grad():
            noise = torch.rand((1, 1, *(32,) * dims), generator=torch.manual_seed(1))
            logits = network(noise).transpose(0, 1).flatten(1)
            bias = next(v for k, v in network.state_dict().items() if "head" in k and "bias" in k)
            weight = next(v for k, v in network.state_dict().items() if "head" in k and "weig" in k)
            bias -= logits.median(dim=1).values
            for tensor in (bias, weight):  # every class wins somewhere
                tensor.mul_(2 / logits.std())
        save_model(TorchModel.from_network(card, network), found[name])
    return found


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every image count as larger than the memory, whatever its plan."""
    monkeypatch.setattr(landing, "too_large", lambda *_: True)


def image_file(folder: Path, shape: tuple[int, ...], axes: str) -> Path:
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(1)
    noise = gaussian_filter(rng.random(shape), [2.0 if a in "zyx" else 0 for a in axes])
    data = ((noise - noise.min()) / np.ptp(noise) * 250).astype(np.uint8)
    size = Calibration.of((0.5,) * sum(a in "zyx" for a in axes), "nm")
    image = CalibratedImage.from_array(data, axes=axes, calibration=size)
    return save_image(image, folder / "big.ome.zarr")


def recipe_of(model: Path, **fields: Any) -> Recipe:
    predict = {"device": "cpu", "memory": MEMORY, "tile": 64, "threads": 1}
    return Recipe(model=ModelReference(path=str(model)), predict=predict, **fields)


def arrays(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    for role in ("mask", "labels"):
        stored = read_result(folder)[1][0]
        yield role, stored.array(role)


CASES = [
    ("plane", (150, 170), "yx"),
    ("plane", (5, 90, 100), "zyx"),
    ("plane", (3, 90, 100), "tyx"),
    ("volume", (40, 70, 80), "zyx"),
    ("both", (3, 90, 100), "zyx"),
]


@pytest.mark.parametrize(("kind", "shape", "axes"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_it_gives_the_same_files(
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    shape: tuple[int, ...],
    axes: str,
) -> None:
    """Mask, objects, table and overlay byte by byte, scores bit by bit."""
    path = image_file(tmp_path, shape, axes)
    settings = AnalyseSettings(form="zarr", scores=kind != "volume")
    recipe = recipe_of(models[kind])
    analyse(path, recipe, tmp_path / "whole", settings)
    monkeypatch.setattr(landing, "too_large", lambda *_: True)
    found = analyse(path, recipe, tmp_path / "blocks", settings)
    assert len(found.table) > 3
    whole, blocks = tmp_path / "whole" / "big", tmp_path / "blocks" / "big"
    for name in ("objects.csv", "overlay.png"):
        assert (whole / name).read_bytes() == (blocks / name).read_bytes(), name
    for (role, one), (_, other) in zip(
        arrays(tmp_path / "whole"), arrays(tmp_path / "blocks"), strict=True
    ):
        np.testing.assert_array_equal(one, other, err_msg=role)
        levels = [len(open_image(p / f"{role}.ome.zarr").levels) for p in (whole, blocks)]
        assert levels[0] == levels[1]
    if settings.scores:
        one, other = (open_store(place / "scores.zarr") for place in (whole, blocks))
        np.testing.assert_array_equal(one[...], other[...])
        assert dict(one.attrs) == dict(other.attrs)
    numbers = [json.loads((p / "summary.json").read_text("utf-8")) for p in (whole, blocks)]
    assert numbers[0]["classes"] == numbers[1]["classes"]
    assert numbers[0]["image"] == numbers[1]["image"]
    assert numbers[1]["plan"]["streamed"]
    assert not list((tmp_path / "blocks").glob("*.unfinished"))


@pytest.mark.usefixtures("small_limit")
def test_other_formats_and_holes(models: dict[str, Path], tmp_path: Path) -> None:
    """TIFF, and holes that reach through many blocks: pixel by pixel."""
    path = image_file(tmp_path, (6, 80, 90), "zyx")
    recipe = recipe_of(models["plane"], decode=DecodeSettings(fill_holes=True, min_size=5))
    analyse(path, recipe, tmp_path / "blocks", AnalyseSettings(form="tiff"))
    whole = analyse(path, recipe)
    assert whole.scores is not None
    stored = read_result(tmp_path / "blocks")[1][0]
    np.testing.assert_array_equal(stored.array("labels"), whole.labels.planes[0])
    np.testing.assert_array_equal(stored.array("mask"), whole.labels.class_mask())
    assert not (stored.folder / "scores.zarr").exists()
    np.testing.assert_array_equal(stored.table()["mean_score"], whole.table["mean_score"])


def stopped(path: Path, recipe: Recipe, out: Path, tiles: int) -> None:
    """Run until so many tiles are finished."""
    steps = analyse_steps(path, recipe, out, AnalyseSettings(form="zarr"))
    for step in steps:
        if step.partial is not None and step.done >= tiles:
            break
    steps.close()


@pytest.mark.usefixtures("small_limit")
def test_a_stopped_run_is_named_and_goes_on(models: dict[str, Path], tmp_path: Path) -> None:
    path = image_file(tmp_path, (6, 80, 90), "zyx")
    recipe = recipe_of(models["plane"])
    settings = AnalyseSettings(form="zarr")
    analyse(path, recipe, tmp_path / "whole", settings)
    out = tmp_path / "out"
    stopped(path, recipe, out, 7)
    assert not (out / "big").exists()
    with pytest.raises(AlreadyExists, match=r"stopped after 7 of \d+ tiles.*--resume"):
        analyse(path, recipe, out, settings)
    counted = []
    again = AnalyseSettings(form="zarr", resume=True)
    analyse(path, recipe, out, again, on_step=lambda step: counted.append(step))
    computed = [step for step in counted if step.partial is not None]
    assert computed[0].done == 8
    for (_, one), (_, other) in zip(arrays(tmp_path / "whole"), arrays(out), strict=True):
        np.testing.assert_array_equal(one, other)
    names = ("objects.csv", "overlay.png")
    for name in names:
        one, other = (tmp_path / place / "big" / name for place in ("whole", "out"))
        assert one.read_bytes() == other.read_bytes()
    assert not list(out.glob("*.unfinished"))


@pytest.mark.usefixtures("small_limit")
def test_a_stopped_run_of_something_else_is_refused(
    models: dict[str, Path], tmp_path: Path
) -> None:
    path = image_file(tmp_path, (4, 80, 90), "zyx")
    recipe = recipe_of(models["plane"])
    out = tmp_path / "out"
    stopped(path, recipe, out, 3)
    again = AnalyseSettings(form="zarr", resume=True)
    with pytest.raises(RecipeError, match="another model"):
        analyse(path, recipe_of(models["both"]), out, again)
    with pytest.raises(RecipeError, match="other thresholds"):
        analyse(path, recipe_of(models["plane"], decode=DecodeSettings(min_size=9)), out, again)
    other = recipe.model_copy(update={"predict": {**recipe.predict, "tile": 80}})
    with pytest.raises(RecipeError, match="other settings of the prediction"):
        analyse(path, other, out, again)
    image = open_image(path)
    changed = np.asarray(image.data[...]).copy()
    changed[0, 0, 0] ^= 1
    from dataclasses import replace

    with pytest.raises(RecipeError, match="another image"):
        analyse(replace(image, data=changed), recipe, out, again)
    assert analyse(path, recipe, out, AnalyseSettings(form="zarr", overwrite=True)).table


def worker(path: Path, recipe: Recipe, out: Path, pause: float) -> subprocess.Popen[str]:
    """Start the analysis in a process of its own."""
    file = out.parent / "recipe-of-worker.json"
    file.write_text(json.dumps(recipe.as_dict()), "utf-8")
    script = Path(__file__).parent / "landing_worker.py"
    command = [sys.executable, str(script), str(path), str(file), str(out), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed(process: subprocess.Popen[str], out: Path, tiles: int) -> int:
    """Kill a worker when so many more tiles are finished; return how many are."""
    ledger = out / "big.unfinished" / "blocks.jsonl"
    before = len(ledger.read_text("utf-8").splitlines()) if ledger.exists() else 1
    while process.poll() is None:
        lines = len(ledger.read_text("utf-8").splitlines()) if ledger.exists() else 0
        if lines >= before + tiles:
            break
        time.sleep(0.002)
    process.kill()
    process.wait()
    return lines - 1


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_by_force_it_goes_on_to_the_same_bytes(
    models: dict[str, Path], tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks before the kills are kept, a damaged one is found and made again."""
    rng = random.Random(seed)
    path = image_file(tmp_path, (6, 150, 170), "zyx")
    recipe = recipe_of(models["plane"], decode=DecodeSettings(min_size=3))
    small = recipe.model_copy(update={"predict": {**recipe.predict, "memory": 1_500_000}})
    out = tmp_path / "out"
    done = 0
    for _ in range(2 + 2 * seed):
        done = killed(worker(path, small, out, 0.03), out, rng.randint(1, 12))
    assert done > 1
    folder = out / "big.unfinished"
    pieces = sorted(p for p in (folder / "classes.zarr").rglob("*") if p.name[0].isdigit())
    damaged = rng.choice([p for p in pieces if p.is_file()])
    content = bytearray(damaged.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    damaged.write_bytes(content)
    counted = []
    settings = AnalyseSettings(form="zarr", resume=True)
    found = analyse(path, small, out, settings, on_step=counted.append)
    assert any("damaged, and computed again" in text for text in found.warnings)
    computed = [step for step in counted if step.partial is not None]
    assert len(computed) == computed[-1].total - done + 1
    fresh = tmp_path / "fresh"
    monkeypatch.setattr(landing, "too_large", lambda *_: True)
    analyse(path, small, fresh, AnalyseSettings(form="zarr"))
    for (role, one), (_, other) in zip(arrays(out), arrays(fresh), strict=True):
        np.testing.assert_array_equal(one, other, err_msg=role)
    for name in ("objects.csv", "overlay.png"):
        assert (out / "big" / name).read_bytes() == (fresh / "big" / name).read_bytes()

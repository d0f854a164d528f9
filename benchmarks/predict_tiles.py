"""Does the exact engine pay, in time and in memory, and is it exact?

Prints processor seconds (one thread, least of several rounds in turn) of one U-Net over one
image, in ratio to tiles that are blended, and the largest difference from the plain network.

    python benchmarks/predict_tiles.py [--dims 2] [--size 1024] [--tile 512] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads would count as work

import numpy as np
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.allocator import Keeper
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel, design

Array = np.ndarray[Any, Any]
OVERLAP = 0.25
BATCH = 4


def make_model(dims: int) -> TorchModel:
    widths = (32, 64, 128, 256) if dims == 2 else (16, 32, 64, 128)
    card = design(
        "benchmark",
        settings={"dims": dims, "widths": widths},
        classes=ClassMap.of(["a", "b", "c"]),
        preprocessing=(),
    )
    network = TorchModel.new(card).network()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d):
            torch.nn.init.kaiming_normal_(module.weight)
    with torch.no_grad():  # statistics as a trained network has them
        network.train()(torch.randn(2, 1, *(64,) * dims))
    return TorchModel.from_network(card, network)


def blended(model: TorchModel, data: Array, tile: int) -> Array:
    """Overlapping windows with Gaussian weights in batches: the usual way, as a baseline."""
    dims = data.ndim
    starts = [window_starts(n, tile) for n in data.shape]
    grid = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, dims)
    line = torch.exp(-((torch.arange(tile) - (tile - 1) / 2) ** 2) / (2 * (tile / 8) ** 2))
    weight = torch.ones(())
    for _ in range(dims):
        weight = weight[..., None] * line
    weight = weight.clamp(min=1e-3)
    total = torch.zeros(model.card.score_channels, *data.shape)
    count = torch.zeros(data.shape)
    source, network = torch.from_numpy(data), model.network()
    with torch.inference_mode():
        for first in range(0, len(grid), BATCH):
            places = [tuple(slice(s, s + tile) for s in row) for row in grid[first : first + BATCH]]
            found = torch.softmax(network(torch.stack([source[p][None] for p in places])), 1)
            for place, scores in zip(places, found, strict=True):
                total[(slice(None), *place)] += scores * weight
                count[place] += weight
    return (total / count).numpy()


def window_starts(length: int, tile: int) -> list[int]:
    step = int(tile * (1 - OVERLAP))
    inner = list(range(0, max(length - tile, 0), step))
    return [*inner, max(length - tile, 0)]


def plain(model: TorchModel, data: Array) -> Array:
    with torch.inference_mode():
        return torch.softmax(model.network()(torch.from_numpy(data)[None, None]), 1)[0].numpy()


def peak_above(run: Callable[[], Array]) -> tuple[float, float, Array]:
    """Return processor seconds, MB above the state before, and the result."""
    status = Path("/proc/self/status")
    before = memory("VmRSS") if status.exists() else 0
    if status.exists():
        Path("/proc/self/clear_refs").write_text("5")
    started = time.process_time()
    result = run()
    seconds = time.process_time() - started
    return seconds, (memory("VmHWM") - before) / 1024 if status.exists() else float("nan"), result


def memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dims", type=int, default=2, choices=(2, 3))
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = make_model(asked.dims)
    shape = (asked.size,) * asked.dims
    data = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    image = CalibratedImage.from_array(data)

    # Cubes with a sound halo cost many times the whole volume: in 3D slabs in less memory.
    less = forecast(model, image, PredictSettings(memory=1 << 40)).memory * 4 // 5
    cut = {"tile": asked.tile} if asked.dims == 2 else {"memory": less}

    def ours(keep: bool, **limits: int) -> Array:
        settings = PredictSettings(threads=1, device="cpu", **{"memory": 1 << 40, **limits})
        path = "napari_defectseg.inference.engines.exact.kept_memory"
        with nullcontext() if keep else mock.patch(path, return_value=nullcontext(Keeper())):
            return np.asarray(predict(model, image, settings).scores)

    parts = (
        f"tiles of {asked.tile}" if asked.dims == 2 else "slabs in 4/5 of the memory (never kept)"
    )
    ways: dict[str, Callable[[], Array]] = {
        f"blended windows of {asked.tile}, batch {BATCH}": lambda: blended(model, data, asked.tile),
        "whole, plain network": lambda: plain(model, data),
        "whole, exact engine, memory not kept": lambda: ours(False),
        "whole, exact engine": lambda: ours(True),
        f"{parts}, not kept": lambda: ours(False, **cut),
        f"{parts}, exact engine": lambda: ours(True, **cut),
    }
    truth = plain(model, data)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float] = {}
    errors: dict[str, tuple[float, int]] = {}
    for _ in range(asked.rounds):
        for name, run in ways.items():
            took, peak, result = peak_above(run)
            seconds[name].append(took)
            peaks[name] = max(peaks.get(name, 0), peak)
            flips = int((result.argmax(0) != truth.argmax(0)).sum())
            errors[name] = float(np.abs(result - truth).max()), flips
    report(seconds, peaks, errors)


def report(
    seconds: dict[str, list[float]],
    peaks: dict[str, float],
    errors: dict[str, tuple[float, int]],
) -> None:
    base = min(next(iter(seconds.values())))
    print(f"{'':44}  CPU s  ratio  peak MB  largest error  flips")
    for name, values in seconds.items():
        error, flips = errors[name]
        print(
            f"{name:44} {min(values):6.2f} {min(values) / base:6.2f} {peaks[name]:8.0f} "
            f"{error:14.1e} {flips:6d}"
        )


if __name__ == "__main__":
    main()

"""How fast is a prediction, in what memory, and how near to the network itself?

Runs our engines, MONAI's sliding window and the bare network in turn over one image of noise,
and prints processor seconds (least and median of all rounds), peaks of memory, page faults, and
differences from the plain network. Ways that need an untouched C library have a process of their
own, so that nobody profits from the settings of another.

    python benchmarks/inference.py 2d-1280 3d-160 [--rounds 3] [--threads 1]
    python benchmarks/inference.py --objects   # what the fast mode does to objects
    python benchmarks/inference.py --page      # the page in the docs, from what was measured

MONAI's rows need `pip install --no-deps monai==1.6.1` in this environment; without it they are
left out. Figures are kept in `benchmarks/inference.json`, one entry a case.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads would count as work

import numpy as np
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DeviceError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.allocator import kept_memory
from napari_defectseg.inference.choice import choose_way
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.models.model import TorchModel, design

Array = np.ndarray[Any, Any]
FIGURES = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "inference-speed.md"
WIDTHS = {2: (32, 64, 128, 256), 3: (16, 32, 64, 128)}
ROI = {2: 512, 3: 96}
MARGIN = 2e-5
"""Where the best class leads by more, rounding must not change it."""
BUDGETS = {"256 MB": 256 << 20, "1.5 GiB": 3 << 29, "4 GiB": 4 << 30}
USUAL, BEST = "MONAI, usual call (batch 4)", "MONAI, best setting"
WHOLE, BARE = "whole image, plain network", "bare passes of our tiles"
EXACT, FAST = "exact", "fast"
WAYS = (USUAL, BEST, WHOLE, BARE, EXACT, FAST)
FRESH = (USUAL, WHOLE)
"""Ways that run in the process whose C library is as it came."""


def make_model(dims: int) -> TorchModel:
    """Return the small U-Net, its statistics as trained ones are."""
    torch.manual_seed(0)
    card = design(
        "benchmark",
        settings={"dims": dims, "widths": WIDTHS[dims]},
        classes=ClassMap.of(["a", "b", "c"]),
        preprocessing=(),
        # The classes of an untrained network lie close together: bfloat16 flips some per mille.
        fast_agreement=0.99,
    )
    network = TorchModel.new(card).network()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d):
            torch.nn.init.kaiming_normal_(module.weight)
    with torch.no_grad():
        network.train()(torch.randn(2, 1, *(64,) * dims))
    return TorchModel.from_network(card, network)


class Case:
    """One network and one image, in the process that measures."""

    def __init__(self, name: str, threads: int) -> None:
        dims, size = name.split("d-")
        self.dims, self.size, self.threads = int(dims), int(size), threads
        self.took = 0.0, 0.0
        torch.set_num_threads(threads)
        self.model = make_model(self.dims)
        shape = (self.size,) * self.dims
        self.data = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        self.image = CalibratedImage.from_array(self.data)
        self.settings = PredictSettings(threads=threads, device="cpu", mode="exact")

    def plain(self) -> Array:
        """The network itself, all at once."""
        with torch.inference_mode():
            x = torch.from_numpy(self.data)[None, None]
            return torch.softmax(self.model.network()(x), 1)[0].numpy()

    def monai(self, batch: int, best: bool) -> Array:
        """MONAI's sliding window, Gaussian, overlapping by a quarter."""
        from monai.inferers import sliding_window_inference

        network, x = self.model.network(), torch.from_numpy(self.data)[None, None]
        if best:
            last = torch.channels_last if self.dims == 2 else torch.channels_last_3d
            network, x = network.to(memory_format=last), x.contiguous(memory_format=last)
        with torch.inference_mode(), kept_memory(1 << 40) if best else nullcontext():
            roi = (ROI[self.dims],) * self.dims
            found = sliding_window_inference(x, roi, batch, network, overlap=0.25, mode="gaussian")
            return torch.softmax(torch.as_tensor(found), 1)[0].numpy()

    def bare(self) -> None:
        """The passes of our own tiles, and nothing else; as cut by the exact engine."""
        job = prepare(self.model, self.image, self.settings)
        source = Source(job)
        source.start(next(iter(job.layout.indices())))
        blocks = [source.block(tile)[0] for tile in job.plan]
        last = torch.channels_last if self.dims == 2 else torch.channels_last_3d
        tensors = [torch.from_numpy(b)[None].contiguous(memory_format=last) for b in blocks]
        kept = job.budget if job.keeps else 0
        with engine_for(job, kept=kept) as engine, torch.inference_mode():
            began = time.process_time(), time.perf_counter()
            for x in tensors:
                engine.network(x)
            self.took = time.process_time() - began[0], time.perf_counter() - began[1]

    def ours(self, mode: str) -> Prediction:
        """Our prediction."""
        settings = PredictSettings(threads=self.threads, device="cpu", mode=mode)
        return predict(self.model, self.image, settings)


_case: dict[str, Case] = {}


def measure(case: str, way: str, threads: int, where: str) -> dict[str, Any]:
    """Run one way in this process, write its scores to `where`, and return what was measured."""
    if case not in _case:
        _case.clear()
        _case[case] = Case(case, threads)
    one, plan = _case[case], {}
    before, faults = memory("VmRSS"), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    forget_peak()
    began = time.process_time(), time.perf_counter()
    found = _run(one, way)
    took = time.process_time() - began[0], time.perf_counter() - began[1]
    if way == BARE:
        took = one.took
    if isinstance(found, Prediction):
        plan, found = dict(found.plan), np.asarray(found.scores)
    if found is not None:
        np.save(where, found)
    return {
        "cpu": took[0],
        "wall": took[1],
        "peak": (memory("VmHWM") - before) / 1024,
        "faults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults,
        "engine": plan.get("engine", ""),
        "passes": plan.get("passes", 0),
        "error": plan.get("error"),
    }


def _run(one: Case, way: str) -> Array | Prediction | None:
    if way == BARE:
        return one.bare()
    if way == WHOLE:
        return one.plain()
    if way in (USUAL, BEST):
        return one.monai(4 if way == USUAL else 1, way == BEST)
    return one.ours(way)


def facts(case: str, threads: int) -> dict[str, Any]:
    """Return what does not need rounds: redundancy by memory, stitching, faults when warm."""
    one = Case(case, threads)
    redundancy: dict[str, float | None] = {}
    for name, budget in BUDGETS.items():
        redundancy[name] = None  # the smallest tile with a sound margin needs more
        with suppress(DeviceError):
            job = prepare(one.model, one.image, PredictSettings(memory=budget, device="cpu"))
            redundancy[name] = job.plan.work / math.prod(job.layout.shape)
    return {"redundancy": redundancy, "stitching": _stitching(one), "steady": _steady(one)}


def _stitching(one: Case) -> float:
    """Return nanoseconds a voxel to put tiles together, least of three."""
    job = prepare(one.model, one.image, PredictSettings(memory=3 << 29, device="cpu"))
    index = next(iter(job.layout.indices()))
    target = np.zeros(job.scores_shape, np.float32)
    channels, tiles, times = job.scores_shape[0], list(job.plan), []
    blocks = [np.ones((channels, *tile.shape), np.float32) for tile in tiles]
    for _ in range(3):
        began = time.process_time()
        for tile, scores in zip(tiles, blocks, strict=True):
            where, part = job.layout.placed(index, tile, scores)
            target[where] = part
        times.append(time.process_time() - began)
    return min(times) / math.prod(job.layout.shape) * 1e9


def _steady(one: Case) -> int:
    """Return page faults of a pass that is not the first, least of four."""
    edge = {2: 1024, 3: 128}[one.dims]
    data = one.data[(slice(0, edge),) * one.dims]
    job = prepare(one.model, CalibratedImage.from_array(data), one.settings)
    seen = []
    with engine_for(job, kept=job.budget) as engine, torch.inference_mode():
        block = np.ascontiguousarray(data[None])
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            engine.run(block)
            seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return min(seen[1:])


def forget_peak() -> None:
    """Let the peak of this process start from what it has now."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(field: str) -> int:
    """Return one line of the process's state, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def run_case(case: str, rounds: int, threads: int) -> dict[str, Any]:
    """Measure every way in turn, round by round."""
    ways = list(WAYS)
    if find_spec("monai") is None:
        print("MONAI is not here (pip install --no-deps monai==1.6.1): its rows are left out.")
        ways = ways[2:]
    context = get_context("spawn")
    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, context) as fresh,
        ProcessPoolExecutor(1, context) as own,
    ):
        paths = {way: Path(folder) / f"{number}.npy" for number, way in enumerate(ways)}
        known = own.submit(facts, case, threads).result()
        own.submit(_try_engines, case, threads).result()
        for number in range(rounds):
            for way in ways:
                pool = fresh if way in FRESH else own
                row = pool.submit(measure, case, way, threads, str(paths[way])).result()
                rows[way].append(row)
                print(
                    f"{case} round {number + 1}, {way}: {row['cpu']:.2f} s, {row['engine']}",
                    flush=True,
                )
        truth = np.load(paths[WHOLE])
        ends = {way: _against(truth, np.load(p)) for way, p in paths.items() if p.exists()}
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "load": os.getloadavg()[1],
        "threads": threads,
        "rounds": rounds,
        **known,
        "ways": {way: _summed(rows[way]) | ends.get(way, {}) for way in ways},
    }


def _try_engines(case: str, threads: int) -> None:
    """Time the engines of the fast mode once: it is remembered for a network and machine."""
    one = Case(case, threads)
    settings = PredictSettings(threads=threads, device="cpu", mode="fast")
    drive(choose_way(prepare(one.model, one.image, settings)))


def _summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    cpu = [row["cpu"] for row in rows]
    return {
        "cpu": min(cpu),
        "cpu_median": statistics.median(cpu),
        "wall": min(row["wall"] for row in rows),
        "peak": max(row["peak"] for row in rows),
        "faults": min(row["faults"] for row in rows),
        "engine": rows[-1]["engine"],
        "passes": rows[-1]["passes"],
        "measured": rows[-1]["error"],
    }


def _against(truth: Array, found: Array) -> dict[str, Any]:
    """Return how far scores lie from those of the plain network."""
    flipped = truth.argmax(0) != found.argmax(0)
    ordered = np.partition(truth, -2, axis=0)
    clear = ordered[-1] - ordered[-2] > MARGIN
    return {
        "error": float(np.abs(truth - found).max()),
        "flips": int(flipped.sum()),
        "clear_flips": int((flipped & clear).sum()),
    }


def objects() -> dict[str, Any]:
    """Return what the exact and the fast mode find in phantoms, with the shipped model."""
    import napari_defectseg as ds

    found: dict[str, Any] = {}
    model = ds.open_model("tem-defects")
    phantom = ds.phantom("micrograph", seed=1)
    for mode in (EXACT, FAST):
        settings = PredictSettings(threads=1, device="cpu", mode=mode)
        prediction = predict(model, phantom.image, settings)
        table = ds.measure_regions(prediction.labels(), image=phantom.image)
        area = np.asarray(table["area"], float)
        mask = np.asarray(prediction.mask())
        found[mode] = {
            "engine": prediction.plan["engine"],
            "count": len(area),
            "fraction": float((mask > 0).mean()),
            "mean_area": float(area.mean()) if len(area) else 0.0,
            "error": prediction.plan.get("error"),
        }
    return {"when": datetime.now(UTC).strftime("%Y-%m-%d"), "modes": found}


def machine() -> str:
    """Return the machine in words."""
    cores = os.cpu_count() or 1
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    has = [name for name in ("avx512_bf16", "amx_bf16") if known.get(name)]
    extra = f" with {' and '.join(has)}" if has else ""
    return f"{platform.machine()}, {cores} cores{extra}, torch {torch.__version__.split('+')[0]}"


def table(case: str, of: dict[str, Any]) -> str:
    """Return the table of a case in Markdown."""
    base = of["ways"].get(USUAL, of["ways"][WHOLE])["cpu"]
    head = "CPU s, least | median | times as fast | peak MB | page faults"
    lines = [
        f"| {case} | {head} | largest error | flips | flips, clear lead |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for way in (way for way in WAYS if way in of["ways"]):
        row = of["ways"][way]
        name = f"{way} ({row['engine']})" if row["engine"] else way
        exact = (
            f"{row['error']:.1g} | {row['flips']} | {row['clear_flips']}"
            if "error" in row
            else "| |"
        )
        lines.append(
            f"| {name} | {row['cpu']:.2f} | {row['cpu_median']:.2f} | {base / row['cpu']:.2f} "
            f"| {row['peak']:.0f} | {row['faults']} | {exact} |"
        )
    return "\n".join(lines)


def page(figures: dict[str, Any]) -> str:
    """Return the page of the docs."""
    cases = {name: of for name, of in figures.items() if name != "objects"}
    parts = [HEAD, _ratios(cases)]
    for name, of in cases.items():
        parts.append(f"## {_title(name)}\n\n{_conditions(of)}\n\n{table(name, of)}\n")
    parts.append(_plans(cases))
    if "objects" in figures:
        parts.append(_objects(figures["objects"]))
    return "\n".join(parts)


def _title(name: str) -> str:
    dims, size = name.split("@")[0].split("d-")
    return f"{size}² px" if dims == "2" else f"{size}³ voxels"


def _conditions(of: dict[str, Any]) -> str:
    threads, rounds = of["threads"], of["rounds"]
    return (
        f"{of['when']}; {of['machine']}; {threads} thread{'s' * (threads > 1)}, {rounds} "
        f"round{'s' * (rounds > 1)} in turn; load of the machine {of['load']:.0f}."
    )


def _ratios(cases: dict[str, Any]) -> str:
    """Return the table of ratios: geometric means over the sizes."""
    lines = [
        "## In short",
        "",
        f"| | {' | '.join(COMPARED)} |",
        f"| --- |{' --- |' * len(COMPARED)}",
    ]
    for dims in ("2", "3"):
        own = [of["ways"] for name, of in cases.items() if name.startswith(f"{dims}d")]
        if not own or USUAL not in own[0]:
            continue
        cells = [
            f"{_mean(own, USUAL, EXACT):.2f}×",
            f"{_mean(own, BEST, EXACT):.2f}×",
            f"{_mean(own, USUAL, FAST):.2f}×",
            f"{_mean(own, BEST, FAST):.2f}×",
            f"{100 * (1 / _mean(own, BARE, EXACT) - 1):+.1f} % time",
        ]
        lines.append(f"| {dims}D, {len(own)} size{'s' * (len(own) > 1)} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _mean(ways: list[dict[str, Any]], base: str, way: str) -> float:
    return math.exp(statistics.fmean(math.log(w[base]["cpu"] / w[way]["cpu"]) for w in ways))


def _plans(cases: dict[str, Any]) -> str:
    names = list(BUDGETS)
    lines = [
        "## Tiles",
        "",
        TILES,
        "",
        f"| | {' | '.join(names)} | stitching [ns] | faults when warm |",
        f"| --- |{' --- |' * (len(names) + 2)}",
    ]
    for name, of in cases.items():
        cells = " | ".join(
            f"{of['redundancy'][budget]:.2f}×" if of["redundancy"][budget] else "too little"
            for budget in names
        )
        lines.append(f"| {_title(name)} | {cells} | {of['stitching']:.1f} | {of['steady']} |")
    return "\n".join([*lines, ""])


def _objects(of: dict[str, Any]) -> str:
    lines = [
        "## What the fast mode does to objects",
        "",
        f"{of['when']}; a phantom micrograph, the shipped model `tem-defects`.",
        "",
        "| mode | engine | objects | fraction of the area | mean area [px²] | same class |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for mode, row in of["modes"].items():
        same = f"{row['error']['agreement']:.5f}" if row["error"] else ""
        lines.append(
            f"| {mode} | {row['engine']} | {row['count']} | {row['fraction']:.5f} "
            f"| {row['mean_area']:.2f} | {same} |"
        )
    return "\n".join([*lines, ""])


HEAD = """# Speed of predictions

Made by `benchmarks/inference.py`; do not edit. The small U-Net (four levels; 32 features at the
finest in 2D, 16 in 3D; four classes) over an image of noise, on a processor. Seconds are those of
the processor, not of the clock: other work on the machine lengthens the clock's. MONAI is
`sliding_window_inference` 1.6.1 (Gaussian, overlap 0.25, windows of 512² or 96³): its *usual
call* takes four windows at once, its *best setting* one, channels last, with memory kept between
windows as ours is. *Bare passes* are those of our own tiles with nothing around them. Errors and
flips (pixels of another class) are against the plain network over the whole image; a lead is
clear above 2·10⁻⁵.

The network is untrained, so its classes lie close together and bfloat16 flips up to three per
mille of the pixels. With the usual bound (99.9 % agree) the fast mode mostly stays exact here;
the card of this benchmark allows 99 %. The trials that choose an engine are not in the seconds,
what compares it with the exact one on the image is.

Graphics cards, several of them, and Apple's: not measured.
"""
COMPARED = (
    "exact, against MONAI's usual call",
    "exact, against its best setting",
    "fast, against its usual call",
    "fast, against its best setting",
    "exact, against the bare passes",
)
TILES = """Pixels that the network computes for each pixel of the image, by the memory that one pass
may need; nanoseconds to put one voxel's scores in their place; page faults of a pass that is not
the first of its run."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="2d-1280 2d-2048 3d-160 3d-192 3d-256 …")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--objects", action="store_true")
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args()
    if sys.platform != "linux":
        parser.error("peaks and page faults are read as Linux gives them")
    for case in asked.cases:
        of = run_case(case, asked.rounds, asked.threads)
        print(table(case, of))
        name = case if asked.threads == 1 else f"{case}@{asked.threads}"
        _keep(name, of)
    if asked.objects:
        _keep("objects", objects())
    if asked.page:
        PAGE.write_text(page(json.loads(FIGURES.read_text())), encoding="utf-8")


def _keep(name: str, of: dict[str, Any]) -> None:
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures[name] = of
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

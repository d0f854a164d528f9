"""How soon a preview shows something, and all of a view of 1024 x 1024.

``python benchmarks/preview.py [--threads N] [--rounds N]``: the small 2D U-Net (4 levels, base 32)
and the shipped model, on a picture of 4096 x 4096. Each round asks for a view that is new to the
previewer, then moves it by an eighth. Wall seconds and processor seconds of the process; the best
of the rounds; in a thread of its own, as in the window. Then what the hooks at the layers cost:
passes with and without them in turn.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

import numpy as np

EDGE, VIEW = 4096, 1024
LIMITS = (0.5, 2.5)
"""Seconds until something is seen, and all."""


def network() -> Any:
    """Return a 2D U-Net of 4 levels from 32 channels, with random weights."""
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.models.model import TorchModel, design

    settings = {"dims": 2, "widths": (32, 64, 128, 256), "in_channels": 1}
    classes = ClassMap.of(["void", "precipitate", "loop"])
    return TorchModel.new(design("U-Net, 4 levels, base 32", settings=settings, classes=classes))


def timed(steps: Any) -> tuple[float, float, float, float]:
    """Return wall and processor seconds until something was seen, and until the end."""
    wall, cpu = time.perf_counter(), time.process_time()
    first: tuple[float, float] | None = None
    for step in steps:
        if first is None and step.partial is not None:
            first = (time.perf_counter() - wall, time.process_time() - cpu)
    assert first is not None
    return *first, time.perf_counter() - wall, time.process_time() - cpu


def previews(model: Any, image: Any, settings: Any, rounds: int) -> None:
    """Print the rows of one model."""
    from napari_defectseg.inference.preview import Previewer

    fresh, moved = [], []
    previewer = Previewer(model, image, settings)
    for number in range(rounds + 1):
        start = 128 + (number % 3) * VIEW
        box = (slice(start, start + VIEW), slice(start, start + VIEW))
        first = timed(previewer.steps(box))
        beside = (box[0], slice(start + VIEW // 8, start + VIEW + VIEW // 8))
        then = timed(previewer.steps(beside))
        if number:  # the first also builds the network and measures the grey values
            fresh.append(first)
            moved.append(then)
        else:
            print(f"{model.card.name}\n  {'opened':22s} {'':>7s} {'':>7s} "
                  f"{first[2]:7.2f} {first[3]:7.2f}")  # fmt: skip
    for name, rows in (("new view", fresh), ("moved by an eighth", moved)):
        best = [min(row[n] for row in rows) for n in range(4)]
        print(f"  {name:22s} " + " ".join(f"{value:7.2f}" for value in best), flush=True)


def hooks(model: Any, threads: int, rounds: int) -> None:
    """Print what a pass takes with the hooks and without."""
    from napari_defectseg.inference.engines.exact import exact_engine

    block = np.random.default_rng(0).random((1, 512, 512)).astype(np.float32)
    plain, hooked = [], []
    with exact_engine(model, "cpu", threads, kept=1 << 32) as engine:
        for number in range(rounds + 1):
            begun = time.process_time()
            engine.run(block)
            middle = time.process_time()
            for _ in engine.begin(block):
                pass
            ended = time.process_time()
            if number:
                plain.append(middle - begun)
                hooked.append(ended - middle)
        layers = len(engine.layers.marks)
        longest = engine.layers.longest
    ratio = min(hooked) / min(plain)
    print(f"hooks at {layers} layers: {ratio:.3f} of a pass without them (512 x 512, processor "
          f"seconds, best of {rounds}); the longest layer is {longest:.0%} of it")  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.open import open_model

    pixels = np.random.default_rng(0).integers(0, 255, (EDGE, EDGE), dtype=np.uint8)
    image = CalibratedImage.from_array(pixels, name="picture")
    settings = PredictSettings(threads=given.threads, pixel_policy="go-on")
    print(f"view {VIEW} x {VIEW} of {EDGE} x {EDGE}, {given.threads} threads, seconds")
    print(f"  {'':22s} {'first':>7s} {'(cpu)':>7s} {'all':>7s} {'(cpu)':>7s}")
    for model in (network(), open_model("tem-defects")):
        previews(model, image, settings, given.rounds)
    print(f"to reach: first {LIMITS[0]} s, all {LIMITS[1]} s, on two quiet cores")
    hooks(network(), given.threads, 5 * given.rounds)


if __name__ == "__main__":
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()

"""How soon is the table right after a brush stroke in a large volume?

    python benchmarks/live_table.py [EDGE]

Balls of radius 8 and 16 are painted at random into a volume with many objects; the table follows
each. Median and 95th percentile in milliseconds of processor time, with the basic columns and with
surface and Feret diameter, beside a new measurement of everything.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from measure_regions import scene

from napari_defectseg.components.label import label
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.measurement.live import LiveTable
from napari_defectseg.measurement.settings import MeasureSettings

STROKES = 100
BASIC = MeasureSettings()
FORM = MeasureSettings(columns=("surface", "feret_max"))


def ball(centre: np.ndarray, radius: int, shape: tuple[int, ...]) -> Stroke:
    """Return the stroke of a round brush."""
    low = np.maximum(centre - radius, 0)
    high = np.minimum(centre + radius + 1, shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    grids = np.ogrid[box]
    square = sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True))
    return Stroke(box, square <= radius**2, tuple(int(c) for c in centre))


def follow(
    labels: LabelMap, settings: MeasureSettings, radius: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Return milliseconds of the table after each stroke, and of measuring everything."""
    live = LiveTable(labels, settings=settings)
    live.measure()
    start = time.process_time()
    live.measure()
    whole = 1000 * (time.process_time() - start)
    taken: list[float] = []

    def listen(edit: Edit) -> None:
        begin = time.process_time()
        live.update(edit)
        taken.append(1000 * (time.process_time() - begin))

    history = History(labels)
    history.listeners.append(listen)
    for _ in range(STROKES):
        centre = rng.integers(radius, np.array(labels.shape) - radius)
        history.push(paint(labels, ball(centre, radius, labels.shape), 1))
    return np.array(taken), whole


def main() -> None:
    edge = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    count = int(44000 * (edge / 512) ** 3)
    mask, _ = scene((edge,) * 3, count, (2.2, 7))
    plane, found = label(mask)
    known = dict.fromkeys(range(1, found + 1), 1)
    sizes = Calibration.uncalibrated(3)
    labels = LabelMap((plane,), known, ClassMap.of(["pore"]), ("z", "y", "x"), sizes)
    print(f"{edge}³, {len(labels.object_classes)} objects, {STROKES} strokes")
    rng = np.random.default_rng(1)
    for name, settings in (("basic", BASIC), ("with form", FORM)):
        for radius in (8, 16):
            taken, whole = follow(labels, settings, radius, rng)
            middle, high = np.percentile(taken, [50, 95])
            print(
                f"  radius {radius:2d}, {name:9s}: median {middle:6.2f} ms, 95 % {high:6.2f} ms; "
                f"everything {whole:7.0f} ms"
            )


if __name__ == "__main__":
    main()

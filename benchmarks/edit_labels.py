"""Editing in a large volume: our share of the time between the mouse and the picture.

``python benchmarks/edit_labels.py [EDGE …]``; an edge of 512 needs about 2 GB of memory, one of
1024 about 10 GB. Prints the median and the 95th percentile of each tool, journal included, and
the steps of a threshold slider on a micrograph of 2048 x 2048; beside the time on the clock the
processor's, which other programs disturb less.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels import boxes
from napari_defectseg.labels.decode import DecodeSettings, decode, decode_mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import Journal
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.protect import redecode
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.copy_slice import copy_slice
from napari_defectseg.labels.tools.cut import cut
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.fill_holes import fill_holes
from napari_defectseg.labels.tools.interpolate import interpolate
from napari_defectseg.labels.tools.level import level
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.outline import draw_outline
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.scribbles import fill_scribbles
from napari_defectseg.labels.tools.smart_brush import smart_brush
from napari_defectseg.labels.tools.smooth import smooth
from napari_defectseg.labels.tools.split_line import split_line
from napari_defectseg.labels.tools.split_watershed import split_watershed

CLASSES = ClassMap.of(["pore", "precipitate"])
REPEATS = 40
NEVER = 50.0
"""Milliseconds that no tool may take at the 95th percentile."""


def volume(edge: int) -> LabelMap:
    """Touching balls, half of them doublets, on a grid; a channel network through all of it."""
    cell = 64
    block = np.zeros((cell,) * 3, np.int32)
    grid = np.ogrid[:cell, :cell, :cell]
    for centre in ((32, 32, 24), (32, 32, 44)):
        block[sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= 13**2] = 1
    plane = np.zeros((edge,) * 3, np.int32)
    number = 1
    for corner in np.ndindex(*(edge // cell,) * 3):
        box = tuple(slice(c * cell, (c + 1) * cell) for c in corner)
        number += 1
        np.multiply(block, number, out=plane[box])
    network = plane[::cell, :, 0:3], plane[0:3, ::cell, :], plane[:, 0:3, ::cell]
    for part in network:
        part[...] = 1
    table = {n: 1 + n % 2 for n in range(2, number + 1)} | {1: 1}
    calibration = Calibration.of((1.0, 1.0, 1.0), "µm")
    return LabelMap((plane,), table, CLASSES, ("z", "y", "x"), calibration)


def ball_stroke(rng: np.random.Generator, shape: tuple[int, ...], *, flat: bool) -> Stroke:
    """A brush of 12 pixels, drawn along a line of 60."""
    start = rng.integers(20, np.array(shape) - 80)
    ends = start + rng.integers(10, 40, 3) * ([0, 1, 1] if flat else [1, 1, 1])
    low = start - np.array([0, 6, 6] if flat else [6, 6, 6])
    high = ends + np.array([1, 7, 7] if flat else [7, 7, 7])
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    points = np.linspace(start, ends, 60)
    grid = np.stack(np.mgrid[box])
    mask = np.zeros(boxes.shape_of(box), bool)
    for point in points:
        mask |= ((grid - point.reshape(3, 1, 1, 1)) ** 2).sum(0) <= 36
    return Stroke(box, mask, tuple(int(i) for i in start))


def across(labelmap: LabelMap, number: int) -> list[tuple[float, ...]]:
    """A line through the neck of a doublet."""
    box = labelmap.index.box(number)
    middle = [(side.start + side.stop - 1) / 2 for side in box]
    return [
        (round(middle[0]), box[1].start - 2, middle[2]),
        (round(middle[0]), box[1].stop + 1, middle[2]),
    ]


def tools(rng: np.random.Generator, history: History, whole: list[int]) -> dict[str, object]:
    """One call each; objects are used once."""
    labelmap = history.labelmap

    def strokes(flat: bool) -> Stroke:
        return ball_stroke(rng, labelmap.shape, flat=flat)

    return {
        "brush, slice": lambda s: paint(labelmap, s, 1),
        "brush, volume": lambda s: paint(labelmap, s, 2),
        "erase, slice": lambda s: erase(labelmap, s),
        "erase, volume": lambda s: erase(labelmap, s),
        "nick in the network": lambda s: erase(labelmap, s, class_value=1),
        "delete": lambda _: delete(labelmap, whole.pop()),
        "merge": lambda _: merge(labelmap, [whole.pop(), whole.pop()]),
        "line split": lambda _: (n := whole.pop()) and split_line(labelmap, n, across(labelmap, n)),
        "watershed split": lambda _: split_watershed(labelmap, whole.pop()),
        "fill holes": lambda _: fill_holes(labelmap, whole[-1]),
        "smooth": lambda _: smooth(labelmap, whole.pop()),
        "edge brush, volume": lambda s: smart_brush(labelmap, s, grey(rng, s.box), 2),
        "box": lambda s: draw_outline(labelmap, corners_of(s), 1, kind="box"),
        "copy to next slice": lambda _: copy_on(labelmap, whole.pop()),
        "grow by level": lambda _: level(labelmap, n := whole.pop(), hill(labelmap, n), grow=True),
        "cut": lambda _: cut(labelmap, n := whole.pop(), middle_of(labelmap, n)),
        "accept": lambda _: accept(labelmap, whole.pop()),
        "undo": lambda _: history.undo(),
        "redo": lambda _: history.redo(),
    } | {"strokes": strokes}


def grey(rng: np.random.Generator, box: tuple[slice, ...]) -> np.ndarray:
    """Noise with an edge through its middle."""
    lengths = boxes.shape_of(box)
    values = rng.standard_normal(lengths).astype(np.float32)
    values[:, :, lengths[2] // 2 :] += 6
    return values


def corners_of(stroke: Stroke) -> list[tuple[int, ...]]:
    """Two corners of a box of 60 pixels in one slice."""
    z, y, x = stroke.start
    return [(z, y, x), (z, y + 60, x + 60)]


def copy_on(labelmap: LabelMap, number: int) -> object:
    """Copy the last section of an object to the free slice behind it."""
    box = labelmap.index.box(number)
    return copy_slice(labelmap, number, axis=0, source=box[0].stop - 1, target=box[0].stop)


def hill(labelmap: LabelMap, number: int):
    """Scores that fall off around an object."""
    middle = middle_of(labelmap, number)

    def read(box: tuple[slice, ...]) -> np.ndarray:
        grids = np.ogrid[box]
        away = sum((g - m) ** 2 for g, m in zip(grids, middle, strict=True))
        return np.exp(-away / 800).astype(np.float32)

    return read


def middle_of(labelmap: LabelMap, number: int) -> tuple[int, ...]:
    """The middle of an object's box: the neck of a doublet."""
    return tuple((side.start + side.stop - 1) // 2 for side in labelmap.index.box(number))


def bench_solvers() -> None:
    """Filling from strokes and between slices, on a crop of 128 cubed."""
    rng = np.random.default_rng(0)
    shape = (128,) * 3
    grids = np.ogrid[tuple(slice(0, n) for n in shape)]
    truth = sum((g - 64) ** 2 for g in grids) <= 40**2
    image = (truth + rng.normal(0, 0.3, shape)).astype(np.float32)
    times: dict[str, list[tuple[float, float]]] = {"from strokes": [], "between slices": []}
    for _ in range(6):
        for name, values in times.items():
            plane = np.zeros(shape, np.int32)
            for index in (34, 64, 94):
                own = truth[index] if name == "between slices" else np.zeros(shape[1:], bool)
                own[60:64, 50:78] = True
                plane[index][own] = 1
            calibration = Calibration.of((1.0, 1.0, 1.0), "µm")
            labelmap = LabelMap((plane,), {1: 1}, CLASSES, ("z", "y", "x"), calibration)
            start = Watch()
            if name == "from strokes":
                fill_scribbles(labelmap, 1, image.__getitem__, room=128)
            else:
                interpolate(labelmap, 1)
            values.append(start.read())
    print("128^3:")
    for name, values in times.items():
        report(f"fill {name}", values[1:])


def bench_volume(edge: int) -> None:
    rng = np.random.default_rng(0)
    labelmap = volume(edge)
    start = Watch()
    labelmap.index.size(1)
    print(
        f"{edge}^3: index of {len(labelmap.object_classes)} objects {start.read()[1]:.0f} ms, once"
    )
    with tempfile.TemporaryDirectory() as folder:
        start = Watch()
        journal = Journal.start(Path(folder), labelmap, image="bench", image_sha256="0" * 64)
        print(f"{edge}^3: base of the journal {start.read()[1]:.0f} ms, once")
        history = History(labelmap, journal)
        whole = [int(n) for n in rng.permutation(sorted(labelmap.object_classes)[1:])]
        calls = tools(rng, history, whole)
        strokes = calls.pop("strokes")
        repeats = min(REPEATS, len(whole) // 14)
        for name, call in calls.items():
            times = []
            for _ in range(repeats):
                prepared = strokes("slice" in name)
                start = Watch()
                result = call(prepared)
                if name not in ("undo", "redo"):
                    history.push(result)
                times.append(start.read())
            report(name, times)
        history.journal = None
        journal.close()


def bench_slider() -> None:
    rng = np.random.default_rng(0)
    scores = micrograph(rng)
    calibration = Calibration.of((0.5, 0.5), "nm")
    classes = ClassMap.of(["void", "precipitate", "loop"])
    history = None
    times: dict[str, list[tuple[float, float]]] = {
        "mask": [],
        "labels": [],
        "history": [],
        "together": [],
    }
    for step in range(12):
        level = 0.40 + 0.005 * step
        settings = DecodeSettings(dict.fromkeys(classes.names, level), min_size=7)
        plain = DecodeSettings(settings.thresholds)
        start = Watch()
        decode_mask(scores, classes, task="exclusive", settings=plain)
        times["mask"].append(start.read())
        start = both = Watch()
        found = decode(
            scores, classes, ("y", "x"), calibration, task="exclusive", settings=settings
        )
        times["labels"].append(start.read())
        if history is None:
            history = History(found)
            history.push(accept(found, sorted(found.object_classes)[::50]))
            continue
        start = Watch()
        redecode(history, found, "threshold", fold=True)
        times["history"].append(start.read())
        times["together"].append(both.read())
    print(f"2048^2, three classes, {len(history.labelmap.object_classes)} objects:")
    for name, values in times.items():
        report(f"slider: {name}", values[2:])


def micrograph(rng: np.random.Generator) -> np.ndarray:
    """Probabilities of background and three classes, smooth as a network's."""
    from scipy import ndimage

    shape = (2048, 2048)
    logits = np.stack(
        [ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), 8) for _ in "0123"]
    )
    logits *= 2 / logits.std()
    logits[0] += 2.5
    odds = np.exp(logits)
    return (odds / odds.sum(0)).astype(np.float32)


class Watch:
    """Time on the clock and of the processor, in milliseconds."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), time.thread_time()

    def read(self) -> tuple[float, float]:
        clock, processor = self.start
        return (time.perf_counter() - clock) * 1e3, (time.thread_time() - processor) * 1e3


def report(name: str, times: list[tuple[float, float]]) -> None:
    clock, processor = np.array(times).T
    late = float(np.percentile(clock, 95))
    print(
        f"  {name:22s} {np.median(clock):7.1f} ms, 95%: {late:7.1f} ms; processor "
        f"{np.median(processor):7.1f} ms, 95%: {np.percentile(processor, 95):7.1f} ms"
        f"{'   !' * (late > NEVER)}"
    )


if __name__ == "__main__":
    bench_slider()
    bench_solvers()
    for given in map(int, sys.argv[1:] or ["256"]):
        bench_volume(given)

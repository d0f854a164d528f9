"""Slots of the window on a micrograph of 2048 x 2048 with 2000 objects: none above 50 ms.

``python benchmarks/ui_slots.py [EDGE [OBJECTS]]`` in a display (``xvfb-run`` does). All docks are
made, the journal writes, the table follows. *slot* is what one action keeps the main thread busy
until it returns, *events* what it leaves to the event loop (timers, painting, napari's drawing);
both in milliseconds of the main thread's processor time, median and worst of the repeats, with
the median on the clock beside them. Ends with status 1 if the median of a slot is above the limit.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from os import environ

import numpy as np

LIMIT = 50.0
"""Milliseconds that a slot may keep the main thread busy."""
REPEATS = 15


@dataclass
class Times:
    """Milliseconds of one action, repeat by repeat."""

    slot: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Return a row of the report."""
        return (
            f"{name:28s} {np.median(self.slot):7.1f} {max(self.slot):7.1f} "
            f"{np.median(self.clock):7.1f} {np.median(self.events):8.1f}"
        )


def scene(edge: int, count: int):
    """Return a micrograph with discs on a grid, and its labels."""
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.labels.labelmap import LabelMap

    rng = np.random.default_rng(0)
    classes = ClassMap.of(["void", "precipitate", "loop"])
    calibration = Calibration.of((0.5, 0.5), "nm", "typed by you")
    plane = np.zeros((edge, edge), np.int32)
    side = int(np.ceil(np.sqrt(count)))
    cell = edge // side
    rows, columns = np.ogrid[:cell, :cell]
    for number in range(1, count + 1):
        y, x = divmod(number - 1, side)
        radius = rng.uniform(0.15, 0.4) * cell
        disc = (rows - cell / 2) ** 2 + (columns - cell / 2) ** 2 <= radius**2
        place = plane[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell]
        place[disc] = number
    pixels = rng.normal(100, 10, plane.shape).astype(np.float32) + 50 * (plane > 0)
    image = CalibratedImage(pixels, ("y", "x"), calibration, "steel_bf_07")
    table = {number: 1 + number % 3 for number in range(1, count + 1)}
    return image, LabelMap((plane,), table, classes, ("y", "x"), calibration)


def settle(seconds: float = 0.0) -> float:
    """Let the window work; return the milliseconds of the main thread that it took."""
    from qtpy.QtWidgets import QApplication

    began, end = time.thread_time(), time.monotonic() + seconds
    QApplication.processEvents()
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.002)
    return 1000 * (time.thread_time() - began)


def measure(act: Callable[[int], object]) -> Times:
    """Do something a few times."""
    times = Times()
    for repeat in range(REPEATS):
        clock, slot = time.perf_counter(), time.thread_time()
        act(repeat)
        times.slot.append(1000 * (time.thread_time() - slot))
        times.clock.append(1000 * (time.perf_counter() - clock))
        times.events.append(settle())
    settle(0.3)
    return times


def actions(viewer, bench) -> dict[str, Callable[[int], object]]:
    """Return what is measured, by name."""
    from qtpy.QtCore import Qt

    from napari_defectseg.labels.stroke import Stroke
    from napari_defectseg.ui.session import session_of

    orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
    session = session_of(viewer)
    correct, statistics = bench.page("correct"), bench.page("statistics")
    stage, hand = correct.hand.stage, correct.hand
    labels, layer = session.labels, stage.labels_layers[0]
    numbers = sorted(labels.object_classes)
    brush = np.ones((24, 24), bool)
    side = int(np.ceil(np.sqrt(len(numbers))))

    def stroke(i: int) -> None:
        at = 60 * i + 4
        box = (slice(at, at + 24), slice(at, at + 24))
        stage.drawing._on_stroke(layer, Stroke(box, brush, (at, at)), erases=False)

    def chosen(act: Callable[[], object], step: int) -> Callable[[int], object]:
        def run(i: int) -> None:
            session.select([numbers[step + i]])
            act()

        return run

    def merge(i: int) -> None:
        first = numbers[12 * side + 2 * i]
        hand.merge([first, first + 1])

    def thresholds(i: int) -> None:
        new = labels.copy()
        for number in numbers[20 * side + i :: 97]:
            if number in new.object_classes:
                box = new.index.box(number)
                part = new.planes[0][box]
                part[part == number] = 0
                del new.object_classes[number]
        new.restart(new.object_classes, new.checked)
        prepared.append(new)

    prepared: list = []
    for i in range(REPEATS):
        thresholds(i)
    rows = statistics.table.regions.rowCount()
    return {
        "stroke as an edit": stroke,
        "delete": chosen(hand.delete, 2 * side),
        "next object": lambda _: correct.next(),
        "accept and go on": lambda _: correct.accept(),
        "change of class": chosen(lambda: hand.relabel(2), 6 * side),
        "smooth": chosen(hand.smooth, 8 * side),
        "merge": merge,
        "undo": lambda _: session.undo(),
        "redo": lambda _: session.redo(),
        "threshold, first": lambda i: session.replace_labels(prepared[i], "threshold"),
        "threshold, held": lambda i: session.replace_labels(prepared[i], "threshold", fold=True),
        "select one": lambda i: session.select([numbers[-1 - i]]),
        "select 200": lambda i: session.select(numbers[-201 - i : -1 - i]),
        "row clicked": lambda i: statistics.table.selectRow((37 * i) % rows),
        "table sorted": lambda i: statistics.table.sortByColumn(2, orders[i % 2]),
        "filter": lambda i: statistics._on_filter(f"diameter > {i}"),
        "hide a class": lambda _: correct.toggle_class(1),
        "other brush class": lambda i: setattr(session, "current_class", 1 + i % 3),
    }


def review_actions(bench) -> dict[str, Callable[[int], object]]:
    """Return what is measured with Review in front."""
    page = bench.page("review")
    orders = ("doubt", "large", "odd")
    return {
        "next doubtful": lambda _: page.turn.next(),
        "accept and go on": lambda _: page.turn.accept(),
        "delete and go on": lambda _: page.turn.reject(),
        "next class": lambda _: page.queue.next_class(),
        "skip": lambda _: page.queue.skip(),
        "back": lambda _: page.turn.back(),
        "other order": lambda i: page.queue.arrange(orders[i % 3], ""),
        "filter of the queue": lambda i: page.queue.arrange("doubt", f"area > {i}"),
        "how many above": lambda i: page.queue.show_bulk(0.5 + i / 100),
        "region complete": lambda i: page.queue.set_complete(i % 2 == 0),
        "page": lambda i: page.pages.setValue(("compare", "audit", "queue")[i % 3]),
    }


def main(edge: int = 2048, count: int = 2000) -> int:
    """Measure and report."""
    folder = tempfile.TemporaryDirectory()
    environ["XDG_STATE_HOME"] = environ["XDG_CONFIG_HOME"] = folder.name
    from napari_defectseg.ui.session import session_of
    from napari_defectseg.ui.view import open_view
    from napari_defectseg.ui.workbench import workbench_of

    viewer = open_view()
    viewer.window.resize(1366, 768)
    bench, session = workbench_of(viewer), session_of(viewer)
    session.image, session.labels = scene(edge, count)
    for key in ("predict", "statistics", "review", "correct"):
        bench.bring(key)
        settle(0.2)
    while session.table is None:
        settle(0.1)
    settle(1.0)
    found: dict[str, Times] = {}
    for front in ("correct", "statistics", "review"):
        bench.bring(front)
        settle(0.5)
        print(f"\n{edge} x {edge}, {count} objects, {front} in front")
        print(
            f"{'ms of the main thread':28s} {'slot':>7s} {'worst':>7s} {'clock':>7s} {'events':>8s}"
        )
        chosen = review_actions(bench) if front == "review" else actions(viewer, bench)
        for name, act in chosen.items():
            times = measure(act)
            found[f"{name} ({front})"] = times
            print(times.line(name), flush=True)
    slow = [name for name, times in found.items() if np.median(times.slot) > LIMIT]
    print(f"\nabove {LIMIT:.0f} ms: {', '.join(slow) or 'none'}")
    viewer.close()
    folder.cleanup()
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main(*(int(value) for value in sys.argv[1:3])))

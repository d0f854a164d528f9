"""How long do the table and the plots of many objects keep the window busy?

``python benchmarks/table_and_plots.py [OBJECTS]`` in a display (``xvfb-run`` does). By default a
million objects of three classes. *show* is what a change of the plot keeps the main thread busy
with, from the table to the items of the plot, *paint* the drawing of the whole widget into a
picture; milliseconds of the main thread's processor time, median of the repeats. Ends with status
1 if painting takes more than a frame of the screen, or an act of the table more than `SLOT`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

FRAME, SLOT = 16.0, 100.0
"""Milliseconds: a redraw of a plot, anything that the table does."""
REPEATS = 9
DIAMETER = "equivalent_diameter_area"


def table_of(count: int):
    """Return a table as `measure_regions` gives it, sizes log-normal."""
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.measurement.table import Column, RegionTable

    rng = np.random.default_rng(0)
    classes = ClassMap.of(["void", "precipitate", "loop"])
    size = rng.lognormal(2.0, 0.4, count)
    names = np.array(classes.names, object)[rng.integers(0, 3, count)]
    values = {
        "label": (np.arange(1, count + 1), ""),
        "class": (names, ""),
        "area": (np.pi / 4 * size**2, "nm²"),
        DIAMETER: (size, "nm"),
        "centroid-0": (rng.uniform(0, 1e5, count), "nm"),
        "centroid-1": (rng.uniform(0, 1e5, count), "nm"),
        "aspect": (rng.uniform(1, 3, count), ""),
        "orientation": (rng.uniform(-np.pi / 2, np.pi / 2, count), "rad"),
        "intensity_mean": (rng.normal(100, 20, count), ""),
        "mean_score": (rng.uniform(0.5, 1, count), ""),
    }
    columns = {key: Column(one, unit, key) for key, (one, unit) in values.items()}
    return RegionTable(columns, Calibration.of((0.5, 0.5), "nm", "typed by you"), classes)


def busy(act: Callable[[int], object], repeats: int = REPEATS) -> float:
    """Return the median milliseconds of an action after a first one."""
    act(0)
    taken = []
    for repeat in range(1, repeats + 1):
        start = time.thread_time()
        act(repeat)
        taken.append(1000 * (time.thread_time() - start))
    return float(np.median(taken))


def table_rows(table) -> dict[str, float]:
    """Return how long each act of the table takes."""
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QIcon
    from qtpy.QtWidgets import QApplication

    from napari_defectseg.ui import columns
    from napari_defectseg.ui.widgets.region_table import RegionTableView

    view = RegionTableView()
    view.resize(400, 600)
    view.show()
    shown = columns.table_columns(table, lambda _: QIcon())
    ids = np.asarray(table["label"], np.int64)
    view.set_table(ids, shown)
    QApplication.processEvents()
    bar, rows = view.verticalScrollBar(), len(table)
    orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
    names = [column.key for column in view.regions.columns]

    def scroll(k: int) -> None:
        bar.setValue((k * 104729) % max(bar.maximum(), 1))
        view.grab()

    kept = np.asarray(table[DIAMETER]) > 8
    found = {
        "table: a page scrolled": busy(scroll),
        "table: sorted by size": busy(
            lambda k: view.sortByColumn(names.index(DIAMETER), orders[k % 2])
        ),
        "table: sorted by class": busy(
            lambda k: view.sortByColumn(names.index("class"), orders[k % 2])
        ),
        "table: filter": busy(lambda k: view.regions.set_kept(kept if k % 2 else None)),
        "table: a row chosen": busy(lambda k: view.selectRow((k * 7919) % rows)),
        "table: other rows": busy(lambda _: view.set_table(ids, shown)),
    }
    view.close()
    return found


def plot_rows(table) -> dict[str, tuple[float, float]]:
    """Return milliseconds of showing and painting each kind of plot."""
    from qtpy.QtWidgets import QApplication

    from napari_defectseg.ui import theme
    from napari_defectseg.ui.widgets.distribution import Distribution

    distribution = Distribution()
    distribution.resize(300, 260)
    theme.apply(distribution, "dark")
    distribution.show()
    distribution.show_table(table, np.asarray(table["label"], np.int64))
    QApplication.processEvents()
    found = {}
    for kind in ("histogram", "cumulative", "scatter", "matrix", "profile", "rose"):
        distribution.choose_kind(kind)
        QApplication.processEvents()
        show = busy(lambda _: distribution._draw())
        found[kind] = show, busy(lambda _: distribution.plots.grab())
    distribution.close()
    return found


def main(count: int = 1_000_000) -> int:
    """Measure and report."""
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    table, missed = table_of(count), []
    print(f"{count} objects, milliseconds of the main thread")
    for name, taken in table_rows(table).items():
        missed += [name] if taken > SLOT else []
        print(f"  {name:28s} {taken:7.1f}", flush=True)
    for kind, (show, paint) in plot_rows(table).items():
        missed += [kind] if paint > FRAME else []
        print(f"  {kind:28s} show {show:7.1f}   paint {paint:7.1f}", flush=True)
    print(f"above the limits: {', '.join(missed) or 'none'}")
    application.quit()
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(*(int(value) for value in sys.argv[1:2])))

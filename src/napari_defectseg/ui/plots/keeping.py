"""A plot as a picture, and what it shows as data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeAlias

import numpy as np
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QWidget

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.ui.plots.cloud import Cloud
from napari_defectseg.ui.plots.histogram import Bars
from napari_defectseg.ui.plots.matrix import Cells
from napari_defectseg.ui.plots.rose import Wedges

FINER = 3
"""Pixels of the picture along one of the screen."""
FORMS = "Picture (*.png);;Data (*.csv)"
"""For the system's dialog."""


Shown: TypeAlias = Bars | Cloud | Wedges | Cells
"""What our plots show."""


def save_plot(plot: QWidget, shown: Shown, path: Path) -> Path:
    """Write a plot as ``.png``, or its data as ``.csv``; what is there is replaced.

    Raises
    ------
    NotSaved
        If the form is neither, or it cannot be written.
    """
    if path.suffix.lower() == ".csv":
        _write_rows(rows_of(shown), path)
    elif path.suffix.lower() == ".png":
        _write_picture(plot, path)
    else:
        raise NotSaved(f"{path} names no form of a plot.", hint="End it in .png or .csv.")
    return path


def rows_of(shown: Shown) -> list[list[object]]:
    """Return what a plot shows as rows, the headings first."""
    if isinstance(shown, Bars):
        unit = f" [{shown.unit}]" if shown.unit else ""
        heads = [f"{shown.name} from{unit}", f"{shown.name} to{unit}"]
        heads += [f"{item.name}: {shown.height_name}" for item in shown.classes]
        edges = shown.edges.tolist()
        return [heads, *map(list, zip(edges[:-1], edges[1:], *shown.heights.tolist(), strict=True))]
    if isinstance(shown, Wedges):
        rows = zip(shown.edges[:-1].tolist(), shown.edges[1:].tolist(), shown.lengths.tolist(),
                   strict=True)  # fmt: skip
        return [["from [°]", "to [°]", shown.counted], *map(list, rows)]
    if isinstance(shown, Cells):
        pairs = [[cell.x, cell.y, cell.value, cell.linked] for cell in shown.pairs.values()]
        return [["first", "second", "pearson_r", "linked_by_definition"], *pairs]
    return _rows_of_cloud(shown)


def _rows_of_cloud(shown: Cloud) -> list[list[object]]:
    rows = shown.shown
    if shown.stepped:
        rows = rows[np.lexsort((shown.x[rows], shown.kinds[rows]))]
    names = [shown.classes[kind].name for kind in shown.kinds[rows].tolist()]
    heads = ["class", shown.x_title, shown.y_title]
    columns = [names, shown.x[rows].tolist(), shown.y[rows].tolist()]
    if shown.spread is not None:
        heads += ["low", "high"]
        columns += [end[rows].tolist() for end in shown.spread]
    return [heads, *map(list, zip(*columns, strict=True))]


def _write_rows(rows: list[list[object]], path: Path) -> None:
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_picture(plot: QWidget, path: Path) -> None:
    picture = QPixmap(plot.size() * FINER)
    picture.setDevicePixelRatio(FINER)
    picture.fill(plot.palette().window().color())
    painter = QPainter(picture)
    plot.render(painter)
    painter.end()
    with atomic_path(path) as part:
        if not picture.save(str(part), "PNG"):
            raise NotSaved(f"{path} could not be written as a picture.")

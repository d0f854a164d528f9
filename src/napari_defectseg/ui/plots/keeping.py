"""A plot as a picture, and what it shows as data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QWidget

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.ui.plots.histogram import Bars
from napari_defectseg.ui.plots.points import Cloud

FINER = 3
"""Pixels of the picture along one of the screen."""
FORMS = "Picture (*.png);;Data (*.csv)"
"""For the system's dialog."""


def save_plot(plot: QWidget, shown: Bars | Cloud, path: Path) -> Path:
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


def rows_of(shown: Bars | Cloud) -> list[list[object]]:
    """Return what a plot shows as rows, the headings first."""
    if isinstance(shown, Bars):
        unit = f" [{shown.unit}]" if shown.unit else ""
        heads = [f"{shown.name} from{unit}", f"{shown.name} to{unit}"]
        heads += [f"{item.name}: {shown.height_name}" for item in shown.classes]
        edges = shown.edges.tolist()
        return [heads, *map(list, zip(edges[:-1], edges[1:], *shown.heights.tolist(), strict=True))]
    rows = shown.shown
    if shown.stepped:
        rows = rows[np.lexsort((shown.x[rows], shown.kinds[rows]))]
    names = [shown.classes[kind].name for kind in shown.kinds[rows].tolist()]
    heads = ["class", shown.x_title, shown.y_title]
    values = zip(names, shown.x[rows].tolist(), shown.y[rows].tolist(), strict=True)
    return [heads, *map(list, values)]


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

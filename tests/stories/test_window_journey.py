"""The whole journey in the real window, by its real buttons, keys and mouse, on known truth."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QSlider
from tests.stories.journey import micrograph, opened, with_shipped_model

import napari_defectseg as ds


def brush(window: Any, points: list[tuple[float, float]], size: int, value: int = 1) -> int:
    """Draw a stroke on the canvas with napari's brush; return the object that it made."""
    window.key(f"Ctrl+{value}")
    window.key("P")
    window.page.brush.slider.setValue(size)
    known = set(window.session.labels.object_classes)
    window.drag(window.layer, points)
    (new,) = set(window.session.labels.object_classes) - known
    return new


def free_place(window: Any, size: tuple[int, int]) -> tuple[int, int]:
    """Return the corner of a place in sight where nothing lies."""
    labels = window.session.labels
    plane = labels.planes[0]
    low, high = window.layer.corner_pixels
    for y in range(max(4, int(low[0])), min(plane.shape[0], int(high[0])) - size[0] - 4, 4):
        for x in range(max(4, int(low[1])), min(plane.shape[1], int(high[1])) - size[1] - 4, 4):
            if not plane[y - 3 : y + size[0] + 3, x - 3 : x + size[1] + 3].any():
                return y, x
    raise AssertionError("no free place in sight")


# -- one micrograph, from the file to the table --------------------------------------------


def test_open_predict_correct_and_count(window, tmp_path):
    """One step after the other, each by what a person presses; every edit can be undone."""
    path = micrograph(tmp_path, 27)
    image = opened(window, path)
    assert image.calibration.calibrated
    with_shipped_model(window)
    labels = window.predict()
    assert labels.calibration == image.calibration
    assert len(labels.object_classes) >= 4
    assert window.find("Correct →")
    slide(window)
    window.link("Correct →")
    assert window.bench.current == "correct"
    walk(window)
    draw_and_mend(window)
    look_at_numbers(window, tmp_path)


def slide(window: Any) -> None:
    """A slider changes the counts without a new run, and is one step to undo."""
    session = window.session
    before = dict(session.labels.counts())
    prediction = session.prediction
    slider = window.control("Threshold of loop", QSlider)
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    window.until(lambda: session.labels.counts() != before)
    window.quiet()
    assert session.prediction is prediction
    window.viewer.layers.selection.active = window.layer
    window.key("Ctrl+Z")
    window.quiet()
    assert session.labels.counts() == before


def walk(window: Any) -> None:
    """N goes to an object and brings it into view; A accepts, D deletes, Ctrl+Z takes it back."""
    session, page = window.session, window.page
    window.key("N")
    (first,) = session.selection
    at = window.spot(window.layer, window.inside(first))
    assert 0 < at.x() < window.canvas.width()
    assert 0 < at.y() < window.canvas.height()
    window.key("A")
    assert first in session.labels.checked
    (second,) = session.selection
    assert second != first
    pixels = window.mask_of(second)
    window.key("D")
    assert second not in session.labels.object_classes
    window.key("Ctrl+Z")
    assert np.array_equal(window.mask_of(second), pixels)
    window.key("N")
    assert session.selection not in ({first}, {second})
    window.key("Shift+N")
    assert session.selection == {second}
    assert "1 of" in page.checked.told.text()


def draw_and_mend(window: Any) -> None:
    """Brush, fill holes, split, merge and classes, on objects drawn by the mouse."""
    session = window.session
    window.viewer.reset_view()
    window.settle()
    y, x = free_place(window, (40, 40))
    ring = [(y + 20 + 14 * np.sin(a), x + 20 + 14 * np.cos(a)) for a in np.linspace(0, 6.3, 24)]
    new = brush(window, ring, 6)
    assert session.labels.object_classes[new] == 1
    assert session.labels.planes[0][y + 20, x + 20] == 0
    assert session.labels.planes[0][y + 20, x + 34] == new
    window.key("Z")
    window.click(window.layer, (y + 20, x + 34))
    assert session.selection == {new}
    window.key("W")
    assert session.labels.planes[0][y + 20, x + 20] == new
    before = window.mask_of(new)
    split_by_clicks(window, new, (y + 20, x + 10), (y + 20, x + 30))
    halves = [int(session.labels.planes[0][y + 20, x + one]) for one in (10, 30)]
    assert len(set(halves)) == 2
    merge_by_clicks(window, halves, [(y + 20, x + 10), (y + 20, x + 30)])
    kept = int(session.labels.planes[0][y + 20, x + 10])
    assert np.array_equal(window.mask_of(kept), before)
    window.key("C")
    window.press(window.page.rows.row(2))
    assert session.labels.object_classes[kept] == 2
    window.key("Escape")
    window.key("E")
    window.page.brush.slider.setValue(60)
    window.drag(window.layer, [(y + 20, x + 20), (y + 21, x + 21)])
    assert kept not in session.labels.object_classes
    window.key("Ctrl+Z")
    window.key("Ctrl+Z")
    assert session.labels.object_classes[kept] == 1
    window.key("Ctrl+Shift+Z")
    assert session.labels.object_classes[kept] == 2


def split_by_clicks(window: Any, number: int, first: Any, second: Any) -> None:
    window.key("S")
    assert window.page.hand.tool == "split"
    window.click(window.layer, first)
    window.click(window.layer, second)
    window.key("Escape")
    assert window.page.hand.tool == ""


def merge_by_clicks(window: Any, numbers: list[int], places: list[Any]) -> None:
    window.click(window.layer, places[0])
    assert window.session.selection == {numbers[0]}
    window.key("J")
    window.click(window.layer, places[1])
    window.key("J")


def look_at_numbers(window: Any, folder: Path) -> None:
    """Rows, objects and the filter agree; the CSV is what `measure_regions` gives."""
    session = window.session
    page = window.go("statistics")
    window.quiet()
    table = page.table
    window.until(lambda: table.model().rowCount() == len(session.labels.object_classes))
    window.viewer.scene.camera.zoom *= 8
    row = table.model().rowCount() - 1
    table.scrollTo(table.model().index(row, 0))
    where = table.visualRect(table.model().index(row, 1)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    window.settle()
    (number,) = session.selection
    at = window.spot(window.layer, window.inside(number))
    assert abs(at.x() - window.canvas.width() / 2) < window.canvas.width() / 2
    assert abs(at.y() - window.canvas.height() / 2) < window.canvas.height() / 2
    window.viewer.reset_view()
    window.settle()
    window.key("Z")
    other = next(n for n in session.labels.object_classes if n != number)
    window.click(window.layer, window.inside(other))
    assert session.selection == {other}
    assert table.selected_labels() == {other}
    csv_of(window, folder / "all.csv")
    known = ds.measure_regions(session.labels, image=session.image)
    assert rows_of(folder / "all.csv") == rows_of(known.write_csv(folder / "known.csv"))
    middle = float(np.median(known["equivalent_diameter_area"]))
    window.type(page.filter.edit, f"diameter > {middle:.3f}")
    expected = int((known["equivalent_diameter_area"] > float(f"{middle:.3f}")).sum())
    window.until(lambda: table.model().rowCount() == expected)
    csv_of(window, folder / "large.csv")
    assert len(rows_of(folder / "large.csv")) == expected


def csv_of(window: Any, path: Path) -> None:
    window.answer("save file", path)
    window.link("CSV…")
    window.until(path.exists)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the table of a CSV without what only a prediction knows."""
    found = list(csv.DictReader(io.StringIO(Path(path).read_text("utf-8"))))
    return [{key: one for key, one in row.items() if "score" not in key} for row in found]

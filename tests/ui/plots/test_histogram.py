"""The histogram: bars, patterns, one selection, spoken summary."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_defectseg.core.classes import PALETTE, ClassMap
from napari_defectseg.ui import patterns, theme
from napari_defectseg.ui.plots.histogram import Bars, Histogram

CLASSES = ClassMap.of(["void", "loop"])


def bars(logarithmic=False):
    edges = np.geomspace(1, 32, 6) if logarithmic else np.arange(0.0, 6.0)
    heights = np.array([[0, 3, 5, 1, 0], [0, 0, 2, 2, 1]], float)
    return Bars(edges, heights, CLASSES.classes, "equivalent diameter", "nm",
                "objects per 1 nm", logarithmic, 0.5, median=2.4, objects=14)  # fmt: skip


@pytest.fixture
def plot(qtbot):
    made = Histogram()
    qtbot.addWidget(made)
    made.resize(240, 160)
    made.set_theme(theme.colours("dark"))
    made.show_bars(bars())
    made.show()
    return made


def test_summary_is_spoken(plot):
    text = plot.accessibleDescription()
    assert "14 objects, median 2.40 nm" in text
    assert "highest bar 2 – 3 nm" in text


@pytest.mark.parametrize("logarithmic", [False, True])
def test_every_value_lies_in_the_bar_that_is_marked(logarithmic):
    shown = bars(logarithmic)
    for index, (low, high) in enumerate(zip(shown.edges, shown.edges[1:], strict=False)):
        assert shown.bin_of((low + high) / 2) == index
        assert shown.bin_of(low) == index
    assert shown.bin_of(shown.edges[-1]) == shown.edges.size - 2
    assert shown.bin_of(1e6) is None
    assert shown.bin_of(np.nan) is None


def test_keyboard_chooses_a_bar(plot, qtbot):
    plot.setFocus()
    for _ in range(3):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    with qtbot.waitSignal(plot.range_chosen) as told:
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert told.args == [2.0, 3.0, False]
    with qtbot.waitSignal(plot.cleared):
        qtbot.keyClick(plot, Qt.Key.Key_Escape)


def test_dragging_gives_a_range_in_the_unit_of_the_column(plot, qtbot):
    view = plot.getViewBox()
    with qtbot.waitSignal(plot.range_chosen) as told:
        view.dragged.emit(3.5, 1.5, True, True)
    assert told.args == [1.5, 3.5, True]
    plot.show_bars(bars(logarithmic=True))
    with qtbot.waitSignal(plot.range_chosen) as told:
        view.dragged.emit(0.0, 1.0, True, False)
    assert told.args == [1.0, 10.0, False]


def test_click_beside_the_bars_puts_the_range_aside(plot, qtbot):
    with qtbot.waitSignal(plot.cleared):
        plot.getViewBox().clicked.emit(0.5, False)


def test_units_are_never_scaled(plot):
    for side in ("left", "bottom"):
        assert plot.getAxis(side).autoSIPrefix is False
    assert "nm" in plot.getAxis("bottom").labelText
    assert plot.getPlotItem().ctrlMenu is not None
    assert not plot.getPlotItem().menuEnabled()


def test_every_class_has_another_look(qtbot):
    seen = set()
    for _, colour, pattern in PALETTE:
        brush = patterns.pattern_brush(colour, pattern)
        seen.add((brush.color().name(), brush.texture().toImage().cacheKey()))
        assert (pattern == "plain") == brush.texture().isNull()
    assert len(seen) == len(PALETTE)


def test_it_is_painted_in_both_themes(plot, qtbot):
    pictures = []
    for name in ("dark", "light"):
        plot.set_theme(theme.colours(name))
        plot.mark([2.5])
        plot.show_range(1.0, 2.0)
        image = plot.grab().toImage()
        pictures.append(image.pixelColor(3, 3).name())
    assert pictures[0] != pictures[1]

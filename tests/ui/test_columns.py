"""Columns by the names of the laboratory, and filters as a person types them."""

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.ui import binned, columns


@pytest.fixture(scope="module")
def table():
    labels = np.zeros((60, 60), np.int32)
    for number in range(1, 21):
        y, x = divmod(number - 1, 5)
        labels[4 + 14 * y : 6 + 14 * y + number % 5, 3 + 11 * x : 8 + 11 * x] = number
    return measure_regions(
        labels,
        spacing=(2.0, 2.0),
        unit="nm",
        classes=ClassMap.of(["void", "large loop"]),
        object_classes={n: 1 + n % 2 for n in range(1, 21)},
    )


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("diameter > 8 nm", lambda t: t["equivalent_diameter_area"] > 8),
        ("class = void", lambda t: t["class"] == "void"),
        (
            "class == large loop and x<50",
            lambda t: (t["class"] == "large loop") & (t["centroid-1"] < 50),
        ),
        ("area >= 60 nm²", lambda t: t["area"] >= 60),
        ("'void' == class", lambda t: t["class"] == "void"),
        ("number in [3, 4]", lambda t: np.isin(t["label"], [3, 4])),
        ("not border", lambda t: ~t["touches_border"]),
    ],
)
def test_a_filter_is_understood_as_typed(table, typed, rows):
    kept = table.where(columns.as_filter(typed, table))
    np.testing.assert_array_equal(kept["label"], table["label"][rows(table)])


def test_titles_are_plain_words(table):
    assert columns.title(table, "equivalent_diameter_area") == "⌀"
    assert columns.title(table, "centroid-0") == "y"
    assert columns.title(table, "bbox-3") == "x to"
    assert columns.plottable(table)[0] == "equivalent_diameter_area"
    assert "label" not in columns.plottable(table)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_every_object_is_in_exactly_one_bar(table, logarithmic):
    bars = binned.bars_of(table, "equivalent_diameter_area", logarithmic=logarithmic)
    assert bars.heights.sum() == len(table)
    assert bars.heights.shape == (2, bars.edges.size - 1)
    assert bars.unreliable_below == pytest.approx(14.0)
    for value in table["equivalent_diameter_area"]:
        assert bars.bin_of(value) is not None


def test_bars_by_size_add_up_to_the_area(table):
    bars = binned.bars_of(table, "equivalent_diameter_area", by_size=True)
    assert bars.heights.sum() == pytest.approx(table["area"].sum())
    assert bars.height_name.startswith("area (nm²) per ")


def test_nothing_to_draw_is_said(table):
    none = table.where(np.zeros(len(table), bool))
    assert binned.bars_of(none, "area") is None

"""Histograms: every object in one bin, edges that can be read, what is not to be trusted."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.binning import RELIABLE_PX, histogram
from napari_defectseg.measurement.edges import MOST_BINS
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.table import Column, RegionTable

NM = Calibration.of((0.5, 0.5), "nm")
CLASSES = ClassMap.of(["void", "loop"])


def table_of(values, names=None, areas=None, calibration=NM) -> RegionTable:
    values = np.asarray(values)
    columns = {
        "equivalent_diameter_area": Column(values, "nm"),
        "area": Column(np.ones(len(values)) if areas is None else np.asarray(areas, float), "nm²"),
    }
    if names is not None:
        columns["class"] = Column(np.asarray(names, "U8"))
    return RegionTable(columns, calibration, None if names is None else CLASSES)


VALUES = hnp.arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(
        st.floats(-1e12, 1e12), st.floats(1e-9, 1e3), st.sampled_from([0.0, 0.3, 5.0, np.nan])
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    values=VALUES,
    seed=st.integers(0, 99),
    scale=st.sampled_from(["linear", "log"]),
    bins=st.one_of(st.none(), st.integers(1, 80)),
)
def test_every_object_is_in_one_bin_of_its_class(values, seed, scale, bins):
    rng = np.random.default_rng(seed)
    names = rng.choice(["void", "loop", ""], values.size)
    areas = rng.random(values.size) + 0.1
    table = table_of(values, names, areas)
    shown = np.isfinite(values) & (names != "") & ((values > 0) if scale == "log" else True)
    found = histogram(table, scale=scale, weight="size", bins=bins)
    if found is None:
        assert not shown.any()
        return
    assert np.all(np.diff(found.edges) > 0)
    assert found.objects == np.count_nonzero(shown)
    assert found.left_out == values.size - found.objects
    for row, item in enumerate(found.classes):
        mine = shown & (names == item.name)
        assert found.counts[row].sum() == np.count_nonzero(mine)
        np.testing.assert_allclose(found.heights[row].sum(), areas[mine].sum())
    inside = np.stack([found.rows_in(table, k) for k in range(found.edges.size - 1)])
    assert np.array_equal(inside[:, shown].sum(axis=0), np.ones(found.objects))
    counted = np.stack([np.count_nonzero(rows & shown) for rows in inside])
    assert np.array_equal(counted, found.counts.sum(axis=0))
    for value in values[shown][:5]:
        low, high = found.span(found.bin_of(value))
        assert low <= value <= high


@settings(max_examples=150, deadline=None)
@given(
    values=hnp.arrays(np.float64, st.integers(2, 200), elements=st.floats(0.01, 1e4)),
    scale=st.sampled_from(["linear", "log"]),
)
def test_edges_are_short_numbers_and_not_too_many(values, scale):
    found = histogram(table_of(values), scale=scale)
    assert found.edges.size - 1 <= MOST_BINS + 3
    if scale == "linear":
        assert all(len(f"{edge:.15g}") <= 12 for edge in found.edges)
        mantissa = float(f"{found.width:e}".split("e")[0])
        assert any(abs(mantissa - step) < 1e-6 for step in (1, 2, 5, 10))
        steps = found.edges / found.width
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    else:
        per_decade = 1 / np.log10(found.width)
        assert round(per_decade) in (1, 2, 3, 5, 10, 20, 40, 80)
        np.testing.assert_allclose(np.diff(np.log10(found.edges)), np.log10(found.width))


def test_decades_begin_at_powers_of_ten():
    values = np.geomspace(1.5, 800, 300)
    edges = histogram(table_of(values), scale="log").edges
    assert {10.0, 100.0} <= set(np.round(edges, 9).tolist())


def test_whole_numbers_have_bins_of_whole_numbers():
    table = table_of(np.repeat(np.arange(4), 50))
    found = histogram(table)
    assert found.edges.tolist() == [0, 1, 2, 3, 4]
    assert found.counts.tolist() == [[50, 50, 50, 50]]


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e-9, 1e12])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_equal_values_are_one_bar(value, scale):
    found = histogram(table_of([value] * 7), scale=scale)
    if scale == "log" and value <= 0:
        assert found is None
    else:
        assert sorted(found.counts.ravel().tolist())[-1] == 7


def test_an_upper_edge_belongs_to_the_next_bin_and_the_last_one_to_the_last():
    found = histogram(table_of(np.arange(0.0, 10.0, 0.5)), bins=5)
    assert found.edges[:3].tolist() == [0, 2, 4]
    assert found.bin_of(2.0) == 1
    assert found.bin_of(found.edges[-1]) == found.edges.size - 2
    assert found.bin_of(-0.1) is None
    assert found.bin_of(np.nan) is None


def test_half_of_what_is_drawn_lies_below_the_median():
    values, areas = [1.0, 2.0, 3.0, 4.0], [1, 1, 1, 9]
    assert histogram(table_of(values, areas=areas)).median == 2.5
    assert histogram(table_of(values, areas=areas), weight="size").median == 4.0
    assert histogram(table_of([1.0, 5.0, 9.0])).median == 5.0


def test_areas_are_added_up_with_their_unit():
    found = histogram(table_of([1.0, 1.1, 9.0], areas=[2, 3, 4]), weight="size", bins=2)
    assert found.heights.sum() == 9
    assert found.weight_unit == "nm²"
    assert found.unit == "nm"
    assert histogram(table_of([1.0, 2.0])).weight_unit == ""


def test_small_objects_are_marked_in_the_unit_of_the_column():
    found = histogram(table_of([3.4, 3.6, 10.0]))
    assert found.unreliable_below == RELIABLE_PX * 0.5
    assert found.unreliable == 1
    labels = np.zeros((30, 30), np.int32)
    labels[2:5, 2:5] = 1
    labels[10:25, 10:25] = 2
    table = measure_regions(labels, spacing=(0.5, 0.5), unit="nm")
    for column in ("equivalent_diameter_area", "area", "num_pixels"):
        assert histogram(table, column).unreliable == 1
    assert histogram(table, "aspect").unreliable_below is None


def test_flat_voxels_count_by_their_volume():
    table = table_of([1.0], calibration=Calibration.of((8.0, 1.0, 1.0), "nm"))
    assert histogram(table).unreliable_below == pytest.approx(RELIABLE_PX * 2.0)


def test_nothing_to_show_is_none_and_what_is_no_number_is_said():
    assert histogram(table_of(np.zeros(0))) is None
    assert histogram(table_of([np.nan, np.inf])) is None
    with pytest.raises(MeasurementError, match="holds no numbers"):
        histogram(table_of([1.0], names=["void"]), "class")
    with pytest.raises(MeasurementError, match="no column"):
        histogram(table_of([1.0]), "colour")


def test_a_million_objects_are_binned_in_less_than_a_second():
    rng = np.random.default_rng(0)
    table = table_of(rng.lognormal(2, 0.4, 1_000_000), rng.choice(["void", "loop"], 1_000_000))
    start = time.process_time()
    found = histogram(table)
    assert time.process_time() - start < 1.0
    assert found.objects == 1_000_000

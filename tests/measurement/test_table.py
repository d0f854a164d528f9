"""Tables are chosen from, sorted, stacked, and come back from CSV as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, FileMissing, MeasurementError
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.table import Column, RegionTable


@pytest.fixture
def table():
    mask = np.zeros((12, 12), np.uint8)
    mask[1:4, 1:4] = 1
    mask[6:8, 6:8] = 2
    mask[10, 10] = 1
    return measure_regions(
        mask, classes=ClassMap.of(["void", "loop, edge-on"]), spacing=2, unit="nm"
    )


def test_rows_are_chosen_by_mask_and_by_expression(table):
    assert len(table.where(table["area"] > 10)) == 2
    for text, rows in [
        ("area > 10", [1, 2]),
        ("area > 10 and class == 'void'", [1]),
        ("not class == 'void'", [2]),
        ("centroid-0 >= 13 or num_pixels == 9", [1, 2, 3]),
        ("class in ['loop, edge-on']", [2]),
        ("4 < num_pixels <= 9", [1]),
        ("bbox-2 - bbox-0 == 2", [2]),
        ("touches_border or area / num_pixels < 4", []),
    ]:
        assert table.where(text)["label"].tolist() == rows, text


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "area.mean() > 1",
        "area",
        "area >",
        "volume > 1",
        "1 > 2",
        "area > 'x'",
        "(" * 500,
        "",
    ],
)
def test_expressions_that_are_none_are_refused(table, text):
    with pytest.raises(MeasurementError):
        table.where(text)


def test_sorting_keeps_undefined_last():
    values = np.array([2.0, np.nan, 1.0, 2.0])
    table = RegionTable(
        {"a": Column(values), "label": Column(np.arange(4))}, Calibration.uncalibrated(2)
    )
    assert table.sorted_by("a")["label"].tolist() == [2, 0, 3, 1]
    assert table.sorted_by("a", descending=True)["label"].tolist() == [0, 3, 2, 1]


def test_csv_has_the_contracts_heading_and_comes_back(table, tmp_path):
    path = table.with_front(image="a, b.tif", specimen="A3").write_csv(tmp_path / "objects.csv")
    heading = path.read_text(encoding="utf-8").splitlines()[0]
    assert heading.startswith("image,specimen,label,class,area [nm²],equivalent_diameter_area [nm]")
    back = RegionTable.read_csv(path)
    assert back.names == ("image", "specimen", *table.names)
    for name in table.names:
        assert np.array_equal(back[name], table[name], equal_nan=table[name].dtype.kind == "f")
        assert back[name].dtype.kind == table[name].dtype.kind
        assert back.column(name).unit == table.column(name).unit
        assert back.column(name).definition == table.column(name).definition
    with pytest.raises(AlreadyExists):
        table.write_csv(path)
    table.write_csv(path, overwrite=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=8))
def test_numbers_in_a_csv_come_back_to_the_last_bit(tmp_path_factory, numbers):
    values = np.array(numbers)
    table = RegionTable({"area": Column(values, "nm²")}, Calibration.uncalibrated(2))
    path = table.write_csv(tmp_path_factory.mktemp("csv") / "t.csv")
    assert np.array_equal(RegionTable.read_csv(path)["area"], values, equal_nan=True)


def test_an_empty_table_is_a_heading(tmp_path):
    table = measure_regions(np.zeros((3, 3), np.uint8), classes=ClassMap.of(["void"]))
    path = table.write_csv(tmp_path / "objects.csv")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
    assert len(RegionTable.read_csv(path)) == 0


def test_files_that_are_no_tables_are_named(tmp_path):
    with pytest.raises(FileMissing, match=r"none\.csv"):
        RegionTable.read_csv(tmp_path / "none.csv")
    broken = tmp_path / "broken.csv"
    broken.write_text("a,b\n1\n")
    with pytest.raises(MeasurementError, match="Line 2"):
        RegionTable.read_csv(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MeasurementError, match="cannot be read"):
        RegionTable.read_csv(broken)


def test_pandas_gets_the_headings(table):
    frame = table.to_pandas()
    assert list(frame.columns)[2] == "area [nm²]"
    assert len(frame) == 3


def test_stacked_tables_are_in_one_unit(table):
    micro = measure_regions(np.ones((2, 2), np.int32), spacing=0.001, unit="µm")
    both = RegionTable.stack([table, micro])
    assert both.column("area").unit == "nm²"
    assert both["area"][-1] == pytest.approx(4.0)
    assert both["class"].tolist()[-1] == ""
    assert both.region is None, "pixels of different size do not add up"
    twice = RegionTable.stack([table, table])
    assert twice.region.pixels == 288
    assert twice.region.images == 2
    bare = measure_regions(np.ones((2, 2), np.int32))
    with pytest.raises(MeasurementError, match="cannot stand in one table"):
        RegionTable.stack([table, bare])


def test_a_column_that_is_not_there_is_named(table):
    with pytest.raises(MeasurementError, match="no column 'volume'"):
        table["volume"]

"""Objects in the forms of other programs say the same as the table and the labels."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, MeasurementError, NotSaved
from napari_defectseg.core.progress import drive
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.export import ExportSettings, export_steps
from napari_defectseg.reports.features import napari_features
from napari_defectseg.reports.meshes import meshes, write_meshes
from napari_defectseg.reports.outlines import outlines, write_outlines
from napari_defectseg.reports.tables import write_table
from napari_defectseg.reports.tracing import outer_lines

VOID = ClassMap.of(["void"])


def labelled(array: np.ndarray, axes: tuple[str, ...] = ("y", "x")) -> LabelMap:
    numbers = [int(n) for n in np.unique(array) if n]
    size = Calibration.of((0.5,) * len(axes), "nm")
    return LabelMap((array.astype(np.int32),), dict.fromkeys(numbers, 1), VOID, axes, size)


@pytest.fixture
def table() -> RegionTable:
    array = np.zeros((20, 20), np.int32)
    array[2:6, 3:9], array[10:14, 10:12] = 1, 2
    return measure_regions(labelled(array))


def test_parquet_reads_back_with_units(table: RegionTable, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    found = parquet.read_table(write_table(table, tmp_path / "t.parquet"))
    assert found.column_names == [table.heading(name) for name in table.names]
    np.testing.assert_array_equal(found["area [nm²]"].to_numpy(), table["area"])
    assert found.schema.field("area [nm²]").metadata[b"unit"] == "nm²".encode()


def test_xlsx_reads_back_with_definitions(table: RegionTable, tmp_path: Path) -> None:
    excel = pytest.importorskip("openpyxl")
    book = excel.load_workbook(write_table(table, tmp_path / "t.xlsx"))
    rows = list(book["objects"].iter_rows(values_only=True))
    assert rows[0] == tuple(table.heading(name) for name in table.names)
    at = table.names.index("area")
    assert [row[at] for row in rows[1:]] == table["area"].tolist()
    about = {row[0]: row for row in book["columns"].iter_rows(values_only=True)}
    assert about["area"][1] == "nm²"
    assert about["area"][2]


def test_a_missing_package_is_named_with_its_command(
    table: RegionTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(NotSaved, match=r"openpyxl, which is not installed.*exchange"):
        write_table(table, tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_an_unknown_form_is_refused_and_nothing_is_overwritten(
    table: RegionTable, tmp_path: Path
) -> None:
    with pytest.raises(NotSaved, match="no form of a table"):
        write_table(table, tmp_path / "t.doc")
    write_table(table, tmp_path / "t.csv")
    with pytest.raises(AlreadyExists):
        write_table(table, tmp_path / "t.csv")


def test_features_have_the_number_of_the_object_as_index(table: RegionTable) -> None:
    found = napari_features(table, most=1)
    assert found["index"].tolist() == [1]
    assert "area [nm²]" in found.columns


def area(line: np.ndarray) -> float:
    y, x = line[:, 0], line[:, 1]
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


@given(npst.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=150, deadline=None)
def test_outer_lines_hold_the_filled_parts(mask: np.ndarray) -> None:
    from scipy.ndimage import binary_fill_holes, label

    corners = np.ones((3, 3))
    lines = outer_lines(mask)
    parts, count = label(mask, corners)
    assert len(lines) == count
    # Holes are background joined by faces; parts within a hole of another are filled twice.
    filled = [int(binary_fill_holes(parts == k).sum()) for k in range(1, count + 1)]
    assert sorted(map(area, lines)) == sorted(filled)


def test_outlines_open_as_rois_of_the_same_area(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile")
    array = np.zeros((30, 30), np.int32)
    array[2:6, 3:9], array[10:14, 10:12] = 1, 7
    path = write_outlines(labelled(array), tmp_path / "o.zip")
    rois = {roi.name: roi.coordinates() for roi in roifile.roiread(path)}
    assert set(rois) == {"void-0001", "void-0007"}
    assert rois["void-0001"].min(axis=0).tolist() == [3, 2]
    assert area(rois["void-0001"]) == 24
    first = path.read_bytes()
    assert write_outlines(labelled(array), path, overwrite=True).read_bytes() == first


def test_slices_of_a_volume_are_rois_at_their_slices(tmp_path: Path) -> None:
    array = np.zeros((3, 8, 8), np.int32)
    array[1:, 2:4, 2:4] = 4
    found = [(name, where) for name, _, where in outlines(labelled(array, ("z", "y", "x")))]
    assert found == [("void-0004-z2", (2, 0)), ("void-0004-z3", (3, 0))]
    pytest.importorskip("roifile")
    with zipfile.ZipFile(
        write_outlines(labelled(array, ("z", "y", "x")), tmp_path / "o.zip")
    ) as file:
        assert file.namelist() == ["void-0004-z2.roi", "void-0004-z3.roi"]


def test_meshes_look_out_and_hold_the_volume(tmp_path: Path) -> None:
    z, y, x = np.ogrid[:24, :24, :24]
    ball = ((z - 11) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 <= 81).astype(np.int32)
    labels = labelled(ball, ("z", "y", "x"))
    (mesh,) = meshes(labels)
    assert mesh.volume == pytest.approx(ball.sum() * 0.125, rel=0.03)
    np.testing.assert_allclose(mesh.corners.mean(axis=0), [6, 6, 5.5], atol=0.05)
    for form in ("stl", "ply"):
        folder = write_meshes(labels, tmp_path / form, form=form)
        (file,) = folder.iterdir()
        assert file.name == f"void-0001.{form}"
    stl = (tmp_path / "stl" / "void-0001.stl").read_bytes()
    assert len(stl) == 84 + 50 * len(mesh.faces)
    assert int.from_bytes(stl[80:84], "little") == len(mesh.faces)
    ply = (tmp_path / "ply" / "void-0001.ply").read_bytes()
    end = ply.index(b"end_header\n") + len(b"end_header\n")
    assert len(ply) - end == 12 * len(mesh.corners) + 13 * len(mesh.faces)


def test_meshes_of_a_plane_are_refused() -> None:
    with pytest.raises(MeasurementError, match="in a volume"):
        list(meshes(labelled(np.ones((4, 4), np.int32))))


def test_results_are_exported_together(result: Path, tmp_path: Path) -> None:
    wanted = ExportSettings(tables=(tmp_path / "all.csv",), outlines=tmp_path / "rois")
    written = drive(export_steps([result], wanted))
    assert [path.name for path in written] == ["all.csv", "field 0.zip", "field 1.zip"]
    assert (tmp_path / "all.csv").read_text("utf-8").startswith("image,specimen,")

"""The table of objects: sorting, selecting, formats."""

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QApplication

from napari_defectseg.ui.widgets.region_model import TableColumn
from napari_defectseg.ui.widgets.region_table import RegionTableView


def columns(count, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(2, 0.5, count)
    if count > 2:
        sizes[1] = np.nan
    names = np.array(["void", "loop"], object)[rng.integers(0, 2, count)]
    return np.arange(1, count + 1), [
        TableColumn("label", "no.", np.arange(1, count + 1)),
        TableColumn("class", "class", names, icons={"void": QIcon(), "loop": QIcon()}),
        TableColumn("equivalent_diameter_area", "⌀", sizes, "nm", "diameter of the equal disc"),
        TableColumn("number_density", "density", sizes * 1e21, "m⁻³"),
    ]


@pytest.fixture
def view(qtbot):
    table = RegionTableView()
    qtbot.addWidget(table)
    table.set_table(*columns(30))
    return table


def test_header_has_unit_and_power_of_ten(view):
    texts = [view.regions.headerData(i, Qt.Orientation.Horizontal) for i in range(4)]
    assert texts[:3] == ["no.", "class", "⌀ (nm)"]
    assert texts[3].startswith("density (10²")


def test_undefined_is_a_dash_and_sorts_last(view):
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        view.sortByColumn(2, order)
        assert view.regions.text(29, 2) == "—"
        values = view.regions.columns[2].values[view.regions.shown_labels - 1][:-1]
        expected = np.sort(values)
        if order == Qt.SortOrder.DescendingOrder:
            expected = expected[::-1]
        np.testing.assert_array_equal(values, expected)


def test_numbers_stand_right_and_words_left(view):
    cell = view.regions.index(0, 2)
    assert view.regions.data(cell, Qt.ItemDataRole.TextAlignmentRole) & int(
        Qt.AlignmentFlag.AlignRight
    )
    cell = view.regions.index(0, 1)
    assert view.regions.data(cell, Qt.ItemDataRole.TextAlignmentRole) & int(
        Qt.AlignmentFlag.AlignLeft
    )


def test_selection_survives_sorting_and_new_values(view):
    view.select([3, 7, 8])
    view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert view.selected_labels() == {3, 7, 8}
    view.set_table(*columns(30, seed=1))
    assert view.selected_labels() == {3, 7, 8}


def test_selecting_from_outside_is_not_told_back(view, qtbot):
    with qtbot.assertNotEmitted(view.chosen):
        view.select([5])
    with qtbot.waitSignal(view.chosen) as told:
        view.selectRow(view.regions.rows_of([9])[0])
    assert told.args == [frozenset({9})]


def test_filter_hides_rows(view):
    kept = np.zeros(30, bool)
    kept[[2, 4]] = True
    view.regions.set_kept(kept)
    assert view.regions.rowCount() == 2
    assert view.regions.rows_of([3, 5, 6]) == [0, 1]


def test_letters_do_not_search_or_edit(view, qtbot):
    view.setFocus()
    qtbot.keyClick(view, "v")
    assert view.state() == view.State.NoState
    assert not view.selected_labels()


def test_copy_writes_header_and_selected_rows(view):
    view.show_columns(["label", "equivalent_diameter_area"])
    view.select([2, 3])
    view.copy()
    lines = QApplication.clipboard().text().split("\n")
    assert lines[0] == "no.\t⌀ (nm)"
    assert len(lines) == 3
    assert lines[1].split("\t") == ["2", "—"]


def test_columns_are_chosen_in_the_menu(view):
    menu = view.column_menu()
    density = next(action for action in menu.actions() if action.text() == "density (m⁻³)")
    density.setChecked(False)
    assert view.shown_columns == ["label", "class", "equivalent_diameter_area"]


def test_hundred_thousand_rows_sort_quickly(qtbot):
    view = RegionTableView()
    qtbot.addWidget(view)
    view.set_table(*columns(100_000))
    spent = []
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder) * 2:
        start = time.thread_time()
        view.sortByColumn(2, order)
        spent.append(time.thread_time() - start)
    assert min(spent) < 0.05, spent

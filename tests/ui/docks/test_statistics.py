"""The Statistics dock: numbers, plot, table and canvas agree."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel
from scene import COUNT, micrograph

from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui.docks.statistics import StatisticsDock
from napari_defectseg.ui.session import session_of


@pytest.fixture
def dock(viewer_model, qtbot):
    made = StatisticsDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image, session.labels = micrograph()
    qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    yield made
    made.release()
    session.close()


def test_numbers_are_those_of_the_measurement(dock):
    image, labels = micrograph()
    expected = measure_regions(labels, image=image)
    assert dock.table.regions.rowCount() == COUNT
    np.testing.assert_array_equal(dock.session.table["area"], expected["area"])
    words = [label.text() for label in dock.card.findChildren(QLabel)]
    assert "4 objects" in words


def test_row_bar_and_selection_are_one(dock):
    dock.table.selectRow(dock.table.regions.rows_of([7])[0])
    assert dock.session.selection == {7}
    value = dock.session.table["equivalent_diameter_area"][6]
    assert dock.distribution.plot._item.marked == (dock.distribution.plot.bars.bin_of(value),)
    dock.session.select([3, 4])
    assert dock.table.selected_labels() == {3, 4}


def test_bar_selects_exactly_the_objects_in_it(dock):
    bars = dock.distribution.plot.bars
    chosen = set()
    for low, high in zip(bars.edges, bars.edges[1:], strict=False):
        dock.distribution.plot.range_chosen.emit(low, high, False)
        assert not chosen & dock.session.selection
        chosen |= dock.session.selection
    assert chosen == set(range(1, COUNT + 1))


def test_an_edit_is_followed_at_once(dock):
    before = dock.session.table["area"].size
    dock.session.edit(delete(dock.session.labels, [1]))
    assert len(dock.session.table) == before - 1
    assert dock.table.regions.rowCount() == before - 1
    assert 1 not in dock.session.table["label"]
    dock.session.undo()
    assert dock.table.regions.rowCount() == before


def test_filter_hides_rows_and_bars_and_says_what_it_does_not_understand(dock):
    dock.filter.edit.setText("class = void")
    dock.filter.edit.returnPressed.emit()
    assert dock.table.regions.rowCount() == 4
    assert dock.distribution.plot.bars.objects == 4
    dock.filter.edit.setText("class = nonsense")
    dock.filter.edit.returnPressed.emit()
    assert "nonsense" in dock.filter.complaint.text()
    assert dock.table.regions.rowCount() == COUNT


def test_border_is_left_out_on_demand(dock, qtbot):
    labels = dock.session.labels
    labels.planes[0][0:4, 60:70] = 40
    labels.object_classes[40] = 1
    labels.last_label = 40
    dock.follower.again()
    qtbot.waitUntil(lambda: len(dock.session.table) == COUNT + 1, timeout=5000)
    dock.boxes.border_box.setCurrentIndex(1)
    dock.boxes.border_box.activated.emit(1)
    qtbot.waitUntil(lambda: len(dock.session.table) == COUNT, timeout=5000)
    assert "1 at the border left out" in dock.card.note.text()


def test_csv_has_units_and_every_row(dock, tmp_path):
    path = tmp_path / "objects.csv"
    dock.desk.save_table(path, dock.session.table)
    back = RegionTable.read_csv(path)
    assert len(back) == COUNT
    assert "equivalent_diameter_area [nm]" in path.read_text("utf-8").splitlines()[0]
    assert "12 rows in" in dock.messages.strip("csv").sentence


def test_only_the_selected_objects_can_be_counted(dock):
    dock.session.select([1, 2, 3])
    dock.boxes.choose("selected")
    assert dock.table.regions.rowCount() == 3


def test_uncalibrated_sizes_are_px_and_said(viewer_model, qtbot):
    page = StatisticsDock(viewer_model)
    qtbot.addWidget(page)
    session = session_of(viewer_model)
    session.image, session.labels = micrograph(calibrated=False)
    qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    headers = [
        page.table.regions.headerData(i, Qt.Orientation.Horizontal)
        for i in range(page.table.regions.columnCount())
    ]
    assert "⌀ (px)" in headers
    assert "px" in page.messages.strip("size").sentence
    page.release()
    session.close()


def test_without_objects_one_sentence_leads_on(viewer_model, qtbot):
    page = StatisticsDock(viewer_model)
    qtbot.addWidget(page)
    assert page.is_empty
    assert page.empty.sentence.text() == "No objects to count."
    page.release()


def test_wide_docks_have_three_columns(dock):
    dock.resize(900, 400)
    dock.show()
    assert dock.parts.wide
    assert dock.minimumSizeHint().width() <= 244, "a wide dock can become narrow again"
    dock.resize(300, 700)
    assert not dock.parts.wide
    assert dock.body.parentWidget().minimumSizeHint().width() <= 220


def test_in_a_low_dock_the_table_is_in_sight_and_the_filter_makes_room(dock, qtbot):
    """At 1366 × 768 napari leaves about 600 px to a page."""
    dock.resize(244, 597)
    dock.show()
    qtbot.waitExposed(dock)
    dock.activateWindow()
    area = dock.scroll.viewport()
    top = dock.table.mapTo(area, dock.table.rect().topLeft()).y()
    assert area.height() - top >= 3 * 24, "the header and two rows are in sight"
    before = dock.table.height()
    dock.filter.focused.emit(True)
    assert dock.card.folded
    qtbot.waitUntil(lambda: dock.table.height() > before, timeout=2000)
    assert dock.card.short.text().startswith("12 objects")
    dock.filter.focused.emit(False)
    assert not dock.card.folded
    dock.card.fold.click()
    dock.filter.focused.emit(True)
    dock.filter.focused.emit(False)
    assert dock.card.folded, "what a person has folded stays folded"


def test_delete_in_the_plot_is_one_edit(dock):
    dock.session.select([1, 2])
    dock.distribution.plot.delete_asked.emit()
    assert len(dock.session.labels.object_classes) == COUNT - 2
    dock.session.undo()
    assert len(dock.session.labels.object_classes) == COUNT


@pytest.mark.parametrize("border", ["frame", "weight"])
def test_border_rules_without_bias_are_offered(dock, qtbot, border):
    place = dock.boxes.border_box.findData(border)
    before = len(dock.session.table)
    dock.boxes.border_box.setCurrentIndex(place)
    dock.boxes.border_box.activated.emit(place)
    qtbot.waitUntil(lambda: dock.session.table.region.border == border, timeout=5000)
    assert len(dock.session.table) <= before
    assert any("Border rule" in note for note in dock.session.summary.warnings)


def test_a_number_says_what_its_interval_holds(dock):
    from napari_defectseg.ui.widgets.numbers_card import QUANTITIES

    name, numbers = next(iter(dock.session.summary.classes.items()))
    dock.card._explain(name, "number_density", numbers["number_density"])
    assert "counting alone, objects at random" in dock.card.explanation.text()
    assert "objects as units, 1 field" in dock.card.note.text()
    assert set(QUANTITIES) >= {"number_density_foil_corrected", "swelling"}


def test_a_point_or_frame_of_the_scatter_selects_its_objects(dock):
    from qtpy.QtCore import QPointF, QRectF

    dock.distribution.choose_kind("scatter")
    cloud = dock.distribution.points.cloud
    where = QPointF(float(cloud.across[2]), float(cloud.y[2]))
    dock.distribution.points._on_click(where, False)
    assert dock.session.selection == {int(dock.session.table["label"][2])}
    low, high = float(cloud.x.min()) - 1, float(cloud.x.max()) + 1
    span = float(cloud.y.max() - cloud.y.min()) + 2
    frame = QRectF(low, float(cloud.y.min()) - 1, high - low, span)
    dock.distribution.points._on_drag(frame, True, False)
    assert dock.session.selection == set(dock.session.table["label"].tolist())


def test_the_cumulative_plot_ends_at_all_objects_of_a_class(dock):
    dock.distribution.choose_kind("cumulative")
    cloud = dock.distribution.points.cloud
    for kind in set(cloud.kinds.tolist()):
        assert cloud.y[cloud.kinds == kind].max() == 1.0


@pytest.mark.parametrize("kind", ["histogram", "cumulative", "scatter"])
def test_every_plot_is_saved_as_picture_and_as_data(dock, kind, tmp_path):
    dock.distribution.choose_kind(kind)
    for form in ("png", "csv"):
        dock.desk.save_plot(tmp_path / f"plot.{form}", *dock.distribution.shown)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    lines = (tmp_path / "plot.csv").read_text("utf-8").splitlines()
    if kind == "histogram":
        counts = sum(float(n) for line in lines[1:] for n in line.split(",")[2:])
        assert counts == COUNT
    else:
        assert len(lines) == COUNT + 1


def test_ticked_groups_are_measured(dock, qtbot):
    assert "solidity" not in dock.session.table
    action = next(a for a in dock.links.groups.menu_of_groups.actions() if a.data() == "extent")
    action.trigger()
    assert dock.follower.settings.columns == ("extent",)
    qtbot.waitUntil(
        lambda: dock.session.table is not None and "feret_max" in dock.session.table,
        timeout=8000,
    )


def test_the_report_is_written_from_the_window(dock, qtbot, tmp_path):
    dock.reporter.write(tmp_path / "r.html")
    qtbot.waitUntil(lambda: (tmp_path / "r.pdf").exists(), timeout=60000)
    assert "Methods" in (tmp_path / "r.html").read_text("utf-8")


@pytest.fixture
def movie(viewer_model, qtbot):
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.phantoms.make import phantom

    picture = phantom("movie", seed=2, shape=(8, 100, 240), above="dark")
    objects = {
        int(n): int(picture.mask[picture.instances == n][0])
        for n in np.unique(picture.instances)
        if n
    }
    made = StatisticsDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image = picture.image
    session.labels = LabelMap(
        (picture.instances.astype(np.int32),), objects, picture.classes, ("t", "y", "x"),
        picture.image.calibration,
    )  # fmt: skip
    qtbot.waitUntil(lambda: session.table is not None, timeout=20000)
    yield made, picture
    made.release()
    session.close()


def test_curves_of_a_movie_stand_beside_the_slider(movie, qtbot):
    dock, picture = movie
    plot = dock.distribution
    plot.choose_kind("time")
    qtbot.waitUntil(lambda: dock.movie.movie is not None, timeout=20000)
    assert plot.column == "keyhole_depth"
    cloud = plot.points.cloud
    truth = picture.facts["keyhole_depth"]
    np.testing.assert_allclose(cloud.y, truth, atol=3 * picture.image.calibration.steps[0])
    assert cloud.x_title == "time (µs)"
    assert "lower bounds" in plot.told.toolTip()
    gone = []
    plot.frame_chosen.connect(gone.append)
    plot.points.points_chosen.emit(np.array([5]), False)
    assert gone == [5]
    dock.distribution.show_frame(5)
    assert plot.points._cursor.value() == cloud.x[5]


def test_an_edit_makes_the_curves_anew(movie, qtbot):
    dock, _ = movie
    dock.distribution.choose_kind("time")
    qtbot.waitUntil(lambda: dock.movie.movie is not None, timeout=20000)
    keyhole = next(n for n, v in dock.session.labels.object_classes.items() if v == 1)
    dock.session.edit(delete(dock.session.labels, [keyhole]))
    qtbot.waitUntil(
        lambda: (
            dock.movie.movie is not None and not dock.movie.movie.frames["keyhole_present"].any()
        ),
        timeout=20000,
    )


def test_every_kind_of_plot_is_drawn_and_saved(dock, tmp_path):
    plot = dock.distribution
    box = plot.controls.kind_box
    kinds = [box.itemData(place) for place in range(box.count())]
    assert kinds == ["histogram", "cumulative", "scatter", "matrix", "profile", "rose"]
    for kind in kinds:
        plot.choose_kind(kind)
        shown = plot.shown
        assert shown is not None, kind
        dock.desk.save_plot(tmp_path / f"{kind}.csv", *shown)
        assert (tmp_path / f"{kind}.csv").read_text("utf-8").count("\n") > 1
    plot.choose_kind("rose")
    low, high = 0.0, 180.0
    plot.rose.range_chosen.emit(low, high, False)
    assert dock.session.selection == set(range(1, COUNT + 1))


def test_a_pair_of_the_matrix_becomes_a_scatter_plot(dock):
    plot = dock.distribution
    plot.choose_kind("matrix")
    cell = plot.matrix.cells.pairs[1, 0]
    plot.matrix.pair_chosen.emit(cell.x, cell.y)
    assert plot.kind == "scatter"
    assert (plot.column, plot.controls.other) == (cell.x, cell.y)

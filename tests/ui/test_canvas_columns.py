"""Columns on the canvas: colours with a bar, ranks of the largest, following edits."""

from dataclasses import replace

import numpy as np
import pytest
from scene import COUNT, micrograph

from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.ui.canvas_columns import CIVIDIS, CLASS, scale_of
from napari_defectseg.ui.colouring import ClassColormap, ShadeColormap
from napari_defectseg.ui.docks.statistics import StatisticsDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.shades import NOT_MEASURED, STEPS, Shades, shades_of
from napari_defectseg.ui.stage import stage_of

DIAMETER = "equivalent_diameter_area"


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


def layer_of(dock):
    return stage_of(dock.viewer).labels_layers[0]


def test_limits_are_the_2nd_and_98th_percentile_and_giants_share_the_last_colour(dock):
    table = dock.session.table
    shades = shades_of(table, DIAMETER)
    np.testing.assert_allclose(shades.limits, np.percentile(table[DIAMETER], (2, 98)))
    assert shades.heading == "equivalent diameter (nm)"
    assert shades.beyond == (True, True)
    assert shades.ends[0].startswith("≤ ")
    assert shades.ends[1].startswith("≥ ")
    assert shades.shade_of[1] == 1
    assert shades.shade_of[COUNT] == STEPS
    assert np.all(np.diff(shades.shade_of[1:].astype(int)) >= 0)


def test_objects_without_a_value_are_grey(dock):
    table = dock.session.table
    values = table[DIAMETER].copy()
    values[3] = np.nan
    known = replace(table.column(DIAMETER), values=values)
    shades = shades_of(table.with_column(DIAMETER, known), DIAMETER)
    assert shades.shade_of[4] == NOT_MEASURED


def test_colours_on_the_layer_are_those_of_the_scale(dock):
    dock.canvas.colour_by(DIAMETER)
    layer = layer_of(dock)
    assert isinstance(layer.colormap, ShadeColormap)
    shade_of = shades_of(dock.session.table, DIAMETER).shade_of
    for number in (1, 6, COUNT):
        expected = scale_of("viridis")[shade_of[number] - 1]
        np.testing.assert_allclose(layer.colormap.map(number), expected, atol=1e-6)
    dock.canvas.colour_by(DIAMETER, CIVIDIS)
    expected = scale_of("cividis")[STEPS - 1]
    np.testing.assert_allclose(layer.colormap.map(COUNT), expected, atol=1e-6)
    dock.canvas.colour_by(CLASS)
    assert type(layer.colormap) is ClassColormap


def test_an_edit_keeps_limits_and_colours_of_the_others(dock):
    dock.canvas.colour_by(DIAMETER)
    limits, before = dock.canvas.shades.limits, layer_of(dock).colormap.map(6)
    dock.session.edit(delete(dock.session.labels, [COUNT]))
    assert dock.canvas.shades.limits == limits
    np.testing.assert_array_equal(layer_of(dock).colormap.map(6), before)
    assert layer_of(dock).colormap.map(COUNT)[3] == 0
    dock.session.undo()
    assert dock.canvas.shades.shade_of[COUNT] == STEPS


def test_hidden_classes_stay_hidden_and_the_choice_outlives_other_labels(dock, qtbot):
    display = stage_of(dock.viewer).display
    dock.canvas.colour_by(DIAMETER)
    display.toggle_class(1)
    assert layer_of(dock).colormap.map(1)[3] == 0
    assert layer_of(dock).colormap.map(2)[3] == 1
    display.toggle_class(1)
    _, labels = micrograph()
    dock.session.labels = labels
    qtbot.waitUntil(lambda: dock.session.table is not None, timeout=5000)
    assert isinstance(layer_of(dock).colormap, ShadeColormap)


def test_the_menu_offers_class_and_every_column_of_numbers(dock):
    menu = dock.links.canvas.fill()
    told = [action.text() for action in menu.actions() if action.text()]
    assert told[0] == "class"
    assert "equivalent diameter" in told
    assert "Number the 10 largest" in told
    next(a for a in menu.actions() if a.text() == "equivalent diameter").trigger()
    assert dock.canvas.key == DIAMETER
    assert next(a for a in dock.links.canvas.fill().actions() if a.isChecked()).text() == (
        "equivalent diameter"
    )


def test_a_column_that_is_no_longer_measured_gives_way_to_the_classes(dock):
    dock.canvas.colour_by("intensity_mean")
    table = dock.session.table
    fewer = {key: one for key, one in table.columns.items() if key != "intensity_mean"}
    dock.canvas.show_table(replace(table, columns=fewer))
    assert dock.canvas.key == CLASS


def test_an_empty_table_has_shades_too():
    assert Shades().changed_from(Shades()).size == 0


@pytest.fixture
def window(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    made = StatisticsDock(viewer)
    qtbot.addWidget(made)
    session = session_of(viewer)
    session.image, session.labels = micrograph()
    qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    yield made
    made.release()
    session.close()


def test_bar_and_ranks_are_on_the_canvas_in_plane_and_space(window):
    """Drawn on the canvas, so they are in saved pictures; nothing is added to the layer list."""
    viewer, count = window.viewer, len(window.viewer.layers)
    plain = viewer.screenshot(flash=False)
    window.canvas.colour_by(DIAMETER)
    window.canvas.rank_by(DIAMETER)
    assert window.canvas.bar.shown[0] == "equivalent diameter (nm)"
    assert window.canvas.ranks.shown == tuple(str(rank) for rank in range(1, 11))
    corner = viewer.screenshot(flash=False)[20:80, 20:200]
    assert np.abs(corner.astype(int) - plain[20:80, 20:200]).max() > 100
    viewer.dims.ndisplay = 3
    assert len(window.canvas.ranks.shown) == 10
    window.canvas.rank_by("")
    window.canvas.colour_by(CLASS)
    assert window.canvas.ranks.shown == ()
    assert window.canvas.bar.shown == ("", "", "")
    assert len(viewer.layers) == count

"""Lines around points, pictures of many, matrix, rose, profile and curves over time."""

import numpy as np
import pytest
from qtpy.QtCore import QPointF, Qt

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.pairs import bin_pairs
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.ui import clouds, further_plots, theme
from napari_defectseg.ui.plots.cloud import Cloud, within
from napari_defectseg.ui.plots.keeping import rows_of
from napari_defectseg.ui.plots.matrix import Matrix
from napari_defectseg.ui.plots.points import MOST, Points
from napari_defectseg.ui.plots.rose import Rose

CLASSES = ClassMap.of(["void", "loop"])


def table_of(mask, **sizes):
    return measure_regions(mask, classes=CLASSES, **(sizes or {"spacing": (1, 1), "unit": "nm"}))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(2)
    mask = np.zeros((120, 160), np.uint8)
    y, x = np.ogrid[:120, :160]
    for number in range(40):
        cy, cx = 8 + 15 * (number // 8), 8 + 20 * (number % 8)
        a, b = rng.uniform(2, 6), rng.uniform(2, 4)
        mask[((y - cy) / b) ** 2 + ((x - cx) / a) ** 2 <= 1] = 1 + number % 2
    return table_of(mask)


def themed(qtbot, plot):
    qtbot.addWidget(plot)
    plot.resize(240, 160)
    if hasattr(plot, "set_theme"):
        plot.set_theme(theme.colours("dark"))
    plot.show()
    return plot


def test_a_line_around_points_takes_those_within_it(qtbot):
    x, y = (part.ravel().astype(float) for part in np.mgrid[:5, :5])
    plot = themed(qtbot, Points())
    plot.show_cloud(Cloud(x, y, np.zeros(25, int), CLASSES.classes, "x", "y"))
    taken = []
    plot.points_chosen.connect(lambda rows, add: taken.append((rows, add)))
    corners = [QPointF(*c) for c in ((-0.5, -0.5), (4.5, -0.5), (-0.5, 4.5))]
    plot.plotItem.vb.drawn.emit(corners, True, False)
    rows, add = taken[0]
    assert not add
    assert set(rows) == set(np.flatnonzero(x + y < 4))
    plot.plotItem.vb.drawn.emit(corners[:2], True, False)
    assert len(taken) == 1, "two corners surround nothing"


def test_within_is_that_of_matplotlib():
    from matplotlib.path import Path

    rng = np.random.default_rng(0)
    corners, points = rng.uniform(0, 1, (9, 2)), rng.uniform(-0.2, 1.2, (2000, 2))
    own = within(corners, points[:, 0], points[:, 1])
    # Even-odd, as a line that crosses itself is seen; matplotlib's is tested on a simple one.
    centre = corners.mean(axis=0)
    simple = corners[np.argsort(np.arctan2(*(corners - centre).T))]
    assert np.array_equal(
        within(simple, points[:, 0], points[:, 1]), Path(simple).contains_points(points)
    )
    assert own.dtype == bool


def test_counts_of_pairs_are_those_of_numpy():
    rng = np.random.default_rng(1)
    x, y, kinds = rng.normal(size=5000), rng.normal(size=5000), rng.integers(-1, 2, 5000)
    x[:3] = np.nan
    spans = (-2.0, 2.0), (-1.0, 3.0)
    found = bin_pairs(x, y, kinds, 2, spans, (7, 9)).counts
    for kind in (0, 1):
        own = kinds == kind
        expected = np.histogram2d(y[own], x[own], bins=(7, 9), range=(spans[1], spans[0]))[0]
        assert np.array_equal(found[kind], expected)


def test_many_points_are_a_picture(qtbot):
    rng = np.random.default_rng(3)
    count = MOST + 1
    cloud = Cloud(rng.normal(size=count), rng.normal(size=count), rng.integers(0, 2, count),
                  CLASSES.classes, "x", "y")  # fmt: skip
    plot = themed(qtbot, Points())
    plot.show_cloud(cloud)
    kinds = [type(item).__name__ for item in plot.plotItem.items]
    assert "ImageItem" in kinds
    taken = []
    plot.points_chosen.connect(lambda rows, _: taken.append(rows))
    corners = [QPointF(*c) for c in ((0, 0), (9, 0), (9, 9), (0, 9))]
    plot.plotItem.vb.drawn.emit(corners, True, False)
    assert np.array_equal(taken[0], np.flatnonzero((cloud.x > 0) & (cloud.y > 0)))


def test_matrix_says_r_and_leads_to_the_pair(qtbot, table):
    cells = further_plots.cells_of(table)
    assert cells.keys[0] == "equivalent_diameter_area"
    cell = cells.pairs[1, 0]
    expected = np.corrcoef(table[cell.x], table[cell.y])[0, 1]
    assert cell.value == pytest.approx(expected)
    assert cell.counts.sum() == len(table)
    plot = themed(qtbot, Matrix())
    plot.show_cells(cells)
    chosen = []
    plot.pair_chosen.connect(lambda *pair: chosen.append(pair))
    count = len(cells.keys)
    place = QPointF(plot.width() * 0.5 / count, plot.height() * 1.5 / count).toPoint()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place)
    assert chosen == [(cell.x, cell.y)]
    assert "Correlation of 40 objects" in plot.accessibleDescription()
    assert rows_of(cells)[0][0] == "first"


def test_rose_shows_directions_as_they_are_on_the_screen(qtbot):
    mask = np.zeros((60, 60), np.uint8)
    mask[10:12, 5:25] = 1  # lies along x: 0 degrees
    mask[20:50, 40:43] = 1  # stands along y: 90 degrees
    for k in range(20):
        mask[50 - k, 5 + k] = mask[50 - k, 6 + k] = 1  # rises to the right: 45 degrees
    found = table_of(mask)
    degrees = further_plots.degrees_of(found, "orientation")
    assert np.allclose(np.minimum(degrees, 180 - degrees)[0], 0, atol=1)
    assert sorted(np.round(degrees)[1:]) == pytest.approx([45, 90], abs=3)
    wedges = further_plots.wedges_of(found, "orientation")
    assert wedges.lengths.sum() == 3
    plot = themed(qtbot, Rose())
    plot.show_wedges(wedges)
    taken = []
    plot.range_chosen.connect(lambda low, high, add: taken.append((low, high, add)))
    plot.plotItem.vb.clicked.emit(QPointF(0.0, 0.4), True)
    low, high, add = taken[0]
    assert low <= 90 <= high
    assert add
    assert "3 objects" in plot.accessibleDescription()
    assert rows_of(wedges)[0] == ["from [°]", "to [°]", "objects"]


def test_profile_counts_over_what_is_counted(table):
    cloud = clouds.along(table, "centroid-0", None)
    width = 120 / clouds.PROFILE_BINS
    own = cloud.kinds == 0
    assert np.nansum(cloud.y[own]) * width * 160 == pytest.approx(20, rel=0.05)
    assert (cloud.spread[0][own] <= cloud.y[own]).all()
    roi = np.zeros((120, 160), bool)
    roi[:, :80] = True
    half = clouds.along(table, "centroid-0", ReferenceSpace(roi.shape, roi=roi))
    assert np.allclose(half.y[own], 2 * cloud.y[own])
    around = clouds.along(table, clouds.RADIUS, None)
    assert np.isfinite(around.y).any()
    assert rows_of(cloud)[0][-2:] == ["low", "high"]

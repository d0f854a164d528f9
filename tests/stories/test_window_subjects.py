"""Real micrographs, a tomogram in 3D and a movie take the same way through the window."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox
from tests.stories.journey import opened, with_shipped_model

import napari_defectseg as ds


@pytest.mark.long
def test_a_real_micrograph_of_316l(window, real_data):
    """Without a size in the file everything is in px; loops are found, walked and counted."""
    image = opened(window, real_data / "tem_loops_316l" / "images" / "fov200_16.png")
    assert not image.calibration.calibrated
    with_shipped_model(window)
    labels = window.predict()
    assert labels.counts()[3] >= 5
    window.go("correct")
    window.key("N")
    (number,) = window.session.selection
    window.key("D")
    assert number not in labels.object_classes
    window.key("Ctrl+Z")
    assert number in labels.object_classes
    window.go("statistics")
    window.quiet()
    assert window.session.table.column("area").unit == "px²"
    assert len(window.session.table) == len(labels.object_classes)


@pytest.mark.long
def test_a_tomogram_in_slices_and_in_3d(window, tmp_path):
    """The porosity is that of the truth; a click in 3D and a row lead to the same pore."""
    made = ds.phantom("tomogram", seed=20_003, shape=(64, 64, 64))
    path = ds.save_image(made.image, tmp_path / "pores.ome.tif")
    opened(window, path)
    with_shipped_model(window, "Pores in tomograms")
    labels = window.predict()
    pore = made.classes.classes[0]
    true = float((np.asarray(made.mask) == pore.value).mean())
    found = float((labels.class_mask() == 1).mean())
    assert found == pytest.approx(true, rel=0.35)
    assert window.session.table.column("area").unit == "µm³"
    page = window.go("statistics")
    window.quiet()
    table = page.table
    table.setFocus()
    where = table.visualRect(table.model().index(0, 1)).center()
    table.scrollTo(table.model().index(0, 0))
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    window.settle()
    (number,) = window.session.selection
    box = labels.index.box(number)
    here = window.viewer.dims.current_step[0]
    assert box[0].start <= here < box[0].stop
    window.viewer.dims.ndisplay = 3
    window.settle(600)
    largest = max(labels.object_classes, key=labels.index.size)
    window.viewer.layers.selection.active = window.layer
    window.session.select([])
    window.click(window.layer, window.inside(largest))
    # Something may lie in front of it in this view: what is met is an object of the ray.
    assert len(window.session.selection) == 1
    window.viewer.dims.ndisplay = 2


@pytest.mark.long
def test_a_movie_keeps_its_frames_apart(window, tmp_path):
    made = ds.phantom("movie", seed=1, shape=(3, 96, 128))
    window.session.image = made.image
    with_shipped_model(window)
    labels = window.predict()
    assert labels.axes == ("t", "y", "x")
    assert len(window.session.table) == len(labels.object_classes)
    if not labels.object_classes:
        return
    window.go("correct")
    window.key("N")
    (number,) = window.session.selection
    frame = window.session.table["frame"][window.session.table["label"] == number][0]
    assert window.viewer.dims.current_step[0] == frame
    window.go("statistics")
    window.quiet()
    scope = window.control("Which objects are counted", QComboBox)
    assert scope.findText("frame", Qt.MatchFlag.MatchContains) >= 0

"""Scribble and see in Correct: strokes teach, what is seen follows, the model goes on."""

import numpy as np
import pytest
from scene import micrograph

from napari_defectseg.ui.docks.correct import CorrectDock
from napari_defectseg.ui.session import session_of


@pytest.fixture
def dock(viewer_model, qtbot):
    made = CorrectDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image, session.labels = micrograph()
    made.hand.stage.activate_labels()
    yield made
    made.release()
    session.close()


def names(dock):
    return [layer.name for layer in dock.viewer.layers]


def draw(dock, mask, value):
    """Draw as napari's brush does, with the label in hand."""
    layer = dock.more.scribbling.strokes
    assert layer.selected_label == value
    layer.data_setitem(np.nonzero(mask), value)


def test_strokes_show_at_once_what_they_teach_and_become_the_model(dock, qtbot):
    labels, form = dock.session.labels, dock.more.scribble
    before = labels.planes[0].copy()
    form.toggle.click()
    assert {"strokes", "seen by the strokes"} <= set(names(dock))
    assert dock.viewer.layers.selection.active.name == "strokes"
    mask = labels.class_mask()
    dock.choose_class(1)
    draw(dock, mask == 1, 1)
    qtbot.waitUntil(lambda: "one of the background" in form.told.text(), timeout=5000)
    assert not form.use.isEnabled()
    form.kind.setValue(True)
    away = np.zeros_like(mask, bool)
    away[2:5] = mask[2:5] == 0
    draw(dock, away, 254)
    qtbot.waitUntil(lambda: form.use.isEnabled(), timeout=30_000)
    assert "px of strokes. In sight:" in form.told.text()
    seen = next(layer for layer in dock.viewer.layers if layer.name == "seen by the strokes")
    assert set(np.unique(seen.data)) >= {0, 1}
    np.testing.assert_array_equal(labels.planes[0], before, err_msg="labels stay as they are")
    form.use.click()
    assert dock.session.model.card.architecture == "filter_bank"
    assert "strokes" not in names(dock)


def test_off_takes_the_layers_away_and_other_labels_do_too(dock):
    form = dock.more.scribble
    form.toggle.click()
    form.toggle.click()
    assert "strokes" not in names(dock)
    form.toggle.click()
    dock.session.labels = micrograph()[1]
    assert "strokes" not in names(dock)
    assert not form.toggle.isChecked()


def test_while_another_dock_is_in_front_the_objects_are_shown_again(dock):
    form, ours = dock.more.scribble, dock.hand.stage.labels_layers[0]
    dock.show()
    form.toggle.click()
    strokes = dock.more.scribbling.strokes
    assert (ours.visible, strokes.visible) == (False, True)
    dock.hide()
    assert (ours.visible, strokes.visible) == (True, False)
    dock.show()
    assert (ours.visible, strokes.visible) == (False, True)
    form.toggle.click()
    assert ours.visible

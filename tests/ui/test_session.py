"""A session sends each change once, and each viewer has its own."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.ui.session import Session, session_of


@pytest.fixture
def two_images():
    data = np.zeros((4, 4), np.uint8)
    return CalibratedImage.from_array(data), CalibratedImage.from_array(data)


def test_a_change_is_sent_and_the_same_object_is_not(qapp, two_images):
    session, told = Session(), []
    session.events.image.connect(told.append)
    session.image = two_images[0]
    session.image = two_images[0]
    session.image = two_images[1]
    assert [id(item) for item in told] == [id(item) for item in two_images]


def test_selection_is_compared_by_value(qapp):
    session, told = Session(), []
    session.events.selection.connect(told.append)
    session.select([3, 2])
    session.select((2, 3))
    assert told == [frozenset({2, 3})]


def test_two_viewers_have_two_sessions(qapp, two_images):
    first, second = ViewerModel(), ViewerModel()
    session_of(first).image = two_images[0]
    assert session_of(first) is session_of(first)
    assert session_of(second).image is None


def test_a_session_goes_with_its_viewer(qapp):
    viewer = ViewerModel()
    seen = weakref.ref(session_of(viewer))
    del viewer
    gc.collect()
    assert seen() is None


def test_labels_get_a_history_and_edits_are_told(qapp, labels):
    from napari_defectseg.labels.tools.delete import delete

    session, told = Session(), []
    session.events.edited.connect(told.append)
    session.labels = labels
    edit = session.edit(delete(labels, [1]))
    assert session.history.undo_name == edit.tool
    session.undo()
    session.redo()
    assert session.undo() is not None
    assert session.undo() is None
    assert len(told) == 4
    session.labels = None
    assert session.history is None
    assert session.edit(None) is None

"""A tomogram and a movie in the real window: slices, the volume and frames by key and mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

import napari_defectseg as ds
from napari_defectseg.labels.construct import from_mask


def shown(window: Any, kind: str, shape: tuple[int, ...]) -> Any:
    """Show a phantom with its true objects, as if they had been predicted."""
    made = ds.phantom(kind, seed=1, shape=shape)
    image = made.image
    window.session.image = image
    window.session.labels = from_mask(made.mask, made.classes, image.label_axes, image.calibration)
    window.go("correct")
    window.until(lambda: window.session.table is not None)
    window.settle(200)
    return window.session.labels


def at_slice(window: Any, axis: int) -> int:
    return int(window.viewer.dims.current_step[axis])


def go_to(window: Any, number: int) -> tuple[int, ...]:
    """Bring a place deep inside an object into view; return it."""
    place = window.inside(number)
    window.viewer.dims.set_current_step(0, place[0])
    window.settle()
    return place


def largest(labels: Any) -> list[int]:
    """Return the objects, the largest first."""
    return sorted(labels.object_classes, key=lambda number: -labels.index.size(number))


# -- a tomogram ------------------------------------------------------------------------------


def test_a_tomogram_is_corrected_slice_by_slice_and_as_a_volume(window):
    labels = shown(window, "tomogram", (40, 64, 64))
    walk_through_slices(window, labels)
    delete_and_undo(window, labels)
    draw_in_a_slice_and_in_the_volume(window, labels)
    split_a_volume(window, labels)
    turn_it(window, labels)
    volumes_have_a_unit(window, labels)


def walk_through_slices(window: Any, labels: Any) -> None:
    """N goes to the slice that shows the object; a click in that slice selects it."""
    seen = set()
    for _ in range(4):
        window.key("N")
        (number,) = window.session.selection
        seen.add(number)
        box = labels.index.box(number)
        assert box[0].start <= at_slice(window, 0) < box[0].stop
    assert len(seen) == 4
    number = largest(labels)[1]
    place = go_to(window, number)
    window.key("Z")
    window.click(window.layer, place)
    assert window.session.selection == {number}
    assert window.page.card.number.text() == f"Object {number}"
    assert window.page.card.size_label.text().endswith(" µm")


def delete_and_undo(window: Any, labels: Any) -> None:
    (number,) = window.session.selection
    pixels = window.mask_of(number)
    assert pixels.any(axis=(1, 2)).sum() > 1, "it reaches over several slices"
    window.key("D")
    assert number not in labels.object_classes
    assert not labels.planes[0][pixels].any()
    window.key("Ctrl+Z")
    assert np.array_equal(window.mask_of(number), pixels)


def draw_in_a_slice_and_in_the_volume(window: Any, labels: Any) -> None:
    """The brush paints a disc in the slice in sight, or a ball."""
    page, plane = window.page, labels.planes[0]
    z, y, x = empty_place(plane, 9)
    for in_volume, slices in ((False, 1), (True, 7)):
        window.press(page.tools.where.button(in_volume))
        window.viewer.dims.set_current_step(0, z)
        window.settle()
        window.key("P")
        page.brush.slider.setValue(7)
        known = set(labels.object_classes)
        window.drag(window.layer, [(z, y, x), (z, y, x + 0.4)])
        (new,) = set(labels.object_classes) - known
        depth = np.flatnonzero((plane == new).any(axis=(1, 2)))
        assert z in depth
        assert depth.size == slices
        window.key("Ctrl+Z")
        assert new not in labels.object_classes
    window.key("Z")


def empty_place(plane: np.ndarray, room: int) -> tuple[int, int, int]:
    """Return the middle of a cube in which nothing lies."""
    half = room // 2
    for z in range(half, plane.shape[0] - half, 3):
        for y in range(half + 4, plane.shape[1] - half - 4, 3):
            for x in range(half + 4, plane.shape[2] - half - 4, 3):
                around = (z, y, x)
                box = tuple(slice(c - half, c + half + 1) for c in around)
                if not plane[box].any():
                    return around
    raise AssertionError("nothing is free")


def split_a_volume(window: Any, labels: Any) -> None:
    """Two clicks in one slice part the object in all its slices; undo joins it again."""
    number = largest(labels)[0]
    place = go_to(window, number)
    pixels = window.mask_of(number)
    columns = np.flatnonzero(pixels[place[0], place[1]])
    first = (*place[:2], int(columns[1]))
    second = (*place[:2], int(columns[-2]))
    window.key("S")
    window.click(window.layer, first)
    window.click(window.layer, second)
    window.key("Escape")
    parts = {int(labels.planes[0][first]), int(labels.planes[0][second])}
    assert len(parts) == 2
    whole = np.isin(labels.planes[0], list(parts))
    assert np.array_equal(whole, pixels)
    window.key("Ctrl+Z")
    assert np.array_equal(window.mask_of(number), pixels)


def turn_it(window: Any, labels: Any) -> None:
    """In the turned volume the keys go on, and the way back is the same picture."""
    window.viewer.dims.ndisplay = 3
    window.settle(200)
    window.key("N")
    (number,) = window.session.selection
    window.key("D")
    assert number not in labels.object_classes
    window.key("Ctrl+Z")
    assert number in labels.object_classes
    window.viewer.dims.ndisplay = 2
    window.settle(100)
    window.key("N")
    (number,) = window.session.selection
    box = labels.index.box(number)
    assert box[0].start <= at_slice(window, 0) < box[0].stop


def volumes_have_a_unit(window: Any, labels: Any) -> None:
    """The table is of volumes; a click on a row goes to the object's slice."""
    page = window.go("statistics")
    window.quiet()
    assert page.session.table.column("area").unit == "µm³"
    number = largest(labels)[2]
    click_row(window, page, number)
    box = labels.index.box(number)
    assert box[0].start <= at_slice(window, 0) < box[0].stop


def click_row(window: Any, page: Any, number: int) -> None:
    """Click the first row of an object in the table."""
    table = page.table
    row = int(np.flatnonzero(table.regions.shown_labels == number)[0])
    table.scrollTo(table.regions.index(row, 0))
    where = table.visualRect(table.regions.index(row, 1)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    window.settle()
    assert page.session.selection == {number}


# -- a movie ---------------------------------------------------------------------------------


def test_a_movie_is_counted_frame_by_frame(window):
    shown(window, "movie", (4, 96, 128))
    frames = window.session.table["frame"]
    page = window.go("statistics")
    window.quiet()
    page.boxes.choose("frame")
    for frame in (0, 2, 3):
        window.viewer.dims.set_current_step(0, frame)
        window.settle()
        assert page.table.regions.rowCount() == int((frames == frame).sum())
    page.boxes.choose("image")
    assert page.table.regions.rowCount() == frames.size


def test_a_movie_is_corrected_in_the_frame_in_sight(window):
    labels = shown(window, "movie", (4, 96, 128))
    plane = labels.planes[0]
    frame = 2
    window.viewer.dims.set_current_step(0, frame)
    window.settle()
    number = max(np.unique(plane[frame])[1:], key=lambda n: int((plane[frame] == n).sum()))
    number = int(number)
    places = np.argwhere(plane[frame] == number)
    y, x = places[len(places) // 2]
    window.key("Z")
    window.click(window.layer, (frame, int(y), int(x)))
    assert window.session.selection == {number}
    others = [int((plane[t] == number).sum()) for t in range(4)]
    window.key("P")
    window.page.brush.slider.setValue(5)
    known = set(labels.object_classes)
    free = np.argwhere(plane[frame, 10:-10, 10:-10] == 0)[0] + 10
    window.drag(window.layer, [(frame, *free), (frame, free[0], free[1] + 0.4)])
    (new,) = set(labels.object_classes) - known
    assert [bool((plane[t] == new).any()) for t in range(4)] == [False, False, True, False]
    assert [int((plane[t] == number).sum()) for t in range(4)] == others
    window.quiet()
    rows = window.session.table["frame"][window.session.table["label"] == new]
    assert rows.tolist() == [frame]
    window.key("Ctrl+Z")
    assert new not in labels.object_classes


def test_next_object_goes_to_its_frame(window):
    labels = shown(window, "movie", (4, 96, 128))
    for _ in range(6):
        window.key("N")
        (number,) = window.session.selection
        box = labels.index.box(number)
        assert box[0].start <= at_slice(window, 0) < box[0].stop
        assert (labels.planes[0][at_slice(window, 0)] == number).any()

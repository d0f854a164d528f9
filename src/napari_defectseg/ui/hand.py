"""The hand on the canvas: strokes and clicks on our layers become edits, and edits are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from napari_defectseg.core.errors import DefectSegError, LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.paint_block import paint_block, put_back
from napari_defectseg.ui.labels_layer import LabelsLayers
from napari_defectseg.ui.overlay import SelectionFrames
from napari_defectseg.ui.places import world_box
from psygnal import Signal
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    import napari
    from napari_defectseg.ui.session import Session

DRAWING = ("paint", "erase", "fill", "polygon")
"""Modes of napari in which its own mouse writes into the array."""
SNAPSHOT_BYTES = 128 << 20
"""What may be copied at the start of a stroke; above, napari's record of it is used."""
DRAGGED = 4.0
"""Screen pixels the mouse may move while it still counts as a click."""
TOOLS = ("", "split", "merge", "class")


@dataclass
class _Stroke:
    """A stroke of napari's brush that is being drawn.

    Parameters
    ----------
    plane : int
    box : Box
        What was copied.
    old : ndarray of int32
    start : tuple of int or None
    revision : int
        Of the labels when it began.
    """

    plane: int
    box: Box
    old: np.ndarray
    start: tuple[int, ...] | None
    revision: int


class Hand:
    """One a viewer: owns the tool in hand, the layers of the labels, frames and history.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
    """

    tool_changed = Signal(str)
    """A tool of ours is in hand (``"split"``, ``"merge"``, ``"class"``), or none (``""``)."""
    failed = Signal(object)
    """An edit could not be made or not be saved: the error."""
    told = Signal(str)
    """What the tool in hand waits for, in a sentence."""

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        self.viewer, self.session = viewer, session
        self.layers = LabelsLayers(viewer, session)
        self.frames = SelectionFrames(viewer) if hasattr(viewer, "window") else None
        self.protect = True
        self.in_volume = False
        self.tool = ""
        self._points: list[tuple[int, ...]] = []
        self._partners: list[int] = []
        self._stroke: _Stroke | None = None
        self._attached: list[Any] = []
        self._listeners: list[Callable[[Any], None]] = []
        events = session.events
        events.labels.connect(self._on_labels)
        events.selection.connect(self._frame_selection)
        events.edited.connect(self._on_edited)
        events.current_class.connect(self.layers.draw_as)
        viewer.dims.events.current_step.connect(self._frame_selection)
        viewer.dims.events.ndisplay.connect(self._frame_selection)
        if session.labels is not None:
            self._on_labels(session.labels)

    # -- labels come and go --------------------------------------------------------------

    def begin_empty(self) -> None:
        """Start with no objects on the current image, to draw some.

        Raises
        ------
        LabelError
            If there is no image, or nobody said which classes there are.
        """
        image, model, data = self.session.image, self.session.model, self.session.dataset
        if image is None:
            raise LabelError("There is no image to draw on.", hint="Open one first.")
        known = model.card.classes if model is not None else None
        classes = known or (data.classes if data is not None else None)
        if classes is None:
            raise LabelError(
                "Nobody has said which classes there are.",
                hint="Open a model or a dataset, or name them here.",
            )
        self.session.labels = LabelMap.empty(
            image.label_shape, classes, image.label_axes, image.calibration
        )

    def _on_labels(self, labels: LabelMap | None) -> None:
        self.drop_tool()
        self._stroke = None
        self.layers.show(labels)
        for layer in self.layers.layers:
            self._attach(layer)
        if labels is None:
            self.session.select(())
            return
        if self.session.current_class not in labels.classes.values:
            self.session.current_class = labels.classes.values[0]
        self.session.select(n for n in self.session.selection if n in labels.object_classes)
        self._frame_selection()

    def _attach(self, layer: Any) -> None:
        if layer in self._attached:
            return
        # In front of napari's own: the copy must be made before its brush writes.
        layer.mouse_drag_callbacks.insert(0, self._on_press)
        layer.events.paint.connect(self._on_paint)
        layer.events.mode.connect(self._on_mode)
        self._attached.append(layer)

    def _on_mode(self, event: Any) -> None:
        self._stroke = None
        if str(event.mode) != "pan_zoom":
            self.drop_tool()

    # -- edits ---------------------------------------------------------------------------

    def do(self, make: Callable[[], Edit | None]) -> Edit | None:
        """Make an edit with a tool and apply it; a refusal is told by `failed`."""
        try:
            return self.session.edit(make())
        except DefectSegError as error:
            self.failed.emit(error)
            return None

    def undo(self) -> None:
        """Take back the last edit."""
        self.do_safely(self.session.undo)

    def redo(self) -> None:
        """Do the last undone edit again."""
        self.do_safely(self.session.redo)

    def do_safely(self, step: Callable[[], Edit | None]) -> None:
        """Do something that may be refused, and tell so by `failed`."""
        try:
            step()
        except DefectSegError as error:
            self.failed.emit(error)

    def _on_edited(self, edit: Edit | None) -> None:
        labels = self.session.labels
        if labels is None:
            return
        self.layers.update(edit)
        gone = self.session.selection - labels.object_classes.keys()
        if gone:
            self.session.select(self.session.selection - gone)
        else:
            self._frame_selection()

    # -- what is done with the selection ---------------------------------------------------

    def selected(self) -> list[int]:
        """Return the selected objects that are there."""
        labels = self.session.labels
        known = {} if labels is None else labels.object_classes
        return sorted(n for n in self.session.selection if n in known)

    def accept(self, numbers: Iterable[int] | None = None) -> Edit | None:
        """Mark objects as checked; the selected ones by default."""
        from napari_defectseg.labels.tools.accept import accept

        chosen = self.selected() if numbers is None else list(numbers)
        labels = self.session.labels
        if labels is None or not chosen:
            return None
        return self.do(lambda: accept(labels, chosen))

    def delete(self) -> Edit | None:
        """Delete the selected objects."""
        from napari_defectseg.labels.tools.delete import delete

        return self._with_selected(lambda labels, chosen: delete(labels, chosen))

    def fill_holes(self) -> Edit | None:
        """Fill the holes of the selected objects."""
        from napari_defectseg.labels.tools.fill_holes import fill_holes

        return self._with_selected(
            lambda labels, chosen: fill_holes(labels, chosen, within=self.within())
        )

    def smooth(self) -> Edit | None:
        """Even out the rims of the selected objects."""
        from napari_defectseg.labels.tools.smooth import smooth

        return self._with_selected(
            lambda labels, chosen: smooth(labels, chosen, within=self.within())
        )

    def merge(self, numbers: list[int]) -> Edit | None:
        """Make one object of several."""
        from napari_defectseg.labels.tools.merge import merge

        labels = self.session.labels
        if labels is None:
            return None
        done = self.do(lambda: merge(labels, numbers))
        if done is not None:
            self.session.select(numbers[:1])
        return done

    def relabel(self, class_value: int) -> Edit | None:
        """Give the selected objects another class."""
        from napari_defectseg.labels.tools.relabel import relabel

        return self._with_selected(lambda labels, chosen: relabel(labels, chosen, class_value))

    def _with_selected(
        self, make: Callable[[LabelMap, list[int]], Edit | None]
    ) -> Edit | None:
        labels, chosen = self.session.labels, self.selected()
        if labels is None or not chosen:
            return None
        return self.do(lambda: make(labels, chosen))

    def within(self) -> Box | None:
        """Return the slice that tools are limited to, None in a plane or in the volume."""
        labels = self.session.labels
        if labels is None or self.in_volume or "z" not in labels.axes:
            return None
        layer = self.layers.layer(0)
        if layer is None or self.viewer.dims.ndisplay == 3:
            return None
        axis = labels.axes.index("z")
        return boxes.slice_box(labels.shape, axis, self._index(layer)[axis])

    # -- tools with clicks -----------------------------------------------------------------

    def take(self, tool: str) -> None:
        """Take a tool of ours in hand; the same again finishes it (merge) or puts it away."""
        if tool == self.tool:
            if tool == "merge" and len(self._partners) > 1:
                self.merge(self._partners)
            self.drop_tool()
            return
        self.tool = tool
        self._points, self._partners = [], []
        for layer in self.layers.layers:
            layer.mode = "pan_zoom"
        if tool == "merge":
            self._partners = self.selected()
        self.tool_changed.emit(tool)
        self.told.emit(self._waiting_for())

    def drop_tool(self) -> None:
        """Put the tool away."""
        if self.tool:
            self.tool = ""
            self._points, self._partners = [], []
            self.tool_changed.emit("")
            self.told.emit("")

    def _waiting_for(self) -> str:
        if self.tool == "split":
            left = 2 - len(self._points)
            if left == 2:
                return "Click a point in each part, or drag a line across the object."
            return "Click a point in the other part."
        if self.tool == "merge":
            count = len(self._partners)
            return f"Click the partners ({count} chosen), then J again."
        if self.tool == "class":
            return "Click the objects to give them the class, Escape to stop."
        return ""

    def _on_press(self, layer: Any, event: Any) -> Iterator[None]:
        mode = str(layer.mode)
        if mode in DRAWING:
            self._begin_stroke(layer, event)
            return
        if mode != "pan_zoom" or event.button != 1:
            return
        start, where = np.array(event.pos), np.array(event.position)
        far = False
        line = [where]
        yield
        while event.type == "mouse_move":
            far = far or bool(np.linalg.norm(np.array(event.pos) - start) > DRAGGED)
            if far and self.tool == "split":
                event.handled = True
                line.append(np.array(event.position))
            yield
        if not far:
            self._on_click(layer, where, "Shift" in event.modifiers)
        elif self.tool == "split":
            self._split_by_line(layer, line)

    def _on_click(self, layer: Any, position: np.ndarray, add: bool) -> None:
        labels, place = self.session.labels, self._place(layer, position)
        plane = self.layers.plane_of(layer)
        if labels is None or place is None or plane is None:
            return
        number = int(labels.planes[plane][place])
        if self.tool == "split":
            self._split_click(number, place)
        elif self.tool == "merge" and number:
            known = number in self._partners
            self._partners = [n for n in self._partners if n != number]
            self._partners += [] if known else [number]
            self.session.select(self._partners)
        elif self.tool == "class" and number:
            self.session.select([number])
            self.relabel(self.session.current_class)
        elif add and number:
            self.session.select(self.session.selection ^ {number})
        else:
            self.session.select([number] if number else [])
        self.told.emit(self._waiting_for())

    def _split_click(self, number: int, place: tuple[int, ...]) -> None:
        if not number:
            return
        labels = self.session.labels
        assert labels is not None
        if self._points and int(self._number_at(self._points[0])) != number:
            self._points = []
        self._points.append(place)
        self.session.select([number])
        if len(self._points) == 2:
            from napari_defectseg.labels.tools.split_watershed import split_watershed

            seeds, self._points = self._points, []
            # Two points in one slice of a volume still part the whole object.
            self.do(lambda: split_watershed(labels, number, seeds=seeds, within=self.within()))
            self.session.select({int(self._number_at(seed)) for seed in seeds} - {0})

    def _split_by_line(self, layer: Any, line: list[np.ndarray]) -> None:
        from napari_defectseg.labels.tools.split_line import split_line

        labels, plane = self.session.labels, self.layers.plane_of(layer)
        if labels is None or plane is None:
            return
        points = [np.asarray(layer.world_to_data(point)) for point in line]
        numbers = self._under_line(labels.planes[plane], points)
        selected = self.selected()
        target = next((n for n in selected if n in numbers), numbers[0] if numbers else 0)
        if target:
            self.do(lambda: split_line(labels, target, points, within=self.within()))
            self.session.select([target])

    def _under_line(self, plane: np.ndarray, points: list[np.ndarray]) -> list[int]:
        """Return the objects under a line, the one with most of it first."""
        counts: dict[int, int] = {}
        for first, second in zip(points, points[1:], strict=False):
            steps = int(np.ceil(np.abs(second - first).max())) + 1
            for share in np.linspace(0, 1, steps):
                place = np.rint(first + share * (second - first)).astype(int)
                if np.all(place >= 0) and np.all(place < plane.shape):
                    number = int(plane[tuple(place)])
                    counts[number] = counts.get(number, 0) + 1
        counts.pop(0, None)
        return sorted(counts, key=lambda number: -counts[number])

    def _number_at(self, place: tuple[int, ...]) -> int:
        labels = self.session.labels
        assert labels is not None
        return max(int(plane[place]) for plane in labels.planes)

    # -- strokes of napari's brush -----------------------------------------------------------

    def _begin_stroke(self, layer: Any, event: Any) -> None:
        labels, plane = self.session.labels, self.layers.plane_of(layer)
        if labels is None or plane is None:
            return
        if str(layer.mode) == "polygon" and self._stroke is not None:
            return
        self._stroke = None
        box = self._reach(layer, labels)
        if box is None:
            return
        start = self._place(layer, np.asarray(event.position))
        old = labels.planes[plane][box].copy()
        self._stroke = _Stroke(plane, box, old, start, labels.revision)

    def _reach(self, layer: Any, labels: LabelMap) -> Box | None:
        """Return what the brush may change: the slice in sight, and its neighbours in 3D."""
        index = self._index(layer)
        shown = [axis - (self.viewer.dims.ndim - layer.ndim) for axis in self.viewer.dims.displayed]
        radius = int(layer.brush_size) // 2 + 1 if layer.n_edit_dimensions > len(shown) else 0
        box = []
        for axis, length in enumerate(labels.shape):
            if axis in shown:
                box.append(slice(0, length))
            else:
                low, high = index[axis] - radius, index[axis] + radius + 1
                box.append(slice(max(0, low), min(length, high)))
        size = 4 * int(np.prod([side.stop - side.start for side in box], dtype=np.int64))
        return tuple(box) if size <= SNAPSHOT_BYTES else None

    def _on_paint(self, event: Any) -> None:
        labels, plane = self.session.labels, self.layers.plane_of(event.source)
        if labels is None or plane is None:
            return
        stroke, self._stroke = self._stroke, None
        if stroke is not None and (stroke.revision, stroke.plane) == (labels.revision, plane):
            self._finish(labels, stroke)
        else:
            # Drawn by a script: napari tells of it before it writes.
            items = list(event.value)
            QTimer.singleShot(0, lambda: self._finish_record(labels, plane, items))

    def _finish_record(self, labels: LabelMap, plane: int, items: list[Any]) -> None:
        if self.session.labels is labels:
            stroke = self._stroke_from_record(labels, plane, items)
            if stroke is not None:
                self._finish(labels, stroke)

    def _finish(self, labels: LabelMap, stroke: _Stroke) -> None:
        plane = stroke.plane
        now = labels.planes[plane][stroke.box]
        tight = boxes.tight(now != stroke.old)
        if tight is None:
            return
        box = boxes.shifted(tight, stroke.box)
        old, new = stroke.old[tight], now[tight].copy()
        value = self._class_of_plane(labels, plane)
        put_back(labels, box, old, value)
        done = self.do(
            lambda: paint_block(
                labels, box, old, new, value, start=stroke.start, protect=self.protect
            )
        )
        # What napari drew and the edit did not keep has to vanish.
        self.layers.redraw(plane, box)
        if done is not None:
            self._select_drawn(done)

    def _stroke_from_record(self, labels: LabelMap, plane: int, items: Any) -> _Stroke | None:
        """Return what something else than our stroke has drawn, by napari's own record of it."""
        data = labels.planes[plane]
        try:
            places = [_place_of(item, data.shape) for item in items]
            box = places[0]
            for other in places[1:]:
                box = boxes.join(box, other)
            new = data[box].copy()
            for item in reversed(items):
                _take_back(data, item)
        except (TypeError, ValueError, IndexError):
            self.session.take_labels(labels, History(labels))
            self.failed.emit(
                LabelError(
                    "Something else has drawn on the labels.",
                    hint="Steps before that can no longer be undone.",
                )
            )
            self.session.tell_edited(None)
            return None
        old = data[box].copy()
        data[box] = new
        return _Stroke(plane, box, old, None, labels.revision)

    def _select_drawn(self, edit: Edit) -> None:
        drawn = [n for n in edit.objects if n in self.session.labels.object_classes]
        if len(drawn) == 1:
            self.session.select(drawn)

    def _class_of_plane(self, labels: LabelMap, plane: int) -> int:
        if labels.classes.exclusive:
            return self.session.current_class
        return labels.classes.values[plane]

    # -- where things are ----------------------------------------------------------------------

    def _index(self, layer: Any) -> tuple[int, ...]:
        point = np.asarray(self.viewer.dims.point)[-layer.ndim :]
        return tuple(int(i) for i in np.rint(layer.world_to_data(point)))

    def _place(self, layer: Any, position: np.ndarray) -> tuple[int, ...] | None:
        place = np.rint(layer.world_to_data(position[-layer.ndim :])).astype(int)
        if np.any(place < 0) or np.any(place >= layer.data.shape):
            return None
        return tuple(int(i) for i in place)

    def _frame_selection(self, _: Any = None) -> None:
        labels = self.session.labels
        if self.frames is None:
            return
        if labels is None:
            self.frames.show([])
            return
        found = []
        for number in self.selected():
            layer = self.layers.layer(labels.plane_of(labels.object_classes[number]))
            box = labels.index.box(number)
            if layer is not None and self._in_sight(layer, box):
                low, high = world_box(layer, box)
                shown = [axis - self.viewer.dims.ndim for axis in self.viewer.dims.displayed]
                found.append((low[shown], high[shown]))
        self.frames.show(found)

    def _in_sight(self, layer: Any, box: Box) -> bool:
        index = self._index(layer)
        shown = {axis - (self.viewer.dims.ndim - layer.ndim) for axis in self.viewer.dims.displayed}
        return all(
            axis in shown or side.start <= index[axis] < side.stop for axis, side in enumerate(box)
        )

    def close(self) -> None:
        """Let go of the viewer and the session."""
        events = self.session.events
        events.labels.disconnect(self._on_labels)
        events.selection.disconnect(self._frame_selection)
        events.edited.disconnect(self._on_edited)
        events.current_class.disconnect(self.layers.draw_as)
        self.viewer.dims.events.current_step.disconnect(self._frame_selection)
        self.viewer.dims.events.ndisplay.disconnect(self._frame_selection)
        if self.frames is not None:
            self.frames.close()
            self.frames = None
        _hands.pop(self.viewer, None)


def _place_of(item: Any, shape: tuple[int, ...]) -> Box:
    key = item[0]
    if all(isinstance(side, slice) for side in key) and len(key) == len(shape):
        return tuple(slice(*side.indices(length)[:2]) for side, length in zip(key, shape, strict=True))
    arrays = [np.asarray(axis) for axis in key]
    if len(arrays) != len(shape) or any(axis.dtype.kind not in "iu" for axis in arrays):
        raise ValueError("an unknown record")
    return tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in arrays)


def _take_back(data: np.ndarray, item: Any) -> None:
    if len(item) == 3:
        data[item[0]] = item[1]
        return
    key, mask, before = item[0], np.asarray(item[1]), np.asarray(item[2])
    if mask.dtype != bool or before.size not in (1, int(mask.sum())):
        raise ValueError("an unknown record")
    data[key][mask] = before


_hands: WeakKeyDictionary[Any, Hand] = WeakKeyDictionary()


def hand_of(viewer: napari.Viewer) -> Hand:
    """Return the hand of a viewer, made at the first call."""
    from napari_defectseg.ui.session import session_of

    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _hands:
        _hands[real] = Hand(real, session_of(real))
    return _hands[real]

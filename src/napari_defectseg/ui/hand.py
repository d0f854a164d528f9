"""The hand on the canvas: which tool it holds, what it does with the selected objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from psygnal import Signal

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui.clicks import Click
from napari_defectseg.ui.gestures import gestures_of
from napari_defectseg.ui.later import Later
from napari_defectseg.ui.overlay import SelectionFrames
from napari_defectseg.ui.places import world_box
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.stage import stage_of

if TYPE_CHECKING:
    import napari

DRAGGED = 4.0
"""Screen pixels the mouse moves at least before a split line counts as drawn."""
WAITS = {
    "split": "Click a point in each part, or drag a line across. Escape to stop.",
    "merge": "Click the partners, then J again. Escape to stop.",
    "class": "Click objects to make them the class in hand. Escape to stop.",
}
"""What the tools of the hand itself wait for; its gestures say it themselves."""


class Hand:
    """One a viewer, found by `hand_of`; knows no dock.

    Parameters
    ----------
    viewer : napari.Viewer

    Attributes
    ----------
    tool : str
        ``"split"``, ``"merge"``, ``"class"``, a gesture's, or empty while napari's own modes hold.
    line_width : float
        Width of traced lines in px.
    later : Later
        Makes edits that take longer, in the worker.
    in_volume : bool
        Whether tools work in the volume, not in the slice in sight.
    """

    tool_changed = Signal(str)
    failed = Signal(object)
    """An edit could not be made: the error."""
    told = Signal(str)
    """What the tool in hand waits for, in a sentence; empty: nothing."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = ref(viewer)
        self.session = session_of(viewer)
        self.stage = stage_of(viewer)
        self.frames = SelectionFrames(viewer) if hasattr(viewer, "window") else None
        self.in_volume = True
        self.tool = ""
        self.line_width = 3.0
        self._gestures = gestures_of(self)
        self.later = Later(self.session, self.do, self.failed.emit)
        self._points: list[tuple[int, ...]] = []
        self._partners: list[int] = []
        events = self.session.events
        events.labels.connect(self._on_labels)
        events.selection.connect(self._show_frames)
        events.edited.connect(self._on_edited)
        viewer.dims.events.current_step.connect(self._show_frames)
        viewer.dims.events.ndisplay.connect(self._show_frames)
        viewer.mouse_drag_callbacks.append(self._on_drag)
        self._on_labels(self.session.labels)

    @property
    def viewer(self) -> napari.Viewer:
        """The viewer, which owns this hand."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    # -- edits ---------------------------------------------------------------------------

    def do(self, make: Callable[[], Edit | None]) -> Edit | None:
        """Make an edit with a tool and apply it; a refusal is told by `failed`."""
        return self._safely(lambda: self.session.edit(make()))

    def undo(self) -> Edit | None:
        """Take back the last edit."""
        return self._safely(self.session.undo)

    def redo(self) -> Edit | None:
        """Do the last undone edit again."""
        return self._safely(self.session.redo)

    def _safely(self, step: Callable[[], Edit | None]) -> Edit | None:
        try:
            return step()
        except DefectSegError as error:
            self.failed.emit(error)
            return None

    # -- the selected objects --------------------------------------------------------------

    def selected(self) -> list[int]:
        """Return the selected objects that are there."""
        labels = self.session.labels
        known = {} if labels is None else labels.object_classes
        return sorted(n for n in self.session.selection if n in known)

    def accept(self) -> Edit | None:
        """Mark the selected objects as checked."""
        from napari_defectseg.labels.tools.accept import accept

        return self._with_selected(accept)

    def delete(self) -> Edit | None:
        """Remove the selected objects."""
        from napari_defectseg.labels.tools.delete import delete

        return self._with_selected(delete)

    def fill_holes(self) -> Edit | None:
        """Fill the holes of the selected objects."""
        from napari_defectseg.labels.tools.fill_holes import fill_holes

        return self._with_selected(lambda m, chosen: fill_holes(m, chosen, within=self.within()))

    def smooth(self) -> Edit | None:
        """Even out the rims of the selected objects."""
        from napari_defectseg.labels.tools.smooth import smooth

        return self._with_selected(lambda m, chosen: smooth(m, chosen, within=self.within()))

    def relabel(self, class_value: int) -> Edit | None:
        """Give the selected objects another class."""
        from napari_defectseg.labels.tools.relabel import relabel

        return self._with_selected(lambda m, chosen: relabel(m, chosen, class_value))

    def merge(self, numbers: Sequence[int]) -> Edit | None:
        """Make one object of several; it keeps number and class of the first."""
        from napari_defectseg.labels.tools.merge import merge

        labels = self.session.labels
        if labels is None:
            return None
        done = self.do(lambda: merge(labels, numbers))
        if done is not None:
            self.session.select(numbers[:1])
        return done

    def _with_selected(self, make: Callable[[LabelMap, list[int]], Edit | None]) -> Edit | None:
        labels, chosen = self.session.labels, self.selected()
        if labels is None or not chosen:
            return None
        return self.do(lambda: make(labels, chosen))

    def within(self) -> Box | None:
        """Return the slice that tools are limited to; None: the whole objects."""
        labels, layer = self.session.labels, self._layer()
        if labels is None or layer is None or self.in_volume or "z" not in labels.axes:
            return None
        if self.viewer.dims.ndisplay == 3:
            return None
        axis = labels.axes.index("z")
        return boxes.slice_box(labels.shape, axis, self._index(layer)[axis])

    # -- tools that wait for clicks --------------------------------------------------------

    def take(self, tool: str) -> None:
        """Take a tool in hand; the same again puts it away (merge: does it first)."""
        if tool == self.tool:
            partners = self._partners
            self.drop()
            if tool == "merge" and len(partners) > 1:
                self.merge(partners)
            return
        self.drop()
        layer = self.stage.activate_labels()
        if layer is None:
            return
        layer.mode = "pan_zoom"
        gesture = self._gestures.get(tool)
        # A drag draws a line instead of moving the picture; Space still moves it.
        layer.mouse_pan = not self._draws(tool)
        layer.events.mode.connect(self._on_mode)
        self.tool = tool
        self._partners = self.selected() if tool == "merge" else []
        self.stage.clicks.ask(self._on_click)
        if gesture is not None:
            gesture.begin()
        self.tool_changed.emit(tool)
        self.told.emit(WAITS[tool] if gesture is None else gesture.waits)

    def _draws(self, tool: str) -> bool:
        gesture = self._gestures.get(tool)
        return tool == "split" or (gesture is not None and gesture.draws)

    def drop(self) -> None:
        """Put the tool away."""
        if not self.tool:
            return
        self.tool = ""
        self._points, self._partners = [], []
        self.stage.clicks.leave(self._on_click)
        for layer in self.stage.labels_layers:
            layer.events.mode.disconnect(self._on_mode)
            if str(layer.mode) == "pan_zoom":
                layer.mouse_pan = True
        if self.frames is not None:
            self.frames.show_line(())
        self.tool_changed.emit("")
        self.told.emit("")

    def _on_mode(self, event: Any) -> None:
        self.drop()

    def _on_click(self, click: Click) -> bool:
        if self.tool in self._gestures:
            self._gestures[self.tool].click(click)
            return True
        if not click.number:
            return self.tool != ""
        if self.tool == "split":
            self._split_click(click)
        elif self.tool == "merge":
            known = click.number in self._partners
            self._partners = [n for n in self._partners if n != click.number]
            self._partners += [] if known else [click.number]
            self.session.select(self._partners)
            self.told.emit(f"{len(self._partners)} chosen; J again merges them.")
        elif self.tool == "class":
            self.session.select([click.number])
            self.relabel(self.session.current_class)
        return True

    def _split_click(self, click: Click) -> None:
        from napari_defectseg.labels.tools.split_watershed import split_watershed

        labels = self.session.labels
        assert labels is not None
        if self._points and int(labels.planes[click.plane][self._points[0]]) != click.number:
            self._points = []
        self._points.append(click.place)
        self.session.select([click.number])
        if len(self._points) == 1:
            self.told.emit("Now a point in the other part.")
            return
        seeds, self._points = self._points, []
        number, within = click.number, self.within()
        self.do(lambda: split_watershed(labels, number, seeds=seeds, within=within))
        self.session.select({int(labels.planes[click.plane][seed]) for seed in seeds} - {0})
        self.told.emit(WAITS["split"])

    def _on_drag(self, viewer: napari.Viewer, event: Any) -> Iterator[None]:
        """Draw the line of a tool that waits for one."""
        layer = viewer.layers.selection.active
        gesture = self._gestures.get(self.tool)
        if not self._draws(self.tool) or event.button != 1 or layer not in self.stage.labels_layers:
            return
        line = [np.array(event.position)]
        start = np.array(event.pos, float)
        far = False
        yield
        while event.type == "mouse_move":
            far = far or float(np.abs(np.array(event.pos, float) - start).max()) > DRAGGED
            line.append(np.array(event.position))
            if far and self.frames is not None:
                shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
                flat = [point[shown] for point in line]
                self.frames.show_line(flat if gesture is None else gesture.shown(flat))
            yield
        if self.frames is not None:
            self.frames.show_line(())
        if far and gesture is not None:
            gesture.drawn(layer, line)
        elif far:
            self._split_by_line(layer, line)

    def _split_by_line(self, layer: Any, line: Sequence[np.ndarray]) -> None:
        from napari_defectseg.labels.tools.split_line import split_line

        labels = self.session.labels
        assert labels is not None
        plane = self.stage.labels_layers.index(layer)
        points = [np.asarray(layer.world_to_data(point)) for point in line]
        crossed = objects_under(labels.planes[plane], points)
        target = next((n for n in self.selected() if n in crossed), (crossed or [0])[0])
        if not target:
            return
        before = set(labels.object_classes)
        within = self.within()
        if self.do(lambda: split_line(labels, target, points, within=within)) is not None:
            self.session.select({target, *(set(labels.object_classes) - before)})

    # -- frames ----------------------------------------------------------------------------

    def _on_labels(self, labels: LabelMap | None) -> None:
        self.drop()
        known = () if labels is None else labels.object_classes
        self.session.select(n for n in self.session.selection if n in known)
        self._show_frames()

    def _on_edited(self, edit: Edit | None) -> None:
        labels = self.session.labels
        if labels is None:
            return
        kept = [n for n in self.session.selection if n in labels.object_classes]
        if len(kept) != len(self.session.selection):
            self.session.select(kept)
        else:
            self._show_frames()

    def _show_frames(self, _: Any = None) -> None:
        labels = self.session.labels
        if self.frames is None:
            return
        found = []
        layers = self.stage.labels_layers
        shown = [axis - self.viewer.dims.ndim for axis in self.viewer.dims.displayed]
        for number in self.selected() if labels is not None and layers else ():
            plane = labels.plane_of(labels.object_classes[number])
            box = labels.index.box(number)
            if plane < len(layers) and self._in_sight(layers[plane], box):
                low, high = world_box(layers[plane], box)
                found.append((low[shown], high[shown]))
        self.frames.show(found)

    def _in_sight(self, layer: Any, box: Box) -> bool:
        index = self._index(layer)
        shown = {axis - (self.viewer.dims.ndim - layer.ndim) for axis in self.viewer.dims.displayed}
        return all(
            axis in shown or side.start <= index[axis] < side.stop for axis, side in enumerate(box)
        )

    def place(self) -> tuple[int, ...]:
        """Return the indices of the slice in sight, in the plane of the class in hand."""
        return self._index(self._layer())

    def _layer(self) -> Any:
        return self.stage.layer_of_class(self.session.current_class)

    def _index(self, layer: Any) -> tuple[int, ...]:
        point = np.asarray(self.viewer.dims.point)[-layer.ndim :]
        return tuple(int(i) for i in np.rint(layer.world_to_data(point)))


def objects_under(plane: np.ndarray, points: Iterable[np.ndarray]) -> list[int]:
    """Return the objects under a line, the one with most of it first."""
    counts: dict[int, int] = {}
    corners = list(points)
    for first, second in pairwise(corners):
        steps = int(np.ceil(np.abs(second - first).max())) + 1
        for share in np.linspace(0, 1, steps):
            place = np.rint(first + share * (second - first)).astype(int)
            if np.all(place >= 0) and np.all(place < plane.shape):
                number = int(plane[tuple(place)])
                counts[number] = counts.get(number, 0) + 1
    counts.pop(0, None)
    return sorted(counts, key=lambda number: -counts[number])


_hands: WeakKeyDictionary[Any, Hand] = WeakKeyDictionary()


def hand_of(viewer: napari.Viewer) -> Hand:
    """Return the hand of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _hands:
        _hands[real] = Hand(real)
    return _hands[real]

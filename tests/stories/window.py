"""A hand on the real window: presses what a person presses, waits for what a person waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QFileDialog, QPushButton, QWidget

from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.workbench import Workbench

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
HELD = {
    "Ctrl": Qt.KeyboardModifier.ControlModifier,
    "Shift": Qt.KeyboardModifier.ShiftModifier,
    "Alt": Qt.KeyboardModifier.AltModifier,
}
PACE = 15
"""Milliseconds between two moves of the mouse: the canvas leaves out what comes faster."""
PATIENCE = 60_000
"""Milliseconds until something that was waited for counts as lost."""


class Window:
    """A napari viewer on the screen with the workbench at its side.

    Parameters
    ----------
    viewer : napari.Viewer
        Shown.
    qtbot : QtBot
    monkeypatch : MonkeyPatch
        Answers the system's file dialogs; nothing else is replaced.
    """

    def __init__(self, viewer: Any, qtbot: Any, monkeypatch: Any, size=(1366, 768)) -> None:
        self.viewer, self.qtbot, self._monkeypatch = viewer, qtbot, monkeypatch
        self.bench = Workbench(viewer)
        viewer.window.add_dock_widget(self.bench, name="Defect segmentation", area="right")
        viewer.window.resize(*size)
        self.session = session_of(viewer)
        self.settle()

    # -- waiting -------------------------------------------------------------------------

    def settle(self, milliseconds: int = 60) -> None:
        """Let the window draw and its timers run."""
        QTest.qWait(milliseconds)

    def until(self, true: Callable[[], Any], milliseconds: int = PATIENCE) -> None:
        """Wait until something is true."""
        self.qtbot.waitUntil(lambda: bool(true()), timeout=milliseconds)

    def quiet(self) -> None:
        """Wait until no work is under way."""
        self.until(lambda: self.session.jobs.running() is None)
        self.settle(200)
        self.until(lambda: self.session.jobs.running() is None)

    # -- the docks -----------------------------------------------------------------------

    def go(self, key: str) -> Any:
        """Press the dock's button in the rail; return the dock."""
        self.press(self.bench.rail.button(key))
        return self.bench.page(key)

    @property
    def page(self) -> DockPage:
        """The dock in front."""
        return self.bench.page(self.bench.current)

    def press(self, button: QWidget) -> None:
        """Click a control in its middle; it must be there and not greyed."""
        assert button.isVisible(), f"{button.accessibleName() or button} is not to be seen"
        assert button.isEnabled(), f"{button.accessibleName() or button} is greyed"
        QTest.mouseClick(button, LEFT)
        self.settle(10)

    def primary(self, words: str = "") -> None:
        """Press the primary button of the dock in front; it says `words`."""
        button = self.page.footer.primary
        if words:
            self.until(lambda: words in button.text() and button.isEnabled(), 20_000)
        self.press(button)

    def link(self, words: str, within: QWidget | None = None) -> None:
        """Press the link or button that says `words`."""
        self.press(self.find(words, within))

    def find(self, words: str, within: QWidget | None = None) -> QPushButton:
        """Return the visible button or link that says `words`."""
        shown = [
            button
            for button in (within or self.page).findChildren(QAbstractButton)
            if button.isVisible() and words in (button.text() or button.accessibleName())
        ]
        assert shown, f"nothing says {words!r}"
        return shown[0]

    def control(self, name: str, kind: type = QWidget) -> Any:
        """Return the visible control with an accessible name that begins so."""
        shown = [
            one
            for one in self.page.findChildren(kind)
            if one.isVisible() and one.accessibleName().startswith(name)
        ]
        assert shown, f"nothing is called {name!r}"
        return shown[0]

    def type(self, field: QWidget, words: str) -> None:
        """Replace what stands in a field."""
        QTest.mouseClick(field, LEFT)
        field.selectAll()
        QTest.keyClicks(field, words)

    def said(self) -> str:
        """Return all sentences that the dock in front shows as messages."""
        messages = self.page.messages
        strips = [messages.strip(topic) for topic in messages.topics()]
        return "\n".join(strip.accessibleName() for strip in strips if strip is not None)

    def answer(self, dialog: str, path: str | Path | Sequence[Path]) -> None:
        """Let the system's file dialog (``"open files"``, ``"folder"``, …) be answered so."""
        one = [str(p) for p in path] if isinstance(path, (list, tuple)) else str(path)
        name, result = {
            "open files": ("getOpenFileNames", (one if isinstance(one, list) else [one], "")),
            "open file": ("getOpenFileName", (one, "")),
            "save file": ("getSaveFileName", (one, "")),
            "folder": ("getExistingDirectory", one),
        }[dialog]
        self._monkeypatch.setattr(QFileDialog, name, staticmethod(lambda *a, **k: result))

    # -- the canvas ----------------------------------------------------------------------

    @property
    def canvas(self) -> QWidget:
        """The widget that napari draws in."""
        return self.viewer.window._qt_viewer.canvas.native

    def spot(self, layer: Any, place: Sequence[float]) -> QPointF:
        """Return where a place of a layer (indices) is on the canvas, by what is drawn there."""
        canvas = self.viewer.window._qt_viewer.canvas
        node = canvas.layer_to_visual[layer].node
        shown = [axis - (self.viewer.dims.ndim - layer.ndim) for axis in self.viewer.dims.displayed]
        point = [place[axis] for axis in reversed(shown)]
        # An image's node counts from the corner of its first pixel, in the middle of it is 0.5.
        mapped = node.get_transform("visual", "canvas").map([value + 0.5 for value in point])
        return QPointF(*(np.asarray(mapped[:2]) / (mapped[3] if len(mapped) > 3 else 1.0)))

    def mouse(self, kind: str, at: QPointF, held: str = "") -> None:
        """Send one mouse event to the canvas."""
        types = {
            "press": (QEvent.Type.MouseButtonPress, LEFT, LEFT),
            "move": (QEvent.Type.MouseMove, NONE, LEFT),
            "hover": (QEvent.Type.MouseMove, NONE, NONE),
            "release": (QEvent.Type.MouseButtonRelease, LEFT, NONE),
        }
        event, button, buttons = types[kind]
        above = self.canvas.mapToGlobal(at.toPoint()).toPointF()
        modifiers = HELD.get(held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(
            self.canvas, QMouseEvent(event, at, above, button, buttons, modifiers)
        )

    def click(self, layer: Any, place: Sequence[float], held: str = "") -> None:
        """Click on a place of a layer."""
        at = self.spot(layer, place)
        self.mouse("hover", at, held)
        self.mouse("press", at, held)
        self.mouse("release", at, held)
        self.settle(10)

    def drag(self, layer: Any, places: Sequence[Sequence[float]]) -> None:
        """Press at the first place, move over the others, let go."""
        spots = [self.spot(layer, place) for place in places]
        self.mouse("hover", spots[0])
        self.mouse("press", spots[0])
        for at in spots[1:]:
            self.settle(PACE)
            self.mouse("move", at)
        self.settle(PACE)
        self.mouse("release", spots[-1])
        self.settle(10)

    def key(self, key: str, on: QWidget | None = None) -> None:
        """Press and release a key of napari's spelling over the canvas."""
        *held, last = key.split("+")
        modifiers = Qt.KeyboardModifier.NoModifier
        for one in held:
            modifiers |= HELD[one]
        code = getattr(Qt.Key, f"Key_{'Return' if last == 'Enter' else last}")
        QTest.keyClick(on or self.canvas, code, modifiers)
        self.settle(10)

    # -- what is current -----------------------------------------------------------------

    @property
    def layer(self) -> Any:
        """The first label layer."""
        return self.page.stage.labels_layers[0]

    def inside(self, number: int) -> tuple[int, ...]:
        """Return a pixel of an object, as far from its rim as there is one."""
        from scipy.ndimage import distance_transform_edt

        labels = self.session.labels
        box = labels.index.box(number)
        plane = labels.planes[labels.plane_of(labels.object_classes[number])]
        depth = distance_transform_edt(np.pad(plane[box] == number, 1))
        deepest = np.unravel_index(int(depth.argmax()), depth.shape)
        return tuple(int(i) - 1 + side.start for i, side in zip(deepest, box, strict=True))

    def mask_of(self, number: int) -> np.ndarray:
        """Return which pixels are an object's."""
        labels = self.session.labels
        return np.asarray(labels.planes[labels.plane_of(labels.object_classes[number])] == number)

    def predict(self) -> Any:
        """Press *Predict* in its dock, wait for the objects, and return them."""
        self.go("predict")
        self.primary("Predict")
        self.until(lambda: self.session.prediction is not None and self.session.labels is not None)
        self.quiet()
        self.until(lambda: self.session.table is not None)
        return self.session.labels

"""Files dropped anywhere on the window: models to the Model dock, images to the Data dock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_defectseg.images.open import can_open
from napari_defectseg.ui.preferences import preferences
from napari_defectseg.ui.reading import is_model


class Drops(QObject):
    """Takes drops of files that we know before napari asks which plugin should read them.

    With Shift or Alt held napari's own ways stay: a stack, or a choice of plugins.

    Parameters
    ----------
    window : QWidget
        The main window.
    take : callable
        Told the dock and the paths.
    """

    def __init__(self, window: QWidget, take: Callable[[str, list[str]], Any]) -> None:
        super().__init__(window)
        self._take = take
        self._canvas = next(
            (one for one in window.findChildren(QWidget) if type(one).__name__ == "QtViewer"), None
        )
        if self._canvas is not None:
            self._canvas.installEventFilter(self)

    def stop(self) -> None:
        """Take no more drops."""
        if self._canvas is not None:
            self._canvas.removeEventFilter(self)
            self._canvas = None
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a drop of files that are ours; leave all else to napari."""
        if event.type() != QEvent.Type.Drop or watched is not self._canvas:
            return False
        if not preferences().drops:
            return False
        held = QApplication.keyboardModifiers()
        if held & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier):
            return False
        urls = event.mimeData().urls()
        paths = [str(Path(url.toLocalFile())) for url in urls if url.isLocalFile()]
        dock = dock_for(paths) if paths and len(paths) == len(urls) else ""
        if not dock:
            return False
        event.acceptProposedAction()
        self._take(dock, paths)
        return True


def dock_for(paths: list[str]) -> str:
    """Return the dock that opens these files, empty if it is napari's business."""
    if len(paths) == 1 and is_model(paths[0]):
        return "model"
    if all(Path(path).is_dir() or can_open(path) for path in paths):
        return "data"
    return ""

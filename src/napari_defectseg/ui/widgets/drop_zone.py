"""A place to drop files on."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import Link, text


class DropZone(QFrame):
    """Says what may be dropped; sends the paths of what was. Three links do it without a mouse."""

    dropped = Signal(list)

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setProperty("ds", "drop")
        self.setAcceptDrops(True)
        self.setAccessibleName(words)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.SPACE)
        column.setSpacing(theme.SPACE)
        column.addWidget(text(words, "second"))
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        self.folder = Link("Open a folder…", "A stack of slices, or images of their own")
        self.sample = Link("Samples…", "Images to try things with, with their licences")
        self.result = Link("Open a result…", "Image, model, objects and settings as they were")
        row.addWidget(self.folder)
        row.addWidget(self.sample)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.result)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            theme.hook(self, over=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        theme.hook(self, over=False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Send the paths."""
        theme.hook(self, over=False)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

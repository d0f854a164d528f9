"""The subject bar: which image, its pixel size with source, its place in the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.session import Session
from napari_defectseg.ui.widgets.status import StatusButton
from napari_defectseg.ui.widgets.text import name, text

if TYPE_CHECKING:
    import napari

NOTHING = "No image yet"


class SubjectBar(QWidget):
    """Shows and chooses the session's image."""

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self.setProperty("ds", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.SPACE, theme.GAP, theme.SPACE)
        column.setSpacing(2)
        self.back = self._arrow("left", "Previous image of the collection (PageUp)", -1)
        self.on = self._arrow("right", "Next image of the collection (PageDown)", 1)
        self.box = QComboBox()
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.setMinimumContentsLength(6)
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        name(self.box, "Image", "The image that everything below is about")
        self.box.activated.connect(self._choose)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(self.back)
        row.addWidget(self.box, 1)
        row.addWidget(self.on)
        column.addLayout(row)
        self.size = StatusButton("ruler")
        self.size.setProperty("ds", "link")
        self.size.clicked.connect(lambda: session.go_to("data", "calibration"))
        self.place = text("", "second", wrap=False)
        row = QHBoxLayout()
        row.addWidget(self.size, 1)
        row.addWidget(self.place)
        column.addLayout(row)
        for signal in self._signals():
            signal.connect(self._renew)
        self._renew()

    def release(self) -> None:
        """Listen no more."""
        for signal in self._signals():
            signal.disconnect(self._renew)

    def step(self, by: int) -> None:
        """Go `by` images on in the collection; nothing happens at its ends."""
        session = self._session
        if session.collection is None:
            return
        there = session.index + by
        if 0 <= there < len(session.collection.entries):
            session.index = there

    def next(self) -> None:
        """Go to the next image of the collection."""
        self.step(1)

    def previous(self) -> None:
        """Go to the previous image of the collection."""
        self.step(-1)

    def _signals(self) -> tuple[Any, ...]:
        events = self._session.events
        return events.image, events.collection, events.index

    def _arrow(self, icon: str, tip: str, by: int) -> QToolButton:
        button = QToolButton()
        icons.set_icon(button, icon, size=12)
        name(button, tip.partition(" (")[0], tip)
        button.clicked.connect(lambda: self.step(by))
        return button

    def _choose(self, row: int) -> None:
        if self._session.collection is not None:
            self._session.index = row

    def _renew(self, value: object = None) -> None:
        session = self._session
        collection, image = session.collection, session.image
        several = collection is not None and len(collection.entries) > 1
        names = [entry.name for entry in collection.entries] if several else []
        self.box.clear()
        self.box.addItems(names or [image.name if image is not None else NOTHING])
        if several:
            self.box.setCurrentIndex(session.index)
        self.box.setEnabled(several)
        for button, by in ((self.back, -1), (self.on, 1)):
            button.setVisible(several)
            button.setEnabled(several and 0 <= session.index + by < len(names))
        self.place.setText(f"{session.index + 1} of {len(names)}" if several else "")
        self.size.setVisible(image is not None)
        if image is not None:
            known = image.calibration
            icon = "ruler" if known.calibrated and not known.question else "warning"
            icons.set_icon(self.size, icon, size=13)
            words = known.describe() + (f" · {known.source}" if known.calibrated else "")
            self.size.say(words, f"{words}. Click to see, change or copy the pixel size.")

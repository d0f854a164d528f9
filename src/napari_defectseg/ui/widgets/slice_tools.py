"""Other slices and frames: copy there, fill between, repeat in a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.line_tools import small_button
from napari_defectseg.ui.widgets.text import name, named, text

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.shaping import Shaping

FRAMES = 3


class SliceTools(QWidget):
    """Rows for volumes and for movies; each is shown where it has something to do.

    Parameters
    ----------
    shaping : Shaping
    """

    def __init__(self, shaping: Shaping) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.slices, self.frames = QWidget(), QWidget()
        self._add_slices(shaping)
        self._add_frames(shaping)
        column.addWidget(self.slices)
        column.addWidget(self.frames)

    def _add_slices(self, shaping: Shaping) -> None:
        column = QVBoxLayout(self.slices)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.copy_back = small_button(
            "‹ Copy", "Copy to the slice before", "Copy the object to the slice before, go there"
        )
        self.copy_on = small_button(
            "Copy ›", "Copy to the next slice", "Copy the object to the next slice, and go there"
        )
        self.between = small_button(
            "Fill between slices  I",
            "Fill between slices",
            "Fill the slices between those in which the selected objects were painted",
        )
        self.copy_back.clicked.connect(shaping.copy_back)
        self.copy_on.clicked.connect(shaping.copy_on)
        self.between.clicked.connect(shaping.between)
        row.addWidget(self.copy_back, 1)
        row.addWidget(self.copy_on, 1)
        column.addLayout(row)
        column.addWidget(self.between)

    def _add_frames(self, shaping: Shaping) -> None:
        row = QHBoxLayout(self.frames)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        self.count = QSpinBox()
        self.count.setRange(1, 999)
        self.count.setValue(FRAMES)
        self.count.setMinimumWidth(44)
        name(self.count, "Frames", "In so many frames the selected objects are repeated")
        tip = "Repeat the selected objects there; objects there keep their numbers"
        self.before = small_button("‹", "Repeat in the frames before", tip)
        self.behind = small_button("›", "Repeat in the next frames", tip)
        self.before.clicked.connect(lambda: shaping.repeat(-self.count.value()))
        self.behind.clicked.connect(lambda: shaping.repeat(self.count.value()))
        row.addWidget(named(text("Repeat in frames", wrap=False), self.count))
        row.addWidget(self.before)
        row.addWidget(self.count, 1)
        row.addWidget(self.behind)

    def show_labels(self, labels: LabelMap) -> None:
        """Show the rows that the axes ask for."""
        self.slices.setVisible("z" in labels.axes)
        self.frames.setVisible("t" in labels.axes)

"""What Correct keeps under *More*: levels, slices, lines, protection, smoothing, cleaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QPushButton

from napari_defectseg.ui import words
from napari_defectseg.ui.shaping import Shaping
from napari_defectseg.ui.widgets.clean_form import CleanForm
from napari_defectseg.ui.widgets.level_tools import LevelTools
from napari_defectseg.ui.widgets.line_tools import LineTools
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.slice_tools import SliceTools
from napari_defectseg.ui.widgets.text import name

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.hand import Hand


class Seldom(More):
    """Controls of Correct that are needed seldom.

    Parameters
    ----------
    hand : Hand
        Does what they say.
    """

    def __init__(self, hand: Hand) -> None:
        super().__init__("grow, slices, lines, protect, outlines, smooth, clean", key="correct")
        self.shaping = Shaping(hand)
        self.levels = LevelTools(self.shaping)
        self.slices = SliceTools(self.shaping)
        self.lines = LineTools(hand, self.shaping)
        self._hand = hand
        self.protect = QCheckBox("Protect what is checked")
        self.protect.setChecked(hand.stage.drawing.protect)
        name(self.protect, "Protect what is checked", "Drawing goes around checked objects")
        self.protect.toggled.connect(self._on_protect)
        self.outlines = Segments(
            "Show objects as",
            (
                (False, "filled", "Fill the objects (U)"),
                (True, "outlines", "Show only their outlines (U)"),
            ),
        )
        self.outlines.setValue(hand.stage.display.outlines)
        self.outlines.valueChanged.connect(hand.stage.display.set_outlines)
        self.smooth = QPushButton("Smooth the selected  Q")
        self.smooth.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        name(self.smooth, "Smooth the selected", "Even out the rims of the selected objects (Q)")
        self.smooth.clicked.connect(hand.smooth)
        self.clean = CleanForm()
        self.clean.asked.connect(self._on_clean)
        for widget in (
            self.levels, self.slices, self.lines,
            self.protect, self.outlines, self.smooth, self.clean,
        ):  # fmt: skip
            self.column.addWidget(widget)

    def show_labels(self, labels: LabelMap) -> None:
        """Show what these labels have use for."""
        self.slices.show_labels(labels)
        self.lines.show_size(labels.calibration)

    def toggle_outlines(self) -> None:
        """Show objects filled, or by their outlines."""
        self.outlines.setValue(not self.outlines.value)

    def _on_protect(self, on: bool) -> None:
        self._hand.stage.drawing.protect = on
        self.set_changed(() if on else ("checked objects are not protected",))

    def _on_clean(self, settings: Any) -> None:
        from napari_defectseg.labels.tools.clean import clean

        labels = self._hand.session.labels
        if labels is None:
            return
        before = len(labels.object_classes)
        self._hand.do(lambda: clean(labels, settings, within=self._hand.within()))
        gone = before - len(labels.object_classes)
        self.clean.tell(f"{words.count(gone)} removed" if gone else "Nothing to remove")

"""What is counted, and what becomes of objects at the border."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.population import IMAGE
from napari_defectseg.ui.widgets.text import choice

BORDERS = (
    ("count", "border in", "Count objects that touch the border like all others"),
    ("exclude", "border out", "Leave out objects that touch the border"),
    (
        "frame",
        "frame",
        "Counting frame: leave out objects at the left and upper edge. No bias of the number",
    ),
    (
        "weight",
        "weighted",
        "Whole objects alone, weighted by the room they have: no bias of number and sizes",
    ),
)


class CountBoxes(QWidget):
    """Two boxes of choices beside each other."""

    scope_chosen = Signal()
    border_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        self.scope_box = choice("Which objects are counted")
        self.border_box = choice("Objects that touch the border: a part of them may be missing")
        for value, told, tip in BORDERS:
            self.border_box.addItem(told, value)
            place = self.border_box.count() - 1
            self.border_box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        row.addWidget(self.scope_box, 1)
        row.addWidget(self.border_box, 1)
        self.scope_box.activated.connect(lambda _: self.scope_chosen.emit())
        self.border_box.activated.connect(
            lambda _: self.border_chosen.emit(self.border_box.currentData())
        )

    @property
    def scope(self) -> str:
        """What is counted, a word of `population`."""
        return self.scope_box.currentData() or IMAGE

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer what can be counted, in words; what is chosen stays if it is among them."""
        box = self.scope_box
        shown = [(box.itemText(place), box.itemData(place)) for place in range(box.count())]
        if shown == list(choices):
            return
        before = box.currentData()
        box.clear()
        for told, kind in choices:
            box.addItem(told, kind)
        kinds = [kind for _, kind in choices]
        box.setCurrentIndex(kinds.index(before) if before in kinds else 0)

    def choose(self, scope: str) -> None:
        """Count something else."""
        self.scope_box.setCurrentIndex(self.scope_box.findData(scope))
        self.scope_chosen.emit()

    def show_border(self, border: str) -> None:
        """Show how objects at the border are counted."""
        self.border_box.setCurrentIndex(self.border_box.findData(border))

"""The tools of Correct: which are there, which is in hand, what it waits for, where it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import section, text
from napari_defectseg.ui.widgets.tool_grid import Tool, ToolGrid

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.hand import Hand

TOOLS = (
    Tool("paint", "Brush", "brush", "P", "Draw the class in hand"),
    Tool("edge", "Edge", "edge", "T", "Brush that stops at the edge that the image shows"),
    Tool("erase", "Erase", "erase", "E", "Take away what is under the brush"),
    Tool("fill", "Fill", "fill", "F", "Fill an area of one colour"),
    Tool("split", "Split", "split", "S", "Part an object: two points, or a line across"),
    Tool("merge", "Merge", "merge", "J", "Make one object of several: click them, J again"),
    Tool("holes", "Holes", "holes", "W", "Fill the holes of the selected objects", holds=False),
    Tool("trace", "Trace", "trace", "R", "Follow a line along its ridge, from click to click"),
)
OUTLINES = (
    Tool("box", "Box", "box", "", "Draw a box from corner to corner"),
    Tool("polygon", "Polygon", "polygon", "", "Click the corners; Enter closes it"),
    Tool("lasso", "Lasso", "lasso", "", "Draw around the object"),
)
OURS = ("split", "merge", "trace", "cut", "box", "lasso")
"""Tools of the hand; brush, eraser, bucket and polygon are napari's own modes."""
MODES = {"edge": "paint"}
"""Which of napari's modes a tool is, where it is called otherwise."""


class ToolBox(QWidget):
    """Takes tools in hand and shows which one is.

    Parameters
    ----------
    hand : Hand
    """

    def __init__(self, hand: Hand) -> None:
        super().__init__()
        self._hand = hand
        self._in_hand = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(section("Tools"))
        self.grid = ToolGrid(TOOLS, columns=4)
        self.grid.chosen.connect(self.use)
        column.addWidget(self.grid)
        self.outlines = ToolGrid(OUTLINES)
        self.outlines.chosen.connect(self.use)
        column.addWidget(self.outlines)
        self.waits = text("", "second")
        self.waits.hide()
        column.addWidget(self.waits)
        self.where = Segments(
            "Tools work",
            (
                (True, "in the volume", "Tools work on whole objects"),
                (False, "in the slice", "Tools work in the slice that is shown"),
            ),
        )
        self.where.valueChanged.connect(self._on_where)
        column.addWidget(self.where)

    def use(self, key: str) -> None:
        """Take a tool in hand, or use it at once."""
        hand = self._hand
        if key == "holes":
            hand.fill_holes()
        elif key in OURS:
            hand.take(key)
        else:
            hand.drop()
            layer, again = hand.stage.activate_labels(), self._in_hand == key
            hand.stage.drawing.follow_edge = key == "edge" and not again
            if layer is not None:
                layer.mode = "pan_zoom" if again else MODES.get(key, key)
        self.show_tool()

    def show_labels(self, labels: LabelMap) -> None:
        """Offer the slice or the volume where there are slices."""
        self.where.setVisible("z" in labels.axes)
        self._on_where(self.where.value)

    def show_tool(self, _: Any = None) -> None:
        """Mark the tool that is in hand."""
        drawing = self._hand.stage.drawing
        layer = self._hand.stage.layer_of_class(self._hand.session.current_class)
        mode = str(layer.mode) if layer is not None else ""
        drawing.follow_edge = drawing.follow_edge and mode == "paint"
        self._in_hand = self._hand.tool or ("edge" if drawing.follow_edge else mode)
        for grid in (self.grid, self.outlines):
            grid.set_in_hand(self._in_hand)
        self._show_depth(mode)

    def tell(self, sentence: str) -> None:
        """Say what the tool in hand waits for; empty: nothing."""
        self.waits.setText(sentence)
        self.waits.setVisible(bool(sentence))

    def tell_went_around(self, number: int) -> None:
        """Say how many checked objects the brush left alone, until the next stroke."""
        if number:
            stay = "object stays" if number == 1 else "objects stay"
            self.tell(f"{number} checked {stay}. To draw over one, begin the stroke on it.")
        elif not self._hand.tool:
            self.tell("")

    def _on_where(self, in_volume: bool) -> None:
        self._hand.in_volume = in_volume
        self.show_tool()

    def _show_depth(self, mode: str) -> None:
        """Let napari draw in the volume or in the slice; its polygon knows slices alone."""
        deep = self._hand.in_volume and mode != "polygon"
        for layer in self._hand.stage.labels_layers:
            wanted = 3 if deep and layer.ndim >= 3 else 2
            if layer.n_edit_dimensions != wanted:
                layer.n_edit_dimensions = wanted

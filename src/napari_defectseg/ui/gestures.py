"""Tools of the hand that are drawn or clicked: box, lasso, trace, cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_defectseg.ui.pixels import grey_reader

if TYPE_CHECKING:
    from napari_defectseg.ui.clicks import Click
    from napari_defectseg.ui.hand import Hand

Line = Sequence[np.ndarray]
"""Places under the mouse, in order."""


class Gesture:
    """What a tool does with clicks and with a line that was drawn.

    Parameters
    ----------
    hand : Hand
        Known weakly: it owns its gestures.
    """

    waits = ""
    """What the tool waits for, in a sentence."""
    draws = False
    """Whether dragging draws; otherwise it moves the picture."""

    def __init__(self, hand: Hand) -> None:
        self._hand = ref(hand)

    @property
    def hand(self) -> Hand:
        """The hand it belongs to."""
        hand = self._hand()
        assert hand is not None
        return hand

    def begin(self) -> None:
        """Forget what was clicked before."""

    def click(self, click: Click) -> None:
        """Use a click on the canvas."""

    def drawn(self, layer: Any, line: Line) -> None:
        """Use a line that was drawn, in world coordinates."""

    def shown(self, line: Line) -> Line:
        """Return the line to show while it is drawn, in the world coordinates of the slice."""
        return line


class Outline(Gesture):
    """Draws what a box or a free line holds, as the class in hand."""

    draws = True

    def __init__(self, hand: Hand, kind: str) -> None:
        super().__init__(hand)
        self.kind: Any = kind
        what = "a box from corner to corner" if kind == "box" else "around the object"
        self.waits = f"Drag {what}. Escape to stop."

    def shown(self, line: Line) -> Line:
        """Return the rim: of a box its four sides, of a lasso the line, closed."""
        if self.kind == "lasso" or len(line) < 2:
            return [*line, line[0]] if len(line) > 2 else line
        first, last = line[0], line[-1]
        corners = [first, [first[0], last[1]], last, [last[0], first[1]], first]
        return [np.asarray(corner, float) for corner in corners]

    def drawn(self, layer: Any, line: Line) -> None:
        """Draw what the line holds."""
        from napari_defectseg.labels.tools.outline import draw_outline

        hand = self.hand
        labels = hand.session.labels
        assert labels is not None
        points = [np.asarray(layer.world_to_data(point)) for point in line]
        corners = [points[0], points[-1]] if self.kind == "box" else points
        shown = [axis - (hand.viewer.dims.ndim - layer.ndim) for axis in hand.viewer.dims.displayed]
        hand.do(
            lambda: draw_outline(
                labels,
                [tuple(map(float, corner)) for corner in corners],
                hand.session.current_class,
                kind=self.kind,
                flat=(shown[-2], shown[-1]),
                protect=hand.stage.drawing.protect,
            )
        )


class Trace(Gesture):
    """Draws a line along its ridge from click to click."""

    waits = "Click along the line; each click goes on from the last. R or Escape to stop."

    def begin(self) -> None:
        """Begin a new line."""
        self._last: tuple[int, ...] | None = None

    def click(self, click: Click) -> None:
        """Take the first end, or draw to the next point."""
        from napari_defectseg.labels.tools.trace import trace

        hand, last = self.hand, self._last
        self._last = click.place
        labels, session = hand.session.labels, hand.session
        if last is None or labels is None:
            hand.told.emit("Now click farther along the line.")
            return
        value, width = session.current_class, hand.line_width
        protect = hand.stage.drawing.protect

        def make() -> Any:
            read = grey_reader(session)
            return trace(labels, [last, click.place], read, value, width=width, protect=protect)

        hand.later("Following the line", make)
        hand.told.emit(self.waits)


class Cut(Gesture):
    """Parts the line that is clicked."""

    waits = "Click where the line is to be cut. K or Escape to stop."

    def click(self, click: Click) -> None:
        """Cut there."""
        from napari_defectseg.labels.tools.cut import cut

        hand = self.hand
        labels = hand.session.labels
        if labels is None or not click.number:
            return
        before = set(labels.object_classes)
        within = hand.within()
        if hand.do(lambda: cut(labels, click.number, click.place, within=within)) is not None:
            hand.session.select({click.number, *(set(labels.object_classes) - before)})


def gestures_of(hand: Hand) -> dict[str, Gesture]:
    """Return all of them by the names of their tools."""
    return {
        "box": Outline(hand, "box"),
        "lasso": Outline(hand, "lasso"),
        "trace": Trace(hand),
        "cut": Cut(hand),
    }

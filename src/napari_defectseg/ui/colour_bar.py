"""`ColourBar`, `Ranks`: a colour bar and numbered discs, drawn on the canvas, not layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from vispy.scene.visuals import Image, Markers, Rectangle, Text

LEFT, TOP, WIDTH, HEIGHT = 12.0, 12.0, 196.0, 74.0
"""The card of the bar, in screen pixels."""
MARGIN, BAR_TOP, BAR_HEIGHT = 10.0, 27.0, 12.0
HEADING_SIZE, TEXT_SIZE, RANK_SIZE = 9.0, 7.5, 8.0
"""Points."""
DISC = 20.0
"""Screen pixels of the disc behind a number."""
ORDER = 10**6 + 10
"""Above every layer and above the frames."""
CARD, RIM, INK = (0.0, 0.0, 0.0, 0.72), (1.0, 1.0, 1.0, 0.45), (1.0, 1.0, 1.0, 1.0)
NOTE = "2nd to 98th percentile"


class ColourBar:
    """A bar in the upper left corner with heading, both ends, and what the ends are.

    Parameters
    ----------
    viewer : napari.Viewer
        Only its canvas is used; nothing is added to its layers.
    """

    def __init__(self, viewer) -> None:  # type: ignore[no-untyped-def]
        view = viewer.window._qt_viewer.canvas.view
        middle = (LEFT + WIDTH / 2, TOP + HEIGHT / 2)
        self._card = Rectangle(
            center=middle, width=WIDTH, height=HEIGHT, color=CARD, border_color=RIM, parent=view
        )
        self._bar = Image(np.zeros((1, 2, 4), np.float32), parent=view, method="subdivide")
        self._heading = _text(view, HEADING_SIZE, LEFT + MARGIN, TOP + 14, "left")
        self._low = _text(view, TEXT_SIZE, LEFT + MARGIN, TOP + 49, "left")
        self._high = _text(view, TEXT_SIZE, LEFT + WIDTH - MARGIN, TOP + 49, "right")
        self._note = _text(view, TEXT_SIZE, LEFT + MARGIN, TOP + 64, "left")
        self._note.text = NOTE
        self._parts = (self._card, self._bar, self._heading, self._low, self._high, self._note)
        for place, part in enumerate(self._parts):
            part.order = ORDER + place
            part.set_gl_state("translucent", depth_test=False, cull_face=False)
        self.hide()

    @property
    def shown(self) -> tuple[str, str, str]:
        """Heading and both ends, empty while there is no bar."""
        if not self._card.visible:
            return "", "", ""
        return self._heading.text, self._low.text, self._high.text

    def show(self, heading: str, ends: tuple[str, str], colours: np.ndarray) -> None:
        """Show the bar.

        Parameters
        ----------
        heading : str
        ends : tuple of str
        colours : ndarray of float, shape (n, 4)
            From low to high.
        """
        self._heading.text, self._low.text, self._high.text = heading, *ends
        self._bar.set_data(np.asarray(colours, np.float32)[None])
        length = WIDTH - 2 * MARGIN
        # Vispy's transforms and napari's canvas count from the upper left corner.
        self._bar.transform = _placed(LEFT + MARGIN, TOP + BAR_TOP, length / len(colours))
        for part in self._parts:
            part.visible = True

    def hide(self) -> None:
        """Take the bar off the canvas."""
        for part in self._parts:
            part.visible = False

    def close(self) -> None:
        """Take the bar off for good."""
        for part in self._parts:
            part.parent = None


class Ranks:
    """Numbered discs at places of the world, as large on the screen at any zoom.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer) -> None:  # type: ignore[no-untyped-def]
        scene = viewer.window._qt_viewer.canvas.view.scene
        self._discs = Markers(parent=scene)
        self._words = Text(
            parent=scene, color=INK, font_size=RANK_SIZE, bold=True,
            anchor_x="center", anchor_y="center",
        )  # fmt: skip
        for place, part in enumerate((self._discs, self._words)):
            part.order = ORDER - 2 + place
            part.set_gl_state("translucent", depth_test=False, cull_face=False)
            part.visible = False

    @property
    def shown(self) -> tuple[str, ...]:
        """The numbers that are shown."""
        return tuple(self._words.text) if self._words.visible else ()

    def show(self, places: np.ndarray, words: Sequence[str]) -> None:
        """Show numbers; none: an empty sequence.

        Parameters
        ----------
        places : ndarray, shape (n, 2 or 3)
            World coordinates of the displayed axes, in their order.
        words : sequence of str, n
        """
        there = bool(len(words))
        self._discs.visible = self._words.visible = there
        if there:
            at = np.asarray(places, np.float32)[:, ::-1]
            self._discs.set_data(pos=at, size=DISC, face_color=CARD, edge_color=INK, edge_width=1.0)
            self._words.text, self._words.pos = list(words), at

    def close(self) -> None:
        """Take the numbers off for good."""
        self._discs.parent = self._words.parent = None


def _text(view, size: float, x: float, y: float, side: str) -> Text:  # type: ignore[no-untyped-def]
    return Text(
        "-", parent=view, color=INK, font_size=size, pos=(x, y), anchor_x=side, anchor_y="center"
    )


def _placed(x: float, y: float, width: float):  # type: ignore[no-untyped-def]
    """Return the transform that puts an image of one row there, its pixels so wide."""
    from vispy.visuals.transforms import STTransform

    return STTransform(scale=(width, BAR_HEIGHT), translate=(x, y))

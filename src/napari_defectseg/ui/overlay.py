"""The double frame around selected objects: drawn on the canvas, not a layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from vispy.scene.visuals import Line, Mesh

GAP, WHITE, BLACK = 4.0, 2.0, 2.0
"""Screen pixels: object to frame, width of the white (inner) and the black (outer) frame."""
MOST_FRAMES = 2000
"""More are not drawn: at that number the frames would hide the picture."""
ORDER = 10**6
"""Above every layer."""

Bounds = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, in world coordinates of the displayed axes."""


class SelectionFrames:
    """Frames of constant width on the screen, black outside and white inside.

    Two widths of a filled mesh rather than wide lines: drivers may draw every line one pixel
    wide. In the 3D view the edges of the boxes are drawn as lines.

    Parameters
    ----------
    viewer : napari.Viewer
        Only its canvas and camera are used; nothing is added to its layers.
    """

    def __init__(self, viewer) -> None:  # type: ignore[no-untyped-def]
        self._viewer = viewer
        self._scene = viewer.window._qt_viewer.canvas.view.scene
        self._mesh = Mesh(parent=self._scene, mode="triangles")
        self._edges = [
            Line(parent=self._scene, connect="segments", method="gl", width=width)
            for width in (BLACK + WHITE, WHITE)
        ]
        self._drawn = [
            Line(parent=self._scene, connect="strip", method="gl", width=width)
            for width in (BLACK + WHITE, WHITE)
        ]
        for visual in (self._mesh, *self._edges, *self._drawn):
            visual.order = ORDER
            visual.set_gl_state("translucent", depth_test=False, cull_face=False)
            visual.visible = False
        self._bounds: list[Bounds] = []
        viewer.scene.camera.events.zoom.connect(self._draw)
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)

    @property
    def count(self) -> int:
        """Number of frames shown."""
        return len(self._bounds)

    def show(self, bounds: Sequence[Bounds]) -> None:
        """Frame these boxes; an empty sequence shows none.

        Parameters
        ----------
        bounds : sequence of (lower, upper)
            Corners in world coordinates of the displayed axes, in their order.
        """
        self._bounds = list(bounds)[:MOST_FRAMES]
        self._draw()

    def show_line(self, points: Sequence[np.ndarray]) -> None:
        """Show a line that is being drawn, in world coordinates; fewer than two points: none."""
        for line, grey in zip(self._drawn, (0.0, 1.0), strict=True):
            line.visible = len(points) > 1
            if line.visible:
                corners = np.stack(points).astype(float)[:, ::-1]
                line.set_data(pos=corners, color=(grey, grey, grey, 1.0))

    def close(self) -> None:
        """Take the frames off the canvas and forget the viewer."""
        self._viewer.scene.camera.events.zoom.disconnect(self._draw)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        for visual in (self._mesh, *self._edges, *self._drawn):
            visual.parent = None
        self._bounds = []

    def _on_ndisplay(self) -> None:
        # Boxes of the other view have another number of axes: whoever shows them does so anew.
        self.show([])

    def _draw(self) -> None:
        flat = self._viewer.dims.ndisplay == 2
        self._mesh.visible = bool(self._bounds) and flat
        for line in self._edges:
            line.visible = bool(self._bounds) and not flat
        if not self._bounds:
            return
        lower = np.stack([low for low, _ in self._bounds]).astype(float)
        upper = np.stack([high for _, high in self._bounds]).astype(float)
        # Vispy counts x first; the last world axis is the screen's x.
        lower, upper = lower[:, ::-1], upper[:, ::-1]
        if flat:
            pixel = 1.0 / max(self._viewer.scene.camera.zoom, 1e-12)
            vertices, faces, colours = frame_mesh(lower, upper, pixel)
            self._mesh.set_data(vertices=vertices, faces=faces, face_colors=colours)
        else:
            edges = box_edges(lower, upper)
            for line, grey in zip(self._edges, (0.0, 1.0), strict=True):
                line.set_data(pos=edges, color=(grey, grey, grey, 1.0))


def frame_mesh(
    lower: np.ndarray, upper: np.ndarray, pixel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the triangles of the black and white frames.

    Parameters
    ----------
    lower, upper : ndarray, shape (n, 2)
        Corners, x first.
    pixel : float
        Size of a screen pixel in the same unit.

    Returns
    -------
    vertices : ndarray, shape (n * 16, 2)
    faces : ndarray of uint32, shape (n * 16, 3)
    colours : ndarray, shape (n * 16, 4)
    """
    rings = ((GAP, WHITE, 1.0), (GAP + WHITE, BLACK, 0.0))
    parts = [_ring(lower, upper, gap * pixel, width * pixel) for gap, width, _ in rings]
    faces, colours, offset = [], [], 0
    for (vertices, triangles), (_, _, grey) in zip(parts, rings, strict=True):
        faces.append(triangles + offset)
        colours.append(np.tile([grey, grey, grey, 1.0], (len(triangles), 1)))
        offset += len(vertices)
    vertices = np.concatenate([vertices for vertices, _ in parts])
    return vertices, np.concatenate(faces).astype(np.uint32), np.concatenate(colours)


def _ring(
    lower: np.ndarray, upper: np.ndarray, gap: float, width: float
) -> tuple[np.ndarray, np.ndarray]:
    inner = _corners(lower - gap, upper + gap)
    outer = _corners(lower - gap - width, upper + gap + width)
    vertices = np.concatenate([inner, outer], axis=1)  # (n, 8, 2)
    sides = [(i, (i + 1) % 4) for i in range(4)]
    one = np.array([t for i, j in sides for t in ((i, j, 4 + i), (j, 4 + j, 4 + i))])
    faces = one[None] + 8 * np.arange(len(lower))[:, None, None]
    return vertices.reshape(-1, 2), faces.reshape(-1, 3)


def _corners(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    x0, y0, x1, y1 = lower[:, 0], lower[:, 1], upper[:, 0], upper[:, 1]
    pairs = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1)


def box_edges(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the twelve edges of each box as pairs of points, shape (n * 24, 3)."""
    signs = np.array([[i >> k & 1 for k in range(3)] for i in range(8)])
    pairs = [(i, i | 1 << k) for i in range(8) for k in range(3) if not i >> k & 1]
    corners = np.where(signs[None], upper[:, None], lower[:, None])
    return corners[:, np.array(pairs).reshape(-1)].reshape(-1, 3)

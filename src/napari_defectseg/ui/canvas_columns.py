"""`CanvasColumns`: columns of the table on the canvas: colours with a bar, ranks of the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_defectseg.ui import columns
from napari_defectseg.ui.colour_bar import ColourBar, Ranks
from napari_defectseg.ui.places import in_sight, world_box
from napari_defectseg.ui.shades import STEPS, Shades, shades_of
from napari_defectseg.ui.stage import stage_of
from napari_defectseg.ui.windows import can_draw

if TYPE_CHECKING:
    import napari

    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.ui.session import Session

CLASS = "class"
"""Not a column of numbers: objects have the colours of their classes."""
VIRIDIS, CIVIDIS = "viridis", "cividis"
UNKNOWN = (0.5, 0.5, 0.5, 1.0)
"""Grey of objects that have no value, or none yet."""
FEW = 50
"""If more objects than these change, it is no edit: the limits are chosen anew."""
LARGEST = 10


class CanvasColumns:
    """Shows what is measured where it lies, and follows edits.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
    """

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        self._viewer, self._session = ref(viewer), session
        drawn = hasattr(viewer, "window")
        self.bar = ColourBar(viewer) if drawn else None
        self.ranks = Ranks(viewer) if drawn else None
        self.key, self.scale = CLASS, VIRIDIS
        self.ranked = ""
        self.shades: Shades | None = None
        self._labels: Any = None

    @property
    def frame(self) -> int:
        """The frame in sight; 0 for labels without time."""
        labels = self._session.labels
        if labels is None or "t" not in labels.axes:
            return 0
        steps = self._known.dims.current_step[-len(labels.axes) :]
        return int(steps[labels.axes.index("t")])

    def colour_by(self, key: str, scale: str = "") -> None:
        """Colour objects by a column, or by `CLASS`."""
        self.key, self.scale = key, scale or self.scale
        self.shades = None
        self.show_table(self._session.table)

    def rank_by(self, key: str) -> None:
        """Show the ranks of the largest objects by a column; empty: none."""
        self.ranked = key
        self.show_ranks()

    def show_table(self, table: RegionTable | None) -> None:
        """Follow the table; None: it is being measured, all objects wait in grey."""
        if table is not None and self.key != CLASS and self.key not in columns.plottable(table):
            self.key = CLASS
        display = stage_of(self._known).display
        if self.key == CLASS:
            self.shades = None
            display.show_shades(None)
        elif table is None:
            self.shades = None
            display.show_shades(np.zeros(1, np.uint8), self._colours())
        else:
            self._shade(table)
        self._show_bar()
        self.show_ranks()

    def _shade(self, table: RegionTable) -> None:
        """Keep the limits while single objects are edited: colours must not jump."""
        display = stage_of(self._known).display
        before, same = self.shades, self._session.labels is self._labels
        self._labels = self._session.labels
        if before is not None and same:
            kept = shades_of(table, self.key, frame=self.frame, limits=before.limits)
            changed = kept.changed_from(before)
            if changed.size <= FEW:
                self.shades = kept
                display.show_some_shades(kept.shade_of, changed.tolist())
                return
        self.shades = shades_of(table, self.key, frame=self.frame)
        display.show_shades(self.shades.shade_of, self._colours())

    def show_step(self) -> None:
        """Show another slice or frame."""
        table = self._session.table
        if self.shades is not None and table is not None and "frame" in table:
            limits = self.shades.limits
            self.shades = shades_of(table, self.key, frame=self.frame, limits=limits)
            stage_of(self._known).display.show_shades(self.shades.shade_of)
        self.show_ranks()

    def show_ranks(self) -> None:
        """Show ranks of the largest objects in sight; an object has one rank, in all slices."""
        viewer, labels = self._known, self._session.labels
        if self.ranks is None or not can_draw(viewer):
            return
        places, words = [], []
        layers = stage_of(viewer).labels_layers
        shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
        for rank, number in enumerate(self._largest(), start=1):
            value = None if labels is None else labels.object_classes.get(number)
            if labels is None or value is None or labels.plane_of(value) >= len(layers):
                continue
            layer, box = layers[labels.plane_of(value)], labels.index.box(number)
            if in_sight(viewer, layer, box):
                low, high = world_box(layer, box)
                places.append((low + high)[shown] / 2)
                words.append(str(rank))
        self.ranks.show(np.array(places), words)

    def close(self) -> None:
        """Give objects the colours of their classes again and leave the canvas."""
        viewer = self._viewer()
        if viewer is None or not can_draw(viewer):
            return
        self.key, self.ranked = CLASS, ""
        stage_of(viewer).display.show_shades(None)
        for part in (self.bar, self.ranks):
            if part is not None:
                part.close()

    @property
    def _known(self) -> napari.Viewer:
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    def _largest(self) -> list[int]:
        table = self._session.table
        if not self.ranked or table is None or self.ranked not in table:
            return []
        values = np.asarray(table[self.ranked], float)
        rows = np.flatnonzero(np.isfinite(values))
        if "frame" in table:
            rows = rows[np.asarray(table["frame"])[rows] == self.frame]
        few = rows[np.argsort(-values[rows], kind="stable")[:LARGEST]]
        return [int(number) for number in np.asarray(table["label"])[few]]

    def _colours(self) -> np.ndarray:
        return np.vstack([scale_of(self.scale), UNKNOWN])

    def _show_bar(self) -> None:
        if self.bar is None or not can_draw(self._known):
            return
        if self.shades is None:
            self.bar.hide()
        else:
            self.bar.show(self.shades.heading, self.shades.ends, scale_of(self.scale))


def scale_of(name: str) -> np.ndarray:
    """Return the colours of a scale, shape (STEPS, 4), from 0 to 1."""
    import pyqtgraph

    found = pyqtgraph.colormap.get(name).getLookupTable(nPts=STEPS, alpha=True)
    return np.asarray(found, float) / 255

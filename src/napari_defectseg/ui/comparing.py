"""`Comparing`: what the labels can be compared with, the comparison, its layer on the canvas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_defectseg.core.classes import PALETTE
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.labels.find_journal import find_journal
from napari_defectseg.labels.restore import restore
from napari_defectseg.review.compare import Comparison, compare_steps, difference_map
from napari_defectseg.review.merge import Merge, merge_steps
from napari_defectseg.review.other import other_labels
from napari_defectseg.ui import layers
from napari_defectseg.ui.stage import stage_of

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap

NAME = "differences"
COLOURS = {1: "blue", 2: "orange", 3: "magenta"}
"""Only left, only right, something else on each side."""


@dataclass(frozen=True)
class Other:
    """Something to compare with: its name, and what makes a label map of it."""

    name: str
    make: Callable[[], LabelMap]


class Comparing:
    """One a Review page.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._stage = stage_of(viewer)
        self.others: list[Other] = []
        self.comparison: Comparison | None = None
        self._layer: Labels | None = None

    def look(self) -> list[str]:
        """Return the names of what there is to compare with now."""
        session = self._stage.session
        labels, prediction = session.labels, session.prediction
        self.others = []
        if labels is None:
            return []
        if prediction is not None and prediction.shape == labels.shape:
            settings = session.decode
            self.others.append(
                Other("the model's own objects", lambda: prediction.labels(settings))
            )
        ours = set(self._stage.labels_layers)
        for layer in self._viewer.layers:
            fits = isinstance(layer, Labels) and tuple(layer.data.shape) == labels.shape
            if fits and layer not in ours and layer is not self._layer:
                self.others.append(Other(layer.name, _reading(layer, labels)))
        return [other.name for other in self.others]

    def steps(self, other: Other) -> Steps[tuple[Comparison, np.ndarray]]:
        """Compare, in the worker; returns the comparison and what its layer shows."""
        labels = self._stage.session.labels
        assert labels is not None
        yield Step(0, 0, f"Reading {other.name}")
        right = other.make()
        comparison = yield from compare_steps(labels, right)
        yield Step(0, 0, "Drawing the differences")
        return comparison, hatched(difference_map(labels, right))

    def merge_steps(self, folder: Path) -> Steps[tuple[Merge, int]]:
        """Read another person's edits and merge them, in the worker.

        Returns the merge and the revision of the labels it was made for.
        """
        session = self._stage.session
        history, image = session.history, session.image
        assert history is not None
        yield Step(0, 0, "Reading the edits")
        info = find_journal(folder, "" if image is None else image.sha256())
        theirs, _ = restore(info.path, attach=False)
        revision = history.labelmap.revision
        found = yield from merge_steps(history, theirs)
        return found, revision

    def differences_of(self, comparison: Comparison) -> tuple[Comparison, np.ndarray]:
        """Return a comparison with what its layer shows: its own differences alone."""
        shown = np.zeros(comparison.left.shape, np.uint8)
        for one in comparison.differences:
            corner = tuple(side.start for side in one.box)
            part = difference_map(comparison.left, comparison.right, one.box)
            shown[one.box] = hatched(part, corner)
        return comparison, shown

    def show(self, found: tuple[Comparison, np.ndarray]) -> None:
        """Take a comparison and show where the sides differ."""
        self.close()
        self.comparison, shown = found
        ours = self._stage.labels_layers
        if not ours:
            return
        active = self._viewer.layers.selection.active
        known = {name: colour for name, colour, _ in PALETTE}
        colours: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        colours |= {value: known[name] for value, name in COLOURS.items()}
        self._layer = Labels(
            shown,
            name=NAME,
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=0.8,
            metadata={layers.KEY: {"kind": "difference"}},
            **layers.geometry(ours[0], shown.ndim),
        )
        self._layer.editable = False
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection.active = active

    def show_again(self, edited: LabelMap) -> None:
        """Show what is left of the differences in the current box, after an edit there."""
        comparison = self.comparison
        if self._layer is None or comparison is None or comparison.current is None:
            return
        box = comparison.current.box
        part = difference_map(edited, comparison.right, box)
        self._layer.data[box] = hatched(part, tuple(side.start for side in box))
        self._layer.refresh()

    def close(self) -> None:
        """Take the layer off the canvas and forget the comparison."""
        self.comparison = None
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None


def hatched(difference: np.ndarray, corner: tuple[int, ...] = (0, 0)) -> np.ndarray:
    """Return a map of differences with gaps: stripes where only left, checks where only right.

    Parameters
    ----------
    difference : ndarray of uint8
        From `difference_map`; changed in place.
    corner : tuple of int
        Where it lies, so that the pattern goes on across boxes.
    """
    rows = np.arange(difference.shape[-2])[:, None] + corner[-2]
    columns = np.arange(difference.shape[-1])[None, :] + corner[-1]
    stripes = (rows + columns) % 6 < 2
    checks = (rows // 3 + columns // 3) % 2 == 0
    difference[(difference == 1) & stripes] = 0
    difference[(difference == 2) & checks] = 0
    return difference


def _reading(layer: Labels, like: LabelMap) -> Callable[[], LabelMap]:
    return lambda: other_labels(np.asarray(layer.data), like)

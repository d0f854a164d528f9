"""`Shaping`: what the selected objects become by the model's scores, the image, or other slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_defectseg.core.errors import DefectSegError, LabelError
from napari_defectseg.ui.pixels import grey_reader, score_reader

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.hand import Hand


class Shaping:
    """Edits of whole objects beyond those of the hand; every refusal is told by the hand.

    Parameters
    ----------
    hand : Hand
    """

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._seeds: dict[int, tuple[int, ...]] = {}
        self._labels: Any = lambda: None
        hand.viewer.mouse_wheel_callbacks.append(self._on_wheel)

    def release(self) -> None:
        """Leave the mouse wheel."""
        callbacks = self._hand.viewer.mouse_wheel_callbacks
        if self._on_wheel in callbacks:
            callbacks.remove(self._on_wheel)

    # -- by the model's scores -----------------------------------------------------------

    def grow(self) -> Edit | None:
        """Let the selected object grow to the next lower level of the scores."""
        return self._step(grow=True)

    def shrink(self) -> Edit | None:
        """Let the selected object shrink to the next higher level of the scores."""
        return self._step(grow=False)

    def _step(self, *, grow: bool) -> Edit | None:
        from napari_defectseg.labels.tools.level import level, surest

        labels, number = self._one()
        if labels is None:
            return None
        if self._labels() is not labels:
            self._labels, self._seeds = ref(labels), {}

        def make() -> Edit | None:
            read = score_reader(self._hand.session, labels.class_of(number))
            seed = self._seeds.get(number) or surest(labels, number, read)
            # Where one began to turn the wheel stays the middle, else growing may run away.
            self._seeds = {number: seed}
            within = self._hand.within()
            return level(labels, number, read, grow=grow, seed=seed, within=within)

        return self._hand.do(make)

    def _on_wheel(self, viewer: napari.Viewer, event: Any) -> None:
        """Grow and shrink with Shift and the wheel; without Shift it zooms."""
        if {str(one) for one in event.modifiers} != {"Shift"} or not self._hand.selected():
            return
        # Some systems turn the wheel sideways while Shift is held.
        turned = float(np.sum(event.delta))
        if turned:
            self._step(grow=turned > 0)
            event.handled = True

    # -- by the image and by other slices ------------------------------------------------

    def fill_strokes(self) -> None:
        """Fill the object that the selected strokes lie in."""
        from napari_defectseg.labels.tools.scribbles import fill_scribbles

        labels, number = self._one()
        if labels is not None:
            session = self._hand.session
            self._hand.later(
                "Filling from strokes",
                lambda: fill_scribbles(labels, number, grey_reader(session)),
            )

    def between(self) -> Edit | None:
        """Fill the slices between those in which the selected objects were painted."""
        from napari_defectseg.labels.tools.interpolate import interpolate

        return self._with_selected(
            lambda labels, chosen: interpolate(labels, chosen, axis=self._axis(labels))
        )

    def copy(self, step: int) -> Edit | None:
        """Copy the selected objects to the slice before or behind, and go there."""
        from napari_defectseg.labels.tools.copy_slice import copy_slice

        hand = self._hand

        def make(labels: LabelMap, chosen: list[int]) -> Edit | None:
            axis = self._axis(labels)
            if axis is None:
                raise LabelError("An image has no other slices.")
            here = hand.place()[axis]
            return copy_slice(labels, chosen, axis=axis, source=here, target=here + step)

        done = self._with_selected(make)
        if done is not None:
            self._move(step)
        return done

    def copy_back(self) -> Edit | None:
        """Copy the selected objects to the slice before."""
        return self.copy(-1)

    def copy_on(self) -> Edit | None:
        """Copy the selected objects to the next slice."""
        return self.copy(1)

    def _move(self, step: int) -> None:
        labels, dims = self._hand.session.labels, self._hand.viewer.dims
        axis = None if labels is None else self._axis(labels)
        if labels is not None and axis is not None:
            shown = axis + dims.ndim - len(labels.axes)
            dims.set_current_step(shown, dims.current_step[shown] + step)

    def _axis(self, labels: LabelMap) -> int | None:
        """Return the axis across the slices in sight: z, in another plane what is hidden there."""
        dims = self._hand.viewer.dims
        lead = dims.ndim - len(labels.axes)
        hidden = [axis - lead for axis in dims.not_displayed if axis >= lead]
        return next((axis for axis in hidden if labels.axes[axis] != "t"), None)

    def repeat(self, frames: int) -> None:
        """Repeat the selected objects in so many frames; negative: in those before."""
        from napari_defectseg.labels.tools.propagate import propagate

        session, chosen = self._hand.session, self._hand.selected()
        labels = session.labels
        if labels is None or not chosen or "t" not in labels.axes:
            return
        here = labels.index.box(chosen[0])[labels.axes.index("t")].start
        sign = 1 if frames > 0 else -1
        wanted = [here + sign * step for step in range(1, abs(frames) + 1)]
        self._hand.later(
            "Repeating in other frames",
            lambda: propagate(labels, chosen, wanted, grey_reader(session)),
        )

    # -- lines ---------------------------------------------------------------------------

    def join(self) -> Edit | None:
        """Make one line of the selected ones, with bridges over the gaps."""
        from napari_defectseg.labels.tools.join import join

        return self._with_selected(join)

    def set_width(self) -> Edit | None:
        """Give the selected lines the width of traced ones."""
        from napari_defectseg.labels.tools.width import set_width

        width = self._hand.line_width
        return self._with_selected(lambda labels, chosen: set_width(labels, chosen, width))

    # -- inside --------------------------------------------------------------------------

    def _one(self) -> tuple[Any, int]:
        """Return labels and the one selected object; (None, 0) where there is not one."""
        chosen = self._hand.selected()
        if len(chosen) == 1:
            return self._hand.session.labels, chosen[0]
        error = LabelError("This needs one selected object.", hint="Click it first.")
        self._hand.failed.emit(error)
        return None, 0

    def _with_selected(self, make: Callable[[LabelMap, list[int]], Edit | None]) -> Edit | None:
        labels, chosen = self._hand.session.labels, self._hand.selected()
        if labels is None or not chosen:
            error: DefectSegError = LabelError("No object is selected.", hint="Click one first.")
            self._hand.failed.emit(error)
            return None
        return self._hand.do(lambda: make(labels, chosen))

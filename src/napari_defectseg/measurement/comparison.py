"""`Comparison`: one truth beside one prediction, counted class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_defectseg.core.axes import Axes, spatial
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.matching import MatchRule
from napari_defectseg.measurement.side import Masks, Side, read_side
from napari_defectseg.measurement.source import bare_axes
from napari_defectseg.measurement.tally import Tally, tally

Spacing = float | Sequence[float]


@dataclass(frozen=True)
class Compared:
    """Counts of one pair.

    Parameters
    ----------
    classes : mapping of int to Tally
        By class value.
    background : Tally
        Of what is of no class; pixels alone, it has no objects.
    notes : tuple of str
    """

    classes: Mapping[int, Tally]
    background: Tally
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """How a truth and a prediction are compared; see `evaluate` for the fields."""

    classes: ClassMap | None
    spacing: Spacing | None
    axes: Axes | None
    connectivity: int | None

    def compare(self, truth: Masks, prediction: Masks, rules: Sequence[MatchRule]) -> Compared:
        """Return what the two have in common.

        Raises
        ------
        MeasurementError
            If they do not belong together.
        """
        axes, planes = self._axes(truth, prediction)
        one, other = (
            read_side(
                masks if isinstance(masks, LabelMap) else np.asarray(masks),
                axes,
                self.classes,
                planes=apart,
                connectivity=self.connectivity,
            )
            for masks, apart in zip((truth, prediction), planes, strict=True)
        )
        if one.shape != other.shape:
            raise MeasurementError(
                f"The truth has the shape {one.shape}, the prediction {other.shape}.",
                hint="Compare masks of one image.",
            )
        values = self.classes.values if self.classes else tuple(one.found | other.found)
        steps = self._steps(truth, prediction, len(spatial(axes)))
        return Compared(
            {value: _count(one, other, value, "t" in axes, rules, steps) for value in values},
            _background(one, other, values),
            (*one.notes, *other.notes),
        )

    def _axes(self, truth: Masks, prediction: Masks) -> tuple[Axes, tuple[bool, bool]]:
        """Return the axes without classes, and which of the two has its classes in front."""
        maps = [masks for masks in (truth, prediction) if isinstance(masks, LabelMap)]
        overlap = self.classes is not None and not self.classes.exclusive
        arrays = [np.asarray(m) for m in (truth, prediction) if not isinstance(m, LabelMap)]
        ndim = [array.ndim for array in arrays]
        if self.axes or maps:
            axes = self.axes or maps[0].axes
        else:
            # A mask of exclusive values beside a stack of planes has one axis less.
            least = min(arrays, key=lambda array: array.ndim)
            apart = overlap and ndim[0] == ndim[1]
            count = len(self.spacing) if isinstance(self.spacing, Sequence) else None
            axes = bare_axes(least.shape[1:] if apart else least.shape, count)
        planes = [
            overlap and not isinstance(masks, LabelMap) and np.ndim(masks) == len(axes) + 1
            for masks in (truth, prediction)
        ]
        for masks, apart in zip((truth, prediction), planes, strict=True):
            shape = masks.shape if isinstance(masks, LabelMap) else np.shape(masks)[apart:]
            if len(shape) != len(axes):
                raise MeasurementError(
                    f"A mask of shape {np.shape(masks)} does not have the axes {''.join(axes)}."
                )
        return axes, (planes[0], planes[1])

    def _steps(self, truth: Masks, prediction: Masks, ndim: int) -> tuple[float, ...]:
        if self.spacing is not None:
            values = np.atleast_1d(np.asarray(self.spacing, float))
            values = np.repeat(values, ndim) if values.size == 1 else values
            if values.size != ndim or not (np.isfinite(values) & (values > 0)).all():
                raise MeasurementError(
                    f"The pixel size {self.spacing} does not fit {ndim} spatial axes.",
                    hint="Give one positive number for each: (y, x) or (z, y, x).",
                )
            return tuple(values.tolist())
        for masks in (truth, prediction):
            if isinstance(masks, LabelMap) and masks.calibration.calibrated:
                return masks.calibration.steps
        return (1.0,) * ndim


def _count(
    truth: Side,
    prediction: Side,
    value: int,
    moving: bool,
    rules: Sequence[MatchRule],
    steps: Sequence[float],
) -> Tally:
    one, other = truth.view(value), prediction.view(value)
    ignored = [view.unlabelled for view in (one, other) if view.unlabelled is not None]
    total = Tally()
    for frame in range(truth.shape[0] if moving else 1):
        key = frame if moving else slice(None)
        numbers = []
        for view in (one, other):
            own = np.where(view.own, np.arange(view.own.size), 0).astype(np.int32)
            numbers.append(own[view.labels[key]])
        pixels = numbers[0].size
        if ignored:
            out = np.logical_or.reduce([part[key] for part in ignored])
            pixels -= int(np.count_nonzero(out))
            for part in numbers:
                part[out] = 0
        total += tally(numbers[0], numbers[1], pixels, rules, steps)
    return total


def _background(truth: Side, prediction: Side, values: Sequence[int]) -> Tally:
    free = []
    seen = np.ones(truth.shape, bool)
    for side in (truth, prediction):
        any_class = np.zeros(side.shape, bool)
        for view in (side.view(value) for value in values):
            any_class |= view.own[view.labels]
            if view.unlabelled is not None:
                seen &= ~view.unlabelled
        free.append(~any_class)
    one, other = free[0] & seen, free[1] & seen
    return Tally(
        int(np.count_nonzero(one & other)),
        int(np.count_nonzero(one)),
        int(np.count_nonzero(other)),
        int(np.count_nonzero(seen)),
    )

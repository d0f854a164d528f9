"""`Inputs`: what is measured together with the labels: grey values, scores, what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.grey import Grey
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.source import Source

Codes = NDArray[np.uint8]

Window = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Inputs:
    """What belongs to the labels while they are measured.

    Parameters
    ----------
    codes : ndarray of uint8 or None
        In the labels' shape: 0 not counted, 1 counted, 2 counted and at the border;
        None: all is counted.
    grey : Grey or None
    scores : array-like of shape (channel, …) or None
        Probabilities; the channels are the classes in order, perhaps with the background first.
    channel_of : ndarray of int16, shape (256,), or None
        Channel of each class value, -1 for none.
    settings : MeasureSettings
    limited : bool
        Whether a region of interest or exclusions were given: the specimen has a surface.
    """

    codes: Codes | None = None
    grey: Grey | None = None
    scores: Any = None
    channel_of: NDArray[np.int16] | None = None
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    limited: bool = False

    @classmethod
    def of(
        cls,
        source: Source,
        image: CalibratedImage | NDArray[Any] | None,
        space: ReferenceSpace | None,
        scores: Any,
        settings: MeasureSettings,
    ) -> Inputs:
        """Return what is measured together with the labels, checked against them.

        Raises
        ------
        MeasurementError
            If image, reference space or scores have another shape than the labels.
        """
        grey = None
        if image is not None and settings.intensity:
            grey = Grey.of(image, source.axes, source.shape)
        limited = space is not None and not (space.roi is None and space.exclude is None)
        channels = None
        if scores is not None:
            _check_scores(scores, source)
            channels = _channels(source, scores)
        codes = border_codes(space, source)
        return cls(codes, grey, scores, channels, settings, limited)

    @property
    def names(self) -> frozenset[str]:
        """Names of the inputs that are there."""
        there = {
            "image": self.grey is not None,
            "scores": self.scores is not None,
            "specimen": self.limited,
            "axis": bool(self.settings.axis),
            "blur": self.settings.blur > 0,
        }
        return frozenset(name for name, value in there.items() if value)

    @cached_property
    def counted(self) -> int | None:
        """Number of pixels that are counted; None: all."""
        return None if self.codes is None else int(np.count_nonzero(self.codes))

    def window(self, shape: Sequence[int], moving: bool) -> Window | None:
        """Return first indices and sides of what is counted in a frame; None: no rectangle.

        Parameters
        ----------
        shape : sequence of int
            Shape of the labels.
        moving : bool
            Whether their first axis is time.
        """
        frame = tuple(shape[1:] if moving else shape)
        if self.codes is None:
            return (0,) * len(frame), frame
        counted = np.asarray(self.codes) > 0
        if moving:
            if not np.array_equal(counted.all(axis=0), counted.any(axis=0)):
                return None
            counted = counted[0]
        low, sides = [], []
        for axis in range(counted.ndim):
            others = tuple(other for other in range(counted.ndim) if other != axis)
            held = np.flatnonzero(counted.any(axis=others))
            if not held.size:
                return None
            low.append(int(held[0]))
            sides.append(int(held[-1] - held[0] + 1))
        if int(np.prod(sides)) != int(np.count_nonzero(counted)):
            return None
        return tuple(low), tuple(sides)


def border_codes(space: ReferenceSpace | None, source: Source) -> Codes | None:
    """Return what is counted: 0 no, 1 yes, 2 yes and at the border; None where all is.

    A pixel is at the border if a neighbour that shares a face with it in the same frame is
    not counted, or outside the array.

    Raises
    ------
    MeasurementError
        If the reference space has another shape than the labels.
    """
    whole = space is None or (space.roi is None and space.exclude is None)
    if whole and source.unlabelled is None:
        return None
    inside = np.ones(source.shape, bool) if space is None or whole else _fit(space, source)
    if source.unlabelled is not None:
        inside &= ~source.unlabelled
    inner = inside.copy()
    for axis in range(1 if "t" in source.axes else 0, inside.ndim):
        here, there = np.moveaxis(inner, axis, 0), np.moveaxis(inside, axis, 0)
        here[:-1] &= there[1:]
        here[1:] &= there[:-1]
        here[0] = here[-1] = False
    codes = inside.astype(np.uint8)
    codes += inside & ~inner
    return codes


def _fit(space: ReferenceSpace, source: Source) -> NDArray[np.bool_]:
    mask = space.mask()
    if mask.shape == source.shape:
        return mask
    if "t" in source.axes and mask.shape == source.shape[1:]:
        return np.broadcast_to(mask, source.shape).copy()
    raise MeasurementError(
        f"The region that is counted has the shape {mask.shape}, the labels have {source.shape}."
    )


def _check_scores(scores: Any, source: Source) -> None:
    shape = tuple(int(n) for n in scores.shape)
    classes = _class_count(source)
    if shape[1:] != source.shape or shape[0] not in (classes, classes + 1):
        raise MeasurementError(
            f"The scores have the shape {shape}; {classes} channels (or one more for the "
            f"background) of {source.shape} were expected."
        )


def _channels(source: Source, scores: Any) -> NDArray[np.int16]:
    of_value = np.full(256, -1, np.int16)
    background = int(scores.shape[0]) - _class_count(source)
    if source.classes is None:
        of_value[0] = background
    else:
        for index, value in enumerate(source.classes.values):
            of_value[value] = index + background
    return of_value


def _class_count(source: Source) -> int:
    return len(source.classes) if source.classes is not None else 1

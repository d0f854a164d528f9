"""From labels, grey values and scores to `Objects`: frame by frame, slab by slab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.runs import Runs
from napari_defectseg.components.team import Team, team_for
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.measurement import moments
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.pixels import Pixels
from napari_defectseg.measurement.slabs import Box, Key, cut_into_slabs
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.sums import Sums


@dataclass(frozen=True)
class Found:
    """Objects found in one plane and frame.

    Parameters
    ----------
    frame, plane : int
    label : ndarray of int64, shape (n,)
    class_value : ndarray of uint8, shape (n,)
    whole, real : ndarray, shape (n, …)
        Sums as `moments` lays them out.
    """

    frame: int
    plane: int
    label: NDArray[np.int64]
    class_value: NDArray[np.uint8]
    whole: NDArray[np.int64]
    real: NDArray[np.float64]


def collect_steps(source: Source, inputs: Inputs) -> Steps[Objects]:
    """Sum up all objects, by frame, plane and object number; see `Step`."""
    moving = "t" in source.axes
    frames = range(source.shape[0]) if moving else (0,)
    shape = source.shape[1:] if moving else source.shape
    slabs = list(cut_into_slabs(tuple(slice(0, length) for length in shape)))
    total = len(frames) * len(source.planes) * len(slabs)
    done, found = 0, []
    with team_for(math.prod(shape)) as team:
        for frame in frames:
            at = frame if moving else None
            for plane, labels in enumerate(source.planes):
                summing = Summing(inputs, at, shape, source.class_of[plane])
                read = team.ahead(partial(labels.runs, at, box) for box in slabs)
                for box in slabs:
                    yield Step(done, total, "Measuring objects")
                    summing.add(next(read), box, team)
                    done += 1
                found.append(summing.found(plane, source.names[plane]))
    return join(source, inputs, found)


class Summing:
    """Sums of the objects of one plane and frame in the making.

    Parameters
    ----------
    inputs : Inputs
    frame : int or None
        None for labels without time.
    shape : tuple of int
        Shape of a frame.
    class_of : ndarray of uint8
        Class value of each number that will come.
    """

    def __init__(
        self,
        inputs: Inputs,
        frame: int | None,
        shape: Sequence[int],
        class_of: NDArray[np.uint8],
    ) -> None:
        self._inputs = inputs
        self._frame = frame
        self._shape = tuple(shape)
        self._class_of = class_of
        self._sums = Sums(class_of.size - 1)
        channels = inputs.channel_of
        self._channels = None if channels is None else channels[class_of]

    def add(self, runs: Runs, box: Box, team: Team | None = None) -> None:
        """Add the runs in a box of the frame, numbers as values; boxes come in scan order.

        Parameters
        ----------
        runs : Runs
        box : tuple of slice
        team : Team or None
            Threads that share the work.
        """
        inputs = self._inputs
        key: Key = box if self._frame is None else (self._frame, *box)
        codes = None if inputs.codes is None else _volume(np.asarray(inputs.codes)[key])
        grey = None if inputs.grey is None else _volume(inputs.grey.read(key))
        z, y, x = (0, *(side.start for side in box))[-3:]
        self._sums.add(runs, (z, y, x), codes, grey, team)
        if self._channels is not None:
            scores = np.asarray(inputs.scores[(slice(None), *key)], np.float32)
            scores = scores.reshape(-1, *runs.shape)
            self._sums.add_scores(runs, codes, scores, self._channels)

    def found(self, plane: int, names: NDArray[np.int64] | None = None) -> Found:
        """Return what was added, by rising number; `names` are what the numbers are called."""
        whole, real = self._sums.rows()
        if self._inputs.codes is None:
            _mark_cut(whole, self._shape)
        number = whole[:, moments.LABEL]
        label = number.copy() if names is None else names[number]
        return Found(self._frame or 0, plane, label, self._class_of[number], whole, real)


def join(source: Source, inputs: Inputs, found: Sequence[Found]) -> Objects:
    """Return what was found as objects, in the order given."""
    sizes = [item.label.size for item in found]
    more = {"time"} if "t" in source.axes else set()
    more |= {"classes"} if source.classes is not None else set()
    return Objects(
        np.concatenate([item.label for item in found]),
        np.repeat(np.array([item.frame for item in found], np.int64), sizes),
        np.repeat(np.array([item.plane for item in found], np.int64), sizes),
        np.concatenate([item.class_value for item in found]),
        np.concatenate([item.whole for item in found]),
        np.concatenate([item.real for item in found]),
        source.axes,
        source.calibration,
        source.classes,
        inputs.names | more,
        inputs.settings,
        Pixels(source, inputs),
    )


def _volume(part: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(part)
    return array.reshape((1, *array.shape)) if array.ndim == 2 else array


def _mark_cut(whole: NDArray[np.int64], shape: tuple[int, ...]) -> None:
    start = 3 - len(shape)
    low = whole[:, moments.LOW + start : moments.LOW + 3]
    high = whole[:, moments.HIGH + start : moments.HIGH + 3]
    whole[:, moments.CUT] = ((low == 0) | (high == np.array(shape) - 1)).any(axis=1)

"""A volume seen across each of its three axes by a network for planes: the mean of all three."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.errors import ImageError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.job import Job, on_region, prepare
from napari_defectseg.inference.scores import SIDES, Room
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import Model

if TYPE_CHECKING:
    from napari_defectseg.inference.pieces import Part
    from napari_defectseg.inference.several import Member, Target
    from napari_defectseg.inference.tiling import Box

Array = np.ndarray[Any, Any]
ACROSS = ("z", "y", "x")
"""The axes that planes are cut across, in this order."""
NAMES = {
    "z": {},
    "y": {"y": "z", "z": "y"},
    "x": {"x": "z", "z": "y", "y": "x"},
}
"""What the axes are called for planes across each of them: the one that is gone through is z."""
SHARE = 4
"""A slab that waits to be added takes at most this part of the memory."""


def across(image: CalibratedImage, axis: str) -> CalibratedImage:
    """Return the same array as a stack of planes across another axis; nothing is moved.

    Parameters
    ----------
    image : CalibratedImage
    axis : {"z", "y", "x"}
    """
    names = NAMES[axis]
    return replace(image, axes=tuple(names.get(name, name) for name in image.axes), levels=())


def jobs_for(model: Model, image: CalibratedImage, settings: PredictSettings) -> list[Job]:
    """Return the work of predicting with one model: one job, or one for each direction.

    Raises
    ------
    ImageError
        If three directions are asked for and the image is no volume.
    ModelError
        If the network sees volumes anyway, or cannot be run.
    DeviceError
        If the device or the memory is not there.
    """
    if settings.volume == "slices":
        return [prepare(model, image, settings)]
    _check(model, image)
    first = prepare(model, image, settings)
    own = replace(settings, region=None)  # its axes have other names across other axes
    others = [prepare(model, across(image, axis), own, square=True) for axis in ACROSS[1:]]
    if first.layout.region is not None:
        others = [on_region(job, first.layout.region) for job in others]
    note = _spacing_note(image)
    warnings = (*first.warnings, note) if note else first.warnings
    # What is said of the image is said once.
    return [replace(first, warnings=warnings), *(replace(job, warnings=()) for job in others)]


def _check(model: Model, image: CalibratedImage) -> None:
    if model.card.dims != 2:
        raise ModelError(
            f"{model.card.name} sees volumes as they are, so there are no three directions to "
            "take the mean of.",
            hint="Leave volume=slices.",
        )
    if "z" not in image.axes:
        raise ImageError(
            f"{image.name} has the axes {' '.join(image.axes)}; planes across three axes need a "
            "volume with z, y, x.",
            hint="Predict it slice by slice, or say which of its axes is z.",
        )


def _spacing_note(image: CalibratedImage) -> str:
    """Return the sentence about slices that are stretched, or whose distance is not known."""
    size = image.size_along(("z", "y", "x"))
    if any(step is None for step in size.spacing):
        return (
            f"{image.name} has no pixel size along every axis; its slices were taken to be as far "
            "apart as its pixels."
        )
    z, _, x = size.steps
    if math.isclose(z, x, rel_tol=1e-3):
        return ""
    return (
        f"{image.name} has slices {z:.4g} {size.unit} apart and pixels of {x:.4g} {size.unit}: "
        "across y and x the network saw them resampled to square pixels."
    )


def thickness_of(room: Room, job: Job) -> int:
    """Return how many planes are gathered before they are added: one in memory, else a chunk.

    Less where a slab of a chunk's thickness would take too much of the memory.
    """
    if isinstance(room.readable, np.ndarray):
        return 1
    spatial = [n for name, n in zip(job.image.label_axes, room.readable.shape[1:], strict=True)
               if name != "t"]  # fmt: skip
    plane = 4 * job.scores_shape[0] * math.prod(spatial) // min(spatial)
    thickness = SIDES[3]
    while thickness > 1 and thickness * plane * SHARE > job.budget:
        thickness = next(n for n in range(thickness - 1, 0, -1) if SIDES[3] % n == 0)
    return thickness


class Slabs:
    """Gathers the planes of one direction into slabs before they are added to what is there.

    What lies on the disk in chunks is then read and written once a slab, not once a plane.

    Parameters
    ----------
    target : Target
    thickness : int
        Planes of a slab.
    """

    def __init__(self, target: Target, thickness: int) -> None:
        self._target, self._thickness = target, thickness
        self._axes: Axes = ()
        self._lengths: tuple[int, ...] = ()
        self._at: Box | None = None
        self._slab = np.zeros(0, np.float32)

    def start(self, member: Member) -> None:
        """Begin with the next direction or model."""
        self._axes = member.job.layout.image.label_axes
        self._lengths = member.job.scores_shape[1:]
        self._at = None
        self._target.start(member)

    def take(self, where: Box, scores: Array) -> Part | None:
        """Take a part of a plane; returns what is there now where a slab became whole."""
        at, part = self._slab_of(where), None
        if at != self._at:
            part = self.flush()
            self._at = at
            self._slab = np.zeros([one.stop - one.start for one in at], np.float32)
        inside = (
            slice(one.start - base.start, one.stop - base.start)
            for one, base in zip(where, at, strict=True)
        )
        self._slab[tuple(inside)] = scores
        return part

    def flush(self) -> Part | None:
        """Add the slab that waits, if there is one."""
        at, self._at = self._at, None
        return None if at is None else self._target.take(at, self._slab)

    def again(self) -> None:
        """Forget the slab that waits: its model or direction begins anew."""
        self._at = None
        self._target.again()

    def _slab_of(self, where: Box) -> Box:
        """Return the slab that a part belongs to: whole along the axes of its plane."""
        found = [where[0]]
        for name, length, part in zip(self._axes, self._lengths, where[1:], strict=True):
            if name == "z":
                start = part.start // self._thickness * self._thickness
                part = slice(start, min(start + self._thickness, length))
            elif name != "t":
                part = slice(0, length)
            found.append(part)
        return tuple(found)

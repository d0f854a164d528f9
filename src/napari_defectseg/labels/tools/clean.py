"""Clean: objects that are too small, too large or cut by the image's edge are removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.setting import Setting
from napari_defectseg.labels import boxes
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Change, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.remove import removal

TOOL = "clean"


@dataclass(frozen=True)
class CleanSettings:
    """What is removed.

    Parameters
    ----------
    min_size : float
        Objects with fewer pixels (voxels) go.
    max_size : float or None
        Objects with more go; None: no limit.
    border : bool
        Objects that touch the image's edge go.
    classes : tuple of int
        Only objects of these class values; empty: all.
    protect : bool
        Leave objects that a person has checked.
    """

    min_size: Annotated[float, Setting("Remove below", unit="px", low=0, high=1e9, step=1)] = 0.0
    max_size: Annotated[float | None, Setting("Remove above", unit="px", low=0, none="none")] = None
    border: Annotated[bool, Setting("and at the border")] = False
    classes: Annotated[tuple[int, ...], Setting("Only classes")] = ()
    protect: Annotated[bool, Setting("Keep what a person has checked")] = True

    def __post_init__(self) -> None:
        if not self.min_size >= 0 or (self.max_size is not None and self.max_size < self.min_size):
            raise LabelError(
                f"Objects between {self.min_size} and {self.max_size} px are to stay; "
                "that is not a range."
            )


def clean(labelmap: LabelMap, settings: CleanSettings, *, within: Box | None = None) -> Edit | None:
    """Remove all objects that a rule names, as one edit.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    settings : CleanSettings
    within : Box or None
        One slice: what lies in it is judged and removed as if there were nothing else; None:
        whole objects.
    """
    changes: list[Change | None] = []
    classes: dict[int, int] = {}
    decided: set[int] = set()
    next_label = labelmap.next_label
    for plane in range(len(labelmap.planes)):
        doomed = _doomed(labelmap, plane, settings, within)
        if within is None:
            changes.extend(removal(labelmap, plane, doomed))
        elif doomed:
            draft = Draft(labelmap, plane, next_label)
            mask = np.isin(draft.read(within), list(doomed))
            draft.put(within, mask, 0)
            draft.decided |= doomed
            draft.split_apart(doomed, within, mask)
            changes.append(draft.change())
            classes |= draft.classes
            decided |= draft.decided
            next_label = draft.next_label
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)


def _doomed(
    labelmap: LabelMap, plane: int, settings: CleanSettings, within: Box | None
) -> set[int]:
    block = labelmap.planes[plane][boxes.whole(labelmap.shape) if within is None else within]
    sizes = labelmap.index.sizes if within is None else np.bincount(block.reshape(-1))
    edge = _at_edge(labelmap, plane, within) if settings.border else set()
    return {
        number
        for number in _candidates(labelmap, plane, settings)
        if number < sizes.size
        and sizes[number] > 0
        and (
            sizes[number] < settings.min_size
            or (settings.max_size is not None and sizes[number] > settings.max_size)
            or number in edge
        )
    }


def _candidates(labelmap: LabelMap, plane: int, settings: CleanSettings) -> Iterable[int]:
    for number, value in labelmap.object_classes.items():
        if labelmap.plane_of(value) != plane or (settings.protect and number in labelmap.checked):
            continue
        if not settings.classes or value in settings.classes:
            yield number


def _at_edge(labelmap: LabelMap, plane: int, within: Box | None) -> set[int]:
    """Return the objects at the image's edge; the axes of time and of a slice have none."""
    values = labelmap.planes[plane]
    found: set[int] = set()
    box = boxes.whole(labelmap.shape) if within is None else within
    for axis, (name, length) in enumerate(zip(labelmap.axes, labelmap.shape, strict=True)):
        thin = within is not None and box[axis].stop - box[axis].start == 1
        if name == "t" or thin:
            continue
        for end in (0, length - 1):
            if box[axis].start <= end < box[axis].stop:
                face = list(box)
                face[axis] = slice(end, end + 1)
                found |= set(np.unique(values[tuple(face)]).tolist())
    return found - {0}

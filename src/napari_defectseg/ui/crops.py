"""Small pictures of one object: the image, the mask, the scores, all of one square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QColor

from napari_defectseg.ui.widgets.thumbnails import Picture, picture

if TYPE_CHECKING:
    from napari_defectseg.ui.session import Session

SIDE = 144
"""Pixels of a picture: twice its size on the card, for dense screens."""
ROOM = 1.8
SMALLEST = 24
"""A square is so many times the object, and so many pixels at least."""


def crops(session: Session, number: int) -> list[tuple[str, Picture]]:
    """Return pictures of an object with their names: image, mask and, where known, scores.

    Of a volume the slice in the middle of the object is shown; all at one contrast, cut to the
    square around the object.
    """
    labels, image = session.labels, session.image
    if labels is None or number not in labels.object_classes:
        return []
    value = labels.object_classes[number]
    place, around = _square(labels.index.box(number), labels.shape)
    numbers = labels.planes[labels.plane_of(value)][place]
    mask = labels.class_lookup()[numbers]
    found: list[tuple[str, Picture]] = []
    if image is not None and image.label_shape == labels.shape:
        at = dict(zip(labels.axes, place, strict=True))
        plane = _grey(np.asarray(image.read(**at)))
        found.append(("image", picture(_padded(plane, around), None, labels.classes, SIDE)))
        marked = np.where(numbers == number, mask, 0)
        plane = _padded(plane, around)
        found.append(("mask", picture(plane, _padded(marked, around), labels.classes, SIDE)))
    prediction = session.prediction
    if prediction is not None and prediction.shape == labels.shape:
        channel = int(prediction.has_background) + labels.classes.values.index(value)
        if channel < prediction.scores.shape[0]:
            part = np.asarray(prediction.scores[(channel, *place)], np.float32)
            found.append(("scores", _heat(_padded(part, around))))
    return found


def _square(box: Any, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[int, int]]:
    """Return the index of a square around a box, clipped, and the side of the whole square."""
    sides = [side.stop - side.start for side in box[-2:]]
    length = max(SMALLEST, int(ROOM * max(sides)))
    place: list[Any] = [(side.start + side.stop) // 2 for side in box[:-2]]
    for side, extent in zip(box[-2:], shape[-2:], strict=True):
        start = (side.start + side.stop - length) // 2
        start = max(0, min(start, extent - length))
        place.append(slice(start, min(extent, start + length)))
    return tuple(place), (length, length)


def _padded(plane: np.ndarray, wanted: tuple[int, int]) -> np.ndarray:
    missing = [(0, max(0, n - m)) for n, m in zip(wanted, plane.shape, strict=False)]
    missing += [(0, 0)] * (plane.ndim - 2)
    return np.pad(plane, missing, mode="edge") if any(m for _, m in missing) else plane


def _grey(plane: np.ndarray) -> np.ndarray:
    """Return one plane: of several channels the mean, wherever they stand."""
    while plane.ndim > 2:
        plane = plane.mean(axis=int(np.argmin(plane.shape)))
    return plane


def _heat(scores: np.ndarray) -> Picture:
    """Return scores from black (0) to yellow (1)."""
    rows = np.arange(SIDE) * scores.shape[0] // SIDE
    columns = np.arange(SIDE) * scores.shape[1] // SIDE
    share = np.clip(scores[np.ix_(rows, columns)], 0, 1)[..., None]
    yellow = QColor("yellow")
    colour = np.array([yellow.red(), yellow.green(), yellow.blue()])
    return np.asarray(share * colour, np.uint8)

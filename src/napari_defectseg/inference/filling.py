"""Scores of a part, put into those of the whole image: everything else goes on with those."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import not_saved
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.store import create_store
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.scores import TemporaryScores

Array = np.ndarray[Any, Any]
SLAB = 1 << 24
"""Values that are copied at once."""


def filled(
    part: Prediction, image: CalibratedImage, before: Prediction | None, budget: int
) -> Prediction:
    """Return the prediction of a whole image with a part of it put in.

    Parameters
    ----------
    part : Prediction
        Of a region of the image.
    image : CalibratedImage
    before : Prediction or None
        What was predicted of the image before, by a model with the same classes: the part is
        written into its scores, and nothing else changes in them. None, or one of other classes:
        all else is zero, as where nobody has looked.
    budget : int
        Bytes that scores may take in memory; larger ones go to the disk.
    """
    shape = (part.scores.shape[0], *image.label_shape)
    if tuple(part.scores.shape) == shape:
        return part
    goes_in = before is not None and _fits(before, part, shape)
    scores = before.scores if goes_in and before is not None else _room(shape, budget)
    for box, values in _slabs(part):
        _write(scores, box, values)
    warnings, made = part.warnings, part.provenance
    if goes_in and before is not None:
        rest = before.provenance.as_dict()
        made = replace(made, settings={**made.settings, "rest": rest})
        own = [one for one in part.warnings if not one.endswith("the rest was not looked at.")]
        warnings = tuple(dict.fromkeys((*before.warnings, *own)))
    return replace(part, scores=scores, offset=(), warnings=warnings, provenance=made)


def _fits(before: Prediction, part: Prediction, shape: tuple[int, ...]) -> bool:
    writable = isinstance(before.scores, TemporaryScores) or (
        isinstance(before.scores, np.ndarray) and before.scores.flags.writeable
    )
    return (
        writable
        and tuple(before.scores.shape) == shape
        and before.task == part.task
        and before.classes.names == part.classes.names
    )


def _room(shape: tuple[int, ...], budget: int) -> Any:
    # Zeros that are never written take no memory.
    if 4 * math.prod(shape) <= budget:
        return np.zeros(shape, np.float32)
    folder = Path(tempfile.mkdtemp(prefix="defectseg-scores-"))
    try:
        array = create_store(folder / "scores.zarr", shape, np.float32)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return TemporaryScores(folder, array)


def _slabs(part: Prediction) -> Iterator[tuple[Any, Array]]:
    """Yield the scores piece by piece with their places in the image."""
    first, *rest = part.box
    rows = max(1, SLAB // max(1, math.prod(part.scores.shape) // (first.stop - first.start)))
    for start in range(0, first.stop - first.start, rows):
        stop = min(start + rows, first.stop - first.start)
        values = np.asarray(part.scores[(slice(None), slice(start, stop))])
        yield (slice(None), slice(first.start + start, first.start + stop), *rest), values


def _write(scores: Any, box: Any, values: Array) -> None:
    try:
        scores[box] = values
    except OSError as error:
        raise not_saved(Path(tempfile.gettempdir()), error) from error

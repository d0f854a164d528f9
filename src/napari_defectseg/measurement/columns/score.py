"""How sure the model was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement import moments
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects


def mean_score(objects: Objects) -> NDArray[np.float64]:
    """Return the mean score of the object's own class over its pixels."""
    value: NDArray[np.float64] = objects.real[:, moments.SCORE] / objects.count
    return value


MEAN_SCORE = Measurement(
    "mean_score",
    "score",
    "Mean probability that the model gave its class, over its pixels. Not a probability that "
    "the object is right.",
    mean_score,
    inputs=("scores",),
)

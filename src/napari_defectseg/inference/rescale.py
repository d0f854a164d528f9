"""Scores scaled from the smallest to the largest of a plane or volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ModelError

Array = np.ndarray[Any, Any]
FLAT = 1e-5
"""Scores that differ by less, relative to their size, are rounding alone."""


def rescale(parts: Sequence[Array], name: str) -> None:
    """Scale scores in place: ``(score - low) / (high - low)``, computed in float64.

    Parameters
    ----------
    parts : sequence of ndarray of float32
        All scores of one plane or volume; low and high are theirs.
    name : str
        Of the model, for messages.

    Raises
    ------
    ModelError
        If all scores are the same.
    """
    low = min(float(part.min()) for part in parts)
    high = max(float(part.max()) for part in parts)
    if not high - low > FLAT * max(1.0, abs(low), abs(high)):
        raise ModelError(
            f"{name} gives {low:.4g} for every pixel of this image, so its scores cannot be "
            f"scaled.",
            hint="If it uses the moving averages of a short training, let it measure each image "
            "(batch_norm=image) or calibrate it.",
        )
    for part in parts:
        part[...] = (part.astype(np.float64) - low) / (high - low)

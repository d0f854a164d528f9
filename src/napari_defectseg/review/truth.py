"""What of a label map is truth: the regions that a person has looked through to the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.labels import boxes
from napari_defectseg.labels.labelmap import LabelMap


def complete_area(labelmap: LabelMap) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where nothing is missing: the union of the complete regions.

    Returns
    -------
    ndarray of bool
        In the shape of a plane.
    """
    area = np.zeros(labelmap.shape, bool)
    for sides in labelmap.complete:
        area[boxes.of_sides(sides)] = True
    return area


def truth_mask(labelmap: LabelMap) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the class mask as training and recall may use it.

    Everything outside complete regions is unlabelled (255), objects that were accepted there
    with it: between them something may have been missed.

    Returns
    -------
    ndarray of uint8
        As `LabelMap.class_mask` gives it.
    """
    mask = labelmap.class_mask()
    mask[..., ~complete_area(labelmap)] = UNLABELLED
    return mask

"""What tools read of the image and of the model's scores, box by box."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.errors import LabelError

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Box
    from napari_defectseg.ui.session import Session

Read = Callable[["Box"], np.ndarray[Any, Any]]


def grey_reader(session: Session) -> Read:
    """Return what gives the grey values in a box of a label plane; of several channels the mean.

    Raises
    ------
    LabelError
        If there is no image of the labels' shape.
    """
    image, labels = session.image, session.labels
    if image is None or labels is None or image.label_shape != labels.shape:
        raise LabelError("This tool follows the image, and there is none of the labels' size.")
    axes = labels.axes

    def read(box: Box) -> np.ndarray[Any, Any]:
        block = image.read(**dict(zip(axes, box, strict=True)))
        return block.mean(axis=image.axes.index("c")) if "c" in image.axes else block

    return read


def score_reader(session: Session, class_value: int) -> Read:
    """Return what gives the model's scores of a class in a box of a label plane.

    Raises
    ------
    LabelError
        If there is no prediction of these labels, or none of this class.
    """
    prediction, labels = session.prediction, session.labels
    if prediction is None or labels is None or prediction.shape != labels.shape:
        raise LabelError(
            "There are no scores of a model to follow.", hint="Predict first; then try again."
        )
    channel = int(prediction.has_background) + labels.classes.values.index(class_value)
    if channel >= prediction.scores.shape[0]:
        name = labels.classes.by_value(class_value).name
        raise LabelError(f"The model gave no scores of {name}.")
    scores = prediction.scores
    return lambda box: np.asarray(scores[(channel, *box)], np.float32)

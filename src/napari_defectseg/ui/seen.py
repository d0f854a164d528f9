"""What is seen of the subject on the canvas, as an image of its own, to try a model on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.ui import layers

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.models.model import Model
    from napari_defectseg.ui.stage import Stage

MOST, MOST_3D = 1024, 128
"""Edge of what is tested at most, in px: an answer within seconds."""

TRIAL = "trial"
"""What the layer's metadata call it."""


@dataclass(frozen=True)
class Seen:
    """A part of an image.

    Parameters
    ----------
    image : CalibratedImage
        The part alone.
    offset : tuple of int
        Where it begins, an entry for each axis of a mask of the whole.
    whole : CalibratedImage
    """

    image: CalibratedImage
    offset: tuple[int, ...]
    whole: CalibratedImage


def seen_part(stage: Stage, dims: int) -> Seen | None:
    """Return the visible part of the subject, cut to what is quickly predicted.

    Parameters
    ----------
    stage : Stage
    dims : int
        2: the plane that is shown; 3: a block around it.

    Returns
    -------
    Seen or None
        None without an image, or where nothing of it is in sight.
    """
    image, layer = stage.session.image, stage.image_layer
    if image is None or layer is None:
        return None
    sides = [_side(stage, image, layer, axis, dims) for axis in image.axes]
    if any(side.stop <= side.start for side in sides):
        return None
    part = np.asarray(image.data[tuple(sides)])
    offset = tuple(s.start for s, axis in zip(sides, image.axes, strict=True) if axis != "c")
    return Seen(replace(image, data=part, levels=()), offset, image)


def _side(stage: Stage, image: CalibratedImage, layer: Any, axis: str, dims: int) -> slice:
    """Return which part of an axis is looked at."""
    length = image.shape[image.axes.index(axis)]
    if axis == "c":
        return slice(0, length)
    names = tuple(str(name) for name in layer.axis_labels)
    place = names.index(axis)
    most = MOST_3D if dims == 3 else MOST
    shown = place - layer.ndim + stage.viewer.dims.ndim in stage.viewer.dims.displayed
    if shown:
        low, high = (int(corner[place]) for corner in layer.corner_pixels)
        low, high = max(0, low), min(length, high + 1)
    else:
        step = int(stage.viewer.dims.current_step[place - layer.ndim])
        low, high = min(max(step, 0), length - 1), min(max(step, 0), length - 1) + 1
        if axis == "z" and dims == 3:
            low, high = 0, length
            middle = min(max(step, 0), length - 1)
            return _around(middle, low, high, most)
    return _around((low + high) // 2, low, high, most) if high - low > most else slice(low, high)


def _around(middle: int, low: int, high: int, most: int) -> slice:
    start = max(low, min(middle - most // 2, high - most))
    return slice(start, min(high, start + most))


def trial_steps(model: Model, seen: Seen) -> Steps[LabelMap]:
    """Predict the part as any image is predicted, and return its objects."""
    from napari_defectseg.inference.predict import predict_steps
    from napari_defectseg.inference.settings import PredictSettings

    prediction = yield from predict_steps(model, seen.image, PredictSettings())
    yield Step(0, 0, "finding objects")
    return prediction.labels()


def show_trial(stage: Stage, seen: Seen, labels: LabelMap, name: str) -> None:
    """Show what was found over the image, in layers that belong to nothing else."""
    take_away_trial(stage)
    if stage.session.image is None or stage.session.image.data is not seen.whole.data:
        return
    like, active = stage.image_layer, stage.viewer.layers.selection.active
    with stage.quietly():
        for data, settings, _ in layers.labels_data(labels, like, seen.whole.name):
            step = np.asarray(settings["scale"]) * np.asarray(seen.offset)
            settings["translate"] = tuple(np.asarray(settings["translate"]) + step)
            settings["metadata"] = {layers.KEY: {"kind": TRIAL}}
            title = settings["name"] if len(labels.planes) > 1 else "objects"
            settings["name"] = f"test of {name}: {title}"
            layer = stage.viewer.add_labels(data, **settings)
            layers.show_outlines(layer, True)
            layer.editable = False
        if active is not None and active in stage.viewer.layers:
            stage.viewer.layers.selection.active = active


def take_away_trial(stage: Stage) -> None:
    """Take the layers of the last test away."""
    with stage.quietly():
        for layer in trial_layers(stage):
            stage.viewer.layers.remove(layer)


def trial_layers(stage: Stage) -> tuple[Labels, ...]:
    """Return the layers of the last test."""
    return tuple(
        layer
        for layer in stage.viewer.layers
        if layer.metadata.get(layers.KEY, {}).get("kind") == TRIAL
    )

"""`Maps`: where several models disagree about the image, shown as a layer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_defectseg.ui import layers

if TYPE_CHECKING:
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.ui.stage import Stage

DISAGREEMENT = "disagreement"
"""Name of the layer, and what its metadata call it. It is no probability."""
LARGEST = 0.5
"""Standard deviation where half of the models are certain of what the others exclude."""


class Maps:
    """Shows the map of the current prediction and takes it away with it.

    Parameters
    ----------
    stage : Stage
        Whose viewer it is shown in.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._layer: Image | None = None
        events = stage.session.events
        events.prediction.connect(self._on_prediction)
        events.image.connect(self._on_image)
        self._on_prediction(stage.session.prediction)

    @property
    def layer(self) -> Image | None:
        """The layer, None while there is none."""
        shown = self._layer is not None and self._layer in self._stage.viewer.layers
        return self._layer if shown else None

    def _on_prediction(self, prediction: Prediction | None) -> None:
        self._take_away()
        like = self._stage.image_layer
        if prediction is None or prediction.disagreement is None or like is None:
            return
        viewer = self._stage.viewer
        active = viewer.layers.selection.active
        with self._stage.quietly():
            self._layer = viewer.add_image(
                shown_array(prediction.disagreement),
                name=DISAGREEMENT,
                colormap="inferno",
                contrast_limits=(0.0, LARGEST),
                blending="additive",
                metadata={layers.KEY: {"kind": DISAGREEMENT, "image": prediction.image_name}},
                **layers.geometry(like, len(prediction.axes)),
            )
            viewer.layers.selection.active = active

    def _on_image(self, _: Any) -> None:
        """Lie where the image lies, also when its pixel size becomes known."""
        layer, like = self.layer, self._stage.image_layer
        if layer is not None and like is not None:
            for name, value in layers.geometry(like, layer.ndim).items():
                setattr(layer, name, value)

    def _take_away(self) -> None:
        layer, self._layer = self.layer, None
        if layer is not None:
            with self._stage.quietly():
                self._stage.viewer.layers.remove(layer)


def shown_array(values: Any) -> Any:
    """Return what napari shows of a map: the array itself, or what is read when it is looked at."""
    if isinstance(values, np.ndarray):
        return values
    import dask.array

    nothing = np.empty((0,) * len(values.shape), values.dtype)
    return dask.array.from_array(
        values, chunks=_planes(values.shape), asarray=False, name=False, meta=nothing
    )


def _planes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*(1 for _ in shape[:-2]), *shape[-2:])

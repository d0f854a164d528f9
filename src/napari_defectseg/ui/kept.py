"""What a prediction has found so far, so that stopping it loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.inference.prediction import Prediction

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.model import Model


class Kept:
    """Gathers the parts of one run; a stopped run becomes a prediction of what is there.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
    settings : PredictSettings
    """

    def __init__(self, model: Model, image: CalibratedImage, settings: PredictSettings) -> None:
        self.model, self.image, self.settings = model, image, settings
        self.done = self.total = 0
        # Pages that are never written cost no memory.
        shape = (model.card.score_channels, *image.label_shape)
        self._scores = np.zeros(shape, np.float32)

    def watch(self, steps: Steps[Prediction]) -> Steps[Prediction]:
        """Pass steps on and keep their parts, in the worker's thread."""
        try:
            while True:
                step = next(steps)
                if step.partial is not None:
                    self._scores[step.partial.where] = step.partial.scores
                    self.done, self.total = step.done, step.total
                yield replace(step, partial=None) if step.partial is not None else step
        except StopIteration as end:
            result: Prediction = end.value
            return result
        finally:
            steps.close()

    def prediction(self, seconds: float) -> Prediction | None:
        """Return what was found until it was stopped; None if nothing was."""
        if not self.done:
            return None
        card, image = self.model.card, self.image
        words = f"Stopped after {self.done} of {self.total} tiles; the rest was not looked at."
        provenance = Provenance(
            made_by="predict",
            inputs={image.origin.path or image.name: ""},
            model=card.name,
            model_sha256=self.model.sha256,
            settings={**self.settings.as_dict(), "stopped": [self.done, self.total]},
            when=now(),
        )
        return Prediction(
            scores=self._scores,
            classes=card.classes,
            task=card.task,
            axes=image.label_axes,
            calibration=image.calibration,
            image_name=image.name,
            thresholds=card.thresholds,
            min_size=card.min_size,
            provenance=provenance,
            seconds=seconds,
            warnings=(words,),
        )


def percent(step: Step | None) -> int:
    """Return how far a step is, 0 to 100."""
    return 0 if step is None else round(100 * step.fraction)

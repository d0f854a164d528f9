"""What a run has found so far, so that stopping it loses nothing and it can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_defectseg.core.progress import Step, Steps

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.begun import Begun
    from napari_defectseg.inference.pieces import Part
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.model import Model


@dataclass(eq=False)
class Kept:
    """One run and how far it has come; the scores are those it writes, not a copy.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
    settings : PredictSettings
    begun : Begun or None
        None until the first tile is computed.
    before : Prediction or None
        Of the same image: what was found before, which a part of it is put into.
    landed : callable or None
        Told each part as it comes, in the worker's thread.
    """

    model: Model
    image: CalibratedImage
    settings: PredictSettings
    begun: Begun | None = None
    before: Prediction | None = None
    landed: Callable[[Part], None] | None = None

    def watch(self, steps: Steps[Prediction]) -> Steps[Prediction]:
        """Pass steps on without their pixels, and keep how far it is, in the worker's thread."""
        try:
            while True:
                step = next(steps)
                if step.partial is not None:
                    self.begun = step.partial.begun
                    if self.landed is not None:
                        self.landed(step.partial)
                    step = replace(step, partial=None)
                yield step
        except StopIteration as end:
            return self._whole(end.value)
        finally:
            steps.close()

    def steps(self) -> Steps[Prediction]:
        """Return the work: from the beginning, or from the tile it had come to."""
        from napari_defectseg.inference import predict

        if self.begun is not None and self.begun.can_go_on:
            return self.watch(predict.go_on_steps(self.begun))
        return self.watch(predict.predict_steps(self.model, self.image, self.settings))

    def result_steps(self) -> Steps[Prediction | None]:
        """Return what was found until it was stopped, None if nothing was; reads the image."""
        yield Step(0, 0, "keeping what is done")
        if self.begun is None or not self.begun.done:
            return None
        return self._whole(self.begun.prediction())

    def _whole(self, found: Prediction) -> Prediction:
        """Put what was found in a part into the scores of the whole image."""
        from napari_defectseg.inference.filling import filled
        from napari_defectseg.inference.memory import default_budget

        budget = self.settings.memory or default_budget()
        return filled(found, self.image, self.before, budget)

    def goes_on(
        self, model: Model | None, image: CalibratedImage | None, settings: PredictSettings
    ) -> bool:
        """Whether it is a stopped run of this very model and image, and can go on."""
        begun = self.begun
        return (
            begun is not None
            and 0 < begun.done < begun.job.total
            and begun.can_go_on
            and model is self.model
            and image is not None
            and image.data is self.image.data
            and settings == self.settings
        )

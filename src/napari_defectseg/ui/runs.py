"""`CollectionRun`: one run over images of a collection, as the dock and the list see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.collection import Collection
from napari_defectseg.ui import words
from napari_defectseg.ui.fields import DONE, FAILED, SKIPPED, Fields, field_steps

if TYPE_CHECKING:
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.labels.decode import DecodeSettings
    from napari_defectseg.models.model import Model


class CollectionRun:
    """Predicts some images of a collection and tells `Fields` what came of each.

    Parameters
    ----------
    fields : Fields
    collection : Collection
    places : sequence of int
        Which images, in this order.
    """

    def __init__(self, fields: Fields, collection: Collection, places: Sequence[int]) -> None:
        self._fields, self._places = fields, list(places)
        self._paths = fields.paths
        self._skipped: set[int] = set()
        self._part = Collection(tuple(collection.entries[place] for place in places))

    def steps(
        self, model: Model, settings: PredictSettings, decode: DecodeSettings | None
    ) -> Steps[int]:
        """Return the work; what is asked for waits from now on."""
        self._fields.begin(self._places, decode)
        return field_steps(model, self._part, settings, decode, self._skipped.__contains__)

    def skip(self, place: int) -> None:
        """Leave an image out, also while it is being predicted; the others go on."""
        if place in self._places:
            self._skipped.add(self._places.index(place))

    def take(self, step: Step) -> None:
        """Tell the fields what a step says."""
        if not self.holds:
            return
        if step.partial is not None:
            found, count = step.partial
            self._fields.take(self._places[found.index], found, count)
        elif step.done < len(self._places):
            part = step.fraction * len(self._places) - step.done
            self._fields.run(self._places[step.done], round(100 * min(max(part, 0.0), 1.0)))

    def end(self) -> None:
        """Say that the run is over."""
        if self.holds:
            self._fields.end()

    @property
    def holds(self) -> bool:
        """Whether the collection is still the one it was about."""
        return self._fields.paths == self._paths

    @property
    def percent(self) -> int:
        """How many of the images are done, in percent."""
        states = [self._fields.states[place].state for place in self._places]
        over = sum(state in (DONE, FAILED, SKIPPED) for state in states)
        return round(100 * over / max(1, len(states)))

    def summary(self) -> tuple[str, str, str]:
        """Return ``"done"`` or ``"stopped"``, and what came of it in two lines."""
        states = [self._fields.states[place] for place in self._places]
        done = [one for one in states if one.state == DONE]
        failed = [one for one in states if one.state == FAILED]
        left_out = sum(one.state == SKIPPED for one in states)
        kind = "done" if len(done) + len(failed) + left_out == len(states) else "stopped"
        title = f"{len(done)} of {words.counted(len(states), 'image')}"
        title += " predicted" if kind == "done" else " kept"
        detail = words.objects(sum(one.count for one in done))
        if left_out:
            detail += f" · {left_out} skipped"
        if failed:
            detail += f" · {len(failed)} failed: point at one to see why"
        return kind, title, detail

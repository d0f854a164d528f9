"""Models put together in the window: opened in the worker, joined or averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.ensemble import combine_models
from napari_defectseg.models.several import Combine, SeveralModels, members_of
from napari_defectseg.ui import recent

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model


def opened_steps(where: str) -> Steps[Model]:
    """Open a model with what was said about it before, in the worker's thread."""
    yield Step(0, 0, "reading weights")
    model = recent.open_answered(where)
    yield Step(1, 1, "reading weights")
    return model


def way_of(model: Model, other: Model) -> Combine:
    """Return how another model goes beside one: the mean for the same classes, else joined.

    Raises
    ------
    ModelError
        If some of their classes are the same and some are not; says what to do.
    """
    mine, theirs = set(model.card.classes.names), set(other.card.classes.names)
    if isinstance(model, SeveralModels) and model.combine == "ensemble":
        return "ensemble"
    if mine == theirs:
        return "ensemble"
    if mine & theirs:
        raise ModelError(
            f"Both find {', '.join(sorted(mine & theirs))}, but not all of their classes are the "
            "same.",
            hint="Name the classes of one of them otherwise, then add it again.",
        )
    return "join"


def beside(model: Model, other: Model) -> Model:
    """Return both as one model; the members of each stay what they are.

    Raises
    ------
    ModelError
        If they cannot be put together.
    """
    how = way_of(model, other)
    return combine_models([*members_of(model), *members_of(other)], how)


def without(model: SeveralModels, place: int) -> Model:
    """Return the model without one of its members; a single one that is left stays itself."""
    left = [one for number, one in enumerate(model.models) if number != place]
    return combine_models(left, model.combine)

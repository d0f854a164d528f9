"""`SharedModel`: a network whose tiles are computed by others, on this machine or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.several import SeveralModels, members_of

if TYPE_CHECKING:
    import torch

    from napari_defectseg.inference.crew import Crew
    from napari_defectseg.inference.job import Job

Team: TypeAlias = "Callable[[Job, int], AbstractContextManager[Crew]]"
"""Gives those who compute the tiles of a job, and bytes that they may keep between tiles."""


class SharedModel(TorchModel):
    """A model like another one, except that a team computes its tiles.

    Parameters
    ----------
    model : TorchModel
    team : callable
    told : mapping
        What the plan of a prediction says of them: ``device``, ``workers``.
    """

    def __init__(self, model: TorchModel, team: Team, told: Mapping[str, Any]) -> None:
        super().__init__(
            model.card,
            model.state_dict,
            path=model.path,
            format=model.format,
            sha256=model.sha256,
            files=model.files,
            trust=model.trust,
        )
        self.team = team
        self.told = dict(told)
        self._own = model

    def with_card(self, card: ModelCard) -> SharedModel:
        """Return the same network under another card, with the same team."""
        return SharedModel(self._own.with_card(card), self.team, self.told)

    def network(self) -> torch.nn.Module:
        """Return the network, see `TorchModel.network`: the plan of the tiles needs it here."""
        return self._own.network()

    def close(self) -> None:
        """Let go of the network."""
        self._own.close()


def can_share(model: Model) -> bool:
    """Return whether the tiles of an image can be computed apart by others.

    They cannot where a network looks at each image as a whole, or runs in a process of its own.
    """
    return all(
        isinstance(one, TorchModel)
        and one.card.windows is None
        and "image" not in (one.card.batch_norm, one.card.rescale)
        for one in members_of(model)
    )


def shared(model: Model, team_of: Callable[[int], Team], told: Mapping[str, Any]) -> Model:
    """Return a model whose tiles are computed by teams.

    Parameters
    ----------
    model : Model
        One that `can_share`.
    team_of : callable
        Gives the team for the member of that number, see `members_of`.
    told : mapping
        See `SharedModel`.
    """
    members = [
        SharedModel(one, team_of(number), told)
        for number, one in enumerate(members_of(model))
        if isinstance(one, TorchModel)
    ]
    return model.with_models(members) if isinstance(model, SeveralModels) else members[0]


@contextmanager
def own_threads(count: int) -> Iterator[None]:
    """Let torch use so many threads of the processor for what this thread computes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

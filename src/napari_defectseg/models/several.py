"""`SeveralModels`: models that look at one image together, as one model."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.core.units import ratio
from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.model import Model, TorchModel

Combine: TypeAlias = Literal["join", "ensemble"]
Channels: TypeAlias = "tuple[list[int], list[int]]"
"""Channels of a model's own scores, and where they go in those of all."""


class SeveralModels(ABC):
    """Models side by side: each keeps its network, its preprocessing and its pixel sizes.

    Parameters
    ----------
    models : sequence of Model
        Two or more, all for planes or all for volumes.
    card : ModelCard, optional
        Instead of the one made from theirs; classes in the same order.
    path : str
        Where it was opened from, empty where it was put together here.
    files : tuple of str, optional
        The files it consists of, as seen from `path`; those of its models where not given.

    Raises
    ------
    ModelError
        If they cannot stand side by side; names them.
    """

    combine: ClassVar[Combine]
    format: ClassVar[str]

    def __init__(
        self,
        models: Sequence[Model],
        card: ModelCard | None = None,
        *,
        path: str = "",
        files: tuple[str, ...] | None = None,
    ) -> None:
        self.models = tuple(models)
        self.path = path
        _check(self.models)
        self.check()
        self.card = card or self.joint_card()
        self._files = files

    @abstractmethod
    def check(self) -> None:
        """Refuse models that cannot be put together in this way.

        Raises
        ------
        ModelError
            Names two that do not fit.
        """

    @abstractmethod
    def joint_card(self) -> ModelCard:
        """Return the card made from those of the models."""

    @abstractmethod
    def channels(self) -> tuple[Channels, ...]:
        """Return for each model which of its scores are taken, and where they go."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it consists of."""
        if self._files is not None:
            return self._files
        return tuple(model.path or model.card.name for model in self.models)

    @property
    def sha256(self) -> str:
        """Hash of the models' hashes, in order."""
        return hashlib.sha256("\n".join(m.sha256 for m in self.models).encode()).hexdigest()

    @property
    def trust(self) -> str:
        """``"program"`` if the file of one of them holds code, else ``"data"``."""
        return max(model.trust for model in self.models)

    def with_card(self, card: ModelCard) -> Self:
        """Return the same models under another card."""
        return type(self)(self.models, card, path=self.path, files=self._files)

    def with_models(self, models: Sequence[Model]) -> Self:
        """Return other models in the places of these, under the same card."""
        return type(self)(models, self.card, path=self.path, files=self._files)

    def close(self) -> None:
        """Let go of all networks; they are built again when asked for."""
        for model in self.models:
            model.close()


def members_of(model: Model) -> tuple[Model, ...]:
    """Return the models that a model consists of: itself where it is one."""
    return model.models if isinstance(model, SeveralModels) else (model,)


def check_weights(model: Model) -> None:
    """Build every network once, so that weights that do not fit are found.

    Raises
    ------
    ModelError
        If the weights of one do not fit the network that its card names.
    """
    for one in members_of(model):
        if isinstance(one, TorchModel):
            one.network()


def why_recognised(model: Model) -> tuple[str, ...]:
    """Return why each network of a model was taken for what it is; reads the weights.

    Raises
    ------
    ModelError
        If the weights cannot be read.
    """
    from napari_defectseg.models.recognise import reasons

    told = []
    for one in members_of(model):
        if not isinstance(one, TorchModel):
            told.append(f"{one.card.name} was opened as {one.format}; its file describes itself.")
            continue
        shapes = {name: tuple(tensor.shape) for name, tensor in one.state_dict().items()}
        found = reasons(one.card.architecture, one.card.architecture_settings, shapes)
        first = f"{Path(one.path).name or one.card.name} was opened as {one.format or 'a network'}."
        told += [first, *found]
    return tuple(told)


def files_of(model: Model) -> dict[str, str]:
    """Return the files a model consists of, each with its hash.

    Files of models that were put together have the number and the name of their model in front.
    """
    members = members_of(model)
    if not model.path and len(members) > 1:
        found: dict[str, str] = {}
        for number, one in enumerate(members, start=1):
            inside = f"{number}-{Path(one.path).name}" if one.path else str(number)
            found |= {f"{inside}/{name}": digest for name, digest in files_of(one).items()}
        return found
    place = Path(model.path) if model.path else None
    if place is None:
        return {}
    folder = place if place.is_dir() else place.parent
    paths = {name: folder / name for name in model.files or (place.name,)}
    return {name: sha256_of_file(path) for name, path in paths.items() if path.is_file()}


def common_fields(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """Return what the card of several models says whatever way they are put together."""
    first = cards[0]
    same = all(card.preprocessing == first.preprocessing for card in cards)
    return {
        "name": " + ".join(card.name for card in cards),
        "dims": first.dims,
        "in_channels": max(card.in_channels for card in cards),
        "preprocessing": first.preprocessing if same else (),
        **_pixel_size(cards),
        "min_size": min(card.min_size for card in cards),
        "symmetries": tuple(
            s for s in first.symmetries if all(s in card.symmetries for card in cards)
        ),
        "parameters": sum(card.parameters for card in cards),
        "citation": " ".join(dict.fromkeys(card.citation for card in cards if card.citation)),
        "licence": ", ".join(dict.fromkeys(card.licence for card in cards if card.licence)),
        "missing": tuple(dict.fromkeys(name for card in cards for name in card.missing)),
        "sources": {name: _weakest(cards, name) for name in first.sources},
    }


def _weakest(cards: Sequence[ModelCard], name: str) -> Source:
    """Return how a field is known where it is known worst."""
    order: tuple[Source, ...] = ("guess", "file", "card", "you")
    return min((card.sources.get(name, "card") for card in cards), key=order.index)


def quirks_of(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """Return what is unusual about the models, with their names; what all share only once."""
    shared = [q for q in cards[0].quirks if all(q in card.quirks for card in cards)]
    own = [f"{card.name}: {q}" for card in cards for q in card.quirks if q not in shared]
    if len({card.min_size for card in cards}) > 1:
        own.append("The models ask for different smallest objects; the least of them holds.")
    return (*shared, *own)


def _check(models: tuple[Model, ...]) -> None:
    if len(models) < 2:
        raise ModelError("Two models at least are put together.")
    for model in models:
        if isinstance(model, SeveralModels):
            raise ModelError(
                f"{model.card.name} is several models already, so it is not put beside another.",
                hint="Name its models one by one.",
            )
    if len({model.card.dims for model in models}) > 1:
        words = ", ".join(f"{model.card.name} for {model.card.dims}D" for model in models)
        raise ModelError(
            f"These models see different things at once, so they are not put together: {words}."
        )


def _pixel_size(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """Return the range that suits all models that name one, nothing where there is none."""
    stated = [card for card in cards if card.pixel_size is not None]
    if not stated:
        return {}
    unit = stated[0].pixel_unit
    low, high = 0.0, float("inf")
    for card in stated:
        factor = ratio(card.pixel_unit, unit)
        size = card.pixel_size or (0.0, float("inf"))
        low, high = max(low, size[0] * factor), min(high, size[1] * factor)
    return {"pixel_size": (low, high), "pixel_unit": unit} if low <= high else {}

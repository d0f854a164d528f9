"""`NetworkKind`: what an architecture must offer, from a settings type and a network class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes, learnt

if TYPE_CHECKING:
    import torch


class NetworkSettings(Protocol):
    """What a network is built from: a frozen dataclass, with what follows from its values."""

    @property
    def dims(self) -> int:
        """2 or 3."""

    @property
    def in_channels(self) -> int:
        """Channels of the input."""

    @property
    def out_channels(self) -> int:
        """Channels of the logits."""

    @property
    def grid(self) -> int:
        """Lengths that the network takes are multiples of this."""

    @property
    def halo(self) -> int | None:
        """Pixels around a cell that its logits depend on; None: the whole image."""


S = TypeVar("S", bound=NetworkSettings)
SENSELESS = (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError)
"""What torch and Python raise for sizes of a strange type or that are too large."""


class NetworkKind(Generic[S]):
    """One kind of network, as the table of architectures holds it.

    Parameters
    ----------
    title : str
        What a person calls it, with an article: ``"a U-Net"``.
    settings_type : type
        A frozen dataclass whose defaults are the published values.
    network : callable
        Returns the module of settings.
    read : callable
        Returns the settings that tensors of these shapes speak of, None where they do not.
    about : callable, optional
        Returns what the authors of the published network say about it.
    by_shape : bool
        It knows tensors by their shapes whatever they are called, so it is asked last.
    """

    def __init__(
        self,
        title: str,
        settings_type: type[S],
        network: Callable[[S], torch.nn.Module],
        read: Callable[[Shapes], S | None],
        about: Callable[[S], Published | None] | None = None,
        *,
        by_shape: bool = False,
    ) -> None:
        self.title = title
        self.by_shape = by_shape
        self._settings_type = settings_type
        self._network = network
        self._read = read
        self._about = about

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a new network.

        Raises
        ------
        ModelError
            If a setting is unknown or makes no sense.
        """
        return self._network(self._known(settings))

    def facts(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return dims, channels, grid, halo, parameters and all settings of the network."""
        known = self._known(settings)
        return {
            "settings": self._plain(known),
            "parameters": sum(p.numel() for p in self._empty(known).parameters()),
            "dims": known.dims,
            "in_channels": known.in_channels,
            "out_channels": known.out_channels,
            "grid": known.grid,
            "halo": known.halo,
        }

    def recognise(self, shapes: Shapes) -> dict[str, Any] | None:
        """Return the settings of the network with exactly these tensors, None: another one."""
        settings = self._reading(shapes)
        if settings is None or self._tensors_or_none(settings) != learnt(shapes):
            return None
        return self._plain(settings)

    def nearest(self, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """Return the learnt tensors of the network of this kind that comes nearest."""
        settings = self._reading(shapes)
        found = None if settings is None else self._tensors_or_none(settings)
        return self._tensors(self._settings_type()) if found is None else found

    def published(self, settings: Mapping[str, Any]) -> Published | None:
        """Return what the authors say about the network with these settings."""
        return self._about(self._known(settings)) if self._about else None

    def _reading(self, shapes: Shapes) -> S | None:
        try:
            return self._read(shapes)
        except (ModelError, KeyError, IndexError, ValueError, ZeroDivisionError):
            return None  # the names are ours, the shapes are not

    def _tensors_or_none(self, settings: S) -> dict[str, tuple[int, ...]] | None:
        try:
            return self._tensors(settings)
        except ModelError:
            return None  # damaged shapes speak of a network that cannot be

    def _tensors(self, settings: S) -> dict[str, tuple[int, ...]]:
        state = self._empty(settings).state_dict()
        return learnt({name: tuple(tensor.shape) for name, tensor in state.items()})

    def _empty(self, settings: S) -> torch.nn.Module:
        import torch

        try:
            with torch.device("meta"):
                return self._network(settings)
        except ModelError:
            raise
        except SENSELESS as error:
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise ModelError(
                f"{self.title.capitalize()} of this size cannot be built: {reason}."
            ) from error

    def _plain(self, settings: S) -> dict[str, Any]:
        values: dict[str, Any] = asdict(settings)  # type: ignore[call-overload]
        return {name: _lists(v) for name, v in values.items()}

    def _known(self, settings: Mapping[str, Any]) -> S:
        try:
            return self._settings_type(**{n: _tuples(v) for n, v in settings.items()})
        except TypeError as error:
            raise ModelError(f"These are not the settings of {self.title}: {error}.") from error


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _lists(v) for name, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, tuple | list) else value


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _tuples(v) for name, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, tuple | list) else value


def check_positive(title: str, *values: int) -> None:
    """Refuse channels and widths below one, and what is no whole number.

    Raises
    ------
    ModelError
        If there is one.
    """
    if not all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in values):
        raise ModelError(f"Channels and widths of {title} must be positive whole numbers.")

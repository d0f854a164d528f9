"""`InstalledKind`: networks of a package that a person has installed, in our table of networks.

A file may describe a network that is not built in. Where the library it comes from is installed,
that library builds it: a class from a list of ours, with plain numbers and words as arguments.
Nothing that the file holds is run, imported or fetched, and weights must fit to the last tensor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES, Shapes
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.kind import SENSELESS
from napari_defectseg.models.states import State, bare

if TYPE_CHECKING:
    import torch

Arguments: TypeAlias = Mapping[str, Any]
INSIDE = "network."
"""How the tensors of such a network begin in ours."""
_WORD = re.compile(r"[A-Za-z0-9_.+-]{0,64}")
LARGEST, LONGEST, DEEPEST = 1 << 20, 256, 6
MOST_CHANNELS = 4096
MOST_CALLS = 50_000
"""Calls of torch while a network is built; those of large ones need five thousand."""


@dataclass(frozen=True)
class Sizes:
    """What follows from the arguments of a network.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    grid : int
        Lengths that it takes are multiples of this.
    tile : tuple of int or None
        The one size that it takes.
    """

    dims: int
    in_channels: int
    out_channels: int
    grid: int
    tile: tuple[int, ...] | None = None


class InstalledKind:
    """The networks of one package, as the table of architectures holds them.

    Parameters
    ----------
    title : str
        What a person calls the package: ``"MONAI"``.
    packages : tuple of str
        What is imported; the first one is the package itself.
    extra : str
        Name of the extra that installs it.
    sizes : mapping of str to callable
        Names of the networks that are known, and what follows from their arguments.
    make : callable
        Returns the network of a name and arguments that ends at its logits; gets the package.
    rename : callable, optional
        Returns the tensors of a file under the names of the network that `make` returns; where
        there is none, they have them already.
    """

    def __init__(
        self,
        title: str,
        packages: tuple[str, ...],
        extra: str,
        sizes: Mapping[str, Callable[[Arguments], Sizes]],
        make: Callable[[Any, str, Arguments], torch.nn.Module],
        rename: Callable[[Any, str, Arguments, State], State] | None = None,
    ) -> None:
        self.title = title
        self.extra = extra
        self.packages = packages
        self._sizes = sizes
        self._make = make
        self._rename = rename

    def knows(self, name: str) -> bool:
        """Return whether a network of this name is on the list."""
        return name in self._sizes

    @property
    def known(self) -> str:
        """The names on the list, as words."""
        return ", ".join(self._sizes)

    @property
    def there(self) -> bool:
        """Whether all that it needs is installed."""
        return all(find_spec(package) is not None for package in self.packages)

    def way_out(self, name: str) -> str:
        """Return what to do about a network that is not built in: the extra, or an export."""
        export = "xport it to ONNX where it was made."
        return f"{self._install}, or e{export}" if self.knows(name) else f"E{export}"

    @property
    def _install(self) -> str:
        return f"Install the library it comes from: pip install 'napari-defectseg[{self.extra}]'"

    def note(self, name: str) -> str:
        """Return the sentence for the card: whose network is used."""
        try:
            known = f" {version_of(self.packages[0].replace('_', '-'))}"
        except PackageNotFoundError:
            known = ""
        return (
            f"Its network {name} is that of {self.title}{known} as it is installed here; where "
            "that is missing the model cannot be opened."
        )

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a new network.

        Raises
        ------
        ModelError
            If the package is missing, or it cannot build a network from these arguments.
        """
        name, arguments = self._read(settings)
        self._sizes_of(name, arguments)
        if not self.there:
            raise ModelError(
                f"The network {name} is one of {self.title}, which is not installed here.",
                hint=f"{self._install}.",
            )
        import torch

        with self._told(name):
            package = import_module(self.packages[0])
            with _bounded():
                network = _wrapped(self._make(package, name, arguments))
        # A library may make some tensors with numbers whatever it is told.
        return network.to("meta") if torch.get_default_device().type == "meta" else network

    def facts(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return dims, channels, grid, halo, tile, parameters and all settings of the network."""
        import torch

        name, arguments = self._read(settings)
        sizes = self._sizes_of(name, arguments)
        with torch.device("meta"):
            network = self.build(settings)
        return {
            "settings": {"network": name, "arguments": dict(arguments)},
            "parameters": sum(p.numel() for p in network.parameters()),
            "dims": sizes.dims,
            "in_channels": sizes.in_channels,
            "out_channels": sizes.out_channels,
            "grid": sizes.grid,
            "halo": None,
            "tile": list(sizes.tile) if sizes.tile else None,
        }

    def recognise(self, shapes: Shapes) -> dict[str, Any] | None:
        """Return None: tensors alone do not say with which arguments a network was made."""
        return None

    def nearest(self, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """Return nothing: without a definition there is no nearest one."""
        return {}

    def state_of(self, settings: Mapping[str, Any], found: State) -> State:
        """Return bare tensors of a file under the names that they have in the network here.

        Raises
        ------
        ModelError
            If the library says that they are not those of this network.
        """
        import torch

        if self._rename is not None:
            name, arguments = self._read(settings)
            with self._told(name):
                renamed = self._rename(import_module(self.packages[0]), name, arguments, found)
            return {f"{INSIDE}{key}": tensor for key, tensor in renamed.items()}
        with torch.device("meta"):
            own = self.build(settings).state_dict()
        inner = {name.removeprefix(INSIDE): name for name in own}
        names = bare(inner)[0]
        return {names.get(name, f"{INSIDE}{name}"): tensor for name, tensor in found.items()}

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn what the library raises into a sentence."""
        try:
            yield
        except ModelError:
            raise
        except (*SENSELESS, AttributeError, AssertionError, ImportError, OSError) as error:
            reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
            raise ModelError(f"{self.title} cannot build its network {name}: {reason}.") from error

    def _read(self, settings: Mapping[str, Any]) -> tuple[str, Arguments]:
        unknown = sorted(set(settings) - {"network", "arguments"})
        name, arguments = settings.get("network"), settings.get("arguments", {})
        if unknown or not isinstance(name, str) or not isinstance(arguments, Mapping):
            what = f"the setting {unknown[0]!r}" if unknown else "no name of a network"
            raise ModelError(f"These are not the settings of a network of {self.title}: {what}.")
        if not self.knows(name):
            raise ModelError(
                f"{name} is not among the networks of {self.title} that are opened.",
                hint=f"These are: {self.known}.",
            )
        check_plain(arguments, f"The network {name}")
        return name, arguments

    def _sizes_of(self, name: str, arguments: Arguments) -> Sizes:
        try:
            sizes = self._sizes[name](arguments)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise ModelError(f"The definition of {name} has a strange value: {error}.") from error
        counts = (sizes.in_channels, sizes.out_channels, sizes.grid, *(sizes.tile or ()))
        whole = all(type(n) is int and 0 < n <= MOST_CHANNELS for n in counts)
        if sizes.dims not in (2, 3) or not whole:
            raise ModelError(f"The definition of {name} has strange channels or sizes.")
        return sizes


def installed(architecture: str) -> InstalledKind:
    """Return the networks of a package by their name in the table of architectures."""
    kind = ARCHITECTURES.get(architecture)
    assert isinstance(kind, InstalledKind)
    return kind


def under_its_names(card: ModelCard, state: State) -> State:
    """Return bare tensors under the names that they have in the network of a card."""
    kind = ARCHITECTURES.get(card.architecture)
    if not isinstance(kind, InstalledKind):
        return state
    return kind.state_of(card.architecture_settings, state)


def check_plain(value: Any, where: str, depth: int = 0) -> None:
    """Refuse arguments that are more than numbers and short words.

    Raises
    ------
    ModelError
        If there is a path, an address, an object or a huge number among them.
    """
    if depth > DEEPEST:
        raise ModelError(f"{where} has arguments that are nested too deeply.")
    if isinstance(value, Mapping | list | tuple):
        if len(value) > LONGEST:
            raise ModelError(f"{where} has {len(value)} arguments in one place.")
        items = [*value, *value.values()] if isinstance(value, Mapping) else value
        for item in items:
            check_plain(item, where, depth + 1)
        return
    number = isinstance(value, int | float) and abs(value) <= LARGEST
    if not (value is None or number or (isinstance(value, str) and _WORD.fullmatch(value))):
        raise ModelError(f"{where} has the argument {str(value)[:60]!r}, which is not taken.")


def _wrapped(network: torch.nn.Module) -> torch.nn.Module:
    """Return a network whose first map of logits, of the image's size, is what it gives."""
    import torch

    class Installed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = self.network(x)
            if isinstance(found, Mapping):
                found = found["out"] if "out" in found else next(iter(found.values()))
            result: torch.Tensor = found[0] if isinstance(found, list | tuple) else found
            return result

    return Installed()


def _bounded() -> Any:
    """Return a context in which a network is built within limits, also without numbers."""
    from torch.overrides import TorchFunctionMode

    class Bounded(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            import torch

            given = dict(kwargs or {})
            if func is torch.linspace:  # plans of numbers are read while a network is built
                given["device"] = "cpu"
            self.calls += 1
            if self.calls > MOST_CALLS:
                raise ModelError("Its definition asks for more layers than any network has.")
            return func(*args, **given)

    return Bounded()

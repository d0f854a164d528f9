"""Names and dotted strings, loaded on first use; strangers join by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from napari_defectseg.core.errors import DefectSegError

T = TypeVar("T")


class Registry(Generic[T]):
    """A table from name to something that is imported only when asked for.

    Parameters
    ----------
    kind : str
        What is registered, for messages.
    builtin : mapping of str to str
        Name to ``"module:attribute"`` (or ``"module"`` for the module itself).
    group : str, optional
        Entry-point group in which other packages add theirs.
    """

    def __init__(self, kind: str, builtin: Mapping[str, str], group: str = "") -> None:
        self.kind = kind
        self._targets = dict(builtin)
        self._group = group
        self._asked_others = not group
        self._loaded: dict[str, T] = {}

    def names(self) -> tuple[str, ...]:
        """Return all names, ours first."""
        self._ask_others()
        return tuple(self._targets)

    def get(self, name: str) -> T:
        """Return what is registered as `name`.

        Raises
        ------
        DefectSegError
            If nothing has that name, or its import fails.
        """
        target = self.target(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(name, target)
        return self._loaded[name]

    def target(self, name: str) -> str:
        """Return where `name` is found, ``"module:attribute"``, without importing it.

        Raises
        ------
        DefectSegError
            If nothing has that name.
        """
        self._ask_others()
        if name not in self._targets:
            raise DefectSegError(
                f"There is no {self.kind} called {name!r}.",
                hint=f"Known: {', '.join(self._targets)}.",
            )
        return self._targets[name]

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield every name with its thing, importing each."""
        for name in self.names():
            yield name, self.get(name)

    def add(self, name: str, target: str) -> Callable[[], None]:
        """Register `target` under `name` and return the function that undoes it."""
        if name in self._targets:
            raise DefectSegError(f"There is already a {self.kind} called {name!r}.")
        self._targets[name] = target

        def undo() -> None:
            self._targets.pop(name, None)
            self._loaded.pop(name, None)

        return undo

    def _load(self, name: str, target: str) -> T:
        module, _, attribute = target.partition(":")
        try:
            thing = import_module(module)
            return cast("T", getattr(thing, attribute) if attribute else thing)
        except (ImportError, AttributeError) as error:
            raise DefectSegError(f"The {self.kind} {name!r} cannot be loaded: {error}.") from error

    def _ask_others(self) -> None:
        if not self._asked_others:
            self._asked_others = True
            for point in entry_points(group=self._group):
                self._targets.setdefault(point.name, point.value)

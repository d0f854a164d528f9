"""Whose key is it: napari's own tables, as they are now, against ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_defectseg.ui.commands import COMMANDS, WANTED, Command


@dataclass(frozen=True)
class Collision:
    """A key that two things want.

    Parameters
    ----------
    command : str
        Ours.
    key : str
    other : str
        In words, whose it is already.
    """

    command: str
    key: str
    other: str

    def __str__(self) -> str:
        return f"{self.key} is taken: {self.other}."


def collisions(keys: Mapping[str, str]) -> list[Collision]:
    """Return every key of ours that is also napari's, or twice ours.

    Parameters
    ----------
    keys : mapping of str to str
        Key by command; commands without a key are empty.
    """
    found: list[Collision] = []
    seen: dict[str, str] = {}
    for name, key in keys.items():
        if not key:
            continue
        if key in seen:
            found.append(Collision(name, key, COMMANDS[seen[key]].words))
        seen[key] = name
        if name not in WANTED:
            other = owner(key, COMMANDS[name])
            if other:
                found.append(Collision(name, key, other))
    return found


def owner(key: str, command: Command) -> str:
    """Return in words what napari does with a key where a command listens; empty: nothing."""
    for binding, words in _live(command):
        if str(binding) == key:
            return words
    return ""


def _live(command: Command) -> Iterator[tuple[Any, str]]:
    """Yield what napari has bound now: menus, then the class tables that its settings fill."""
    from napari._app_model import get_app_model

    app = get_app_model()
    for entry in app.keybindings:
        yield entry.keybinding, _title(app, entry.command_id)
    # With an image layer active its keys go before the viewer's, and before ours there.
    heard = {"layer": (Labels, ViewerModel)}.get(command.where, (Labels, Image, ViewerModel))
    for kind in heard:
        for cls in kind.__mro__:
            for binding, function in getattr(cls, "class_keymap", {}).items():
                if isinstance(binding, KeyBinding):
                    yield binding, f"{_words(function)} (napari, {kind.__name__})"


def _title(app: Any, command_id: str) -> str:
    try:
        return f"{app.commands[command_id].title} (napari)"
    except KeyError:
        return f"{command_id} (napari)"


def _words(function: Any) -> str:
    text = (getattr(function, "__doc__", "") or "").strip().partition("\n")[0].rstrip(".")
    if text.startswith("*"):  # what app-model writes where a function says nothing itself
        text = ""
    return text or str(getattr(function, "__name__", function)).replace("_", " ")

"""`KeyTable`: which key each command has, changed by its user and kept in a file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from app_model.types import KeyBinding, KeyCode
from napari.utils.key_bindings import coerce_keybinding
from psygnal import Signal

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import DefectSegError, NotSaved
from napari_defectseg.ui.commands import COMMANDS

NONE = ""
"""The key of a command that has none."""


class KeyTaken(DefectSegError, ValueError):
    """A key that something else has, or that does not exist."""


class KeyTable:
    """Keys by command; what differs from the defaults is kept.

    Parameters
    ----------
    path : path
        A JSON file; made when the first key is changed.
    """

    changed = Signal(str)
    """A command has another key; empty: any may have."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._own: dict[str, str] = {}
        self._digits = False
        self._read()

    def key(self, name: str) -> str:
        """Return the key of a command, in napari's spelling; empty if it has none."""
        return self._own.get(name, COMMANDS[name].key)

    def keys(self) -> dict[str, str]:
        """Return the key of every command."""
        return {name: self.key(name) for name in COMMANDS}

    def is_own(self, name: str) -> bool:
        """Whether a command has another key than the default."""
        return name in self._own

    def set_key(self, name: str, key: str) -> None:
        """Give a command another key; empty takes it away.

        Raises
        ------
        KeyTaken
            If there is no such key.
        """
        key = spelled(key) if key else NONE
        if key == COMMANDS[name].key:
            self._own.pop(name, None)
        else:
            self._own[name] = key
        self._write()
        self.changed.emit(name)

    def reset(self) -> None:
        """Give every command its default key."""
        self._own.clear()
        self._write()
        self.changed.emit("")

    @property
    def digits(self) -> bool:
        """Whether the digits choose classes in label layers, in the place of napari's modes."""
        return self._digits

    def set_digits(self, digits: bool) -> None:
        """Let the digits choose classes, or leave them to napari."""
        if digits != self._digits:
            self._digits = digits
            self._write()
            self.changed.emit("")

    def _read(self) -> None:
        try:
            values = json.loads(self.path.read_text("utf-8"))
            keys = dict(values["keys"])
            self._digits = bool(values["digits"])
        except (OSError, ValueError, TypeError, KeyError):
            return  # no file yet, or not ours: the defaults
        for name, key in keys.items():
            if name in COMMANDS and isinstance(key, str):
                try:
                    self._own[name] = spelled(key) if key else NONE
                except KeyTaken:
                    continue

    def _write(self) -> None:
        values: dict[str, Any] = {"keys": self._own, "digits": self._digits}
        try:
            write_text(self.path, json.dumps(values, indent=1))
        except NotSaved:
            # They hold until the window is closed; a full disk is told where work is saved.
            return


def spelled(key: str) -> str:
    """Return a key in napari's spelling.

    Raises
    ------
    KeyTaken
        If there is no such key, or it does not arrive: Shift turns a digit into another sign.
    """
    try:
        binding: KeyBinding = coerce_keybinding(key)
        part = binding.parts[-1]
    except (ValueError, KeyError, IndexError) as error:
        raise KeyTaken(f"{key!r} is not a key.") from error
    code = str(part.key)
    if len(binding.parts) != 1 or part.key is None or part.key == KeyCode.UNKNOWN:
        raise KeyTaken(f"{key!r} is not a key that napari knows.", hint="Try another one.")
    if code in ("Ctrl", "Shift", "Alt", "Meta"):
        raise KeyTaken(f"{code} alone is not a key.", hint="Press it together with another one.")
    if part.shift and len(code) == 1 and not code.isalpha():
        raise KeyTaken(
            f"Shift with {code} arrives as another sign on many keyboards.",
            hint="Use Ctrl or Alt, or a letter.",
        )
    return str(binding)


@cache
def _table(path: Path) -> KeyTable:
    return KeyTable(path)


def key_table() -> KeyTable:
    """Return the table that all viewers share."""
    from platformdirs import user_config_path

    return _table(user_config_path("napari-defectseg") / "keys.json")

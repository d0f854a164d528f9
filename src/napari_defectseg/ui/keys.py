"""`Keys`: commands that docks offer, heard by their keys in one viewer."""

from __future__ import annotations

from collections.abc import Callable
from inspect import ismethod
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakMethod, WeakSet, ref

from napari.layers import Labels, Layer
from napari.utils.key_bindings import coerce_keybinding
from psygnal import Signal
from qtpy.compat import isalive

from napari_defectseg.ui.commands import COMMANDS
from napari_defectseg.ui.key_collisions import collisions
from napari_defectseg.ui.key_table import KeyTable, KeyTaken, key_table, spelled
from napari_defectseg.ui.widgets.text import name as name_widget

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget

Act = Callable[[], Any]
"""Does it. False: not now, ask who offered it before. For keys that are held: what ends it."""


class Keys:
    """Binds keys on the viewer and on our label layers, and tells what they are.

    A command has a key only while somebody offers it. Who offered last is asked first.

    Parameters
    ----------
    viewer : napari.Viewer
    table : KeyTable, optional
        The shared one if none is given.
    """

    changed = Signal(str)
    """A command has another key, or is offered or no longer; empty: any."""

    def __init__(self, viewer: napari.Viewer, table: KeyTable | None = None) -> None:
        self._viewer = ref(viewer)
        self.table = table or key_table()
        self._offers: dict[str, list[Any]] = {}
        self._layers: WeakSet[Layer] = WeakSet()
        self._bound: dict[str, list[tuple[Any, str, Any]]] = {}
        self._tips: list[tuple[Any, str, str]] = []
        self.table.changed.connect(self._on_table)

    @property
    def theme(self) -> str:
        """The theme of the viewer."""
        viewer = self._viewer()
        return "" if viewer is None else str(viewer.theme)

    # -- what can be done ----------------------------------------------------------------

    def provide(self, name: str, act: Act) -> None:
        """Offer a command; bound methods are held weakly, so a dock that goes takes it along."""
        if name not in COMMANDS:
            raise ValueError(f"{name!r} is not in the table of commands")
        held = WeakMethod(act) if ismethod(act) else (lambda: act)
        self._offers.setdefault(name, []).append(held)
        self._bind(name)
        self.changed.emit(name)

    def withdraw(self, name: str, act: Act) -> None:
        """Offer a command no longer."""
        offers = self._offers.get(name, [])
        offers[:] = [held for held in offers if held() not in (act, None)]
        if not offers:
            self._unbind(name)
        self.changed.emit(name)

    def offered(self) -> tuple[str, ...]:
        """Return the commands that can be done now, in the order of the table."""
        return tuple(name for name in COMMANDS if self._acts(name))

    def run(self, name: str) -> Any:
        """Do a command; who offered last is asked first, until one does not say False."""
        for act in reversed(self._acts(name)):
            done = act()
            if done is not False:
                return done
        return None

    def _acts(self, name: str) -> list[Act]:
        return [act for held in self._offers.get(name, ()) if (act := held()) is not None]

    # -- which key it is -----------------------------------------------------------------

    def key(self, name: str) -> str:
        """Return the key of a command; empty if it has none."""
        return self.table.key(name)

    def tip(self, name: str, words: str = "") -> str:
        """Return a tooltip: ``"Split the object (S)"``."""
        words, key = words or COMMANDS[name].words, self.key(name)
        return f"{words} ({key})" if key else words

    def follow(self, widget: QWidget, name: str, words: str = "") -> None:
        """Let the tooltip of a control say its key, also after the key was changed."""
        self._tips = [tie for tie in self._tips if isalive(tie[0])]
        self._tips.append((widget, name, words))
        self._say(widget, name, words)

    def change(self, name: str, key: str) -> None:
        """Give a command another key; empty takes it away.

        Raises
        ------
        KeyTaken
            If napari or another command of ours has that key.
        """
        key = spelled(key) if key else ""
        wished = {**self.table.keys(), name: key}
        clash = [one for one in collisions(wished) if one.key == key and key]
        if clash:
            raise KeyTaken(_other_than(name, clash[0]), hint="Choose another key.")
        self.table.set_key(name, key)

    # -- where it is heard ---------------------------------------------------------------

    def bind_layer(self, layer: Layer) -> None:
        """Hear keys while a layer is the active one."""
        self._layers.add(layer)
        for name in self._offers:
            if self._acts(name):
                self._bind(name)

    def leave_layer(self, layer: Layer) -> None:
        """Hear keys on a layer no longer."""
        self._layers.discard(layer)
        for name, ties in self._bound.items():
            for owner, key, before in ties:
                if owner() is layer:
                    layer.bind_key(key, before, overwrite=True)
            self._bound[name] = [tie for tie in ties if tie[0]() is not layer]

    def _bind(self, name: str) -> None:
        self._unbind(name)
        command, viewer = COMMANDS[name], self._viewer()
        owners = list(self._layers) if command.where in ("layer", "both") else []
        if command.where in ("viewer", "both") and viewer is not None:
            owners.append(viewer)
        ties: list[tuple[Any, str, Any]] = []
        for key in filter(None, (self.key(name), self._digit(name))):
            for owner in owners:
                before = owner.keymap.get(coerce_keybinding(key))
                owner.bind_key(key, _pressed(self, name, key), overwrite=True)
                ties.append((ref(owner), key, before))
        self._bound[name] = ties

    def _unbind(self, name: str) -> None:
        for owner, key, before in self._bound.pop(name, ()):
            if (bound := owner()) is not None:
                bound.bind_key(key, before, overwrite=True)

    def _digit(self, name: str) -> str:
        start, _, digit = name.partition("_")
        return digit if start == "class" and self.table.digits else ""

    def _on_table(self, name: str) -> None:
        for one in [name] if name else list(self._offers):
            if self._acts(one):
                self._bind(one)
        self._tips = [tie for tie in self._tips if isalive(tie[0])]
        for widget, one, words in self._tips:
            if name in ("", one):
                self._say(widget, one, words)
        self.changed.emit(name)

    def _say(self, widget: QWidget, name: str, words: str) -> None:
        said = widget.accessibleName() or words or COMMANDS[name].words
        name_widget(widget, said, self.tip(name, words))


def _pressed(keys: Keys, name: str, key: str) -> Callable[[Any], Any]:
    """Return what napari calls with the layer or viewer; it knows `keys` weakly."""
    known = ref(keys)

    def press(owner: Any) -> None:
        found = known()
        if found is not None and not (name == "escape" and _napari_used(owner, key)):
            found.run(name)

    def hold(owner: Any) -> Any:
        found = known()
        end = found.run(name) if found is not None else None
        yield
        if callable(end):
            end()

    function = hold if COMMANDS[name].hold else press
    function.__doc__ = COMMANDS[name].words
    return function


def _napari_used(owner: Any, key: str) -> bool:
    """Let napari reset a polygon or a stroke first; whether there was one."""
    if not isinstance(owner, Labels):
        return False
    overlays = getattr(owner, "_overlays", {})
    polygon, stroke = overlays.get("polygon"), overlays.get("brush_stroke")
    if not (getattr(polygon, "points", None) or getattr(stroke, "active", False)):
        return False
    for cls in type(owner).__mro__:
        function = getattr(cls, "class_keymap", {}).get(coerce_keybinding(key))
        if callable(function):
            function(owner)
            return True
    return False


def _other_than(name: str, clash: Any) -> str:
    other = clash.other if clash.command == name else COMMANDS[clash.command].words
    return f"{clash.key} is taken: {other}."


_keys: WeakKeyDictionary[Any, Keys] = WeakKeyDictionary()


def keys_of(viewer: napari.Viewer) -> Keys:
    """Return the keys of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _keys:
        _keys[real] = Keys(real)
    return _keys[real]

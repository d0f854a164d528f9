"""The keys of the left hand, bound on the labels' layers and, for the walk, on the viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.correct import CorrectDock

Action = Callable[["CorrectDock"], Any]

LAYER_KEYS: dict[str, tuple[str, Action]] = {
    "A": ("Accept the object", lambda dock: dock.accept()),
    "D": ("Delete the object", lambda dock: dock.hand.delete()),
    "S": ("Split the object", lambda dock: dock.use_tool("split")),
    "W": ("Fill the holes of the object", lambda dock: dock.hand.fill_holes()),
    "Q": ("Smooth the object", lambda dock: dock.hand.smooth()),
    "C": ("Change the class of the object", lambda dock: dock.hand.take("class")),
    "J": ("Merge objects", lambda dock: dock.use_tool("merge")),
    "N": ("Next object", lambda dock: dock.next()),
    "Shift-N": ("Previous object", lambda dock: dock.previous()),
    "H": ("Look at the object later", lambda dock: dock.later()),
    "U": ("Filled or outlines", lambda dock: dock.toggle_outlines()),
    "Control-Z": ("Undo", lambda dock: dock.hand.undo()),
    "Control-Shift-Z": ("Redo", lambda dock: dock.hand.redo()),
    **{
        f"Control-{digit}": (
            f"Draw as class {digit}",
            lambda dock, place=digit - 1: dock.choose_class_at(place),
        )
        for digit in range(1, 10)
    },
}
VIEWER_KEYS = ("A", "D", "N", "Shift-N", "H")
"""Bound on the viewer too: with an image layer active, keys of the labels layer are dead."""


def bind_keys(dock: CorrectDock) -> Callable[[], None]:
    """Bind all keys for a dock; the returned function takes them off again."""
    bound: list[Any] = []

    def on_layer(layer: Any) -> None:
        if layer in bound:
            return
        for key, (_, act) in LAYER_KEYS.items():
            layer.bind_key(key, lambda _layer, act=act: act(dock), overwrite=True)
        bound.append(layer)

    def on_labels(_: Any = None) -> None:
        for layer in dock.hand.stage.labels_layers:
            on_layer(layer)

    for key in VIEWER_KEYS:
        act = LAYER_KEYS[key][1]
        dock.viewer.bind_key(key, lambda _viewer, act=act: act(dock), overwrite=True)
    dock.session.events.labels.connect(on_labels)
    on_labels()

    def unbind() -> None:
        dock.session.events.labels.disconnect(on_labels)
        for layer in bound:
            for key in LAYER_KEYS:
                layer.bind_key(key, None)
        for key in VIEWER_KEYS:
            dock.viewer.bind_key(key, None)

    return unbind

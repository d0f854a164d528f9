"""Clicks on objects: they select, or go to the tool that asked for them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

if TYPE_CHECKING:
    import napari

    from napari_defectseg.ui.stage import Stage

STILL = 4.0
"""A button that moved farther (screen pixels) drags, it does not click."""


@dataclass(frozen=True)
class Click:
    """A click on the canvas.

    Parameters
    ----------
    number : int
        The object there, 0: none.
    plane : int
        Label plane it lies in.
    place : tuple of int
        Indices in the plane; a 3D view gives the place where the object is met.
    adds : bool
        Whether Ctrl or Shift was held: add to what is selected.
    """

    number: int
    plane: int
    place: tuple[int, ...]
    adds: bool


Handler = Callable[[Click], bool]
"""Returns whether it used the click."""


class Clicks:
    """Hands clicks to whoever asked last; what nobody uses selects the object.

    Parameters
    ----------
    viewer : napari.Viewer
    stage : Stage
    """

    def __init__(self, viewer: napari.Viewer, stage: Stage) -> None:
        self._stage = stage
        self._handlers: list[Handler] = []
        viewer.mouse_drag_callbacks.append(self._on_press)

    def ask(self, handler: Handler) -> None:
        """Tell `handler` of clicks before all others, until `leave`."""
        self.leave(handler)
        self._handlers.append(handler)

    def leave(self, handler: Handler) -> None:
        """Tell `handler` nothing more."""
        if handler in self._handlers:
            self._handlers.remove(handler)

    def click(self, click: Click) -> None:
        """Do what a click means."""
        for handler in reversed(self._handlers):
            if handler(click):
                return
        session = self._stage.session
        if click.number and click.adds:
            session.select(session.selection ^ {click.number})
        elif click.number or not click.adds:
            session.select([click.number] if click.number else ())

    def _on_press(self, viewer: napari.Viewer, event: Any) -> Generator[None, None, None]:
        active = viewer.layers.selection.active
        ours = active is None or (
            isinstance(active, Image | Labels) and str(active.mode) == "pan_zoom"
        )
        if event.button != 1 or not ours or not self._stage.labels_layers:
            return
        start = np.array(event.pos if event.pos is not None else (0, 0), float)
        still = True
        yield
        while event.type == "mouse_move":
            still = still and float(np.abs(np.array(event.pos, float) - start).max()) <= STILL
            yield
        if still:
            adds = bool({"Control", "Shift"} & {str(one) for one in event.modifiers})
            self.click(self._click_at(event, adds))

    def _click_at(self, event: Any, adds: bool) -> Click:
        layers = self._stage.labels_layers
        for plane in reversed(range(len(layers))):
            layer = layers[plane]
            if layer.visible and (number := _number_at(layer, event)):
                return Click(number, plane, _place(layer, event, number), adds)
        return Click(0, 0, _place(layers[0], event, 0), adds)


def _number_at(layer: Labels, event: Any) -> int:
    value = layer.get_value(
        event.position,
        view_direction=event.view_direction,
        dims_displayed=event.dims_displayed,
        world=True,
    )
    return int(value or 0)


def _place(layer: Labels, event: Any, number: int) -> tuple[int, ...]:
    here = tuple(int(np.round(value)) for value in layer.world_to_data(event.position))
    if len(event.dims_displayed) < 3 or not number:
        return here
    near, far = layer.get_ray_intersections(
        event.position, event.view_direction, event.dims_displayed, world=True
    )
    if near is None or far is None:
        return here
    steps = int(np.ceil(float(np.linalg.norm(far - near)))) * 2 + 1
    ray = np.round(np.linspace(near, far, steps)).astype(int)
    ray = np.clip(ray, 0, np.array(layer.data.shape) - 1)
    met = np.flatnonzero(layer.data[tuple(ray.T)] == number)
    return tuple(int(value) for value in ray[met[0]]) if met.size else here

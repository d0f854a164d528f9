"""Which keys do what while Correct is there, and which controls say so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.correct import CorrectDock


def offer_keys(dock: CorrectDock) -> dict[str, Callable[[], Any]]:
    """Offer what keys do in Correct, and let its controls say which keys these are.

    Returns
    -------
    dict of str to callable
        By command; to be withdrawn when the dock goes.
    """
    acts = _acts(dock)
    for place in range(9):
        acts[f"class_{place + 1}"] = partial(dock.choose_class_at, place)
    for command, act in acts.items():
        dock.keys.provide(command, act)
    for command, widget in _controls(dock).items():
        dock.keys.follow(widget, command)
    return acts


def _acts(dock: CorrectDock) -> dict[str, Callable[[], Any]]:
    hand, shaping = dock.hand, dock.more.shaping
    tools = ("edge", "split", "merge", "trace", "cut", "box", "lasso")
    return {tool: partial(dock.tools.use, tool) for tool in tools} | {
        "accept": dock.accept,
        "delete": hand.delete,
        "fill_holes": hand.fill_holes,
        "smooth": hand.smooth,
        "relabel": dock.change_class,
        "grow": shaping.grow,
        "shrink": shaping.shrink,
        "between": shaping.between,
        "copy_on": shaping.copy_on,
        "copy_back": shaping.copy_back,
        "fill_strokes": shaping.fill_strokes,
        "join": shaping.join,
        "next": dock.next,
        "back": dock.previous,
        "skip": dock.later,
        "undo": hand.undo,
        "redo": hand.redo,
        "outlines": dock.more.toggle_outlines,
        "save_region": dock.save_here,
        "escape": dock.leave_tool,
    }


def _controls(dock: CorrectDock) -> dict[str, Any]:
    grid, outlines, more = dock.tools.grid, dock.tools.outlines, dock.more
    return {
        "accept": dock.card.accept,
        "delete": dock.card.delete,
        "relabel": dock.card.relabel,
        "edge": grid.button("edge"),
        "split": grid.button("split"),
        "merge": grid.button("merge"),
        "fill_holes": grid.button("holes"),
        "trace": grid.button("trace"),
        "box": outlines.button("box"),
        "lasso": outlines.button("lasso"),
        "cut": more.lines.cut,
        "join": more.lines.join,
        "grow": more.levels.grow,
        "shrink": more.levels.shrink,
        "fill_strokes": more.levels.fill,
        "between": more.slices.between,
        "copy_on": more.slices.copy_on,
        "copy_back": more.slices.copy_back,
        "smooth": more.smooth,
        "back": dock.back,
        "save_region": dock.save.open_button,
    }

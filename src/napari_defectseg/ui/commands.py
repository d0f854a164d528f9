"""What can be done by a key: name, words, default key, and where the key is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["layer", "viewer", "both"]
"""On our label layers alone; everywhere in the window; or both, to go before napari's own."""


@dataclass(frozen=True)
class Command:
    """One thing that a key does.

    Parameters
    ----------
    name : str
    words : str
        As tooltips and the command palette say it.
    key : str
        Its key unless it was changed, in napari's spelling: ``"Ctrl+Shift+Z"``.
    where : Where
    dock : str
        On whose sheet it stands; empty: on all.
    hold : bool
        Whether it lasts while the key is held.
    """

    name: str
    words: str
    key: str
    where: Where
    dock: str = ""
    hold: bool = False


_CORRECT = (
    Command("accept", "Accept the object", "A", "both", "correct"),
    Command("delete", "Delete the object", "D", "both", "correct"),
    Command("split", "Split the object", "S", "layer", "correct"),
    Command("fill_holes", "Fill the holes of the object", "W", "layer", "correct"),
    Command("smooth", "Smooth the object", "Q", "layer", "correct"),
    Command("relabel", "Change the class of the object", "C", "layer", "correct"),
    Command("merge", "Merge objects: click the others, then again", "J", "layer", "correct"),
    Command("edge", "Edge brush: stops at the edge that the image shows", "T", "layer", "correct"),
    Command("trace", "Trace a line along its ridge, from click to click", "R", "layer", "correct"),
    Command("cut", "Cut a line where it is clicked", "K", "layer", "correct"),
    Command(
        "grow", "Grow to the next level of the scores (Shift and wheel)", "G", "layer", "correct"
    ),
    Command("shrink", "Shrink to the next level of the scores", "Shift+G", "layer", "correct"),
    Command("between", "Fill between painted slices", "I", "layer", "correct"),
    Command("box", "Draw a box", "", "layer", "correct"),
    Command("lasso", "Draw around an object", "", "layer", "correct"),
    Command("copy_on", "Copy the object to the next slice", "", "layer", "correct"),
    Command("copy_back", "Copy the object to the slice before", "", "layer", "correct"),
    Command("fill_strokes", "Fill the object from its strokes", "", "layer", "correct"),
    Command("join", "Join lines over their gaps", "", "layer", "correct"),
    Command("next", "Next object", "N", "both", "correct"),
    Command("back", "Previous object", "Shift+N", "both", "correct"),
    Command("skip", "Skip the object: look at it later", "H", "both", "correct"),
    Command("undo", "Undo", "Ctrl+Z", "layer", "correct"),
    Command("redo", "Redo", "Ctrl+Shift+Z", "layer", "correct"),
    Command("save_region", "Save this region to the dataset", "Ctrl+D", "viewer", "correct"),
)
_CLASSES = tuple(
    Command(f"class_{digit}", f"Draw as class {digit}", f"Ctrl+{digit}", "layer", "correct")
    for digit in range(1, 10)
)
_EVERYWHERE = (
    Command("primary", "Press the main button of the dock in front", "Ctrl+Enter", "viewer"),
    Command("next_image", "Next image of the collection", "PageDown", "viewer"),
    Command("previous_image", "Previous image of the collection", "PageUp", "viewer"),
    Command("peek", "Hide everything but the image, while held", "Y", "layer", hold=True),
    Command("outlines", "Show objects filled or as outlines", "U", "layer"),
    Command("escape", "Leave the tool, or stop what is running", "Escape", "both"),
    Command("keys", "Show the keys", "F1", "viewer"),
)
_DOCKS = tuple(
    Command(f"dock_{key}", f"Go to {title}", f"Alt+{digit}", "viewer")
    for digit, (key, title) in enumerate(
        (
            ("data", "Data"),
            ("model", "Model"),
            ("predict", "Predict"),
            ("correct", "Correct"),
            ("review", "Review"),
            ("statistics", "Statistics"),
            ("dataset", "Dataset"),
            ("train", "Train"),
        ),
        start=1,
    )
)
COMMANDS: dict[str, Command] = {
    command.name: command for command in (*_CORRECT, *_CLASSES, *_EVERYWHERE, *_DOCKS)
}
"""Every command by name. A key is heard only while something offers the command."""

WANTED = frozenset({"undo", "redo", "escape"})
"""Commands that take a key of napari's on purpose: one history, and napari's reset comes first."""

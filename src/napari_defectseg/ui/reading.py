"""What napari's reader gives for a file: a calibrated layer, or hands it to the dock it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_defectseg.images.collection import STORES
from napari_defectseg.images.open import can_open, open_image
from napari_defectseg.images.parts import PartNeeded
from napari_defectseg.models.save import CARD
from napari_defectseg.ui.layers import LayerData, image_data

MODELS = (
    "*.safetensors", "*.pt", "*.pth", "*.ckpt", "*/card.json",
)  # fmt: skip
"""File names of models, for manifests and file dialogs."""
NOTHING: list[Any] = [(None,)]
"""napari's word for: it was read, and there is no layer to show."""

Read = Callable[[str], list[LayerData]]


def is_model(path: str | Path) -> bool:
    """Return whether a file or folder is named like a model."""
    file = Path(path)
    if file.is_dir():
        return (file / CARD).is_file()
    return file.name == CARD or any(file.match(pattern) for pattern in MODELS[:-1])


def image_reader(path: str | list[str]) -> Read | None:
    """Return how an image is read; None for what is none."""
    if not isinstance(path, str):
        return None
    if is_model(path):
        return model_reader(path)
    if Path(path).is_dir() and Path(path).suffix.lower() not in STORES:
        return _read_folder
    return _read_image if can_open(path) else None


def model_reader(path: str | list[str]) -> Read | None:
    """Return how a model is handed to the Model dock; None for what is none."""
    return _read_model if isinstance(path, str) and is_model(path) else None


def _read_image(path: str) -> list[LayerData]:
    try:
        return [image_data(open_image(path))]
    except PartNeeded:
        if hand_on("data", path):
            return NOTHING
        raise


def _read_folder(path: str) -> list[LayerData]:
    # A stack, or images of their own? Only a person knows, where there is one.
    if hand_on("data", path):
        return NOTHING
    return [image_data(open_image(path))]


def _read_model(path: str) -> list[LayerData]:
    from napari_defectseg.core.errors import ModelError

    if not hand_on("model", path):
        raise ModelError(
            f"{Path(path).name} is a model, not an image.",
            hint="Open it in the Model dock of a napari window.",
        )
    return NOTHING


def hand_on(dock: str, path: str) -> bool:
    """Let a dock of the workbench open a file; false if there is no window to do so in."""
    from napari import current_viewer

    from napari_defectseg.ui.workbench import open_workbench

    viewer = current_viewer()
    bench = open_workbench(viewer) if viewer is not None else None
    if bench is None:
        return False
    bench.open_in(dock, path)
    return True

"""What the Model dock asks and says when a model is exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.progress import Steps

if TYPE_CHECKING:
    from napari_defectseg.models.export.compare import Exported

KINDS = {
    "ONNX (*.onnx)": ("onnx", ".onnx"),
    "Package of bioimage.io (*.zip)": ("bioimageio", ".zip"),
    "Weights with card (*.safetensors)": ("safetensors", ".safetensors"),
}
"""What the file dialogue offers: kind of export, and how its files end."""
FILTERS = tuple(KINDS)


def resolved(path: str, chosen: str) -> tuple[str, str, bool]:
    """Return the kind of export, the path, and whether the dialogue asked about replacing it.

    A path that ends as one of the kinds counts more than the filter that was left as it was; one
    that gets its ending here was not asked about.
    """
    by_ending = {ending: kind for kind, ending in KINDS.values()}
    ending = Path(path).suffix.lower()
    if ending in by_ending:
        return by_ending[ending], path, True
    kind, usual = KINDS.get(chosen, KINDS[FILTERS[0]])
    return kind, f"{path}{usual}", False


def export_steps(model: Any, to: str, path: str, *, overwrite: bool) -> Steps[Exported]:
    """Write the model."""
    from napari_defectseg.models.export.model import export_model_steps

    return (yield from export_model_steps(model, to, path, overwrite=overwrite))


def sentence(done: Exported) -> str:
    """Return what was written, and how near it is to the original."""
    first = f"Exported as {done.path}; probabilities within {done.difference:.2g} of the original."
    return " ".join([first, *done.notes])

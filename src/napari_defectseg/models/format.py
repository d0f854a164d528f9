"""What a weight format must offer; the table of those that do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_defectseg.core.registry import Registry
from napari_defectseg.models.arraymodel import OpenedModel
from napari_defectseg.models.card import ModelCard


@dataclass(frozen=True)
class Match:
    """What a format says about a path.

    Parameters
    ----------
    fits : bool
        Whether the path is of this format.
    reason : str
        What was seen, as half a sentence: ``"it has no card.json"``.
    advice : str
        What to do about it, a sentence or nothing.
    """

    fits: bool
    reason: str = ""
    advice: str = ""


class Format(Protocol):
    """One kind of file or folder; a module of `models.formats` is one."""

    def recognise(self, path: Path) -> Match:
        """Say whether `path` is of this format; cheap, never raises for strange content."""

    def open(self, path: Path, card: ModelCard | None) -> OpenedModel:
        """Return the model; `card` is one that stands beside the file, if there is one."""


FORMATS: Registry[Format] = Registry(
    "model format",
    {
        "folder": "napari_defectseg.models.formats.folder",
        "safetensors": "napari_defectseg.models.formats.safetensors",
        "nnunet": "napari_defectseg.models.formats.nnunet",
        "state_dict": "napari_defectseg.models.formats.state_dict",
        "program": "napari_defectseg.models.formats.program",
        "smp": "napari_defectseg.models.formats.smp",
        "transformers": "napari_defectseg.models.formats.transformers",
        "monai": "napari_defectseg.models.formats.monai",
        "bioimageio": "napari_defectseg.models.formats.bioimageio",
        "keras": "napari_defectseg.models.formats.keras",
        "tensorflow": "napari_defectseg.models.formats.tensorflow",
        "onnx": "napari_defectseg.models.formats.onnx",
        "openvino": "napari_defectseg.models.formats.openvino",
    },
    group="napari_defectseg.formats",
)

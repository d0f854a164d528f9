"""OpenVINO: layers in XML, numbers beside it; read by our own reader, computed by OpenVINO."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.openvino.opened import looks_like_openvino, open_openvino


def recognise(path: Path) -> Match:
    """Say whether `path` is the XML of a model of OpenVINO, or the numbers beside one."""
    if path.is_dir():
        return Match(False, "it is a folder")
    return Match(True) if _layers(path) else Match(False, "it is no XML of OpenVINO")


def open(path: Path, card: ModelCard | None) -> ArrayModel:  # noqa: A001 - the protocol's word
    """Return the model in a file and the one of its numbers.

    Raises
    ------
    ModelError
        If OpenVINO is not installed, the file is damaged, its numbers are missing, it has layers
        of an extension, or it is no segmentation of an image.
    """
    return open_openvino(_layers(path) or path, card)


def _layers(path: Path) -> Path | None:
    """Return the file of the layers; a person may pick the one of the numbers."""
    if path.suffix.lower() == ".bin":
        path = path.with_suffix(".xml")
    return path if path.is_file() and looks_like_openvino(path) else None

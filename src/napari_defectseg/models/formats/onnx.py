"""ONNX: operators and numbers without code; read by our own reader, computed by onnxruntime."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.onnx.opened import open_onnx
from napari_defectseg.models.onnx.read import begins_like_onnx


def recognise(path: Path) -> Match:
    """Say whether `path` is a model of ONNX, whole or not."""
    if path.is_dir():
        return Match(False, "it is a folder")
    if path.stat().st_size == 0:
        return Match(False, "it is empty")
    if not begins_like_onnx(path):
        return Match(False, "it is not built like a model of ONNX")
    return Match(True)


def open(path: Path, card: ModelCard | None) -> ArrayModel:  # noqa: A001 - the protocol's word
    """Return the model in a file; its card is made from its graph.

    Raises
    ------
    ModelError
        If onnxruntime is not installed, or the file is damaged, asks for operators that are not
        ONNX's own, reads from elsewhere, or is no segmentation of an image.
    """
    return open_onnx(path, card)

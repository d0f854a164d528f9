"""A model of OpenVINO → `ArrayModel`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.arraymodel import ArrayModel, Program
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.onnx.card import card_of
from napari_defectseg.models.onnx.facts import facts_of
from napari_defectseg.models.onnx.opened import together
from napari_defectseg.models.openvino.graph import graph_of

RUNTIME = "openvino"
HEAD = 512


def looks_like_openvino(path: Path) -> bool:
    """Return whether a file begins as the XML of such a model: a net with a version."""
    with path.open("rb") as file:
        head = file.read(HEAD).lstrip()
    return head.startswith((b"<?xml", b"<net ")) and b"<net " in head and b"version=" in head


def open_openvino(path: Path, card: ModelCard | None = None) -> ArrayModel:
    """Return the model in a file and the one of its numbers.

    Raises
    ------
    ModelError
        As the format ``openvino`` says.
    """
    if find_spec(RUNTIME) is None:
        raise ModelError(
            f"{path} is a model of OpenVINO, which is not installed.",
            hint="Install it: pip install 'napari-defectseg[openvino]'; or export the model to "
            "ONNX.",
        )
    try:
        graph, numbers = graph_of(path)
        facts = facts_of(graph, str(path))
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} has {error} where a number was expected.") from error
    card = card or card_of(graph, facts, str(path), RUNTIME)
    hashes = {file.name: sha256_of_file(file) for file in (path, numbers)}
    return ArrayModel(
        card,
        Program(RUNTIME, path.absolute(), hashes, facts.options),
        path=str(path),
        format="openvino",
        sha256=together(hashes),
        files=tuple(hashes),
    )

"""A file of ONNX → `ArrayModel`: checked, described, ready to run in a process of its own."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.arraymodel import ArrayModel, Program
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.onnx.card import card_of
from napari_defectseg.models.onnx.facts import Facts, facts_of
from napari_defectseg.models.onnx.growth import check_growth
from napari_defectseg.models.onnx.outside import outside_files
from napari_defectseg.models.onnx.read import read_graph
from napari_defectseg.models.onnx.structure import Graph

RUNTIME = "onnxruntime"
DOMAINS = frozenset(("", "ai.onnx", "ai.onnx.ml"))
"""Sets of operators that ONNX itself defines."""
OLDEST = 7
"""Oldest version of the operators that onnxruntime computes."""


def has_runtime() -> bool:
    """Return whether onnxruntime is installed."""
    return find_spec(RUNTIME) is not None


def open_onnx(path: Path, card: ModelCard | None = None) -> ArrayModel:
    """Return the model in a file.

    Parameters
    ----------
    path : Path
    card : ModelCard, optional
        That of the model; None: one is made from the graph.

    Raises
    ------
    ModelError
        As the format ``onnx`` says.
    """
    if not has_runtime():
        raise ModelError(
            f"{path} is a model of ONNX, and onnxruntime, which computes it, is not installed.",
            hint="Install it: pip install 'napari-defectseg[onnx]'.",
        )
    graph, facts, files = checked(path)
    card = card or card_of(graph, facts, str(path), RUNTIME)
    hashes = {file.name: sha256_of_file(file) for file in files}
    return ArrayModel(
        card,
        Program(RUNTIME, path.absolute(), hashes, facts.options),
        path=str(path),
        format="onnx",
        sha256=together(hashes),
        files=tuple(hashes),
    )


def checked(path: Path) -> tuple[Graph, Facts, tuple[Path, ...]]:
    """Return a file's graph, what it takes and gives, and all files it consists of.

    Raises
    ------
    ModelError
        If it must not or cannot be run.
    """
    graph = read_graph(path)
    foreign = sorted(graph.domains - DOMAINS)
    if foreign:
        raise ModelError(
            f"{path} needs operators of {', '.join(foreign)}, which are not those of ONNX, so it "
            "is not opened.",
            hint="Export it again with the operators of ONNX alone (not as an optimised file).",
        )
    version = max(graph.opsets.get("", 0), graph.opsets.get("ai.onnx", 0))
    if version < OLDEST:
        raise ModelError(
            f"{path} uses version {version} of the operators of ONNX; those from {OLDEST} on are "
            "computed.",
            hint="Convert it: onnx.version_converter.convert_version(model, 17).",
        )
    check_growth(path, graph)
    files = (path, *outside_files(path, graph))
    return graph, facts_of(graph, str(path)), files


def together(hashes: dict[str, str]) -> str:
    """Return the hash of a file, or of several with their names."""
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = "".join(f"{name} {value}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()

"""A checkpoint of DefectSegNet, with the text files that stand beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architectures import defectsegnet
from napari_defectseg.models.graphs.graph import Graph, Node
from napari_defectseg.models.graphs.operations import variables_of
from napari_defectseg.models.graphs.same import same_network
from napari_defectseg.models.graphs.weights import tensors_of
from napari_defectseg.models.keras.checkpoint import Checkpoint
from napari_defectseg.models.keras.known import GENERIC

if TYPE_CHECKING:
    import torch

NAME = "defectsegnet"
LONGEST_TEXT = 1 << 16
FIRST = "variable_scope1/conv2d/kernel"


@dataclass(frozen=True)
class FoundNet:
    """The network of a checkpoint.

    Parameters
    ----------
    architecture : str
    settings : dict
    graph : Graph
    target : str
        The defect, in the word of the published files; empty: not stated.
    segment : int
        Edge of the squares that an image is cut into.
    files : tuple of Path
        Text files that were read.
    """

    architecture: str
    settings: dict[str, Any]
    graph: Graph
    target: str
    segment: int
    files: tuple[Path, ...]


def network_of(checkpoint: Checkpoint) -> FoundNet:
    """Return the network: by ``architecture.txt`` where there is one, else as published.

    Raises
    ------
    ModelError
        If tensors are missing or of another shape, or a text file makes no sense.
    """
    folder = checkpoint.prefix.parent
    texts = {name: _text(folder / f"{name}.txt") for name in ("architecture", "config", "targets")}
    graph = _graph(checkpoint, texts["architecture"])
    _check(checkpoint, graph)
    kernels = [
        checkpoint.tensors[name].shape
        for node in graph.weighted
        for name in names_of(node)
        if name.endswith("kernel")
    ]
    settings = defectsegnet.KIND.from_kernels(kernels)
    own = defectsegnet.KIND.graph(settings) if settings is not None else None
    known = own is not None and same_network(own, graph) is not None
    return FoundNet(
        NAME if known else GENERIC,
        settings if known and settings is not None else graph.as_plain(),
        own if known and own is not None else graph,
        _target(texts["targets"]),
        _segment(texts["config"]),
        tuple(folder / f"{name}.txt" for name, text in texts.items() if text),
    )


def state_of(checkpoint: Checkpoint, graph: Graph) -> dict[str, torch.Tensor]:
    """Return the tensors of the network, read from the files of data."""
    state: dict[str, torch.Tensor] = {}
    for node in graph.weighted:
        arrays = [checkpoint.read(name) for name in names_of(node)]
        state.update(tensors_of(graph, node, arrays))
    return state


def names_of(node: Node) -> list[str]:
    """Return the names that the published code gives the weights of a node."""
    number = int(node.name.split(".")[0].removeprefix("l"))
    scope = f"variable_scope{number}"
    if node.op == "batch_norm":
        words = ("gamma", "beta", "moving_mean", "moving_variance")
        return [f"{scope}/bn_{number - 1}/{word}" for word in words]
    kind = "conv2d_transpose" if node.op == "transposed" else "conv2d"
    return [f"{scope}/{kind}/{word}" for word in ("kernel", "bias")]


def _graph(checkpoint: Checkpoint, text: str) -> Graph:
    if text:
        return defectsegnet.graph_of_rows(defectsegnet.rows_in(text))
    published = defectsegnet.KIND.graph({})
    names = [name for node in published.weighted for name in names_of(node) if "kernel" in name]
    lacking = [name for name in names if name not in checkpoint.tensors]
    if lacking:
        raise _missing(checkpoint, lacking)
    kernels = [checkpoint.tensors[name].shape for name in names]
    settings = defectsegnet.KIND.from_kernels(kernels)
    return defectsegnet.KIND.graph(settings or {})


def _check(checkpoint: Checkpoint, graph: Graph) -> None:
    lacking, wrong = [], []
    for node in graph.weighted:
        for name, (_, shape) in zip(names_of(node), variables_of(graph, node), strict=True):
            tensor = checkpoint.tensors.get(name)
            if tensor is None:
                lacking.append(name)
            elif tensor.shape != shape or tensor.dtype not in ("<f4", "<f8", "<f2"):
                wrong.append(f"{name} is {_words(tensor.shape)} instead of {_words(shape)}")
    if lacking:
        raise _missing(checkpoint, lacking)
    if wrong:
        more = f" and {len(wrong) - 2} more" if len(wrong) > 2 else ""
        raise ModelError(
            f"The weights of {checkpoint.prefix} do not fit DefectSegNet: "
            f"{'; '.join(wrong[:2])}{more}.",
            hint="architecture.txt must be the one that belongs to this checkpoint.",
        )


def _missing(checkpoint: Checkpoint, lacking: list[str]) -> ModelError:
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    return ModelError(
        f"{checkpoint.prefix} has names of DefectSegNet, but lacks {', '.join(lacking[:3])}{more}.",
        hint="It may have been renamed or written for another version of the network.",
    )


def _text(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > LONGEST_TEXT:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def _target(text: str) -> str:
    found = re.match(r"\s*([A-Za-z_]\w*)", text)
    return found[1] if found else ""


def _segment(text: str) -> int:
    found = re.search(r"^segment_size:\s*(\d{1,5})\s*$", text, re.MULTILINE)
    size = int(found[1]) if found else defectsegnet.SEGMENT
    if size < 8 or size % 8:
        raise ModelError(f"config.txt states segments of {size} pixels; they are multiples of 8.")
    return size


def _words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one value"

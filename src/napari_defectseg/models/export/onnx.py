"""ONNX with the whole card inside, checked by onnxruntime against the original."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.export.compare import (
    Exported,
    NotTheSame,
    accepted,
    difference,
    edges,
    logits_of,
    prepared,
    raw_image,
)
from napari_defectseg.models.export.traced import (
    NotTraced,
    check_installed,
    fixed_size,
    write_graph,
)
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.weights import CARD_KEY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SQUARE = 64
"""A grid of more pixels without a halo means: squares of this size, each by itself."""
MORE = (0, 3)
"""Cells of the grid by which the compared images are longer than the traced one."""


def write(model: TorchModel, out: Path, *, overwrite: bool) -> Steps[Exported]:
    """Write one file; free in size where the network can be traced so."""
    check_installed()
    yield Step(1, 3, "following the network")
    with tempfile.TemporaryDirectory(prefix="defectseg-export-") as folder:
        graph = Path(folder) / "model.onnx"
        _, greatest, notes = traced(model, graph)
        yield Step(2, 3, "writing")
        with atomic_path(out, overwrite=overwrite) as part:
            part.write_bytes(graph.read_bytes())
    return Exported(out, (out.name,), greatest, notes)


def traced(model: TorchModel, path: Path) -> tuple[ModelCard, float, tuple[str, ...]]:
    """Write the graph of a model with its card, and compare it with the model.

    Parameters
    ----------
    model : TorchModel
    path : Path
        Written anew.

    Returns
    -------
    ModelCard
        As the graph carries it; with a `tile` where its size had to be fixed.
    float
        Greatest difference of the probabilities.
    tuple of str
        What a person should know.

    Raises
    ------
    ModelError
        If it cannot be traced, or gives other probabilities.
    """
    card = model.card
    if card.tile is None:
        try:
            # One that looks at squares of its grid takes all sizes apart from this one wrongly.
            if card.halo != 0 or card.grid <= SQUARE:
                write_graph(model.network(), card, edges(card, 1), path, free=True)
                return card, _compared(model, card, path), ()
        except (NotTraced, NotTheSame):
            pass  # at one size it can be traced all the same
    size = fixed_size(card)
    halo = card.halo if card.halo is not None and 2 * card.halo < min(size) else None
    note = f"The file takes images of {' × '.join(str(n) for n in size)} pixels alone."
    if halo is None and card.windows is None:
        note += " A larger one is cut into tiles, whose results may differ where they meet."
    card = card.model_copy(update={"tile": size, "halo": halo, "quirks": (*card.quirks, note)})
    write_graph(model.network(), card, size, path, free=False)
    return card, _compared(model, card, path), (note,)


def _compared(model: TorchModel, card: ModelCard, path: Path) -> float:
    """Put the card inside, run the file, and return how far its probabilities are off."""
    _add_card(path, card)
    greatest = 0.0
    for more in MORE if card.tile is None else (0,):
        block = prepared(card, raw_image(card, edges(card, more)))
        try:
            theirs = run_file(path, block)
        except ModelError as error:
            raise NotTheSame(error.sentence, hint=error.hint) from error
        greatest = max(greatest, difference(card, logits_of(model.network(), block), theirs))
    return accepted(model, greatest, path)


def run_file(path: Path, block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a file written here gives for one block, by the runtime itself.

    Raises
    ------
    ModelError
        If it cannot be computed.
    """
    from napari_defectseg.models.onnx.opened import open_onnx

    model = open_onnx(path)
    try:
        return model.start(1).run(block)
    finally:
        model.close()


def _add_card(path: Path, card: ModelCard) -> None:
    import onnx

    graph = onnx.load(str(path))
    kept = [item for item in graph.metadata_props if item.key not in (CARD_KEY, "labels")]
    del graph.metadata_props[:]
    graph.metadata_props.extend(kept)
    words = {CARD_KEY: json.dumps(card.as_dict(), ensure_ascii=False)}
    names = list(card.classes.names)
    background = card.task == "exclusive" and card.has_background
    words["labels"] = json.dumps(["background", *names] if background else names)
    onnx.helper.set_model_props(graph, {i.key: i.value for i in kept} | words)
    graph.producer_name = "napari-defectseg"
    graph.doc_string = card.description
    onnx.save_model(graph, str(path))

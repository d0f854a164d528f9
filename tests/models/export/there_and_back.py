"""Models of any network, exported and opened again: how far their probabilities then differ."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.export.compare import (
    difference,
    edges,
    logits_of,
    prepared,
    raw_image,
)
from napari_defectseg.models.export.model import export_model
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model

ROUND_TRIP = 1e-5
ENDINGS = {"safetensors": "m.safetensors", "onnx": "m.onnx", "bioimageio": "m.zip"}


def model_of(architecture: str, settings: Mapping[str, Any]) -> TorchModel:
    """Return a model of a network with seeded weights, its statistics of batches not as new."""
    facts = ARCHITECTURES.get(architecture).facts(settings)
    outputs = facts["out_channels"]
    fields: dict[str, Any] = {
        "name": "small", "architecture": architecture, "licence": "CC-BY-4.0",
        "architecture_settings": facts["settings"], "classes": _classes(max(1, outputs - 1)),
    }  # fmt: skip
    fields |= {name: facts[name] for name in ("parameters", "dims", "in_channels", "grid", "halo")}
    if outputs == 1:
        fields |= {"task": "multilabel", "activation": "sigmoid", "has_background": False}
        fields |= {"classes": _classes(1, exclusive=False)}
    if facts.get("tile"):
        fields["tile"] = tuple(facts["tile"])
    model = TorchModel.new(ModelCard.of(fields), seed=2)
    dice = torch.Generator().manual_seed(3)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(0.2 + 0.5 * torch.rand(tensor.shape, generator=dice))
    return model


def _classes(count: int, *, exclusive: bool = True) -> ClassMap:
    return ClassMap.of([f"class {n + 1}" for n in range(count)], exclusive=exclusive)


def differs(original: TorchModel, to: str, folder: Path) -> float:
    """Export a model, open what was written, and return the greatest difference.

    Both see an image of another size than that of the check at export, where the size is free.
    """
    done = export_model(original, to, folder / ENDINGS[to])
    assert done.difference < ROUND_TRIP, done
    opened = [done.path]
    if to == "bioimageio":  # others open the graph in it, we the weights attached
        with zipfile.ZipFile(done.path) as archive:
            opened.append(Path(archive.extract("model.onnx", folder)))
    return max(_apart(original, path) for path in opened)


def _apart(original: TorchModel, path: Path) -> float:
    again = open_model(path)
    shape = again.card.tile or edges(original.card, 1)
    block = prepared(original.card, raw_image(original.card, shape, seed=4))
    ours = logits_of(original.network(), block)
    assert np.ptp(ours) > 0
    return difference(original.card, ours, _scores(again, block))


def _scores(opened: Any, block: np.ndarray) -> np.ndarray:
    if not isinstance(opened, ArrayModel):
        return logits_of(opened.network(), block)
    try:
        return opened.start(1).run(block)
    finally:
        opened.close()

"""Weights and card: one file of safetensors with the card in its header, or a model folder."""

from __future__ import annotations

import json
from pathlib import Path

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.models.export.compare import (
    Exported,
    accepted,
    difference,
    edges,
    logits_of,
    prepared,
    raw_image,
)
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import CARD, WEIGHTS, save_model
from napari_defectseg.models.weights import CARD_KEY, write_safetensors


def write(model: TorchModel, out: Path, *, overwrite: bool) -> Steps[Exported]:
    """Write a file if `out` ends in ``.safetensors``, else a folder; then open it again."""
    yield Step(1, 3, "writing weights and card")
    if out.suffix.lower() == ".safetensors":
        words = {CARD_KEY: json.dumps(model.card.as_dict(), ensure_ascii=False)}
        with atomic_path(out, overwrite=overwrite) as part:
            write_safetensors(model.state_dict(), part, words)
        files: tuple[str, ...] = (out.name,)
    else:
        save_model(model, out, overwrite=overwrite)
        files = (CARD, WEIGHTS)
    yield Step(2, 3, "comparing with the original")
    again = open_model(out)
    block = prepared(model.card, raw_image(model.card, edges(model.card)))
    assert isinstance(again, TorchModel)
    ours, theirs = logits_of(model.network(), block), logits_of(again.network(), block)
    return Exported(out, files, accepted(model, difference(model.card, ours, theirs), out))

"""Make the shipped model ``tomogram-pores``: pores in X-ray tomograms.

    python docs/models/train_tomogram_pores.py --out tomogram-pores

Learns from phantoms alone: rings, streaks and beam hardening are made in the sinogram. With
the same number of threads the same weights come out on one machine.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import napari_defectseg as ds
from napari_defectseg.models.open import open_model
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.training.fit import TrainSettings
from napari_defectseg.training.judge import judge
from napari_defectseg.training.plan import TrainingPlan

PLAN = TrainingPlan(
    name="tomogram-pores",
    dims=3,
    widths=(12, 24, 48, 80),
    patch=(48, 48, 48),
    batch=2,
    epochs=30,
    learning_rate=2e-3,
    steps_per_epoch=50,
    patience=30,
    zoom=0.25,
    symmetries=("flip_z", "flip_y", "flip_x", "rot90_yx"),
    seed=7,
)
DESCRIPTION = (
    "Dark pores in X-ray tomograms of metals and other dense materials, learnt from phantoms "
    "with rings, streaks, beam hardening, noise and precipitates."
)


def main() -> None:
    """Make the dataset, train, judge on unseen phantoms, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phantoms", type=int, default=48)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=PLAN.epochs)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = ds.Dataset.create(
            Path(folder) / "data", ["pore"], name="tomogram-pores", licence="BSD-3-Clause"
        )
        for split, first, many in (
            ("train", 0, given.phantoms),
            ("validation", 10_000, 4),
            ("test", 20_000, 8),
        ):
            for seed in range(first, first + many):
                made = phantom("tomogram", seed=seed)
                pores = (made.mask == 1).astype(np.uint8)
                data.add(made.image, pores, specimen=f"phantom {seed}", split=split)
        ds.train(
            data,
            PLAN.with_changes(epochs=given.epochs),
            given.out,
            TrainSettings(device="cpu", threads=given.threads, overwrite=True),
            on_step=tell,
        )
        finish(given.out, data)


def finish(out: Path, data: ds.Dataset) -> None:
    """Write description and the scores, with the error of the porosity."""
    model = open_model(out)
    scores: dict[str, Any] = {"phantoms": judge(model, data.pairs(split="test"))}
    scores["phantoms"]["porosity"] = [porosity(model, seed) for seed in range(20_000, 20_008)]
    card = model.card.replaced(
        source="card",
        scores=scores,
        description=DESCRIPTION,
        min_size=5,
        quirks=(
            "No real tomogram with expert labels was at hand: the score is on phantoms alone.",
        ),
    )
    card.write(out / "card.json")
    print(scores)


def porosity(model: Any, seed: int) -> dict[str, float]:
    """Return true and predicted pore fraction inside the specimen of a phantom."""
    made = phantom("tomogram", seed=seed)
    mask = ds.predict(model, made.image).mask() == 1
    inside = made.space if made.space is not None else np.ones(mask.shape, bool)
    return {
        "true": float((made.mask == 1)[inside].mean()),
        "predicted": float(mask[inside].mean()),
    }


def tell(step: Any) -> None:
    """Print the line of each epoch."""
    if step.partial is not None and hasattr(step.partial, "epoch"):
        print(step.partial, flush=True)


if __name__ == "__main__":
    main()

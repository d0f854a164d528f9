"""Make the shipped model ``tem-defects``: voids, precipitates and loops in TEM bright field.

    python docs/models/train_tem_defects.py --real ../shared/data --out tem-defects

Learns from phantoms and from three sets of real micrographs, all under the MIT licence. With
the same number of threads the same weights come out on one machine.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np

import napari_defectseg as ds
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.models.open import open_model
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.training.fit import TrainSettings
from napari_defectseg.training.judge import judge
from napari_defectseg.training.plan import TrainingPlan

CLASSES = ("void", "precipitate", "loop")
LOOP = 3
PLAN = TrainingPlan(
    name="tem-defects",
    patch=(128, 128),
    batch=8,
    epochs=100,
    learning_rate=2e-3,
    steps_per_epoch=50,
    patience=100,
    zoom=0.3,
    seed=7,
)
COLUMNS = {"train": (0, 1, 2), "validation": (4,), "test": (6, 7)}
"""Columns of the 2 × 8 mosaic of 316L tiles; one column (200 nm) is left out between sets."""
CITATION = (
    "Phantoms of this project; tiles of irradiated 316L steel from ai-atoms/creme "
    "(doi:10.5281/zenodo.15436311, MIT); in-situ annealed Ti from "
    "nomelabs/insitu-TEM-annealing-Ti (MIT); defect-free micrographs (MIT; see the samples)."
)
DESCRIPTION = (
    "Voids, precipitates and dislocation loops in bright-field TEM. Voids and precipitates were "
    "learnt from phantoms alone; loops from phantoms and real micrographs of 316L and Ti."
)


def main() -> None:
    """Make the dataset, train, judge phantoms and real tiles apart, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, required=True, help="folder with tem_loops_316l, …")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phantoms", type=int, default=240)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=PLAN.epochs)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = ds.Dataset.create(
            Path(folder) / "data", ClassMap.of(CLASSES), name="tem-defects", licence="MIT"
        )
        add_phantoms(data, given.phantoms)
        add_316l(data, given.real / "tem_loops_316l")
        add_ti(data, given.real / "tem_loops_ti")
        add_defect_free(data, given.real / "tem_defect_free")
        ds.train(
            data,
            PLAN.with_changes(epochs=given.epochs),
            given.out,
            TrainSettings(device="cpu", threads=given.threads, overwrite=True),
            on_step=tell,
        )
        finish(given.out, data)


def add_phantoms(data: ds.Dataset, count: int) -> None:
    """Add `count` training phantoms, and 12 each to stop by and to be judged by."""
    for split, first, many in (
        ("train", 0, count),
        ("validation", 10_000, 12),
        ("test", 20_000, 12),
    ):
        for seed in range(first, first + many):
            scene = "mixed" if split == "train" and seed % 3 == 0 else "varied"
            made = phantom("micrograph", seed=seed, shape=(288, 288), scene=scene, labelled=CLASSES)
            data.add(made.image, made.mask, specimen=f"phantom {seed}", split=split)


def add_316l(data: ds.Dataset, folder: Path) -> None:
    """Add the tiles of one micrograph by place, with a gap of one tile between the sets."""
    for split, columns in COLUMNS.items():
        for tile in [row * 8 + column + 1 for row in (0, 1) for column in columns]:
            name = f"fov200_{tile:02d}.png"
            image = picture(folder / "images" / name).with_calibration(
                ds.Calibration.of((0.390625, 0.390625), "nm", "200 nm field of view in 512 px")
            )
            mask = (iio.imread(folder / "masks" / name) > 0).astype(np.uint8) * LOOP
            data.add(image, mask, specimen="316L", split=split, origin={"file": name})


def add_ti(data: ds.Dataset, folder: Path) -> None:
    """Add the frames of the Ti lamella; what nobody outlined counts as not looked at."""
    for path in sorted((folder / "images").glob("*.png")):
        marked = iio.imread(folder / "masks" / path.name) > 0
        mask = np.where(marked, LOOP, UNLABELLED).astype(np.uint8)
        data.add(picture(path), mask, specimen="Ti", split="train", origin={"file": path.name})


def add_defect_free(data: ds.Dataset, folder: Path) -> None:
    """Add one micrograph without defects to learn from; the other is only looked at."""
    image = picture(folder / "images" / "tem_00.png")
    data.add(image, np.zeros(image.shape, np.uint8), specimen="defect-free", split="train")


def picture(path: Path) -> ds.CalibratedImage:
    """Return a grey picture whose pixel size is not known."""
    return ds.CalibratedImage.from_array(iio.imread(path), name=path.stem)


def finish(out: Path, data: ds.Dataset) -> None:
    """Write description, citation and the scores of phantoms and real tiles apart."""
    model = open_model(out)
    test = data.pairs(split="test")
    scores: dict[str, Any] = {
        "phantoms": judge(model, [p for p in test if p.specimen.startswith("phantom")]),
        "316L tiles, loops": only(judge(model, [p for p in test if p.specimen == "316L"]), "loop"),
    }
    card = model.card.replaced(
        source="card",
        scores=scores,
        description=DESCRIPTION,
        citation=CITATION,
        min_size=20,
        pixel_size=(0.2, 0.8),
        pixel_unit="nm",
        quirks=(
            "The 316L tiles are one micrograph: their score says nothing about a new specimen.",
            "No real micrograph with labelled voids or precipitates was at hand.",
        ),
    )
    card.write(out / "card.json")
    print(scores)


def only(scores: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the scores of one class alone: the others have no truth there."""
    return {**scores, "classes": {name: scores["classes"][name]}}


def tell(step: Any) -> None:
    """Print the line of each epoch."""
    if step.partial is not None and hasattr(step.partial, "epoch"):
        print(step.partial, flush=True)


if __name__ == "__main__":
    main()

"""Two people's labels: figures as defined, intervals over specimens; and the datasheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.errors import AlreadyExists, DatasetError
from napari_defectseg.datasets.check import check
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.results.agreement import agreement
from napari_defectseg.results.datasheet import datasheet


def two(tmp_path: Path, names: tuple[str, ...] = ("void", "loop")) -> tuple[Dataset, Dataset]:
    rng = np.random.default_rng(0)
    first = Dataset.create(tmp_path / "a", list(names), licence="CC0-1.0")
    second = Dataset.create(tmp_path / "b", list(names))
    for number in range(4):
        image = CalibratedImage.from_array(rng.integers(0, 99, (30, 30), np.uint8), name="f")
        one = rng.integers(0, 3, (30, 30)).astype(np.uint8)
        other = np.where(rng.random((30, 30)) < 0.2, rng.integers(0, 3, (30, 30)), one)
        one[:3], other[:, :3] = 255, 255
        first.add(image, one, specimen=f"s{number}", split="train")
        second.add(image, other.astype(np.uint8), specimen=f"s{number}")
    return first, second


def test_figures_are_those_of_the_definitions(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    found = agreement(first, second)
    a = np.stack([pair.mask() for pair in first.pairs()])
    b = np.stack([pair.mask() for pair in second.pairs()])
    known = (a != 255) & (b != 255)
    for value, name in ((1, "void"), (2, "loop")):
        x, y = a[known] == value, b[known] == value
        dice = 2 * (x & y).sum() / (x.sum() + y.sum())
        seen = (x == y).mean()
        chance = x.mean() * y.mean() + (1 - x.mean()) * (1 - y.mean())
        figures = found.classes[name]
        assert figures["dice"].value == pytest.approx(dice)
        assert figures["iou"].value == pytest.approx(dice / (2 - dice))
        assert figures["kappa"].value == pytest.approx((seen - chance) / (1 - chance))
        assert figures["dice"].low < dice < figures["dice"].high
    assert sum(sum(row.values()) for row in found.confusion.values()) == known.sum()
    assert (found.images, found.specimens) == (4, 4)


def test_the_same_labels_agree_wholly(tmp_path: Path) -> None:
    first, _ = two(tmp_path)
    figures = agreement(first, first).classes["void"]
    assert all(one.value == 1 == one.low == one.high for one in figures.values())


def test_what_is_not_comparable_gets_a_sentence(tmp_path: Path) -> None:
    first, _ = two(tmp_path)
    other = Dataset.create(tmp_path / "c", ["pore"])
    with pytest.raises(DatasetError, match="has the classes void, loop"):
        agreement(first, other)
    with pytest.raises(DatasetError, match="no image in common"):
        agreement(first, Dataset.create(tmp_path / "d", ["void", "loop"]))


def test_the_datasheet_tells_what_a_successor_needs(tmp_path: Path) -> None:
    first, _ = two(tmp_path)
    page = datasheet(first, tmp_path / "sheet.html", check(first)).read_text(encoding="utf-8")
    for word in ("void", "loop", "CC0-1.0", "train", "s0", "What to beware of", "data:image/png"):
        assert word in page
    with pytest.raises(AlreadyExists):
        datasheet(first, tmp_path / "sheet.html")

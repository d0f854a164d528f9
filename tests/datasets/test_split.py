"""Sets share no specimen; sets of one image share no place and keep a gap."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.bands import Interval, choose_bands, pieces
from napari_defectseg.datasets.dataset import SPLITS, Dataset
from napari_defectseg.datasets.split import split
from napari_defectseg.images.image import CalibratedImage

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


def fill(dataset: Dataset, specimen: str, count: int = 1, **more: object) -> None:
    for _ in range(count):
        image = CalibratedImage.from_array(np.zeros((16, 16), np.uint8), name=specimen)
        dataset.add(image, np.ones((16, 16), np.uint8), specimen=specimen, **more)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "set", ["void"])


def sets_of(dataset: Dataset) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for pair in dataset.pairs():
        found.setdefault(pair.specimen, set()).add(pair.split)
    return found


@pytest.mark.parametrize("count", [3, 4, 10])
def test_no_specimen_is_in_two_sets_and_no_set_is_empty(dataset: Dataset, count: int) -> None:
    for number in range(count):
        fill(dataset, f"S{number}", 1 + number % 3)
    result = split(dataset, seed=1)
    sets = sets_of(dataset)
    assert all(len(found) == 1 for found in sets.values())
    assert set().union(*sets.values()) == set(SPLITS)
    assert sum(result.values()) == len(dataset.pairs())
    assert dataset.info().warnings == ()


def test_the_same_seed_gives_the_same_sets_and_another_seed_others(dataset: Dataset) -> None:
    for number in range(9):
        fill(dataset, f"S{number}")
    found = []
    for seed in (1, 1, 2):
        split(dataset, seed=seed, keep=False)
        found.append(sets_of(dataset))
    assert found[0] == found[1] != found[2]
    assert sum(pair.split == "train" for pair in dataset.pairs()) == 6


def test_a_growing_dataset_keeps_its_test_specimens(dataset: Dataset) -> None:
    for number in range(4):
        fill(dataset, f"S{number}")
    split(dataset, seed=1)
    before = sets_of(dataset)
    for number in range(4, 12):
        fill(dataset, f"S{number}")
    split(dataset, seed=5)
    after = sets_of(dataset)
    assert {name: after[name] for name in before} == before
    assert None not in set().union(*after.values())


def test_too_few_specimens_get_a_sentence(dataset: Dataset) -> None:
    fill(dataset, "A")
    with pytest.raises(DatasetError, match=r"1 specimen cannot fill three sets.*split by place"):
        split(dataset)
    with pytest.raises(DatasetError, match="Three positive fractions"):
        split(dataset, fractions=(0.5, 0.5))


def test_tiles_of_one_micrograph_get_a_column_between_the_sets(dataset: Dataset) -> None:
    """Sixteen tiles of 512 pixels in two rows and eight columns, as one real set has them."""
    for number in range(16):
        row, column = divmod(number, 8)
        place = [(512 * row, 512 * row + 512), (512 * column, 512 * column + 512)]
        fill(dataset, "316L", origin={"file": "micrograph.png", "region": place})
    result = split(dataset, by="place", seed=3)
    assert result["unused"] == 4
    columns = {
        name: {pair.origin.region[1][0] // 512 for pair in dataset.pairs(name)} for name in SPLITS
    }
    assert all(columns.values())
    for one in SPLITS:
        for two in set(SPLITS) - {one}:
            assert min(abs(a - b) for a in columns[one] for b in columns[two]) >= 2
    assert dataset.info().warnings == ()


def test_one_image_is_cut_in_three_with_a_gap(dataset: Dataset) -> None:
    pixels = np.arange(40 * 400, dtype=np.uint16).reshape(40, 400)
    mask = (pixels % 7 == 0).astype(np.uint8)
    dataset.add(CalibratedImage.from_array(pixels, name="one"), mask, specimen="A")
    split(dataset, by="place", gap=20, seed=0)
    pairs = dataset.pairs()
    assert sorted(pair.split for pair in pairs) == sorted(SPLITS)
    for pair in pairs:
        place = tuple(slice(*span) for span in pair.origin.region)
        np.testing.assert_array_equal(pair.image().read(), pixels[place])
        np.testing.assert_array_equal(pair.mask(), mask[place])
    spans = sorted(pair.origin.region[1] for pair in pairs)
    assert [b[0] - a[1] for a, b in pairwise(spans)] == [20, 20]
    assert dataset.info().excluded == 1


def test_a_region_cut_again_keeps_its_place_in_the_first_image(dataset: Dataset) -> None:
    pixels = np.zeros((100, 400), np.uint8)
    image = CalibratedImage.from_array(pixels, name="one")
    dataset.add(image, pixels, specimen="A", region=(slice(30, 80), slice(100, 350)))
    split(dataset, by="place", gap=10)
    spans = [pair.origin.region for pair in dataset.pairs()]
    assert {span[0] for span in spans} == {(30, 80)}
    assert min(span[1][0] for span in spans) == 100
    assert max(span[1][1] for span in spans) == 350


def test_movies_are_cut_along_time(dataset: Dataset) -> None:
    frames = np.zeros((30, 16, 64), np.uint8)
    movie = CalibratedImage.from_array(frames, axes="tyx", name="shot")
    dataset.add(movie, frames, specimen="A")
    split(dataset, by="place")
    assert {pair.label_shape[1:] for pair in dataset.pairs()} == {(16, 64)}


def test_several_files_of_one_specimen_are_places(dataset: Dataset) -> None:
    for number in range(5):
        fill(dataset, "A", origin={"file": f"field{number}.tif"})
    result = split(dataset, by="place")
    assert set(result) == set(SPLITS)


@settings(max_examples=100)
@given(length=st.integers(10, 3000), gap=st.integers(0, 100), seed=st.permutations(list(SHARES)))
def test_pieces_never_overlap_and_keep_the_gap(length: int, gap: int, seed: list[str]) -> None:
    spans = pieces(length, {name: SHARES[name] for name in seed}, gap)
    if spans is None:
        assert length < 2 * gap + 130
        return
    ordered = list(spans.values())
    assert ordered[0][0] == 0
    assert ordered[-1][1] == length
    assert all(b[0] - a[1] == gap for a, b in pairwise(ordered))


@settings(max_examples=50)
@given(starts=st.lists(st.integers(0, 500), min_size=1, max_size=12), gap=st.integers(0, 60))
def test_bands_keep_their_gap(starts: list[int], gap: int) -> None:
    intervals = [Interval(start, start + 50, 1.0) for start in starts]
    bands = choose_bands(intervals, SHARES, gap)
    if bands is None:
        return
    for one, first in zip(intervals, bands.sets, strict=True):
        for two, second in zip(intervals, bands.sets, strict=True):
            if None not in (first, second) and first != second:
                assert max(one.start, two.start) - min(one.stop, two.stop) >= gap

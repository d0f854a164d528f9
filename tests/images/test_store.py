"""Scores on disk: what is written is read, and half a store is not taken for a whole one."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import AlreadyExists, FileMissing, ImageError
from napari_defectseg.images.store import create_store, finish_store, open_store, usual_chunks


def test_a_finished_store_gives_its_values_back(tmp_path):
    values = np.random.default_rng(0).random((3, 40, 50), dtype=np.float32)
    store = create_store(
        tmp_path / "s.zarr", values.shape, np.float32, (1, 16, 16), attributes={"axes": "cyx"}
    )
    store[...] = values
    finish_store(store)
    again = open_store(tmp_path / "s.zarr")
    np.testing.assert_array_equal(again[...], values)
    assert again.attrs["axes"] == "cyx"
    assert again.chunks == (1, 16, 16)


def test_a_stopped_run_is_named_and_can_be_gone_on_with(tmp_path):
    create_store(tmp_path / "s.zarr", (2, 8, 8), np.float32)
    with pytest.raises(ImageError, match="not finished"):
        open_store(tmp_path / "s.zarr")
    half = open_store(tmp_path / "s.zarr", unfinished=True)
    half[0] = 1
    finish_store(half)
    assert open_store(tmp_path / "s.zarr")[...].sum() == 64


def test_nothing_is_overwritten_unasked(tmp_path):
    create_store(tmp_path / "s.zarr", (8, 8), np.uint8)
    with pytest.raises(AlreadyExists):
        create_store(tmp_path / "s.zarr", (8, 8), np.uint8)
    assert create_store(tmp_path / "s.zarr", (4, 4), np.uint8, overwrite=True).shape == (4, 4)


def test_missing_and_damaged_stores_are_sentences(tmp_path):
    with pytest.raises(FileMissing, match="not there"):
        open_store(tmp_path / "s.zarr")
    create_store(tmp_path / "s.zarr", (8, 8), np.uint8)
    (tmp_path / "s.zarr" / ".zarray").write_text("{")
    with pytest.raises(ImageError, match=r"s\.zarr could not be read"):
        open_store(tmp_path / "s.zarr")


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        ((50, 60), (50, 60)),
        ((3, 5000, 600), (1, 1024, 600)),
        ((200, 300, 40), (96, 96, 40)),
        ((2, 200, 300, 40), (1, 96, 96, 40)),
        ((7,), (7,)),
    ],
)
def test_chunks_are_planes_or_cubes(shape, chunks):
    assert usual_chunks(shape) == chunks

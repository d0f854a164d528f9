"""Of images on the disk only what the tiles see is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import make

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.models.preprocess import Normalise

SHAPE = (12, 64, 72)
SETTINGS = PredictSettings(device="cpu", threads=1, tile=32, memory=60_000)


def pixels() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 250, SHAPE, np.uint8)


def zarr_level(folder: Path) -> CalibratedImage:
    import zarr

    array = zarr.create_array(folder / "a.zarr", shape=SHAPE, dtype=np.uint8, chunks=(4, 32, 32))
    array[...] = pixels()
    return open_image(folder / "a.zarr")


def hdf5(folder: Path) -> CalibratedImage:
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("data", data=pixels(), chunks=(4, 32, 32))
    return open_image(folder / "a.h5")


def tiff(folder: Path) -> CalibratedImage:
    import tifffile

    tifffile.imwrite(folder / "a.tif", pixels(), metadata={"axes": "ZYX"}, imagej=False)
    return open_image(folder / "a.tif")


def mrc(folder: Path) -> CalibratedImage:
    import mrcfile

    with mrcfile.new(folder / "a.mrc") as file:
        file.set_data(pixels().astype(np.int8))
        file.set_volume()
    return open_image(folder / "a.mrc")


def dask_array(folder: Path) -> CalibratedImage:
    array = pytest.importorskip("dask.array")
    return CalibratedImage.from_array(array.from_array(pixels(), chunks=(4, 32, 32)), axes="zyx")


class Counting:
    """An array that notes how much of it is read at once."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.largest = 0

    def __getitem__(self, key: Any) -> Any:
        part = np.asarray(self._array[key])
        self.largest = max(self.largest, part.size)
        return part


@pytest.mark.parametrize("kind", [zarr_level, hdf5, tiff, mrc, dask_array])
def test_a_volume_of_any_kind_is_read_tile_by_tile(
    tmp_path: Path, kind: Callable[[Path], CalibratedImage]
) -> None:
    """No read is larger than a tile, and the scores are those of the array in memory."""
    fixed = Normalise(method="divide", scope="constant", high=255.0)
    model = make(3, (3, 4), preprocessing=(fixed,))
    opened = kind(tmp_path)
    if opened.axes != ("z", "y", "x"):
        opened = replace(opened, axes=("z", "y", "x"))
    counted = Counting(opened.data)
    image = replace(opened, data=counted, levels=())
    source = Source(prepare(model, image, SETTINGS))
    source.start(())
    tile = next(iter(prepare(model, image, SETTINGS).plan))
    block, _ = source.block(tile)  # type: ignore[arg-type]
    assert counted.largest <= block.size < np.prod(SHAPE)
    found = predict(model, image, SETTINGS)
    whole = replace(opened, data=np.asarray(opened.data[...]), levels=())
    np.testing.assert_array_equal(found.scores[...], predict(model, whole, SETTINGS).scores[...])


def test_a_volume_with_its_own_grey_values_is_not_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it does not fit, its grey values are measured on an even sample."""
    own = Normalise(method="percentile", scope="slice")
    model = make(3, (3, 4), preprocessing=(own,))
    counted = Counting(np.random.default_rng(0).integers(0, 250, (30, 64, 64), np.uint8))
    image = CalibratedImage.from_array(counted, axes="zyx")
    job = prepare(model, image, PredictSettings(device="cpu", tile=32, memory=200_000))
    source = Source(job)
    source.start(())
    whole = int(np.prod(counted.shape))
    assert counted.largest < whole / 4
    (line,) = source.chain.steps
    (exact,) = (own.fit(np.asarray(counted[...])[np.newaxis]),)
    np.testing.assert_allclose(line.scale, exact.scale, rtol=0.02)

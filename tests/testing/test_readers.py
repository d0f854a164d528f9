"""Our own readers keep the contract that strangers' readers must keep."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.open import READERS
from napari_defectseg.images.save import save_array
from napari_defectseg.testing import ReaderContract, Sample

PLANE = np.random.default_rng(0).integers(0, 60000, (14, 18), np.uint16)
VOLUME = np.random.default_rng(1).integers(0, 60000, (5, 7, 9), np.uint16)


def saved(path: Path, pixels: np.ndarray, spacing: tuple[float, ...] = (0.5, 0.5)) -> Sample:
    """Return a file that our own writer made."""
    axes = ("z", "y", "x")[-pixels.ndim :]
    save_array(pixels, path, axes=axes, calibration=Calibration.of(spacing, "nm"))
    return Sample(path, pixels, axes, spacing, "nm")


class TestTiff(ReaderContract):
    reader = READERS.get("tiff")

    def write(self, folder):
        return saved(folder / "a.ome.tif", PLANE)


class TestTiffStack(ReaderContract):
    reader = READERS.get("tiff")

    def write(self, folder):
        return saved(folder / "a.ome.tif", VOLUME, (2.0, 0.5, 0.5))


class TestRaster(ReaderContract):
    reader = READERS.get("raster")

    def write(self, folder):
        return saved(folder / "a.png", (PLANE >> 8).astype(np.uint8))


class TestNumpy(ReaderContract):
    reader = READERS.get("numpy")

    def write(self, folder):
        return saved(folder / "a.npy", VOLUME, (2.0, 0.5, 0.5))


class TestNumpyArchive(ReaderContract):
    reader = READERS.get("numpy")

    def write(self, folder):
        path = folder / "a.npz"
        np.savez(path, image=PLANE, mask=PLANE > 30000)
        return Sample(path, PLANE, ("y", "x"), part="image")


class TestZarr(ReaderContract):
    reader = READERS.get("zarr")

    def write(self, folder):
        return saved(folder / "a.ome.zarr", VOLUME, (2.0, 0.5, 0.5))


class TestNrrd(ReaderContract):
    reader = READERS.get("nrrd")

    def write(self, folder):
        return saved(folder / "a.nrrd", VOLUME, (2.0, 0.5, 0.5))


class TestHdf5(ReaderContract):
    reader = READERS.get("hdf5")

    def write(self, folder):
        path = folder / "a.h5"
        with h5py.File(path, "w") as file:
            file["volume"] = VOLUME
            file["volume"].attrs["element_size_um"] = [2.0, 0.5, 0.5]
            file["other"] = VOLUME + 1
        return Sample(path, VOLUME, ("z", "y", "x"), (2.0, 0.5, 0.5), "µm", part="volume")


class TestMrc(ReaderContract):
    reader = READERS.get("mrc")

    def write(self, folder):
        path = folder / "a.mrc"
        with mrcfile.new(path, VOLUME) as file:
            file.voxel_size = (5.0, 5.0, 20.0)
            file.set_volume()
        return Sample(path, VOLUME, ("z", "y", "x"), (2.0, 0.5, 0.5), "nm")


class TestMetaImage(ReaderContract):
    reader = READERS.get("metaimage")

    def write(self, folder):
        path = folder / "a.mha"
        fields = {
            "ObjectType": "Image", "NDims": 3, "DimSize": "9 7 5", "ElementType": "MET_USHORT",
            "ElementSpacing": "0.5 0.5 2", "DistanceUnits": "um", "ElementByteOrderMSB": "False",
            "ElementDataFile": "LOCAL",
        }  # fmt: skip
        header = "".join(f"{key} = {value}\n" for key, value in fields.items())
        path.write_bytes(header.encode() + VOLUME.astype("<u2").tobytes())
        return Sample(path, VOLUME, ("z", "y", "x"), (2.0, 0.5, 0.5), "µm")


class TestRaw(ReaderContract):
    reader = READERS.get("raw")

    def write(self, folder):
        path = folder / "a.raw"
        path.write_bytes(VOLUME.tobytes())
        form = {"shape": list(VOLUME.shape), "dtype": "uint16"}
        path.with_name("a.raw.json").write_text(json.dumps(form))
        return Sample(path, VOLUME, ("z", "y", "x"))


class TestFolder(ReaderContract):
    reader = READERS.get("folder")

    def write(self, folder):
        path = folder / "slices"
        path.mkdir()
        for index, plane in enumerate(VOLUME):
            np.save(path / f"slice_{index:03}.npy", plane)
        return Sample(path, VOLUME, ("z", "y", "x"))


def test_every_reader_but_the_optional_one_is_put_to_the_test():
    """Containers are read by an extra; genuine files test it."""
    tested = {item.reader for item in globals().values() if isinstance(item, type)
              and issubclass(item, ReaderContract) and item is not ReaderContract}  # fmt: skip
    names = {name for name in READERS.names() if READERS.get(name) in tested}
    assert set(READERS.names()) - names == {"containers"}


class Wrong(ReaderContract):
    """A reader that claims everything, and says nothing of a missing pixel size."""

    class reader:  # noqa: N801
        @staticmethod
        def recognise(path):
            return 1

        @staticmethod
        def read(path, part=None, axes=None):
            return READERS.get("numpy").read(path, part, axes).data

    def write(self, folder):
        return saved(folder / "a.npy", PLANE)


def test_the_contract_finds_what_is_wrong(tmp_path):
    wrong = Wrong()
    with pytest.raises(AssertionError):
        wrong.test_strangers_are_not_recognised(tmp_path)
    (tmp_path / "b").mkdir()
    with pytest.raises(AssertionError):
        wrong.test_pixels_axes_and_type_are_those_in_the_file(wrong.write(tmp_path / "b"))

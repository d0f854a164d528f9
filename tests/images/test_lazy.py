"""Pixels stay in the file: large files open at once, travel, and are read by threads."""

from __future__ import annotations

import json
import pickle
import struct
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.open import open_image, open_lazily
from napari_defectseg.images.raw import RawForm
from napari_defectseg.images.save import save_image

SHAPE = (1024, 2048, 2048)
"""4 GB of bytes."""
STACK = np.random.default_rng(2).integers(0, 999, (5, 40, 30)).astype(np.uint16)


# --- files of 4 GB that take no room on the disk ----------------------------------------------


def hollow(path, start):
    """Write a file that begins with `start` and is then 4 GB of a hole, with one 7 at its end."""
    with path.open("wb") as file:
        file.write(start)
        file.seek(len(start) + int(np.prod(SHAPE)) - 1)
        file.write(b"\x07")


def large_tiff(path):
    hollow(path, bytes(16))
    with path.open("r+b") as file:
        file.seek(0, 2)
        at = file.tell()
        plane = SHAPE[1] * SHAPE[2]
        for number in range(SHAPE[0]):
            tags = [(256, 4, SHAPE[2]), (257, 4, SHAPE[1]), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
            tags += [(273, 16, 16 + number * plane), (278, 4, SHAPE[1]), (279, 16, plane)]
            after = at + 8 + 20 * len(tags) + 8
            page = b"".join(struct.pack("<HHQQ", code, kind, 1, one) for code, kind, one in tags)
            following = 0 if number == SHAPE[0] - 1 else after
            file.write(struct.pack("<Q", len(tags)) + page + struct.pack("<Q", following))
            at = after
        file.seek(0)
        file.write(b"II+\x00" + struct.pack("<HHQ", 8, 0, 16 + int(np.prod(SHAPE))))


def large_mrc(path):
    header = bytearray(1024)
    header[:16] = struct.pack("<4i", *SHAPE[::-1], 0)
    header[28:40] = struct.pack("<3i", *SHAPE[::-1])
    header[40:52] = struct.pack("<3f", *(10.0 * length for length in SHAPE[::-1]))
    header[64:76] = struct.pack("<3i", 1, 2, 3)
    header[208:216] = b"MAP \x44\x44\x00\x00"
    hollow(path, bytes(header))


def large_nrrd(path):
    sizes = " ".join(map(str, SHAPE[::-1]))
    text = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: {sizes}\nencoding: raw\n\n"
    hollow(path, text.encode())


def large_raw(path):
    hollow(path, b"")
    form = {"shape": SHAPE, "dtype": "uint8"}
    path.with_name(f"{path.name}.json").write_text(json.dumps(form))


def large_hdf5(path):
    with h5py.File(path, "w") as file:
        made = file.create_dataset("data", SHAPE, "u1", chunks=(16, 256, 256), compression="gzip")
        made[-1, -1, -1] = 7


def large_zarr(path):
    array = zarr.create_array(path, shape=SHAPE, dtype="u1", chunks=(16, 256, 256))
    array[-1, -1, -1] = 7


LARGE = {
    "a.tif": large_tiff, "a.mrc": large_mrc, "a.nrrd": large_nrrd, "a.raw": large_raw,
    "a.h5": large_hdf5, "a.zarr": large_zarr,
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_4_gb_open_without_being_read(tmp_path, name):
    """Opened and one line of its last slice read in little memory and time."""
    path = tmp_path / name
    LARGE[name](path)
    tracemalloc.start()
    start = time.perf_counter()
    image = open_image(path)
    line = image.read(z=SHAPE[0] - 1, y=SHAPE[1] - 1)
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert image.shape == SHAPE
    assert (int(line[-1]), int(line[:-1].sum())) == (7, 0)
    assert peak < 100e6
    assert seconds < 10


def test_reading_more_than_the_machine_has_is_refused(tmp_path, monkeypatch):
    large_raw(tmp_path / "a.raw")
    image = open_image(tmp_path / "a.raw")
    monkeypatch.setattr("napari_defectseg.images.border.memory_limit", lambda: 1 << 30)
    with pytest.raises(ImageError, match=r"a\.raw.*4\.29 GB of memory"):
        image.data[...]


# --- lazy arrays of every reader --------------------------------------------------------------


def files(folder):
    """Write the same stack in every kind that is read lazily, and yield its lazy image."""
    stack = CalibratedImage(STACK, ("z", "y", "x"), Calibration((1.0, 0.4, 0.4), "nm"), "a")
    for suffix in (".ome.tif", ".ome.zarr", ".nrrd", ".npy"):
        yield open_lazily(save_image(stack, folder / f"a{suffix}"))
    tifffile.imwrite(folder / "plain.tif", STACK, photometric="minisblack")
    yield open_lazily(folder / "plain.tif")
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("d", data=STACK, chunks=(1, 10, 10))
    yield open_lazily(folder / "a.h5")
    (folder / "b.raw").write_bytes(STACK.tobytes())
    yield open_lazily(folder / "b.raw", raw=RawForm(STACK.shape, "uint16"))
    for number, plane in enumerate(STACK):
        (folder / "slices").mkdir(exist_ok=True)
        tifffile.imwrite(folder / "slices" / f"s_{number}.tif", plane)
    yield open_lazily(folder / "slices")


KEYS = (
    np.s_[...], np.s_[1], np.s_[-1, 3], np.s_[1:4, ::2, 5], np.s_[::-1, 3:30:7, -4:],
    np.s_[..., 2], np.s_[2, 3, 4], np.s_[3:3], np.s_[[0, 2]],
)  # fmt: skip


def test_slices_are_those_of_numpy(tmp_path):
    for image in files(tmp_path):
        assert isinstance(image.data, LazyArray)
        for key in KEYS:
            np.testing.assert_array_equal(image.data[key], STACK[key], str((image.origin, key)))
        with pytest.raises(IndexError):
            image.data[5]


def test_lazy_images_travel_to_other_processes(tmp_path):
    for image in files(tmp_path):
        image.data[0]  # an open file must not be taken along
        again = pickle.loads(pickle.dumps(image))
        np.testing.assert_array_equal(np.asarray(again.data), STACK)


def test_threads_may_read_one_image(tmp_path):
    for image in files(tmp_path):
        with ThreadPoolExecutor(4) as pool:
            planes = list(pool.map(lambda n, data=image.data: data[n % 5], range(40)))
        for number, plane in enumerate(planes):
            np.testing.assert_array_equal(plane, STACK[number % 5])


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    image = open_lazily(next(iter(files(tmp_path))).origin.path)
    (tmp_path / "a.ome.tif").unlink()
    with pytest.raises(OSError, match=r"a\.ome\.tif"):
        image.data[0]

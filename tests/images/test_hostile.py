"""Damaged and hostile files of every kind: a sentence that names the file, in 10 s and 2 GB."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr
from numcodecs import GZip
from PIL import Image

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import PATTERNS, can_open, list_parts, open_image
from napari_defectseg.images.save import save_image

WORKER = Path(__file__).with_name("hostile_worker.py")
SECONDS = 10
TRIES, FEWER = 24, 8
"""Damaged copies of each file; fewer of the many genuine ones."""
PLANE = np.random.default_rng(5).integers(0, 255, (40, 50)).astype(np.uint8)
STACK = np.random.default_rng(6).integers(0, 999, (4, 20, 30)).astype(np.uint16)


# --- running the worker -----------------------------------------------------------------------


def outcomes(paths, tmp_path):
    """Open files in a process with 2 GB and return what became of each, and its seconds."""
    listed = tmp_path / "paths.txt"
    listed.write_text("\n".join(map(str, paths)))
    done = subprocess.run(
        [sys.executable, str(WORKER), str(listed)],
        capture_output=True,
        text=True,
        timeout=SECONDS * len(paths),
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    ended = {path: (said, seconds) for path, said, seconds in rows if said != "START"}
    assert len(ended) == len(paths), f"{rows[-1]}: {done.stderr[-2000:]}"
    return ended


def refused(paths, tmp_path):
    """Check that every one of the files is refused in a sentence in time."""
    for path, (said, seconds) in outcomes(paths, tmp_path).items():
        assert said != "image", path
        assert not said.startswith("FAULT"), f"{path}: {said}"
        assert seconds < SECONDS, f"{path} took {seconds:.1f} s: {said}"


# --- sound files to damage --------------------------------------------------------------------


def sound_files(folder: Path) -> list[Path]:
    """Write one file of every kind that is made here."""
    calibration = Calibration((0.4, 0.4), "nm")
    plane = CalibratedImage(PLANE, ("y", "x"), calibration, "steel")
    made = [save_image(plane, folder / name) for name in ("a.ome.tif", "b.png", "c.npy", "d.nrrd")]
    (folder / "c.npy.json").unlink()
    tifffile.imwrite(folder / "plain.tif", STACK, photometric="minisblack")
    tifffile.imwrite(
        folder / "tiled.tif", STACK, photometric="minisblack", tile=(16, 16), compression="zlib"
    )
    tifffile.imwrite(folder / "imagej.tif", STACK, imagej=True, resolution=(2, 2))
    tifffile.imwrite(folder / "big.tif", STACK, photometric="minisblack", bigtiff=True)
    Image.fromarray(PLANE).save(folder / "lzw.tif", compression="tiff_lzw")
    Image.fromarray(PLANE).save(folder / "e.jpg")
    Image.fromarray(PLANE).save(folder / "e.bmp")
    np.savez_compressed(folder / "f.npz", a=STACK)
    with h5py.File(folder / "g.h5", "w") as file:
        file.create_dataset("entry/data", data=STACK, chunks=(1, 10, 10), compression="gzip")
    with mrcfile.new(folder / "h.mrc") as file:
        file.set_data(STACK)
    (folder / "i.mrc.gz").write_bytes(gzip.compress((folder / "h.mrc").read_bytes()))
    text = (
        "ObjectType = Image\nNDims = 3\nDimSize = 30 20 4\nElementType = MET_USHORT\n"
        "CompressedData = True\nElementDataFile = LOCAL\n"
    )
    (folder / "j.mha").write_bytes(text.encode() + zlib.compress(STACK.tobytes()))
    names = "plain.tif tiled.tif imagej.tif big.tif lzw.tif e.jpg e.bmp f.npz g.h5 h.mrc i.mrc.gz"
    return [*made, *(folder / name for name in (*names.split(), "j.mha"))]


def damaged(data: bytes, seed: str) -> bytes:
    """Return bytes cut at a random place, or with bits turned, more often in the header."""
    dice = random.Random(seed)
    kind = dice.randrange(4)
    if kind == 0:
        return data[: dice.randrange(len(data))]
    changed = bytearray(data)
    limit = len(data) if kind == 1 else min(len(data), 1024)
    for _ in range(dice.choice((1, 3, 20))):
        place = dice.randrange(limit)
        changed[place] ^= 1 << dice.randrange(8)
        if dice.random() < 0.3:
            changed[place] = dice.choice((0, 127, 128, 255))
    return bytes(changed)


def copies(files, folder: Path, tries: int = TRIES) -> list[Path]:
    folder.mkdir()
    found = []
    for file in files:
        data = file.read_bytes()
        for number in range(tries):
            stem, suffix = file.name.split(".", 1)
            path = folder / f"{stem}-{number}.{suffix}"
            path.write_bytes(damaged(data, path.name))
            found.append(path)
    return found


def check_damaged(paths, tmp_path):
    ended = outcomes(paths, tmp_path)
    for path, (said, seconds) in ended.items():
        assert not said.startswith("FAULT"), f"{path}: {said}"
        assert seconds < SECONDS, f"{path} took {seconds:.1f} s"
    assert any(said != "image" for said, _ in ended.values())


def test_damaged_files_of_every_kind(tmp_path):
    """Truncations and turned bits, seeded: an image or a sentence, never anything else."""
    (tmp_path / "sound").mkdir()
    files = sound_files(tmp_path / "sound")
    for file in files:
        assert open_image(file).shape, file
    check_damaged(copies(files, tmp_path / "damaged"), tmp_path)


def test_damaged_files_of_microscopes(tmp_path, real_data):
    """The same with genuine files that are small enough."""
    pytest.importorskip("rsciio")
    suffixes = (".dm3", ".dm4", ".dm5", ".emd", ".hspy", ".nxs", ".ser", ".blo", ".tif", ".mrc")
    files = [
        file
        for file in sorted((real_data / "containers").rglob("*"))
        if file.suffix in suffixes and file.stat().st_size < 300_000
    ]
    check_damaged(copies(files, tmp_path / "damaged", FEWER), tmp_path)


@pytest.mark.parametrize("form", [2, 3])
def test_damaged_zarr_stores(tmp_path, form):
    """Turned bits in metadata and blocks."""
    made = []
    for number in range(TRIES):
        path = tmp_path / f"s{number}.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=form)
        group.create_array("0", data=STACK, chunks=(1, 10, 10))
        entry = {"version": "0.4", "axes": ["z", "y", "x"], "datasets": [{"path": "0"}]}
        group.attrs["multiscales"] = [entry]
        dice = random.Random(number)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        meta = [file for file in files if file.name.startswith((".z", "zarr."))]
        for file in dice.sample(meta if number % 2 else files, 1 if number % 2 else 10):
            file.write_bytes(damaged(file.read_bytes(), f"{number}{file.name}"))
        made.append(path)
    check_damaged(made, tmp_path)


# --- made to do harm --------------------------------------------------------------------------


def tiff_in_a_circle(path):
    entry = struct.pack("<HHII", 256, 3, 1, 10) + struct.pack("<HHII", 257, 3, 1, 10)
    path.write_bytes(
        b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 2) + entry + b"\x08\0\0\0"
    )


def tiff_of_absurd_shape(path):
    tags = [(256, 2**31), (257, 2**31), (258, 8), (259, 1), (262, 1), (273, 8), (278, 2**31)]
    tags += [(279, 2**31)]
    body = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags)
    path.write_bytes(b"II*\x00\x08\0\0\0" + struct.pack("<H", len(tags)) + body + b"\0\0\0\0")


def tiff_of_many_pages(path):
    """A chain of pages through overlapping bytes, each with 60 000 tags."""
    tags = struct.pack("<HHII", 65000, 4, 1, 1) * 60_000
    path.write_bytes(b"II*\x00\x08\0\0\0" + struct.pack("<H", 60_000) + tags + b"\x08\0\0\0")


def tiff_with_an_xml_bomb(path):
    levels = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    text = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a0 "ha">{levels}]><OME>&a12;</OME>'
    tifffile.imwrite(path, PLANE, description=text, metadata=None)


def ome_of_absurd_size(path):
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" '
        'SizeX="50" SizeY="40" SizeZ="100000000" SizeC="1" SizeT="1">'
        "<TiffData/></Pixels></Image></OME>"
    )
    tifffile.imwrite(path, PLANE, description=text, metadata=None)


def zeros(count):
    """Return a raw deflate stream of `count` blocks of 16 MB of zeros, made at once."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = engine.compress(bytes(1 << 24)) + engine.flush(zlib.Z_FULL_FLUSH)
    return block * count + b"\x03\x00"


def tiff_bomb(path):
    """4 GB of zeros, packed into 4 MB, and claimed as one plane."""
    packed = b"\x78\xda" + zeros(256) + bytes(4)
    values = [(256, 4, 2**16), (257, 4, 2**16), (258, 3, 8), (259, 3, 8), (262, 3, 1)]
    values += [(273, 4, 200), (277, 3, 1), (278, 4, 2**16), (279, 4, len(packed))]
    body = b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in values)
    start = b"II*\x00\x08\0\0\0" + struct.pack("<H", len(values)) + body + b"\0\0\0\0"
    path.write_bytes(start.ljust(200, b"\0") + packed)


def small_tiff_bomb(path):
    """A plane of 64 × 64 pixels whose strip unpacks to 4 GB."""
    packed = b"\x78\xda" + zeros(256) + bytes(4)
    values = [(256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1)]
    values += [(273, 4, 200), (277, 3, 1), (278, 4, 64), (279, 4, len(packed))]
    body = b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in values)
    start = b"II*\x00\x08\0\0\0" + struct.pack("<H", len(values)) + body + b"\0\0\0\0"
    path.write_bytes(start.ljust(200, b"\0") + packed)


def png_of_absurd_shape(path):
    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    packed = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + packed + chunk(b"IEND", b""))


def npy_of_absurd_shape(path):
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 9999999), }"
    header = text.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())


def npy_with_a_pickle(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def zip_bomb(path):
    """An archive whose array is as large as it says: 3.7 GB in 4 MB."""
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": (61_000, 61_000)}
    np.lib.format.write_array_header_1_0(header, about)
    head = header.getvalue()
    stored = b"\x00" + struct.pack("<HH", len(head), len(head) ^ 0xFFFF) + head
    data = stored + zeros(222)
    sizes = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(data), 222 << 24, 5, 0)
    entry = b"PK\x01\x02\x14\x00" + sizes + bytes(14) + b"a.npy"
    local = b"PK\x03\x04" + sizes + b"a.npy"
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local) + len(data), 0)
    path.write_bytes(local + data + entry + b"PK\x05\x06" + end)


def hdf5_of_absurd_shape(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("d", (2**40, 2**40), "u1", chunks=(64, 64))


def hdf5_of_absurd_chunks(path):
    with h5py.File(path, "w") as file:
        made = file.create_dataset("d", (60_000, 60_000), "u1", chunks=(60_000, 60_000))
        made.id.write_direct_chunk((0, 0), b"12345")


def hdf5_of_an_absurd_read(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("d", (10**6, 10**6), "f8", chunks=(64, 64))


def hdf5_that_links_out(path):
    with h5py.File(path, "w") as file:
        file["d"] = h5py.ExternalLink("/etc/passwd", "/d")
        file["e"] = h5py.SoftLink("/e")


def hdf5_of_many_objects(path):
    with h5py.File(path, "w", libver="latest") as file:
        deep = file
        for number in range(3000):
            deep = deep.create_group(f"{number}")


def zarr_store(path, array, attributes="{}"):
    (path / "0").mkdir(parents=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    (path / ".zattrs").write_text(attributes)
    (path / "0" / ".zarray").write_text(json.dumps(array))


def zarray(**more):
    return {
        "zarr_format": 2, "shape": [64, 64], "chunks": [64, 64], "dtype": "|u1", "order": "C",
        "compressor": None, "filters": None, "fill_value": 0, **more,
    }  # fmt: skip


def zarr_of_absurd_shape(path):
    zarr_store(path, zarray(shape=[10**12, 10**12]))


def zarr_of_absurd_chunks(path):
    zarr_store(path, zarray(shape=[10**5, 10**5], chunks=[10**5, 10**5]))


def zarr_of_no_chunks(path):
    zarr_store(path, zarray(chunks=[0, 0]))


def zarr_of_absurd_levels(path):
    many = [{"path": "../" * 20 + "etc"} for _ in range(1000)]
    zarr_store(path, zarray(), json.dumps({"multiscales": [{"datasets": many}]}))


def zarr_of_deep_json(path):
    zarr_store(path, zarray(), "[" * 100_000)


def zarr_bomb(path):
    """A block of 64 × 64 pixels that unpacks to 3 GB."""
    zarr_store(path, zarray(compressor=GZip(9).get_config()))
    start = b"\x1f\x8b\x08" + bytes(7)
    (path / "0" / "0.0").write_bytes(start + zeros(190) + bytes(8))


def nrrd_bomb(path):
    text = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 9999 9999 9999\nencoding: gzip\n\n"
    path.write_bytes(text.encode() + gzip.compress(bytes(1 << 20)))


def nrrd_without_an_end(path):
    path.write_bytes(b"NRRD0004\n" + b"# filling\n" * 500_000)


def mrc_bomb(path):
    header = bytearray(1024)
    header[:16] = struct.pack("<4i", 30_000, 30_000, 30_000, 2)
    header[64:76] = struct.pack("<3i", 1, 2, 3)
    header[208:216] = b"MAP \x44\x44\x00\x00"
    path.write_bytes(gzip.compress(bytes(header)))


def metaimage_of_absurd_shape(path):
    text = "ObjectType = Image\nNDims = 2\nDimSize = 999999 999999\nElementType = MET_UCHAR\n"
    path.write_bytes(f"{text}CompressedData = True\nElementDataFile = LOCAL\n".encode() + b"\0" * 9)


def metaimage_that_leads_away(path):
    text = "ObjectType = Image\nNDims = 2\nDimSize = 9 9\nElementType = MET_UCHAR\n"
    path.write_text(f"{text}ElementDataFile = /etc/passwd\n")


HARM = {
    "circle.tif": tiff_in_a_circle, "absurd.tif": tiff_of_absurd_shape,
    "pages.tif": tiff_of_many_pages, "xml.tif": tiff_with_an_xml_bomb,
    "size.ome.tif": ome_of_absurd_size, "bomb.tif": tiff_bomb, "small.tif": small_tiff_bomb,
    "absurd.png": png_of_absurd_shape,
    "absurd.npy": npy_of_absurd_shape, "pickle.npy": npy_with_a_pickle, "bomb.npz": zip_bomb,
    "absurd.h5": hdf5_of_absurd_shape, "chunks.h5": hdf5_of_absurd_chunks,
    "read.h5": hdf5_of_an_absurd_read, "links.h5": hdf5_that_links_out,
    "deep.h5": hdf5_of_many_objects, "absurd.zarr": zarr_of_absurd_shape,
    "chunks.zarr": zarr_of_absurd_chunks, "none.zarr": zarr_of_no_chunks,
    "levels.zarr": zarr_of_absurd_levels, "deep.zarr": zarr_of_deep_json, "bomb.zarr": zarr_bomb,
    "bomb.nrrd": nrrd_bomb, "endless.nrrd": nrrd_without_an_end, "bomb.mrc.gz": mrc_bomb,
    "absurd.mha": metaimage_of_absurd_shape, "away.mhd": metaimage_that_leads_away,
}  # fmt: skip


def test_files_made_to_do_harm(tmp_path):
    """Circles, absurd shapes, bombs of XML and packing, links that lead away."""
    paths = []
    for name, make in HARM.items():
        make(tmp_path / name)
        paths.append(tmp_path / name)
    refused(paths, tmp_path)


# --- what is no image at all ------------------------------------------------------------------

SUFFIXES = sorted({pattern.removeprefix("*") for pattern in PATTERNS})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_files_text_and_folders_under_any_name(tmp_path, suffix):
    """Each is refused in a sentence that names it; a name alone makes no image."""
    empty, text, folder = (tmp_path / f"{name}{suffix}" for name in ("empty", "text", "folder"))
    empty.touch()
    text.write_text("not an image, only words about one, and rather many of them " * 40)
    folder.mkdir()
    for path in (empty, text, folder):
        can_open(path)
        for action in (open_image, list_parts):
            with pytest.raises(ImageError, match=path.name.replace(".", r"\.")):
                action(path)
        with pytest.raises(FileMissing):
            open_image(tmp_path / f"missing{suffix}")


@pytest.mark.skipif(os.name != "posix", reason="pipes are a thing of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.tif")
    assert not can_open(tmp_path / "pipe.tif")
    with pytest.raises(ImageError, match=r"pipe\.tif"):
        open_image(tmp_path / "pipe.tif")

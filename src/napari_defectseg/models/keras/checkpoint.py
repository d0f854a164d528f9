"""TensorFlow checkpoints of the second version: tensors by name, read without TensorFlow.

``<prefix>.index`` is a table from name to place, ``<prefix>.data-00000-of-00001`` the bytes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.keras.checksum import masked_crc
from napari_defectseg.models.keras.protobuf import fields_of
from napari_defectseg.models.keras.table import (
    AGAIN,
    Damaged,
    entries_of,
    looks_like_table,
)

Array: TypeAlias = np.ndarray[Any, Any]

DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 6: "i1", 9: "<i8", 10: "?", 19: "<f2"}
MOST_SHARDS = 1000
_DATA = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies.

    Parameters
    ----------
    shape : tuple of int
    dtype : str
        As numpy writes it.
    shard, offset, size : int
        File and bytes in it.
    checksum : int
    """

    shape: tuple[int, ...]
    dtype: str
    shard: int
    offset: int
    size: int
    checksum: int


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its index, read; its data are read when asked for.

    Parameters
    ----------
    prefix : Path
        Path without ``.index``.
    shards : int
    tensors : dict of str to Tensor
        Without texts.
    """

    prefix: Path
    shards: int
    tensors: dict[str, Tensor]

    @property
    def files(self) -> tuple[Path, ...]:
        """The index and the files of data."""
        index = Path(f"{self.prefix}.index")
        return (index, *(self.data(number) for number in range(self.shards)))

    def data(self, shard: int) -> Path:
        """Return the file of one part of the data."""
        return Path(f"{self.prefix}.data-{shard:05d}-of-{self.shards:05d}")

    def read(self, name: str) -> Array:
        """Return a tensor.

        Raises
        ------
        ModelError
            If the data are cut off, or not those that were written.
        """
        tensor, path = self.tensors[name], self.data(self.tensors[name].shard)
        try:
            with path.open("rb") as file:
                file.seek(tensor.offset)
                content = file.read(tensor.size)
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
        if len(content) != tensor.size:
            raise ModelError(f"{path} ends before {name!r} does.", hint=AGAIN)
        if masked_crc(content) != tensor.checksum:
            raise ModelError(f"{path} is damaged at {name!r}: the checksum differs.", hint=AGAIN)
        return np.frombuffer(content, tensor.dtype).reshape(tensor.shape)


def index_of(path: Path) -> Path | None:
    """Return the index of the checkpoint that a path means, None if it means none.

    A folder with one checkpoint or the text file ``checkpoint``, that file, the index itself,
    or a file of data.
    """
    if path.is_dir():
        named = _stated(path / "checkpoint")
        found = sorted(path.glob("*.index"))[:100]
        if named in found:
            return named
        return found[-1] if len(found) == 1 and _is_index(found[0]) else None
    if path.name == "checkpoint":
        return _stated(path)
    data = _DATA.fullmatch(path.name)
    index = path.with_name(f"{data[1]}.index") if data else path
    return index if index.is_file() and _is_index(index) else None


def checkpoint_at(index: Path) -> Checkpoint:
    """Return the checkpoint of an index; its files of data must be there and long enough.

    Raises
    ------
    ModelError
        If it is damaged or something is missing.
    """
    where = str(index)
    if index.stat().st_size > 64 << 20:
        raise ModelError(f"{where} is too long for an index.")
    entries = entries_of(index.read_bytes(), where)
    try:
        shards, little = _header(entries.get(b"", b""))
        tensors = {
            key.decode("utf-8", "replace"): tensor
            for key, value in entries.items()
            if key and (tensor := _tensor(value, key)) is not None
        }
    except Damaged as error:
        raise ModelError(f"{where} is damaged: {error}.", hint=AGAIN) from error
    if not little:
        raise ModelError(f"{where} was written on a machine of the other byte order.")
    checkpoint = Checkpoint(index.with_suffix(""), shards, tensors)
    _check_data(checkpoint)
    return checkpoint


def _is_index(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        return looks_like_table(file.read())


def _stated(path: Path) -> Path | None:
    """Return the index that the text file ``checkpoint`` names, in its own folder alone."""
    if not path.is_file() or path.stat().st_size > 1 << 16:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    found = re.search(r'^model_checkpoint_path: "([^"]+)"', text, re.MULTILINE)
    if found is None:
        return None
    name = found[1].replace("\\", "/").rsplit("/", 1)[-1]
    index = path.with_name(f"{name}.index")
    return index if name and index.is_file() else None


def _check_data(checkpoint: Checkpoint) -> None:
    for shard in range(checkpoint.shards):
        path = checkpoint.data(shard)
        needed = [t.offset + t.size for t in checkpoint.tensors.values() if t.shard == shard]
        if not path.is_file():
            raise ModelError(
                f"The checkpoint {checkpoint.prefix} has an index, but {path.name} is missing.",
                hint="Its numbers are in that file; fetch it from where the index came from.",
            )
        if path.stat().st_size < max(needed, default=0):
            raise ModelError(
                f"{path} has {path.stat().st_size} bytes; its index asks for {max(needed)}.",
                hint=AGAIN,
            )


def _header(content: bytes) -> tuple[int, bool]:
    values = {number: value for number, kind, value in fields_of(content) if kind == 0}
    shards = values.get(1, 0)
    if not 1 <= shards <= MOST_SHARDS:
        raise Damaged(f"it states {shards} files of data")
    return shards, not values.get(2, 0)


def _tensor(content: bytes, key: bytes) -> Tensor | None:
    """Return where a tensor lies, None for texts and other kinds that are no numbers."""
    values: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    for number, kind, value in fields_of(content):
        if number == 7:
            raise Damaged(f"{key.decode('utf-8', 'replace')!r} is cut in parts over several files")
        if number == 2 and kind == 2:
            shape = tuple(_size(v) for n, k, v in fields_of(value) if n == 2 and k == 2)
        elif kind in (0, 5):
            values[number] = value
    dtype = DTYPES.get(values.get(1, 0))
    if dtype is None:
        return None
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size != values.get(5, 0) or len(shape) > 8:
        raise Damaged(f"{key.decode('utf-8', 'replace')!r} has a size that is not its shape's")
    place = (values.get(3, 0), values.get(4, 0), size)
    return Tensor(shape, dtype, *place, values.get(6, 0))


def _size(content: bytes) -> int:
    return next((v for n, k, v in fields_of(content) if n == 1 and k == 0), 0)

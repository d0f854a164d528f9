"""Blocks of a zarr store that would unpack to more than they may are not unpacked."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.packed import DEFLATE_RATIO, inflated

SLACK = 1 << 20
"""Bytes that a block may unpack to beyond its size: filters add a little."""
ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b"
SIZES = {0: 1, 1: 2, 2: 4, 3: 8}
"""Flag of a zstd frame to the bytes of its content size."""


def open_guarded(folder: str, name: str) -> Any:
    """Return the zarr array in a folder, for reading.

    Parameters
    ----------
    folder : str
        Where the array lies.
    name : str
        The store's name, for the `ImageError` that a bomb in it raises.
    """
    import zarr
    from zarr.storage import LocalStore

    array = zarr.open_array(folder, mode="r")
    codec = _codec(array)
    if codec not in CLAIMS:
        return array
    limit = 2 * math.prod(array.chunks) * array.dtype.itemsize + SLACK
    store = _guarded_store()(LocalStore(folder, read_only=True), codec, limit, name)
    return zarr.open_array(store, mode="r")


def unpacked_size(codec: str, data: bytes, limit: int) -> int:
    """Return to how many bytes a block unpacks, as far as it says; gzip is tried up to `limit`."""
    return CLAIMS[codec](data, limit)


def _codec(array: Any) -> str:
    """Return the name of the codec that a block goes through first when it is read."""
    compressor = getattr(array.metadata, "compressor", None)
    if compressor is not None:
        return str(getattr(compressor, "codec_id", ""))
    codecs: Any = array.metadata.to_dict().get("codecs") or ()
    while codecs and codecs[-1]["name"] == "sharding_indexed":
        codecs = codecs[-1]["configuration"]["codecs"]
    return str(codecs[-1]["name"]) if codecs else ""


@cache
def _guarded_store() -> Any:
    from zarr.storage import WrapperStore

    class GuardedStore(WrapperStore):  # type: ignore[misc]
        """A store that looks at a block before zarr unpacks it."""

        def __init__(self, store: Any, codec: str, limit: int, name: str) -> None:
            super().__init__(store)
            self._codec, self._limit, self._name = codec, limit, name

        def _with_store(self, store: Any) -> Any:
            return type(self)(store, self._codec, self._limit, self._name)

        async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
            """Return what is stored under `key`."""
            found = await super().get(key, prototype, byte_range)
            if found is not None and not key.rsplit("/", 1)[-1].startswith((".z", "zarr.")):
                size = unpacked_size(self._codec, found.to_bytes(), self._limit)
                if size > self._limit:
                    raise ImageError(
                        f"{self._name}: its block {key} would unpack to more than "
                        f"{self._limit} bytes.",
                        hint="It is damaged or made up, and was not unpacked.",
                    )
            return found

    return GuardedStore


def _zstd(data: bytes, limit: int) -> int:
    if data[:4] != ZSTD or len(data) < 5:
        return 0
    flags = data[4]
    single, kind = bool(flags & 0x20), flags >> 6
    if kind == 0 and not single:
        return 0
    start = 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(data[start : start + SIZES[kind]], "little")
    return size + 256 if kind == 1 else size


def _blosc(data: bytes, limit: int) -> int:
    whole = len(data) >= 16 and int.from_bytes(data[12:16], "little") == len(data)
    return int.from_bytes(data[4:8], "little") if whole else 0


def _zlib(data: bytes, limit: int) -> int:
    if not data or (data[:2] != GZIP and data[0] & 15 != 8):
        return 0
    if len(data) * DEFLATE_RATIO <= limit:
        return 0
    return inflated(data, limit)


CLAIMS = {"zstd": _zstd, "blosc": _blosc, "gzip": _zlib, "zlib": _zlib}
"""Codec to the function that finds how much a block claims to unpack to."""

"""Chunked arrays on disk, for scores and other results that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_defectseg.core.atomic import not_saved, refuse_existing
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.border import reading

PLANE_SIDE, CUBE_SIDE = 1024, 96
EACH, AT_ONCE = 32 << 20, 10
"""Bytes of memory for one chunk on its way, and how many are on their way at most."""
DONE = "complete"
"""Attribute that tells whether every chunk has been written."""


def create_store(
    path: str | Path,
    shape: Sequence[int],
    dtype: Any,
    chunks: Sequence[int] | None = None,
    *,
    attributes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Any:
    """Return a new zarr array on disk that reads as zeros until it is written.

    It counts as unfinished until `finish_store`.

    Parameters
    ----------
    path : path
        The folder that becomes the store, usually ``scores.zarr``.
    shape : sequence of int
    dtype : dtype-like
    chunks : sequence of int, optional
        By default planes of 1024² or cubes of 96³, one channel a chunk.
    attributes : mapping, optional
        Plain JSON values kept beside the array: axes, pixel size, classes.
    overwrite : bool
        Whether a store there may be replaced.

    Returns
    -------
    zarr.Array
        Open for reading and writing; chunks written by several threads must not overlap.

    Raises
    ------
    AlreadyExists
        If something is there and `overwrite` is false.
    NotSaved
        If the disk is full or read-only.
    """
    import zarr

    place = Path(path)
    refuse_existing(place, overwrite)
    lengths = tuple(int(length) for length in shape)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return zarr.create_array(
            place,
            shape=lengths,
            dtype=dtype,
            chunks=tuple(chunks) if chunks else usual_chunks(lengths),
            # Format 2 is what the other programs of a laboratory read today.
            zarr_format=2,
            chunk_key_encoding={"name": "v2", "separator": "/"},
            fill_value=0,
            attributes={**(attributes or {}), DONE: False},
            overwrite=overwrite,
        )
    except OSError as error:
        raise not_saved(place, error) from error


def open_store(path: str | Path, *, unfinished: bool = False) -> Any:
    """Return a store that `create_store` made, for reading.

    Parameters
    ----------
    path : path
    unfinished : bool
        Whether one that was stopped half way may be opened; then it can be written too.

    Raises
    ------
    FileMissing
        If there is none.
    ImageError
        If it is damaged, or was not finished and `unfinished` is false.
    """
    import zarr

    place = Path(path)
    if not place.is_dir():
        raise FileMissing(f"{place} is not there.", hint="Predict with scores kept to make it.")
    with reading(place, "a store of scores"):
        array = zarr.open_array(place, mode="r+" if unfinished else "r")
    if not unfinished and not array.attrs.get(DONE, True):
        raise ImageError(
            f"{place.name} was not finished: the run that wrote it was stopped.",
            hint="Predict again.",
        )
    return array


def finish_store(array: Any) -> None:
    """Mark a store as whole: every chunk has been written."""
    array.attrs[DONE] = True


@contextmanager
def few_at_once(memory: int) -> Iterator[None]:
    """Let only so many chunks be packed and unpacked at a time in the block as memory allows.

    Parameters
    ----------
    memory : int
        Bytes that the whole work may take.
    """
    import zarr

    with zarr.config.set({"async.concurrency": max(1, min(AT_ONCE, memory // EACH))}):
        yield


def usual_chunks(shape: Sequence[int]) -> tuple[int, ...]:
    """Return chunks for an array of `shape` whose last two or three axes are space.

    Three axes are taken as channel and plane if the first is short, else as a volume.
    """
    count = len(shape)
    volume = count >= 4 or (count == 3 and shape[0] > 16)
    inner = 3 if volume else 2
    side = CUBE_SIDE if volume else PLANE_SIDE
    lead = (1,) * max(count - inner, 0)
    return (*lead, *(max(1, min(length, side)) for length in shape[len(lead) :]))

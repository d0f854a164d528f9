"""Where scores lie while they are computed: in memory, or on disk where they are large."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_defectseg.core.atomic import atomic_folder, not_saved
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.images.image import ArrayLike
from napari_defectseg.images.store import create_store, finish_store, open_store
from napari_defectseg.inference.job import Job

SIDES = {2: 1024, 3: 96}
"""Edge of a chunk in px, by the number of axes that the network sees."""


class Writable(Protocol):
    """What scores are written to."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Store a part."""


@dataclass
class Room:
    """Room for the scores of one run.

    Parameters
    ----------
    target : array-like
        What the parts are written to.
    readable : array-like
        The whole; while it is written, what is not there yet reads as zero. One that was asked
        for is read once the block that made the room has ended.
    temporary : bool
        Whether the scores lie in a file that nobody asked for.
    """

    target: Writable
    readable: ArrayLike
    temporary: bool = False

    @property
    def in_memory(self) -> int:
        """Bytes of memory that the scores fill, 0 on disk."""
        return self.readable.nbytes if isinstance(self.readable, np.ndarray) else 0


class TemporaryScores:
    """Scores in a folder that goes when nobody needs them any more.

    Parameters
    ----------
    folder : Path
        Deleted with this object, at the latest when the program ends.
    array : zarr.Array
        The scores in it.
    """

    def __init__(self, folder: Path, array: Any) -> None:
        self._array = array
        self._finalise = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, channels first."""
        return tuple(int(n) for n in self._array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        kind: np.dtype[Any] = np.dtype(self._array.dtype)
        return kind

    def __getitem__(self, key: Any) -> Any:
        return self._array[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[key] = value


def scores_bytes(job: Job) -> int:
    """Return what the scores take, in bytes, before compression."""
    return 4 * math.prod(job.scores_shape)


def on_disk(job: Job, held: int = 0) -> bool:
    """Return whether the scores go to disk: asked for, or more than the memory allows.

    Parameters
    ----------
    job : Job
    held : int
        Bytes of scores that are kept in memory already.
    """
    return job.settings.scores_path is not None or scores_bytes(job) + held > job.budget


@contextmanager
def room_for_scores(job: Job, held: int = 0) -> Iterator[Room]:
    """Give room for the scores; a run that does not end well leaves nothing where it was asked for.

    Room that nobody asked for goes when nobody holds it any more, see `begun.Begun`.

    Raises
    ------
    AlreadyExists
        If ``settings.scores_path`` is there.
    NotSaved
        If the disk is full or read-only.
    """
    if not on_disk(job, held):
        # Zeros that are never written take no memory, and a stopped run shows nothing there.
        values = np.zeros(job.scores_shape, np.float32)
        yield Room(values, values)
    elif job.settings.scores_path is not None:
        path = Path(job.settings.scores_path)
        room = yield from _stored(job, path)
        room.readable = open_store(path)
    else:
        yield from _temporary(job)


def _temporary(job: Job) -> Iterator[Room]:
    """Give room in a folder that lasts as long as somebody holds the scores."""
    folder = Path(tempfile.mkdtemp(prefix="defectseg-scores-"))
    try:
        array = _store(job, folder / "scores.zarr")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    room = Room(array, TemporaryScores(folder, array), temporary=True)
    try:
        yield room
        finish_store(array)
    except OSError as error:
        if isinstance(error, DefectSegError):
            raise
        raise not_saved(folder, error) from error


def _stored(job: Job, path: Path) -> Generator[Room, None, Room]:
    with atomic_folder(path) as part:
        array = _store(job, part)
        room = Room(array, array)
        yield room
        finish_store(array)
    return room


def _store(job: Job, path: Path) -> Any:
    return create_store(
        path,
        job.scores_shape,
        np.float32,
        _chunks(job),
        attributes=scores_attributes(job),
        overwrite=True,  # the empty folder that was just made
    )


def _chunks(job: Job) -> tuple[int, ...]:
    """Return chunks that one pass fills: planes are mixed in one only if they lie in three ways."""
    image, seen = job.image, job.layout.seen
    if job.settings.volume == "three-axes":
        seen = ("z", "y", "x")
    side = SIDES[len(seen)]
    lengths = zip(image.label_axes, job.scores_shape[1:], strict=True)
    return (1, *(min(n, side) if name in seen else 1 for name, n in lengths))


def scores_attributes(job: Job) -> dict[str, Any]:
    """Return what is said beside stored scores: axes, pixel size, classes."""
    image, card = job.image, job.model.card
    return {
        "axes": ["channel", *image.label_axes],
        "spacing": [float(step) for step in image.calibration.steps],
        "unit": image.calibration.unit,
        "classes": card.classes.as_dict(),
        "task": card.task,
        "model": card.name,
        "image": image.name,
    }

"""One file from a server: cached, checked by its hash, with progress and cancel."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import DefectSegError, SampleError
from napari_defectseg.core.progress import Step, Steps

TIMEOUT = 20.0
"""Seconds without a byte after which a server counts as gone."""
PATIENCE = 2.0
"""Seconds that a stopped download has to notice; one that waits for a dead server ends later."""
CHUNK = 1 << 16
MEGABYTE = 1e6


def download_steps(url: str, path: Path, sha256: str, size: int) -> Steps[Path]:
    """Download a file unless it is there with the right content; steps count bytes.

    Parameters
    ----------
    url : str
    path : Path
        Where it is to lie; it appears there when it is whole and its hash right.
    sha256 : str
        Of its content.
    size : int
        Its bytes; a server that sends more is cut off.

    Raises
    ------
    SampleError
        If there is no connection, the server does not have it, or sends something else.
    NotSaved
        If the disk is full or read-only.
    """
    told: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    bar = _Bar(told.put, size)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            _retrieve(url, path, sha256, bar)
        except BaseException as error:  # carried to the caller's thread, which raises it
            failed.append(error)
        finally:
            told.put(None)

    thread = threading.Thread(target=work, name="download", daemon=True)
    thread.start()
    try:
        while (done := told.get()) is not None:
            total = f"{done / MEGABYTE:.1f} of {size / MEGABYTE:.1f} MB"
            yield Step(min(done, size), size, f"downloading {path.name}, {total}")
    finally:
        bar.stopped = True
        thread.join(PATIENCE)
    if failed:
        raise _sentence(failed[0], url, path)
    return path


class _Stopped(Exception):
    """Nobody wants the file any more."""


class _TooLong(Exception):
    """The server sends more than the file has."""


class _Bar:
    """What pooch reports its progress to.

    Parameters
    ----------
    tell : callable
        Called with the bytes so far.
    size : int
        The bytes that are expected.
    """

    def __init__(self, tell: Callable[[int], None], size: int) -> None:
        self.total = 0
        self.stopped = False
        self._tell = tell
        self._size = size
        self._done = 0

    def update(self, count: int) -> None:
        """Count bytes; raises if they are too many, or the download was stopped."""
        if self.stopped:
            raise _Stopped
        self._done += count
        if self._done > self._size + 2 * CHUNK:
            raise _TooLong
        self._tell(self._done)

    def reset(self) -> None:
        """Count from 0 again."""
        self._done = 0

    def close(self) -> None:
        """Do nothing: there is no bar on the screen."""


def _retrieve(url: str, path: Path, sha256: str, bar: _Bar) -> None:
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT, chunk_size=CHUNK)
    with _quiet(pooch.get_logger()):
        pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=downloader,
        )


@contextmanager
def _quiet(logger: Any) -> Iterator[None]:
    """Let pooch not write on the screen inside the block; our steps say the same."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _sentence(error: BaseException, url: str, path: Path) -> BaseException:
    """Return the error as a user can understand it."""
    import requests

    host = urlsplit(url).netloc
    again = "What was downloaded before is kept; try again later."
    if isinstance(error, requests.HTTPError):
        code: int | str = "an error"
        if error.response is not None:
            code = error.response.status_code
            error.response.close()
        return SampleError(f"{host} does not give {path.name} away any more ({code}).", hint=again)
    if isinstance(error, requests.RequestException):
        return SampleError(
            f"{path.name} could not be downloaded: there is no connection to {host}.",
            hint=f"Check the network. {again}",
        )
    if isinstance(error, ValueError | _TooLong):
        return SampleError(
            f"{host} sent something else than {path.name}: its hash or size is wrong, so it was "
            "not kept.",
            hint="A login page or a filter of the network may stand between.",
        )
    if isinstance(error, OSError) and not isinstance(error, DefectSegError):
        return not_saved(path, error)
    return error

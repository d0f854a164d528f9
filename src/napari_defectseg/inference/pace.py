"""How fast a network runs here: measured while it runs, remembered until the program ends."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from napari_defectseg.inference.job import Job
from napari_defectseg.inference.tiling import Tile
from napari_defectseg.models.arraymodel import ArrayModel

T = TypeVar("T")
Key: TypeAlias = tuple[str, str, str, int, int]
_SECONDS: dict[Key, float] = {}
"""Seconds a pixel that the network sees, by network, its settings, device, threads and turns. It
only feeds forecasts; no result depends on it."""
MOST_KNOWN = 256


class Watch:
    """Times the tiles of one run; what it found is remembered when its block ends.

    The first tile also pays for setting up, so it counts only where there is no other.
    """

    def __init__(self, job: Job, threads: int) -> None:
        self._key = _key(job, threads)
        self._laps: list[tuple[int, float]] = []

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        laps = self._laps[1:] or self._laps
        pixels = sum(size for size, _ in laps)
        if pixels:
            _remember(self._key, sum(seconds for _, seconds in laps) / pixels)

    @contextmanager
    def lap(self, tile: Tile) -> Iterator[None]:
        """Time one tile."""
        started = time.perf_counter()
        yield
        self._laps.append((math.prod(tile.shape), time.perf_counter() - started))

    def each(self, passes: Iterator[T], pixels: int) -> Iterator[T]:
        """Pass on what is computed step by step, and time each step of so many pixels."""
        started = time.perf_counter()
        for found in passes:
            self._laps.append((pixels, time.perf_counter() - started))
            yield found
            started = time.perf_counter()


def known_pace(job: Job, threads: int) -> float | None:
    """Return seconds a pixel of this network on this device, None if it has not run yet."""
    return _SECONDS.get(_key(job, threads))


def forget() -> None:
    """Forget all that was measured."""
    _SECONDS.clear()


def _remember(key: Key, seconds: float) -> None:
    while len(_SECONDS) >= MOST_KNOWN:
        _SECONDS.pop(next(iter(_SECONDS)))
    _SECONDS[key] = seconds


def _key(job: Job, threads: int) -> Key:
    card = job.model.card
    settings = json.dumps(card.architecture_settings, sort_keys=True)
    elsewhere = isinstance(job.model, ArrayModel)
    network = job.model.sha256 if elsewhere else card.architecture
    turns = max(1, len(job.turns))
    return f"{network} {job.way.name}", settings, job.device.name, threads, turns

"""How fast a network runs here: measured while it runs, remembered until the program ends."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from napari_defectseg.core.stopwatch import Stopwatch
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.tiling import Tile
from napari_defectseg.models.arraymodel import ArrayModel

if TYPE_CHECKING:
    from napari_defectseg.inference.engine import Engine

T = TypeVar("T")
Key: TypeAlias = tuple[str, str, str, int, int]


@dataclass(frozen=True)
class Pace:
    """How a network goes through its passes on a device.

    Parameters
    ----------
    seconds : float
        A pixel that the network sees.
    marks : tuple of float
        When its layers begin, see `Layers`.
    """

    seconds: float
    marks: tuple[float, ...] = ()

    def longest(self, pixels: int) -> float | None:
        """Return the seconds of the longest layer of a pass of so many pixels, None: not known."""
        return self.seconds * pixels * Layers(self.marks).longest if self.marks else None


_KNOWN: dict[Key, Pace] = {}
"""By network, its settings, device, threads and turns. It only feeds forecasts; no result depends
on it."""
MOST_KNOWN = 256


class Watch:
    """Times the tiles of one run; what it found is remembered when its block ends.

    The first tile also pays for setting up, so it counts only where there is no other.
    """

    def __init__(self, job: Job, engine: Engine) -> None:
        self._key = _key(job, engine.threads)
        self._engine = engine
        self._laps: list[tuple[int, float]] = []

    def __enter__(self) -> Watch:
        known = _KNOWN.get(self._key)
        if known is not None and not self._engine.layers.marks:
            self._engine.layers.marks = known.marks
        return self

    def __exit__(self, *_: object) -> None:
        laps = self._laps[1:] or self._laps
        if laps:
            # The median: on a busy computer a tile now and then takes many times as long.
            seconds = median(seconds / size for size, seconds in laps)
            _remember(self._key, Pace(seconds, self._engine.layers.marks))

    @contextmanager
    def lap(self, tile: Tile) -> Iterator[Stopwatch]:
        """Time one tile; halt the watch while nobody waits for it."""
        watch = Stopwatch()
        yield watch
        self._laps.append((math.prod(tile.shape), watch.seconds))

    def each(self, passes: Iterator[T], pixels: int) -> Iterator[T]:
        """Pass on what is computed step by step, and time each step of so many pixels."""
        started = time.perf_counter()
        for found in passes:
            self._laps.append((pixels, time.perf_counter() - started))
            yield found
            started = time.perf_counter()


def known_pace(job: Job, threads: int) -> Pace | None:
    """Return how this network runs on this device, None if it has not run yet."""
    return _KNOWN.get(_key(job, threads))


def forget() -> None:
    """Forget all that was measured."""
    _KNOWN.clear()


def _remember(key: Key, pace: Pace) -> None:
    while len(_KNOWN) >= MOST_KNOWN:
        _KNOWN.pop(next(iter(_KNOWN)))
    _KNOWN[key] = pace


def _key(job: Job, threads: int) -> Key:
    card = job.model.card
    settings = json.dumps(card.architecture_settings, sort_keys=True)
    elsewhere = isinstance(job.model, ArrayModel)
    network = job.model.sha256 if elsewhere else card.architecture
    turns = max(1, len(job.turns))
    return f"{network} {job.way.name}", settings, job.device.name, threads, turns

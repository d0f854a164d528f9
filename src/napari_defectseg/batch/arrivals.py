"""`Arrivals`: files that others write into a folder, one after the other, each once it is whole.

Looked at again and again rather than told by the system, which is silent about network drives.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from napari_defectseg.core.errors import FileMissing
from napari_defectseg.images.natural import natural
from napari_defectseg.images.open import PATTERNS
from napari_defectseg.results.naming import stem_of

Signature = tuple[int, int]
"""Bytes of a file, and when it was last written, in ns since 1970: whatever writes changes it."""
TEMPORARY = (".", "~")
"""What names of files begin with that are no frames: hidden ones, and locks of other programs."""
FIRST = (0, 1)
"""Numbers that instruments begin with."""
SURE = 2
"""Steps from number to number until the smallest of them is taken to be the instrument's."""
_NUMBER = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<after>\D*)", re.DOTALL)


@dataclass(frozen=True)
class Arrived:
    """A file that is there and does not change any more.

    Parameters
    ----------
    path : Path
    signature : Signature
    since : float
        When it was last seen to change, on the clock of `Arrivals`.
    """

    path: Path
    signature: Signature
    since: float


@dataclass
class _Seen:
    signature: Signature
    since: float
    tried: float | None = None


@dataclass
class _Series:
    """Frames that are called alike but for a number, as far as they were dealt with."""

    last: int | None = None
    steps: int = 0
    step: int = 0

    def follows(self, number: int) -> bool:
        """Return whether no frame is missing before this one, as far as one can tell."""
        if self.last is None:
            return number in FIRST
        return number <= self.last + (self.step if self.steps >= SURE else 1)

    def count(self, number: int) -> None:
        """Go on to a frame that was dealt with."""
        if self.last is not None and number > self.last:
            step = number - self.last
            self.step = min(self.step, step) if self.steps else step
            self.steps += 1
        self.last = number if self.last is None else max(self.last, number)


class Arrivals:
    """Which file of a folder is next.

    Files come in the order of the numbers in their names. One that is missing in between is
    waited for, for a while; one that comes later than that comes as it comes.

    Parameters
    ----------
    folder : Path
        Folders in it are not looked into.
    pattern : str
        Of the names, for example ``"scan_*.tif"``; empty: all that can be images.
    settle : float
        Seconds without a change until a file is taken to be whole.
    patience : float
        Seconds for which a missing file, or one that cannot be read, is waited for.
    clock : callable
        Seconds that only go forward.
    """

    def __init__(
        self,
        folder: Path,
        pattern: str = "",
        *,
        settle: float = 0.5,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._patterns = folder, (pattern,) if pattern else PATTERNS
        self._settle, self._patience, self._clock = settle, patience, clock
        self._waiting: dict[str, _Seen] = {}
        self._order: list[str] = []
        self._done: set[str] = set()
        self._earlier: dict[str, Signature] = {}
        self._failed: dict[str, Signature] = {}
        self._series: dict[tuple[str, str], _Series] = {}

    def know(self, done: Mapping[str, Signature]) -> None:
        """Leave out files that were dealt with before, as long as they are what they were."""
        self._earlier.update(done)
        for name in sorted(done, key=natural):
            self._pass(name)

    @property
    def waiting(self) -> int:
        """How many files are there that are not dealt with."""
        return len(self._waiting)

    def look(self) -> bool:
        """Look which files are there; return whether one has come or changed.

        Raises
        ------
        FileMissing
            If the folder is not there (any more).
        """
        now, there, changed = self._clock(), set[str](), False
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if self._fits(entry.name):
                        there.add(entry.name)
                        changed = self._see(entry, now) or changed
        except FileNotFoundError as error:
            raise FileMissing(
                f"The folder {self._folder} is not there.", hint="Check the name, or the drive."
            ) from error
        self._leave(self._waiting.keys() - there)
        if changed:
            self._order = sorted(self._waiting, key=natural)
        return changed

    def next(self) -> Arrived | None:
        """Return the file that is to be dealt with now; None: wait and look again."""
        if not self._order:
            return None
        name, now = self._order[0], self._clock()
        seen = self._waiting[name]
        since = now - seen.since
        changes = since < self._settle
        failed = seen.tried is not None and now - seen.tried < self._settle
        empty = not seen.signature[0]
        if changes or (since < self._patience and (failed or empty or self._lacks_one(name))):
            return None
        return Arrived(self._folder / name, seen.signature, seen.since)

    def not_yet(self, arrived: Arrived) -> bool:
        """Put a file back that cannot be read; False: it was waited for long enough."""
        seen = self._waiting.get(arrived.path.name)
        if seen is None:
            return True  # it was taken away or renamed meanwhile
        seen.tried = self._clock()
        return seen.tried - seen.since < self._patience

    def done(self, arrived: Arrived, *, failed: bool = False) -> None:
        """Leave out a file from now on; one that failed only until it is written again.

        A file that was written anew meanwhile stays.
        """
        name = arrived.path.name
        self._pass(name)
        if _signature(arrived.path) not in (arrived.signature, None):
            return
        if failed:
            self._failed[name] = arrived.signature
        else:
            self._done.add(name)
        self._leave((name,))

    def is_late(self, arrived: Arrived) -> bool:
        """Return whether a file was dealt with that comes after this one."""
        key, number = _split(arrived.path.name)
        last = self._series.get(key, _Series()).last
        return number is not None and last is not None and number < last

    def _fits(self, name: str) -> bool:
        if name in self._done or name.startswith(TEMPORARY):
            return False
        lower = name.lower()
        return any(fnmatch(lower, pattern.lower()) for pattern in self._patterns)

    def _see(self, entry: os.DirEntry[str], now: float) -> bool:
        """Take note of a file; return whether it is new or has changed."""
        try:
            if not entry.is_file():
                return False
            known = entry.stat()
        except FileNotFoundError:
            return False  # renamed between the two looks
        name, signature = entry.name, (known.st_size, known.st_mtime_ns)
        if self._earlier.pop(name, None) == signature:
            self._done.add(name)
            return False
        seen = self._waiting.get(name)
        if signature == (seen.signature if seen else self._failed.get(name)):
            return False
        self._waiting[name] = _Seen(signature, now)
        return True

    def _leave(self, names: Iterable[str]) -> None:
        for name in tuple(names):
            if self._waiting.pop(name, None) is not None and name in self._order:
                self._order.remove(name)

    def _pass(self, name: str) -> None:
        key, number = _split(name)
        if number is not None:
            self._series.setdefault(key, _Series()).count(number)

    def _lacks_one(self, name: str) -> bool:
        key, number = _split(name)
        return number is not None and not self._series.get(key, _Series()).follows(number)


def _signature(path: Path) -> Signature | None:
    """Return the signature of a file, None if it is gone."""
    try:
        known = path.stat()
    except FileNotFoundError:
        return None
    return known.st_size, known.st_mtime_ns


def _split(name: str) -> tuple[tuple[str, str], int | None]:
    """Return what frames of one series have in common, and the number of this one."""
    stem = stem_of(name)
    found = _NUMBER.fullmatch(stem)
    if found is None:
        return (name, ""), None
    return (found["before"], found["after"] + name[len(stem) :]), int(found["number"])

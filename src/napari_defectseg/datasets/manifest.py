"""The manifest: events, one a line, appended under a lock; the last whole event of an id wins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_defectseg.core.atomic import flush_folder, not_saved
from napari_defectseg.core.errors import DatasetError

MANIFEST = "manifest.jsonl"
LOCK = ".lock"
ROLES = ("image", "mask", "instances", "objects")
PATIENCE = 120.0
"""Seconds to wait for another program that is writing to the same dataset."""

Region: TypeAlias = tuple[tuple[int, int], ...]
"""(start, stop) in pixels along each axis of a mask."""


class Origin(BaseModel):
    """Where a pair came from.

    Parameters
    ----------
    file : str
        The image file it was cut from.
    region : tuple of (start, stop) or None
        The place in that image, one pair an axis of its masks, in pixels; None: all of it.
    model : str
        The model whose prediction was corrected, empty if drawn by hand.
    who, when : str
        Who saved it, and ISO 8601 UTC.
    details : dict
        Anything else worth keeping (seed of a phantom, tool, note).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = ""
    region: Region | None = None
    model: str = ""
    who: str = ""
    when: str = ""
    details: dict[str, Any] = Field(default_factory=dict)

    def inside(self, region: Region | None, **details: Any) -> Origin:
        """Return the origin of a part: `region` counts from where this one begins."""
        place = self.region
        if region is not None:
            starts = [start for start, _ in self.region or [(0, 0)] * len(region)]
            moved = zip(starts, region, strict=True)
            place = tuple((first + start, first + stop) for first, (start, stop) in moved)
        changes = {"region": place, "details": {**self.details, **details}}
        return self.model_copy(update=changes)


class Event(BaseModel):
    """The whole state of one pair after something happened to it.

    Parameters
    ----------
    id : str
        The pair.
    what : str
        ``"added"``, ``"corrected"``, ``"split"`` or ``"excluded"``.
    supersedes : int or None
        Number of the event that this one replaces.
    number : int
        Events are counted from 1 in the order they were written.
    image, mask : str
        Paths inside the dataset folder.
    instances, objects : str
        Likewise, empty where there are none.
    sha256, size : dict of str
        Hash and bytes of each of these files, by ``"image"``, ``"mask"``, …
    axes : str
        Axes of the image, for example ``"zyx"``.
    shape : tuple of int
        Shape of the image.
    pixel_size : tuple of float or None
        One entry a spatial axis, in `unit`; null where unknown.
    unit : str
        A length, or ``"px"``.
    pixel_size_source : str
        Where the pixel size came from.
    pixels : dict of str to int
        Labelled pixels of each class, of ``background``, and ``unlabelled``.
    specimen, split : str
        ``split`` is ``"train"``, ``"validation"``, ``"test"``, ``"unused"`` or empty.
    origin : Origin
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    what: Literal["added", "corrected", "split", "excluded"]
    supersedes: int | None = None
    number: int
    image: str
    mask: str
    instances: str = ""
    objects: str = ""
    sha256: dict[str, str]
    size: dict[str, int]
    axes: str
    shape: tuple[int, ...]
    pixel_size: tuple[float | None, ...]
    unit: str
    pixel_size_source: str = ""
    pixels: dict[str, int]
    specimen: str
    split: Literal["", "train", "validation", "test", "unused"] = ""
    origin: Origin = Origin()

    @property
    def files(self) -> dict[str, str]:
        """Paths of its files inside the dataset folder, by what they are."""
        found = {role: str(getattr(self, role)) for role in ROLES}
        return {role: name for role, name in found.items() if name}

    def whole(self, folder: Path) -> bool:
        """Return whether all its files are in `folder` with the right number of bytes."""
        try:
            return all(
                (folder / name).stat().st_size == self.size.get(role)
                for role, name in self.files.items()
            )
        except OSError:
            return False


class Manifest:
    """The list of events of a dataset folder.

    Parameters
    ----------
    folder : Path
        The dataset folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / MANIFEST
        self._seen: tuple[bytes, list[Event]] = (b"", [])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the dataset for writing; others wait, a killed program lets go by itself.

        Raises
        ------
        DatasetError
            If another program keeps it for longer than two minutes.
        NotSaved
            If the folder cannot be written to.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout as error:
            raise DatasetError(
                f"{self.folder} is being written to by another program.",
                hint="Wait until it has finished, then try again.",
            ) from error
        except OSError as error:
            raise not_saved(self.folder, error) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> list[Event]:
        """Return every whole line as an event, in order; torn lines do not count.

        Raises
        ------
        DatasetError
            If the file cannot be read, or a whole line is not an event.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DatasetError(f"{self.path} cannot be read: {error.strerror}.") from error
        return list(self._parsed(content[: content.rfind(b"\n") + 1]))

    def _parsed(self, content: bytes) -> list[Event]:
        """Return the events of whole lines; those read before are not read again."""
        before, events = self._seen
        if not content.startswith(before):
            before, events = b"", []
        lines = content[len(before) :].split(b"\n")[:-1]
        first = before.count(b"\n") + 1
        found = (self._event(number, line) for number, line in enumerate(lines, start=first))
        events = [*events, *(event for event in found if event is not None)]
        self._seen = (content, events)
        return events

    def _event(self, number: int, line: bytes) -> Event | None:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            return None  # torn by a crash: what it announced was never reported saved
        try:
            return Event.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "line"
            raise DatasetError(
                f"Line {number} of {self.path} is not an event of a dataset: {place}: "
                f"{first['msg']}.",
                hint="It may have been written by a newer version, or changed by hand.",
            ) from error

    def state(self) -> dict[str, Event]:
        """Return the last event of each id whose files are there, excluded ones too."""
        events = self.read()
        last: dict[str, Event] = {}
        for event in reversed(events):
            if event.id not in last and event.whole(self.folder):
                last[event.id] = event
        return {event.id: last[event.id] for event in events if event.id in last}

    def broken(self) -> list[Event]:
        """Return the last events of ids whose files are not there; an earlier one may count."""
        last = {event.id: event for event in self.read()}
        return [event for event in last.values() if not event.whole(self.folder)]

    def append(self, events: Sequence[Event]) -> None:
        """Write events behind the last one and put them on the disk; call it `locked`.

        Raises
        ------
        NotSaved
            If the disk is full or read-only; the manifest is then as it was.
        """
        text = "".join(
            json.dumps(event.model_dump(mode="json"), ensure_ascii=False) + "\n" for event in events
        )
        try:
            self._append(text.encode())
        except OSError as error:
            raise not_saved(self.path, error) from error

    def _append(self, content: bytes) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            before = os.lseek(handle, 0, os.SEEK_END)
            try:
                _write_all(handle, _line_break(handle, before) + content)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)
        flush_folder(self.folder)


def _line_break(handle: int, size: int) -> bytes:
    """Return what ends a torn last line, so that the next event stands on its own."""
    if size == 0:
        return b""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return b"" if os.read(handle, 1) == b"\n" else b"\n"


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def next_number(events: Sequence[Event]) -> int:
    """Return the number of the event that comes after `events`."""
    return max((event.number for event in events), default=0) + 1


def follow(before: Event, events: Sequence[Event], **changes: Any) -> Event:
    """Return the event that replaces `before`, to be written after `events`."""
    values = {name: getattr(before, name) for name in Event.model_fields}
    after = {"supersedes": before.number, "number": next_number(events)}
    return Event.model_validate({**values, **changes, **after})


def region_of(slices: Sequence[slice], shape: Sequence[int]) -> Region:
    """Return (start, stop) an axis for slices of an array of `shape`.

    Raises
    ------
    DatasetError
        If the region is empty, has steps, lies outside or has the wrong number of axes.
    """
    if len(slices) != len(shape):
        raise DatasetError(f"The region has {len(slices)} axes; the mask has {len(shape)}.")
    found = []
    for part, length in zip(slices, shape, strict=True):
        start = 0 if part.start is None else int(part.start)
        stop = length if part.stop is None else int(part.stop)
        if part.step not in (None, 1) or not 0 <= start < stop <= length:
            raise DatasetError(
                f"The region {start}:{stop} does not lie inside an axis of {length} pixels."
            )
        found.append((start, stop))
    return tuple(found)


def origin_of(values: Mapping[str, Any] | None, **known: Any) -> Origin:
    """Return the origin a caller described, with `known` values where he said nothing.

    Names that `Origin` does not have go to its ``details``.

    Raises
    ------
    DatasetError
        If a value has the wrong form.
    """
    given = dict(values or {})
    fields = {name: given.pop(name) for name in tuple(given) if name in Origin.model_fields}
    details = {**fields.pop("details", {}), **given}
    try:
        return Origin.model_validate({**known, **fields, "details": details})
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(
            f"The origin of a pair cannot be kept: {first['loc']}: {first['msg']}."
        ) from error

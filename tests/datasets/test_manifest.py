"""Torn lines never count, never hide others, and a failed append leaves the file as it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_defectseg.core.errors import DatasetError, NotSaved
from napari_defectseg.datasets.manifest import Event, Manifest, origin_of, region_of


def event(number: int, pair_id: str = "a", **changes: object) -> Event:
    values = {
        "id": pair_id,
        "what": "added",
        "number": number,
        "image": "i",
        "mask": "m",
        "sha256": {"image": "0", "mask": "0"},
        "size": {"image": 1, "mask": 1},
        "axes": "yx",
        "shape": (4, 4),
        "pixel_size": (None, None),
        "unit": "px",
        "pixels": {"background": 16, "unlabelled": 0},
        "specimen": "µ-probe",
        **changes,
    }
    return Event.model_validate(values)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for name in "im":
        (tmp_path / name).write_bytes(b"x")
    return Manifest(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(1, 5000), after=st.integers(0, 2))
def test_a_line_torn_anywhere_does_not_count_and_hides_nothing(
    manifest: Manifest, cut: int, after: int
) -> None:
    """Events before the tear stay, and events appended behind it are read."""
    manifest.path.unlink(missing_ok=True)
    manifest.append([event(1), event(2, "b")])
    content = manifest.path.read_bytes()
    first = content.index(b"\n") + 1
    keep = max(first, len(content) - cut)
    manifest.path.write_bytes(content[:keep])
    for number in range(after):
        manifest.append([event(3 + number, f"c{number}")])
    ids = [found.id for found in manifest.read()]
    # A line that lacks nothing but its end is completed by the next event.
    torn = ["b"] if after and keep == len(content) - 1 else []
    assert ids == ["a", *torn, *(f"c{number}" for number in range(after))]


def test_last_whole_event_of_an_id_wins(manifest: Manifest) -> None:
    manifest.append([event(1), event(2, "b"), event(3, split="test", what="split")])
    state = manifest.state()
    assert list(state) == ["a", "b"]
    assert state["a"].split == "test"
    manifest.append([event(4, mask="not there")])
    assert manifest.state()["a"].number == 3
    (manifest.folder / "m").write_bytes(b"")
    assert manifest.state() == {}
    assert [found.id for found in manifest.broken()] == ["a", "b"]


def test_a_failed_append_takes_back_what_it_wrote(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest.append([event(1)])
    before = manifest.path.read_bytes()

    def full(handle: int, content: bytes) -> int:
        if len(content) < 60:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, content[:50])

    real = os.write
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(NotSaved, match="No space left on device"):
        manifest.append([event(2)])
    assert manifest.path.read_bytes() == before


def test_a_whole_line_of_a_newer_version_is_named(manifest: Manifest) -> None:
    manifest.append([event(1)])
    with manifest.path.open("a") as file:
        file.write('{"id": "a", "colour": "red"}\n')
    with pytest.raises(DatasetError, match=r"Line 2 of .*manifest\.jsonl is not an event"):
        manifest.read()


def test_regions_and_origins() -> None:
    assert region_of((slice(None), slice(2, 5)), (9, 9)) == ((0, 9), (2, 5))
    for bad in (slice(3, 3), slice(0, 9, 2), slice(-1, 3), slice(0, 10)):
        with pytest.raises(DatasetError):
            region_of((bad,), (9,))
    found = origin_of({"file": "x.tif", "seed": 3}, who="me")
    assert (found.file, found.who, found.details) == ("x.tif", "me", {"seed": 3})
    with pytest.raises(DatasetError, match="region"):
        origin_of({"region": "everywhere"})

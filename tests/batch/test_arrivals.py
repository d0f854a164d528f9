"""Which file of a folder is next: whole, in order, none lost, none twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_defectseg.batch.arrivals import Arrivals
from napari_defectseg.core.errors import FileMissing


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def arrivals(tmp_path: Path, clock: Clock) -> Arrivals:
    return Arrivals(tmp_path, settle=1.0, patience=10.0, clock=clock)


def taken(arrivals: Arrivals, clock: Clock, seconds: float = 0.0) -> list[str]:
    """Look, let time go by, look again, and take what is ready."""
    arrivals.look()
    clock.now += seconds
    arrivals.look()
    names = []
    while (arrived := arrivals.next()) is not None:
        names.append(arrived.path.name)
        arrivals.done(arrived)
    return names


def write(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).write_text(text)


def test_a_file_that_grows_is_waited_for_and_holds_back_those_behind_it(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif", "f_1.tif")
    assert taken(arrivals, clock, 0.5) == []
    for size in range(2, 30):
        write(tmp_path, "f_0.tif", text="x" * size)
        assert taken(arrivals, clock, 0.9) == []
    assert taken(arrivals, clock, 1.0) == ["f_0.tif", "f_1.tif"]


def test_a_number_that_is_missing_is_waited_for_then_comes_late(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_1.tif", "f_3.tif")
    assert taken(arrivals, clock, 2) == ["f_1.tif"]
    assert taken(arrivals, clock, 7) == []
    assert taken(arrivals, clock, 2) == ["f_3.tif"]
    write(tmp_path, "f_2.tif")
    arrivals.look()
    clock.now += 1
    late = arrivals.next()
    assert late is not None
    assert late.path.name == "f_2.tif"
    assert arrivals.is_late(late)


def test_one_that_comes_in_time_takes_its_place(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_1.tif")
    assert taken(arrivals, clock, 2) == ["f_1.tif"]
    write(tmp_path, "f_3.tif")
    assert taken(arrivals, clock, 5) == []
    write(tmp_path, "f_2.tif")
    assert taken(arrivals, clock, 1) == ["f_2.tif", "f_3.tif"]


def test_numbers_that_go_by_tens_are_soon_no_gaps(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif", "f_10.tif", "f_20.tif")
    assert taken(arrivals, clock, 11) == ["f_0.tif", "f_10.tif", "f_20.tif"]
    write(tmp_path, "f_30.tif")
    assert taken(arrivals, clock, 1) == ["f_30.tif"]
    write(tmp_path, "f_50.tif")
    assert taken(arrivals, clock, 5) == []


def test_unfinished_names_folders_and_other_files_are_no_frames(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif.part", ".f_0.tif", "~f_0.tif", "notes.txt")
    (tmp_path / "f_1.tif").mkdir()
    assert taken(arrivals, clock, 20) == []
    (tmp_path / "f_0.tif.part").rename(tmp_path / "f_0.TIF")
    assert taken(arrivals, clock, 1) == ["f_0.TIF"]


def test_a_file_that_is_renamed_while_it_waits_comes_once(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "a_0.tif")
    arrivals.look()
    (tmp_path / "a_0.tif").rename(tmp_path / "b_0.tif")
    assert taken(arrivals, clock, 1) == ["b_0.tif"]
    assert arrivals.waiting == 0


def test_an_empty_file_is_waited_for_until_patience_ends(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif", text="")
    assert taken(arrivals, clock, 9) == []
    assert taken(arrivals, clock, 2) == ["f_0.tif"]


def test_one_that_cannot_be_read_is_tried_again_for_a_while(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif")
    arrivals.look()
    clock.now += 1
    first = arrivals.next()
    assert first is not None
    assert arrivals.not_yet(first)
    assert arrivals.next() is None
    clock.now += 1
    again = arrivals.next()
    assert again == first
    clock.now += 10
    assert not arrivals.not_yet(first)


def test_a_failed_file_comes_again_only_when_it_is_written_anew(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif")
    arrivals.look()
    clock.now += 1
    arrived = arrivals.next()
    assert arrived is not None
    arrivals.done(arrived, failed=True)
    assert taken(arrivals, clock, 20) == []
    write(tmp_path, "f_0.tif", text="whole now")
    assert taken(arrivals, clock, 1) == ["f_0.tif"]


def test_a_file_written_anew_while_it_was_dealt_with_comes_again(
    arrivals: Arrivals, clock: Clock, tmp_path: Path
) -> None:
    write(tmp_path, "f_0.tif")
    arrivals.look()
    clock.now += 1
    arrived = arrivals.next()
    assert arrived is not None
    write(tmp_path, "f_0.tif", text="another")
    arrivals.done(arrived)
    assert taken(arrivals, clock, 1) == ["f_0.tif"]


def test_what_was_done_before_is_left_out_unless_it_has_changed(
    tmp_path: Path, clock: Clock
) -> None:
    write(tmp_path, "f_0.tif", "f_1.tif", "f_2.tif")
    stats = {name: (tmp_path / name).stat() for name in ("f_0.tif", "f_1.tif")}
    known = {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}
    write(tmp_path, "f_1.tif", text="another")
    arrivals = Arrivals(tmp_path, settle=1.0, patience=10.0, clock=clock)
    arrivals.know(known)
    assert taken(arrivals, clock, 1) == ["f_1.tif", "f_2.tif"]


def test_only_what_fits_the_pattern_is_taken(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, "scan_0.dat", "other_0.dat", "scan_0.tif")
    arrivals = Arrivals(tmp_path, "scan_*.dat", settle=1.0, patience=1.0, clock=clock)
    assert taken(arrivals, clock, 1) == ["scan_0.dat"]


def test_a_folder_that_goes_away_is_named(arrivals: Arrivals, clock: Clock, tmp_path: Path) -> None:
    write(tmp_path, "f_0.tif")
    taken(arrivals, clock, 1)
    (tmp_path / "f_0.tif").unlink()
    tmp_path.rmdir()
    with pytest.raises(FileMissing, match="not there"):
        arrivals.look()
    tmp_path.mkdir()


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(order=st.permutations(range(8)), waits=st.lists(st.floats(0, 12), min_size=8, max_size=8))
def test_in_whatever_order_and_pace_frames_come_each_is_taken_once(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], waits: list[float]
) -> None:
    folder, clock = tmp_path_factory.mktemp("frames"), Clock()
    arrivals = Arrivals(folder, settle=1.0, patience=10.0, clock=clock)
    found: list[str] = []
    for number, wait in zip(order, waits, strict=True):
        write(folder, f"f_{number}.tif")
        found += taken(arrivals, clock, wait)
    found += taken(arrivals, clock, 11)
    assert sorted(found) == [f"f_{number}.tif" for number in range(8)]
    if sum(waits) < 9:  # nobody lost patience, so they come in order
        assert found == sorted(found)

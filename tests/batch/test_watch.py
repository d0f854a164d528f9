"""Frames that arrive while somebody watches: in order, each once, none lost."""

from __future__ import annotations

import csv
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.batch.analyse import AnalyseSettings, analyse
from napari_defectseg.batch.frames import Frame, FrameTable
from napari_defectseg.batch.watch import WatchSettings, watch, watch_steps
from napari_defectseg.core.errors import AlreadyExists, Cancelled, FileMissing, RecipeError
from napari_defectseg.core.progress import Step
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_image
from napari_defectseg.results.recipe import ModelReference, Recipe
from napari_defectseg.results.stored import read_result

QUICK = WatchSettings(settle=0.1, patience=2.0, poll=0.02, until_idle=0.6)


@pytest.fixture
def recipe(model_folder: Path) -> Recipe:
    return Recipe(
        model=ModelReference(path=str(model_folder)), predict={"device": "cpu", "threads": 1}
    )


@pytest.fixture
def bytes_of_frame(tmp_path: Path) -> Callable[[int], bytes]:
    """The bytes of a frame's file, each of another image."""

    def made(number: int) -> bytes:
        data = np.random.default_rng(number).integers(0, 4000, (24, 30), dtype=np.uint16)
        path = save_image(CalibratedImage.from_array(data), tmp_path / f"made-{number}.ome.tif")
        return path.read_bytes()

    return made


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "frames.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_frames_written_slowly_in_pieces_and_out_of_order_come_in_order(
    recipe: Recipe, inbox: Path, bytes_of_frame: Callable[[int], bytes], tmp_path: Path
) -> None:
    frames = {number: bytes_of_frame(number) for number in range(6)}

    def instrument() -> None:
        for number in (0, 2, 1, 4, 3, 5):
            whole, name = frames[number], f"scan_{number:04}.tif"
            pieces = [whole[: len(whole) // 3], whole[len(whole) // 3 :]]
            if number == 4:  # this one is written under another name and renamed
                (inbox / (name + ".part")).write_bytes(whole)
                (inbox / (name + ".part")).rename(inbox / name)
                continue
            with (inbox / name).open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                    file.flush()
                    time.sleep(0.25)  # longer than a file stands still when it is whole

    writer = threading.Thread(target=instrument)
    writer.start()
    seen: list[Frame] = []

    def told(step: Step) -> None:
        if isinstance(step.partial, Frame):
            seen.append(step.partial)

    found = watch(
        inbox,
        recipe,
        tmp_path / "out",
        replace(QUICK, patience=60.0, until_idle=None, frames=6),
        on_step=told,
    )
    writer.join()
    names = [f"scan_{number:04}.tif" for number in range(6)]
    assert [one.image for one in seen] == names
    assert [one.image for one in found] == names
    assert not any(one.problem or one.late for one in found)
    assert all(0 < one.seconds < one.lag for one in found)
    assert [row["image"] for row in rows(tmp_path / "out")] == names
    for number in range(6):
        image = inbox / f"scan_{number:04}.tif"
        alone = analyse(image, recipe)
        folder = tmp_path / "out" / f"scan_{number:04}"
        stored = next(r for r in read_result(tmp_path / "out")[1] if r.folder == folder)
        np.testing.assert_array_equal(stored.array("labels"), alone.labels.planes[0])
        row = rows(tmp_path / "out")[number]
        for name, numbers in alone.summary.classes.items():
            assert int(row[f"objects.{name}"]) == numbers["objects"].value
            assert float(row[f"fraction.{name}"]) == numbers["fraction"].value


def test_a_broken_frame_is_named_and_mended_ones_are_done_again(
    recipe: Recipe, inbox: Path, bytes_of_frame: Callable[[int], bytes], tmp_path: Path
) -> None:
    for number in range(3):
        (inbox / f"f_{number}.tif").write_bytes(bytes_of_frame(number))
    whole = (inbox / "f_1.tif").read_bytes()
    (inbox / "f_1.tif").write_bytes(whole[: len(whole) // 2])
    quick = replace(QUICK, patience=0.4)
    found = watch(inbox, recipe, tmp_path / "out", quick)
    assert [bool(one.problem) for one in found] == [False, True, False]
    assert "f_1.tif" in found[1].problem
    assert rows(tmp_path / "out")[1]["state"].startswith("failed: ")
    (inbox / "f_1.tif").write_bytes(whole)
    again = watch(inbox, recipe, tmp_path / "out", quick)
    assert [one.problem for one in again] == ["", "", ""]
    assert (again[0].objects, again[0].fraction) == (found[0].objects, found[0].fraction)
    assert again[1].objects
    assert len(rows(tmp_path / "out")) == 3


def test_a_stop_keeps_what_is_done_and_the_next_start_does_the_rest_only(
    recipe: Recipe, inbox: Path, bytes_of_frame: Callable[[int], bytes], tmp_path: Path
) -> None:
    for number in range(4):
        (inbox / f"f_{number}.tif").write_bytes(bytes_of_frame(number))
    done: list[Frame] = []

    def told(step: Step) -> None:
        if isinstance(step.partial, Frame):
            done.append(step.partial)

    with pytest.raises(Cancelled):
        watch(inbox, recipe, tmp_path / "out", QUICK, on_step=told, cancelled=lambda: len(done) > 1)
    times = [(tmp_path / "out" / f"f_{n}" / "summary.json").stat().st_mtime_ns for n in (0, 1)]
    found = watch(inbox, recipe, tmp_path / "out", QUICK, on_step=told)
    assert [one.image for one in done] == [f"f_{number}.tif" for number in range(4)]
    assert [one.image for one in found] == [f"f_{number}.tif" for number in range(4)]
    after = [(tmp_path / "out" / f"f_{n}" / "summary.json").stat().st_mtime_ns for n in (0, 1)]
    assert after == times


@pytest.mark.long
def test_a_program_that_is_killed_loses_no_frame(
    recipe: Recipe,
    model_folder: Path,
    inbox: Path,
    bytes_of_frame: Callable[[int], bytes],
    tmp_path: Path,
) -> None:
    worker = Path(__file__).with_name("watch_worker.py")
    for number in range(8):
        (inbox / f"f_{number}.tif").write_bytes(bytes_of_frame(number))
    call = [sys.executable, str(worker), str(inbox), str(model_folder), str(tmp_path / "out")]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("f_3.tif: "):
                process.kill()
    found = watch(inbox, recipe, tmp_path / "out", QUICK)
    assert [one.image for one in found] == [f"f_{number}.tif" for number in range(8)]
    assert not any(one.problem for one in found)
    assert [row["image"] for row in rows(tmp_path / "out")] == [one.image for one in found]


def test_a_row_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    table = FrameTable(tmp_path, ["void"])
    first = Frame("a_0.tif", "a_0", (9, 1), {"void": 3}, {"void": 0.25}, 0.5, 0.25)
    table.append(first)
    table.append(replace(first, image="a_1.tif", folder="a_1"))
    text = table.path.read_text()
    table.path.write_text(text[:-4])
    again = FrameTable(tmp_path, ["void"])
    assert again.frames == (first,)
    again.append(replace(first, image="a_1.tif", folder="a_1"))
    assert len(FrameTable(tmp_path, ["void"])) == 2


def test_a_table_of_other_classes_is_refused(tmp_path: Path) -> None:
    FrameTable(tmp_path, ["void"]).append(Frame("a.tif", "a", (1, 1)))
    with pytest.raises(RecipeError, match="other classes"):
        FrameTable(tmp_path, ["loop"])


def test_files_of_one_stem_get_folders_of_their_own(tmp_path: Path) -> None:
    table = FrameTable(tmp_path, ["void"])
    table.append(Frame("a.tif", "a", (1, 1)))
    assert table.folder_of("a.tif", "a") == "a"
    assert table.folder_of("a.png", "a") == "a.png"


def test_two_programs_do_not_write_into_the_same_results(
    recipe: Recipe, inbox: Path, tmp_path: Path
) -> None:
    first = watch_steps(inbox, recipe, tmp_path / "out", WatchSettings())
    while "waiting" not in next(first).text:
        pass
    with pytest.raises(AlreadyExists, match="Another program"):
        watch(inbox, recipe, tmp_path / "out", QUICK)
    first.close()
    assert watch(inbox, recipe, tmp_path / "out", QUICK) == ()


def test_results_of_other_settings_are_not_mixed_in(
    recipe: Recipe, inbox: Path, bytes_of_frame: Callable[[int], bytes], tmp_path: Path
) -> None:
    (inbox / "f_0.tif").write_bytes(bytes_of_frame(0))
    watch(inbox, recipe, tmp_path / "out", QUICK, AnalyseSettings())
    other = recipe.model_copy(update={"predict": {"device": "cpu", "threads": 2}})
    with pytest.raises(AlreadyExists, match="other settings"):
        watch(inbox, other, tmp_path / "out", QUICK)


def test_a_folder_that_is_not_there_is_named(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="nowhere"):
        watch(tmp_path / "nowhere", recipe, tmp_path / "out")

"""What was reported saved is there, whatever happens to the program that saves."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage

WORKER = Path(__file__).with_name("save_worker.py")
TRIES, ALWAYS = 50, 8
LONGEST = 0.5
"""Seconds of saving before the program is killed."""

spec = importlib.util.spec_from_file_location("save_worker", WORKER)
assert spec is not None
assert spec.loader is not None
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), str(folder), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def saved(lines: list[str]) -> dict[str, int]:
    """Return the last seed that was reported for each pair."""
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {words[0]: int(words[1]) for words in whole if len(words) == 2 and words[1].isdigit()}


def check(folder: Path, reported: dict[str, int]) -> None:
    """Every pair that was reported is there with what was reported, or a later correction."""
    dataset = Dataset.open(folder)
    found = {pair.id: pair for pair in dataset.pairs()}
    assert set(reported) <= set(found)
    for pair in found.values():  # those that were saved but not yet reported are whole, too
        seed = int(pair.specimen.rsplit(" ", 1)[1])
        np.testing.assert_array_equal(pair.image().read(), worker.pixels(seed))
        truths = [worker.truth(seed), worker.truth(seed + 1000)]
        matching = [k for k, one in enumerate(truths) if np.array_equal(pair.mask(), one)]
        assert matching
        if reported.get(pair.id, seed) != seed:
            assert matching == [1], "a correction that was reported is lost"
    numbers = [pair.event.number for pair in found.values()]
    assert len(set(numbers)) == len(numbers)
    assert dataset.info().pairs == len(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Dataset.create(tmp_path / "set", ["void", "loop"]).path


@pytest.mark.parametrize(
    "seed",
    [*range(ALWAYS), *(pytest.param(k, marks=pytest.mark.long) for k in range(ALWAYS, TRIES))],
)
def test_killed_while_saving_nothing_that_was_reported_is_lost(folder: Path, seed: int) -> None:
    running = start(folder, "steel", 10_000)
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0, LONGEST))
    running.kill()
    lines = running.stdout.readlines()
    running.wait()
    running.stdout.close()
    check(folder, saved(lines))
    after = Dataset.open(folder)
    before = len(after.pairs())
    pair = after.add(CalibratedImage.from_array(worker.pixels(7)), worker.truth(7), specimen="x 7")
    assert len(Dataset.open(folder).pairs()) == before + 1
    np.testing.assert_array_equal(Dataset.open(folder).pair(pair.id).mask(), worker.truth(7))


@pytest.mark.skipif(sys.platform == "win32", reason="No limits for the size of files there.")
@pytest.mark.parametrize("largest", [200, 3_000, 9_000, 20_000, 28_000])
def test_a_disk_that_fills_up_gives_a_sentence_and_keeps_what_was_saved(
    folder: Path, largest: int
) -> None:
    """Images, masks or the manifest meet the limit, as it is smaller or larger."""
    running = start(folder, "steel", 30, largest)
    out, _ = running.communicate(timeout=120)
    lines = out.splitlines(keepends=True)
    assert lines[-1].startswith("sentence:"), out
    assert "could not be written" in lines[-1]
    assert running.returncode == 0
    check(folder, saved(lines))
    assert len(Dataset.open(folder).pairs()) == len(saved(lines))
    assert not [path for path in folder.rglob("*") if path.name.startswith(".part-")]


def test_two_programs_save_at_once_and_neither_loses_anything(folder: Path) -> None:
    both = [start(folder, "steel", 8) for _ in range(2)]
    reports = [saved(one.communicate(timeout=120)[0].splitlines(keepends=True)) for one in both]
    assert [len(report) for report in reports] == [8, 8]
    assert not set(reports[0]) & set(reports[1])
    check(folder, {**reports[0], **reports[1]})
    assert len(Dataset.open(folder).pairs()) == 16

"""No edit is lost: journals hold every step, and say what they could not keep."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import edit_script
import numpy as np
import pytest
from label_cases import check_whole, map_of, state

from napari_defectseg.core.errors import LabelError, NotSaved
from napari_defectseg.labels import journalfile
from napari_defectseg.labels.journal import Journal, put_aside
from napari_defectseg.labels.restore import list_journals, restore
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.delete import delete


def edited(root, seed=1, count=30):
    """A history with a journal, and the states that it went through."""
    history = edit_script.start(seed, root)
    states = [state(history.labelmap)]
    running = edit_script.steps(history, seed)
    for _ in range(count):
        next(running)
        states.append(state(history.labelmap))
    return history, states


def walk_back(history):
    states = [state(history.labelmap)]
    while history.can_undo:
        history.undo()
        states.append(state(history.labelmap))
    return states


def test_a_restored_history_is_the_same_back_to_the_beginning(tmp_path):
    history, _ = edited(tmp_path, count=60)
    folder = history.journal.folder
    assert history.journal.pending == 0
    history.journal.close()
    again, sentence = restore(folder, who="eve")
    assert sentence == f"{len(history.entries)} edits were restored; nothing is missing."
    assert state(again.labelmap) == state(history.labelmap)
    assert again.undo_names == history.undo_names
    assert [e.person for e in again.entries] == ["ada"] * len(again.entries)
    assert again.labelmap.next_label == history.labelmap.next_label
    assert again.labelmap.calibration == history.labelmap.calibration
    assert again.labelmap.classes == history.labelmap.classes
    history.journal = None
    assert walk_back(again) == walk_back(history)
    check_whole(again.labelmap)
    again.journal.close()


def test_one_can_go_on_after_a_restart_and_restart_again(tmp_path):
    history, _ = edited(tmp_path, count=20)
    folder = history.journal.folder
    history.journal.close()
    for _ in range(3):
        history, _ = restore(folder)
        history.undo()
        history.push(accept(history.labelmap, sorted(history.labelmap.object_classes)))
        before, names = state(history.labelmap), history.undo_names
        history.journal.close()
    again, _ = restore(folder, attach=False)
    assert (state(again.labelmap), again.undo_names) == (before, names)
    assert again.journal is None


@pytest.mark.parametrize("exclusive", [True, False])
def test_planes_marks_unlabelled_places_and_axes_are_kept(tmp_path, exclusive):
    rng = np.random.default_rng(5)
    mask = rng.integers(0, 3, (3, 4, 9, 8)) if exclusive else rng.random((3, 3, 4, 9, 8)) < 0.3
    labelmap = map_of(mask, "tzyx", exclusive=exclusive)
    labelmap.unlabelled = rng.random(labelmap.shape) < 0.2
    labelmap.checked = set(sorted(labelmap.object_classes)[:3])
    journal = Journal.start(tmp_path, labelmap, image="a", image_sha256="", layer="My layer µ")
    folder = journal.folder
    journal.close()
    again, _ = restore(folder, attach=False)
    assert state(again.labelmap) == state(labelmap)
    np.testing.assert_array_equal(again.labelmap.unlabelled, labelmap.unlabelled)
    assert again.labelmap.axes == ("t", "z", "y", "x")


def test_a_line_cut_off_anywhere_loses_only_itself(tmp_path):
    """Every possible end of the last record, in its line and in its block."""
    history, states = edited(tmp_path / "a", seed=4, count=12)
    folder = history.journal.folder
    lines = (folder / "edits.jsonl").read_bytes()
    history.journal.close()
    start = lines.rstrip(b"\n").rindex(b"\n") + 1
    for end in sorted({start, start + 1, *range(start, len(lines), 97), len(lines) - 1}):
        copy = tmp_path / "b"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        os.truncate(copy / "edits.jsonl", end)
        again, sentence = restore(copy)
        assert ("cut off" in sentence) == (end > start)
        assert state(again.labelmap) in states
        again.push(accept(again.labelmap, sorted(again.labelmap.object_classes)))
        now = state(again.labelmap)
        again.journal.close()
        assert state(restore(copy, attach=False)[0].labelmap) == now


def test_a_block_cut_off_at_the_end_loses_only_its_edit(tmp_path):
    history = edit_script.start(4, tmp_path)
    history.replace(edit_script.random_map(np.random.default_rng(1)), "prediction")
    before = state(history.labelmap)
    history.replace(edit_script.random_map(np.random.default_rng(2)), "prediction")
    history.journal.close()
    blocks = next((history.journal.folder / "edits").glob("*.blocks"))
    os.truncate(blocks, blocks.stat().st_size - 1)
    again, sentence = restore(history.journal.folder)
    assert "cut off" in sentence
    assert state(again.labelmap) == before
    again.redo()
    again.journal.close()


def test_damage_in_the_middle_keeps_what_is_before_and_leaves_the_rest_alone(tmp_path):
    history, _ = edited(tmp_path, seed=2, count=20)
    folder = history.journal.folder
    history.journal.close()
    lines = (folder / "edits.jsonl").read_bytes().splitlines(keepends=True)
    lines[8] = lines[8].replace(b'"do"', b'"dO"')
    (folder / "edits.jsonl").write_bytes(b"".join(lines))
    again, sentence = restore(folder)
    assert f"{len(lines) - 9} later steps could not be read" in sentence
    assert again.journal.folder != folder
    again.push(accept(again.labelmap, sorted(again.labelmap.object_classes)))
    again.journal.close()
    assert (folder / "edits.jsonl").read_bytes() == b"".join(lines)
    assert "nothing is missing" in restore(again.journal.folder, attach=False)[1]


def test_a_damaged_beginning_or_another_file_gets_a_sentence(tmp_path):
    history, _ = edited(tmp_path, count=3)
    folder = history.journal.folder
    history.journal.close()
    base = next((folder / "edits").glob("*.base"))
    data = bytearray(base.read_bytes())
    data[len(data) // 2] ^= 1
    base.write_bytes(data)
    with pytest.raises(LabelError, match="missing or damaged"):
        restore(folder)
    (folder / "edits.jsonl").write_text('{"hello": 1}\n')
    with pytest.raises(LabelError, match="does not begin as a journal"):
        restore(folder)
    with pytest.raises(LabelError, match="no journal"):
        restore(tmp_path / "nothing")


def test_two_programs_never_write_into_one_journal(tmp_path):
    history, _ = edited(tmp_path, count=3)
    with pytest.raises(LabelError, match="open in another window"):
        restore(history.journal.folder)
    assert [info.busy for info in list_journals(tmp_path)] == [True]
    other = Journal.start(
        tmp_path, history.labelmap, image="image_1", image_sha256=f"{1:064x}", layer="labels"
    )
    assert other.folder != history.journal.folder
    history.journal.close()
    other.close()
    assert [info.busy for info in list_journals(tmp_path)] == [False, False]


def test_the_list_says_image_edits_and_when(tmp_path):
    history = edit_script.start(7, tmp_path)
    for number in sorted(history.labelmap.object_classes)[:4]:
        history.push(accept(history.labelmap, number))
    history.undo()
    history.replace(edit_script.random_map(np.random.default_rng(0)), "prediction")
    history.journal.close()
    (info,) = list_journals(tmp_path)
    assert (info.image, info.layer, info.edits) == ("image_7", "labels", 3)
    assert info.sentence.startswith("image_7: 3 edits from 20")
    assert put_aside(info.path).is_dir()
    assert list_journals(tmp_path) == ()
    assert len(list_journals(tmp_path, aside=True)) == 1
    assert list_journals(tmp_path / "missing") == ()


def test_a_journal_in_which_nothing_is_leaves_no_folder(tmp_path):
    empty = map_of(np.zeros((5, 5)))
    Journal.start(tmp_path, empty, image="a", image_sha256="0").close()
    assert list(tmp_path.iterdir()) == []


def test_a_slider_is_written_where_it_stops(tmp_path):
    history = edit_script.start(3, tmp_path)
    lines = history.journal.folder / "edits.jsonl"
    rng = np.random.default_rng(0)
    for _ in range(10):
        history.replace(edit_script.random_map(rng), "threshold", fold=True)
    assert len(lines.read_text().splitlines()) == 1
    assert history.journal.pending == 1
    history.settle()
    assert len(lines.read_text().splitlines()) == 2
    history.replace(edit_script.random_map(rng), "threshold", fold=True)
    history.undo()
    history.redo()
    history.push(delete(history.labelmap, min(history.labelmap.object_classes)))
    expected = state(history.labelmap), history.undo_names
    history.journal.close()
    again, sentence = restore(history.journal.folder, attach=False)
    assert (state(again.labelmap), again.undo_names) == expected
    assert "nothing is missing" in sentence


class FullDisk:
    """Writes fail after so many bytes, in the middle of a record, until space is freed."""

    def __init__(self, monkeypatch, space):
        self.space, self.write = space, journalfile.JournalFile._write
        monkeypatch.setattr(
            journalfile.JournalFile, "_write", lambda *arguments: self.limited(*arguments)
        )

    def limited(self, file, path, data):
        self.write(file, path, data[: self.space])
        if len(data) > self.space:
            self.space = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        self.space -= len(data)


@pytest.mark.parametrize("space", [0, 10, 700, 3000, 8000])
def test_a_full_disk_keeps_edits_in_memory_and_writes_them_when_there_is_space(
    tmp_path, monkeypatch, space
):
    history = edit_script.start(11, tmp_path)
    disk = FullDisk(monkeypatch, space)
    running = edit_script.steps(history, 11)
    for _ in range(25):
        next(running)
    journal = history.journal
    assert journal.pending > 0
    assert "No space left" in journal.problem.sentence
    partly, _ = restore(journal.folder, attach=False)
    assert len(partly.entries) <= len(history.entries) + 25
    exported = tmp_path / "elsewhere"
    disk.space = 1 << 30
    waiting = journal.pending
    journal.export(exported)
    assert journal.pending == waiting
    assert state(restore(exported, attach=False)[0].labelmap) == state(history.labelmap)
    assert journal.flush()
    assert (journal.pending, journal.problem) == (0, None)
    journal.close()
    again, sentence = restore(journal.folder, attach=False)
    assert state(again.labelmap) == state(history.labelmap)
    assert "nothing is missing" in sentence


def test_closing_with_edits_in_memory_says_so(tmp_path, monkeypatch):
    history = edit_script.start(11, tmp_path)
    FullDisk(monkeypatch, 0)
    history.push(accept(history.labelmap, sorted(history.labelmap.object_classes)))
    with pytest.raises(NotSaved, match="1 edits are not on the disk"):
        history.journal.close()


def test_a_folder_that_cannot_be_written_does_not_stop_the_work(tmp_path):
    """A file stands where the folder should be; later it is gone."""
    root = tmp_path / "state"
    root.write_text("")
    history, _ = edited(root, count=5)
    journal = history.journal
    assert journal.pending > 0
    assert journal.problem is not None
    root.unlink()
    next(edit_script.steps(history, 50))
    assert (journal.pending, journal.problem) == (0, None)
    journal.close()
    assert state(restore(journal.folder, attach=False)[0].labelmap) == state(history.labelmap)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="An administrator may write anywhere."
)
def test_a_read_only_folder_restores_and_keeps_new_edits_in_memory(tmp_path):
    history, _ = edited(tmp_path, count=5)
    folder = history.journal.folder
    history.journal.close()
    for path in (folder / "edits", folder):
        path.chmod(0o500)
    (folder / "edits.jsonl").chmod(0o400)
    try:
        again, _ = restore(folder)
        again.push(accept(again.labelmap, sorted(again.labelmap.object_classes)))
        assert again.journal.pending == 1
        assert "Permission denied" in again.journal.problem.sentence
    finally:
        for path in (folder, folder / "edits"):
            path.chmod(0o700)
        (folder / "edits.jsonl").chmod(0o600)
    assert again.journal.flush()
    again.journal.close()


def test_a_disk_that_became_read_only_is_told_and_written_to_when_it_is_back(tmp_path, monkeypatch):
    history, _ = edited(tmp_path, count=5)
    folder = history.journal.folder
    history.journal.close()

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(journalfile.JournalFile, "_open", refuse)
        patch.setattr("filelock.FileLock.acquire", lambda *_, **__: refuse())
        again, _ = restore(folder)
        assert again.journal.problem is not None
        again.push(accept(again.labelmap, sorted(again.labelmap.object_classes)))
        assert again.journal.pending == 1
        assert "Read-only" in again.journal.problem.sentence
    assert again.journal.flush()
    again.journal.close()
    assert state(restore(folder, attach=False)[0].labelmap) == state(again.labelmap)


def test_work_moves_to_another_folder(tmp_path, monkeypatch):
    history, _ = edited(tmp_path / "full", seed=11, count=8)
    old, journal = history.journal.folder, history.journal
    disk = FullDisk(monkeypatch, 100)
    history.push(accept(history.labelmap, sorted(history.labelmap.object_classes)))
    assert journal.pending == 1
    disk.space = 1 << 30
    journal.move(tmp_path / "other")
    assert journal.folder.parent == tmp_path / "other"
    assert (journal.pending, journal.problem) == (0, None)
    history.undo()
    history.redo()
    journal.close()
    assert state(restore(journal.folder, attach=False)[0].labelmap) == state(history.labelmap)
    assert not old.exists()
    assert list_journals(tmp_path / "full") == ()


def test_a_copy_in_a_result_is_readable_with_ordinary_tools_and_can_be_renewed(tmp_path):
    history, _ = edited(tmp_path / "state", count=15)
    result = tmp_path / "result" / "steel"
    history.journal.export(result)
    next(edit_script.steps(history, 8))
    history.journal.export(result)
    assert sorted(p.name for p in result.iterdir()) == ["edits", "edits.jsonl"]
    whole = [json.loads(line) for line in (result / "edits.jsonl").read_text().splitlines()]
    assert whole[0]["image"] == "image_1"
    assert {line["do"] for line in whole[1:]} <= {"edit", "undo", "redo"}
    assert state(restore(result, attach=False)[0].labelmap) == state(history.labelmap)
    other, _ = edited(tmp_path / "state", seed=2, count=5)
    other.journal.export(result)
    assert {p.stem for p in (result / "edits").iterdir()} == {other.journal._file.name}
    assert state(restore(result, attach=False)[0].labelmap) == state(other.labelmap)
    history.journal.close()
    other.journal.close()


def killed_and_restored(root, seeds):
    """Kill a program once a seed, and compare what is restored with what it acknowledged."""
    script = Path(__file__).with_name("edit_script.py")
    done = subprocess.run(
        [sys.executable, script, root, *map(str, seeds)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        seed, acknowledged = map(int, line.split())
        (info,) = list_journals(root / str(seed))
        assert not info.busy
        again, _ = restore(info.path)
        twin = edit_script.start(seed, root / "twin")
        running = edit_script.steps(twin, seed)
        for _ in range(acknowledged):
            next(running)
        allowed = [(state(twin.labelmap), twin.undo_names)]
        next(running)
        allowed.append((state(twin.labelmap), twin.undo_names))
        twin.journal.close()
        assert (state(again.labelmap), again.undo_names) in allowed, (seed, acknowledged)
        check_whole(again.labelmap)
        again.undo()
        again.journal.close()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Killing needs POSIX processes.")


@needs_fork
def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path):
    """SIGKILL at 8 seeded moments: the state is that of the acknowledged steps, or one more."""
    killed_and_restored(tmp_path, range(8))


@needs_fork
@pytest.mark.long
def test_killed_at_two_hundred_moments_nothing_acknowledged_is_lost(tmp_path):
    killed_and_restored(tmp_path, range(100, 300))


@needs_fork
def test_a_limit_of_the_system_on_file_size_is_a_full_disk(tmp_path):
    """A real write that the kernel refuses in its middle (RLIMIT_FSIZE)."""
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); import edit_script;"
        "from pathlib import Path; h = edit_script.start(5, Path(sys.argv[2]));"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY));"
        "s = edit_script.steps(h, 5); [next(s) for _ in range(60)];"
        "assert h.journal.pending and 'too large' in h.journal.problem.sentence;"
        "n = h.journal.pending;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2);"
        "next(s); assert not h.journal.pending, h.journal.problem; print(n)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, Path(__file__).parent, tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    twin = edit_script.start(5, tmp_path / "twin")
    running = edit_script.steps(twin, 5)
    for _ in range(61):
        next(running)
    (info,) = list_journals(tmp_path)
    assert state(restore(info.path, attach=False)[0].labelmap) == state(twin.labelmap)
    twin.journal.close()

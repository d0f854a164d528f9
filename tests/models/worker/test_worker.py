"""A model in its own process: what it gives, and that its failures stay with it."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_defectseg.core.errors import Cancelled, ModelError
from napari_defectseg.models.arraymodel import OutOfMemory, Program
from napari_defectseg.models.runtime import RUNTIMES
from napari_defectseg.models.worker import confine, landlock, process, seccomp
from napari_defectseg.models.worker.limits import Limits
from napari_defectseg.models.worker.start import WorkerRunner, start_worker

SECONDS = 0.5
"""Within which a pass ends that is interrupted."""
ZEROS, ONES = np.zeros((1, 8, 8), np.float32), np.ones((1, 8, 8), np.float32)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that starts the strange runtime."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    undo = RUNTIMES.add("strange", "strange_runtime")
    started: list[WorkerRunner] = []
    file = tmp_path / "mailed.model"
    file.write_bytes(b"weights")

    def start(limits: Limits | None = None, *, device: str = "cpu", **options: Any) -> WorkerRunner:
        program = Program("strange", file, {file.name: ""}, options)
        runner = start_worker(program, 1, limits, device=device)
        started.append(runner)
        return runner

    yield start
    for runner in started:
        runner.close()
    undo()


def test_arrays_come_back_as_the_model_gives_them(start):
    runner = start()
    block = np.random.default_rng(0).standard_normal((3, 5, 7)).astype(np.float32)
    for _ in range(2):  # the second time through memory that both see
        found = runner.run(block)
        np.testing.assert_array_equal(found, np.concatenate([block, 2 * block]))
    larger = np.ones((3, 64, 80), np.float32)
    np.testing.assert_array_equal(runner.run(larger)[3:], 2 * larger)


def test_without_sealed_memory_arrays_go_through_the_pipe(start, monkeypatch):
    monkeypatch.setattr(process, "can_share", lambda: False)
    found = start(do="many").run(ONES[:, :3])
    assert found.shape == (7, 3, 8)
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("segfault", r"mailed.model crashed \(it touched memory that is not its own\)"),
        ("exit", r"ended by itself \(status 3\)"),
        ("fail", "failed to compute a tile: RuntimeError: the layer conv1 wants 3 channels"),
        ("lie", r"gives \[2, 900, 900\] for \[1, 8, 8\]"),
        ("missing", "AttributeError"),
    ],
)
def test_a_failure_is_a_sentence_and_the_next_pass_works(start, do, words):
    runner = start(do=do)
    for _ in range(2):
        with pytest.raises(ModelError, match=words):
            runner.run(ONES)


def test_after_a_crash_the_same_model_runs_again(start):
    runner = start(do="hang", limits=Limits(pass_seconds=0.5))
    runner.run(ZEROS)
    first = runner.pid
    with pytest.raises(ModelError, match=r"took longer than 0\.5 s to compute a tile"):
        runner.run(ONES)
    np.testing.assert_array_equal(runner.run(ZEROS), ZEROS)
    assert runner.pid not in (0, first)


def test_a_file_that_cannot_be_loaded_is_told_as_it_is(start):
    with pytest.raises(ModelError, match="failed to be loaded: ValueError: these are no weights"):
        start(load="fail").run(ONES)
    with pytest.raises(ModelError, match=r"took longer than 1 s to be loaded"):
        start(Limits(load_seconds=1), load="hang").run(ONES)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_memory_beyond_the_limit_is_a_sentence_and_the_host_lives(start):
    runner = start(Limits(memory=1 << 30), do="bomb")
    with pytest.raises(OutOfMemory, match="no memory left to compute a tile"):
        runner.run(ONES)
    np.testing.assert_array_equal(runner.run(ZEROS), ZEROS)


@pytest.mark.parametrize(("do", "same"), [("hang", False), ("spin", False), ("stoppable", True)])
def test_a_pass_is_interrupted_within_half_a_second(start, do, same):
    """A runtime with a flag keeps its process; any other is ended and started anew."""
    runner = start(do=do)
    runner.run(ZEROS)
    first = runner.pid
    ended: list[Any] = []

    def wait() -> None:
        try:
            runner.run(ONES)
        except Cancelled as error:
            ended.append((time.monotonic(), error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(1.0)
    asked = time.monotonic()
    runner.interrupt()
    waiting.join(30)
    assert ended[0][0] - asked <= SECONDS
    assert runner.run(ZEROS).shape == ZEROS.shape
    assert (runner.pid == first) is same


def test_loading_is_interrupted_too(start):
    runner = start(load="hang")

    def wait() -> None:
        with pytest.raises(Cancelled):
            runner.run(ONES)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    asked = time.monotonic()
    runner.interrupt()
    waiting.join(5)
    assert time.monotonic() - asked <= SECONDS


def test_its_environment_is_empty(start, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "12345")
    assert start(do="environment").run(ONES).max() == 0


def test_nothing_outside_is_read_written_or_reached(start, tmp_path):
    """Home, files, TCP, datagrams, programs, processes and rights, each tried by the model."""
    if landlock.version() < landlock.NET_FROM or not seccomp.possible():
        pytest.skip("This kernel has no Landlock with network (or no seccomp); nothing to test.")
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").write_text("secret")
    listener = socket.create_server(("127.0.0.1", 0))
    runner = start(
        do="report",
        home=str(home),
        secret=str(home / "secret"),
        target=str(tmp_path / "target"),
        port=listener.getsockname()[1],
        pid=os.getpid(),
    )
    found = runner.run(ONES)[:, 0, 0]
    listener.close()
    assert list(found) == [0.0] * 8
    assert not (tmp_path / "target").exists()
    assert (home / "secret").stat().st_mode & 0o777 != 0o777
    assert "writes nothing" in runner.confinement


def test_without_confinement_it_runs_and_says_so(start, monkeypatch):
    """As on a kernel without Landlock, on macOS and on Windows: told, not hidden."""
    from napari_defectseg.models.worker.confine import sentence

    assert "not confined on this system" in sentence(0, calls=False)
    assert "no Landlock" in sentence(0, calls=True)
    assert "but has network" in sentence(3, calls=False)


def test_its_process_ends_with_its_runner(start):
    runner = start()
    runner.run(ONES)
    pid = runner.pid
    runner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_runtime_is_told_of_the_graphics_card_and_stays_confined(start, monkeypatch):
    """No card is needed for that: it is the way, not what a card computes, that is tested."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("SECRET_TOKEN", "12345")
    runner = start(device="cuda:1", do="told")
    assert list(runner.run(ONES)[:, 0, 0]) == [1, 1]
    if landlock.version():
        assert "writes nothing" in runner.confinement
    assert list(start(do="told").run(ONES)[:, 0, 0]) == [0, 0]


def test_a_graphics_card_gets_its_devices_and_no_limit_of_addresses(monkeypatch):
    """Fakes of the kernel: what would be allowed, on a machine with a card."""
    asked: list[Any] = []
    monkeypatch.setattr(confine.landlock, "restrict", lambda *given: asked.append(given) or 7)
    monkeypatch.setattr(confine.seccomp, "deny", lambda: True)
    monkeypatch.setattr(confine, "limit", lambda *given: asked.append(given))
    assert confine.confine(["model"], 1 << 30, graphics=True) == (7, True)
    (memory, files), (readable, writable, devices) = asked
    assert (memory, files) == (0, confine.GRAPHICS_FILES)
    assert "model" in readable
    assert writable == confine.WRITABLE
    assert {"/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-uvm"} <= set(devices)
    asked.clear()
    confine.confine(["model"], 1 << 30)
    assert asked[0] == (1 << 30, confine.OPEN_FILES)
    assert asked[1][2] == ()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_where_nothing_confines_the_user_is_told(monkeypatch, system):
    """macOS and Windows have neither; the sentence says what the program may then do."""
    for module in (landlock, seccomp):
        monkeypatch.setattr(module.sys, "platform", system)
    assert landlock.version() == 0
    assert not seccomp.possible()
    assert not seccomp.deny()
    assert "not confined on this system: it can read and change what you can" in (
        confine.confinement_here()
    )

"""The one worker reports every end, stops, drops late answers and leaves nothing alive."""

from __future__ import annotations

import threading
import time

import pytest
from qtpy.QtCore import QObject

from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.ui.jobs import Jobs


def counting(n: int, seen: list[str] | None = None, pause: float = 0.0) -> Steps[int]:
    try:
        for i in range(n):
            time.sleep(pause)
            yield Step(i + 1, n, f"part {i + 1}")
        return n
    finally:
        if seen is not None:
            seen.append(f"closed in {threading.current_thread() is threading.main_thread()}")


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.close()
    assert not made.alive()


def test_result_and_last_step_arrive(jobs, qtbot):
    steps, results = [], []
    jobs.start("a", counting(5), text="Counting", on_step=steps.append, on_done=results.append)
    qtbot.waitUntil(lambda: bool(results), timeout=3000)
    assert results == [5]
    assert steps[-1].done == 5
    assert jobs.running() is None


def test_progress_is_throttled(jobs, qtbot):
    steps, results = [], []
    jobs.start("a", counting(2000), on_step=steps.append, on_done=results.append)
    qtbot.waitUntil(lambda: bool(results), timeout=5000)
    assert len(steps) < 200


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ImageError("No image.")])
def test_every_exception_is_told(jobs, qtbot, error, monkeypatch):
    monkeypatch.setattr("napari_defectseg.ui.jobs.notification_manager.receive_error", lambda *_: 0)

    def failing() -> Steps[None]:
        yield Step(0, 1)
        raise error

    told: list[Exception] = []
    jobs.start("a", failing(), on_failed=told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=3000)
    assert told == [error]


def test_stop_closes_the_generator_in_its_thread(jobs, qtbot):
    seen: list[str] = []
    stopped: list[object] = []
    jobs.start("a", counting(10_000, seen, 0.01), on_stopped=stopped.append)
    qtbot.wait(60)
    jobs.stop("a")
    qtbot.waitUntil(lambda: bool(stopped), timeout=3000)
    assert seen == ["closed in False"]


def test_a_newer_job_of_the_lane_silences_the_older(jobs, qtbot):
    told: list[str] = []
    jobs.start("a", counting(100, None, 0.01), on_done=lambda _: told.append("old"))
    jobs.start("a", counting(3), on_done=lambda _: told.append("new"))
    qtbot.waitUntil(lambda: bool(told), timeout=3000)
    qtbot.waitUntil(lambda: not jobs.alive(), timeout=3000)
    qtbot.wait(30)
    assert told == ["new"]


def test_closing_waits_until_nothing_is_alive(qtbot):
    jobs, seen = Jobs(), []
    jobs.start("a", counting(10_000, seen, 0.01), text="Long")
    qtbot.wait(40)
    jobs.close()
    assert not jobs.alive()
    assert seen == ["closed in False"]


def test_jobs_stop_with_their_owner(jobs, qtbot):
    owner, told = QObject(), []
    jobs.start("a", counting(10_000, None, 0.01), owner=owner, on_stopped=told.append)
    qtbot.wait(30)
    owner.deleteLater()
    qtbot.waitUntil(lambda: not jobs.alive(), timeout=3000)
    qtbot.wait(30)
    assert told == []


def test_steps_come_in_order_before_the_end_though_the_bar_handles_events(qtbot, jobs, monkeypatch):
    """napari's bar lets waiting events through while it is drawn."""
    from qtpy.QtWidgets import QApplication

    from napari_defectseg.ui import jobs as module

    class Bar(module.progress):
        def update(self, n=1):
            super().update(n)
            QApplication.processEvents()

    monkeypatch.setattr(module, "progress", Bar)
    told = []

    def steps():
        for number in range(1, 6):
            yield Step(number, 6, partial=number)

    jobs.start(
        "work",
        steps(),
        text="working",
        on_step=lambda step: told.append(step.done),
        on_done=lambda _: told.append("end"),
    )
    time.sleep(0.2)
    qtbot.waitUntil(lambda: "end" in told, timeout=5000)
    qtbot.wait(20)
    assert told == [1, 2, 3, 4, 5, "end"]


def test_a_worker_that_outlives_the_window_ends_in_silence(qtbot, capfd):
    """Qt takes the signals away while the generator still runs: it is closed, nothing is raised."""
    from qtpy.compat import isalive

    jobs, seen = Jobs(), []
    job = jobs.start("a", counting(10_000, seen, 0.01), text="Long")
    qtbot.wait(40)
    jobs.close(milliseconds=0)
    job.worker._abort_requested = False
    job.worker.signals.deleteLater()
    qtbot.waitUntil(lambda: not isalive(job.worker.signals), timeout=2000)
    qtbot.waitUntil(lambda: job.worker.over.is_set(), timeout=5000)
    assert seen == ["closed in False"]
    assert "RuntimeError" not in capfd.readouterr().err

"""The one worker: runs `Steps` in a thread, reports, stops, and leaves nothing alive."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any

from napari.qt.threading import WorkerBase, WorkerBaseSignals
from napari.utils import progress
from napari.utils.notifications import notification_manager
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from napari_defectseg.core.errors import Cancelled, DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.stopwatch import Stopwatch
from napari_defectseg.core.timeleft import TimeLeft
from napari_defectseg.ui.windows import is_ending

PAUSE = 0.05
"""Seconds between two reports of progress; steps with a partial result are always told."""

AT_ONCE = 32
"""Jobs that may run at once."""

Told = Callable[[Any], None]


class _Signals(WorkerBaseSignals):
    stepped = Signal(int, object)
    ended = Signal(int, str, object)


class JobWorker(WorkerBase):
    """Drives one generator in a thread of Qt's pool and closes it there.

    Unlike a generator `thread_worker` it reports every exception (RuntimeErrors too) and
    closes the generator when it is told to stop, so that its ``finally`` runs at once.
    """

    def __init__(self, number: int, steps: Steps[Any]) -> None:
        super().__init__(SignalsClass=_Signals)
        self.number = number
        self.over = Event()
        self._goes = Event()
        self._goes.set()
        self._steps = steps

    def start(self) -> None:
        """Give it to Qt's pool at once; whoever listens has connected before."""
        self._worker_set.add(self)
        self._finished.connect(self._set_discard)
        pool = QThreadPool.globalInstance()
        # As many as the machine has cores is too few: long predictions and paused ones take a
        # thread each, and objects are to be found meanwhile.
        pool.setMaxThreadCount(max(pool.maxThreadCount(), AT_ONCE))
        pool.start(self)

    def quit(self) -> None:
        """Ask it to end, also while it is paused."""
        super().quit()
        self._goes.set()

    def pause(self, paused: bool) -> None:
        """Let it wait before its next step, or go on."""
        if paused and not self.abort_requested:
            self._goes.clear()
        else:
            self._goes.set()

    def run(self) -> None:
        """Work, and end in silence where the window has gone before the work came to its end."""
        try:
            super().run()
        except RuntimeError:
            if isalive(self.signals):
                raise
        finally:
            self.over.set()

    def work(self) -> None:
        """Drive the generator; runs in the worker's thread and touches no widget."""
        outcome, value = "failed", None
        try:
            outcome, value = self._drive()
        except Cancelled as error:
            outcome, value = "stopped", error
        except Exception as error:  # every failure is told on the main thread
            outcome, value = "failed", error
        finally:
            self.over.set()
            self._tell("ended", outcome, value)

    def _drive(self) -> tuple[str, Any]:
        told = 0.0
        with closing(self._steps) as steps:
            while self._goes.wait() and not self.abort_requested:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return "done", end.value
                now = time.monotonic()
                if step.partial is not None or now - told >= PAUSE or step.done >= step.total:
                    told = now
                    self._tell("stepped", step)
        return "stopped", None

    def _tell(self, signal: str, *values: Any) -> None:
        """Send a signal, unless nobody is left to hear it: the program is being closed."""
        try:
            getattr(self.signals, signal).emit(self.number, *values)
        except RuntimeError:
            if isalive(self.signals):
                raise
            self.quit()


@dataclass(eq=False)
class Job:
    """One piece of work and who is told about it.

    Parameters
    ----------
    number : int
        Answers carry it; those of an older number in the same lane are dropped.
    lane : str
        Work of one kind; a new job stops the older one in its lane.
    text : str
        What it does, in words for the activity dock.
    owner : QObject or None
        When it is destroyed, its jobs are stopped and it is told nothing more.
    patience : float or None
        Seconds after which one that was asked to stop is no longer waited for; None: it is.
    """

    number: int
    lane: str
    text: str
    worker: JobWorker
    owner: QObject | None = None
    on_done: Told | None = None
    on_step: Told | None = None
    on_failed: Told | None = None
    on_stopped: Told | None = None
    patience: float | None = None
    last: Step | None = None
    time: TimeLeft = field(default_factory=TimeLeft)
    clock: Stopwatch = field(default_factory=Stopwatch)
    bar: Any = None
    dropped: bool = False

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the pace of late, None while there is nothing to go by."""
        return self.time.left(self.clock.seconds)

    @property
    def paused(self) -> bool:
        """Whether it waits to go on."""
        return self.clock.halted


class Jobs(QObject):
    """All work of one session.

    Signals ``started(job)``, ``stepped(job, step)``, ``paused(job, bool)`` and
    ``ended(job, outcome)`` with outcome ``"done"``, ``"failed"`` or ``"stopped"`` are sent on the
    main thread for whoever watches.
    """

    started = Signal(object)
    paused = Signal(object, bool)
    stepped = Signal(object, object)
    ended = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self._lanes: dict[str, Job] = {}
        self._jobs: dict[int, Job] = {}

    def start(
        self,
        lane: str,
        steps: Steps[Any],
        *,
        text: str = "",
        owner: QObject | None = None,
        on_done: Told | None = None,
        on_step: Told | None = None,
        on_failed: Told | None = None,
        on_stopped: Told | None = None,
        expected: float | None = None,
        patience: float | None = None,
    ) -> Job:
        """Run `steps` in a thread; the newest job of a lane is the only one that is answered.

        Parameters
        ----------
        lane : str
        steps : Steps
            A generator that has not begun.
        text : str
            Shown in napari's activity dock; empty: not shown there.
        owner : QObject, optional
        on_done : callable, optional
            Told the result.
        on_step : callable, optional
            Told each `Step`, not more often than every `PAUSE` seconds.
        on_failed : callable, optional
            Told the exception. Anything but a `DefectSegError` also goes to napari's
            notifications with its traceback.
        on_stopped : callable, optional
            Told `Cancelled` or None.
        expected : float, optional
            Seconds that it will take, from a forecast.
        patience : float, optional
            Seconds after which one that was asked to stop counts as stopped, though its thread
            may still be about to end; only for work that leaves nothing half done.
        """
        self.stop(lane, drop=True)
        number = next(self._numbers)
        worker = JobWorker(number, steps)
        told = (on_done, on_step, on_failed, on_stopped)
        job = Job(number, lane, text, worker, owner, *told, patience, time=TimeLeft(expected))
        self._lanes[lane] = job
        self._jobs[number] = job
        worker.signals.stepped.connect(self._on_step)
        worker.signals.ended.connect(self._on_end)
        if owner is not None:
            owner.destroyed.connect(self._on_owner_gone)
        if text:
            # Its own text output has no terminal to go to.
            job.bar = progress(total=0, desc=text, file=io.StringIO())
        worker.start()
        self.started.emit(job)
        return job

    def call(self, lane: str, function: Callable[[], Any], **told: Any) -> Job:
        """Run a plain function in a thread, as a job of one step."""

        def steps() -> Steps[Any]:
            yield Step(0, 0)
            return function()

        return self.start(lane, steps(), **told)

    def running(self, lane: str = "") -> Job | None:
        """Return the job of a lane, or any job if no lane is named; None if there is none."""
        if lane:
            return self._lanes.get(lane)
        return next(iter(self._lanes.values()), None)

    def stop(self, lane: str, *, drop: bool = False) -> None:
        """Ask the job of a lane to stop; with `drop` nobody is told about its end."""
        job = self._lanes.get(lane)
        if job is None:
            return
        job.worker.quit()
        if drop:
            self._drop(job)
        elif job.patience is not None:
            QTimer.singleShot(round(1000 * job.patience), lambda: self._let_go(job))

    def pause(self, lane: str, paused: bool = True) -> None:
        """Let the job of a lane rest at its next step, or go on."""
        job = self._lanes.get(lane)
        if job is not None and job.paused != paused and not job.worker.abort_requested:
            job.worker.pause(paused)
            job.clock.halt() if paused else job.clock.go()
            self.paused.emit(job, paused)

    def owned_by(self, owner: QObject) -> list[Job]:
        """Return the running jobs that `owner` started."""
        return [job for job in self._lanes.values() if job.owner is owner]

    def stop_owned(self, owner: QObject) -> None:
        """Stop what `owner` started, and tell it nothing more."""
        for job in self.owned_by(owner):
            job.worker.quit()
            self._drop(job)

    def close(self, milliseconds: int = 5000) -> None:
        """Stop everything and wait until no worker is alive."""
        for job in list(self._jobs.values()):
            job.worker.quit()
            self._drop(job)
        deadline = time.monotonic() + milliseconds / 1000
        for job in list(self._jobs.values()):
            job.worker.over.wait(max(0.0, deadline - time.monotonic()))
        if is_ending():
            # A thread that Qt still takes down would outlive Python.
            QThreadPool.globalInstance().waitForDone(milliseconds)

    def alive(self) -> list[Job]:
        """Return the jobs whose thread has not ended yet, dropped ones too."""
        return [job for job in self._jobs.values() if not job.worker.over.is_set()]

    def _let_go(self, job: Job) -> None:
        """Say that a job has stopped whose thread takes its time to end."""
        if job.dropped or job.number not in self._jobs:
            return
        told = job.on_stopped
        self._drop(job)
        if told is not None:
            told(None)
        self.ended.emit(job, "stopped")

    def _drop(self, job: Job) -> None:
        job.dropped = True
        job.on_done = job.on_step = job.on_failed = job.on_stopped = None
        self._leave(job)

    def _leave(self, job: Job) -> None:
        if self._lanes.get(job.lane) is job:
            del self._lanes[job.lane]
        if job.bar is not None:
            job.bar.close()
            job.bar = None

    @Slot()
    def _on_owner_gone(self) -> None:
        for job in list(self._lanes.values()):
            if job.owner is not None and not isalive(job.owner):
                job.worker.quit()
                self._drop(job)

    @Slot(int, object)
    def _on_step(self, number: int, step: Step) -> None:
        job = self._jobs.get(number)
        if job is None or job.dropped:
            return
        job.last = step
        job.time.take(step.fraction, job.clock.seconds)
        if job.on_step is not None:
            job.on_step(step)
        self.stepped.emit(job, step)
        # Last: napari's bar lets the window work, so the next step may come while it is drawn.
        _show(job, step)

    @Slot(int, str, object)
    def _on_end(self, number: int, outcome: str, value: Any) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        dropped = job.dropped
        self._leave(job)
        if dropped:
            return
        told = {"done": job.on_done, "failed": job.on_failed, "stopped": job.on_stopped}[outcome]
        if outcome == "failed" and not isinstance(value, DefectSegError):
            notification_manager.receive_error(type(value), value, value.__traceback__)
        if told is not None:
            told(value)
        self.ended.emit(job, outcome)


def _show(job: Job, step: Step) -> None:
    """Show a step in napari's activity dock; the job may end in the middle of it."""
    if job.bar is not None and step.total and job.bar.total != step.total:
        job.bar.reset(total=step.total)
    if job.bar is not None and step.total and step is job.last:
        job.bar.update(step.done - job.bar.n)
    if job.bar is not None and step is job.last:
        job.bar.set_description(step.text or job.text)

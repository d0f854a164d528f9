"""How every verb speaks: results on stdout, progress and sentences on stderr, one exit status."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias, TypeVar

import typer

from napari_defectseg.core.errors import Cancelled, DefectSegError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.timeleft import TimeLeft

T = TypeVar("T")

DONE, FAILED, WRONG_USE, STOPPED = 0, 1, 2, 130

Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, and nothing else, on stdout.")
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, only errors.")
]
Debug: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show where in the program an error arose.")
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace results that are there already.")
]

SECONDS_BETWEEN_LINES = 10.0
"""Where there is no terminal, progress is a line now and then."""


class Work:
    """What a verb reports through.

    Parameters
    ----------
    as_json : bool
        Whether the result is to be one JSON document.
    quiet : bool
        Whether to be silent but for errors.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.kept = "Nothing was written."
        self.failed = False

    def note(self, text: str) -> None:
        """Say something on stderr, unless asked to be quiet."""
        if not self.quiet:
            typer.echo(text, err=True)

    def complain(self, text: str) -> None:
        """Say on stderr what went wrong with a part of the work; the exit status becomes 1."""
        self.failed = True
        typer.echo(text, err=True)

    def run(self, steps: Steps[T], on_step: Callable[[Step], None] | None = None) -> T:
        """Run steps to the end, showing how far they are.

        Parameters
        ----------
        steps : Steps
        on_step : callable, optional
            Called with each step before it is shown.
        """
        if self.quiet:
            return drive(steps, on_step)
        if not sys.stderr.isatty():
            return drive(steps, _both(on_step, _Lines()))
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        words, left = (
            TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[left]")
        )
        columns = (words, BarColumn(), left)
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=None, left="")
            estimate = TimeLeft()

            def show(step: Step) -> None:
                total, text = (1.0 if step.total else None), step.text
                left = time_left(estimate, step)
                progress.update(
                    task, completed=step.fraction, total=total, description=text, left=left
                )

            return drive(steps, _both(on_step, show))

    def result(self, document: Mapping[str, Any], text: str = "") -> None:
        """Print the result: the document if JSON was asked for, else the text."""
        if self.as_json:
            from napari_defectseg.results.summary import tidy

            typer.echo(json.dumps(tidy(document), ensure_ascii=False, indent=2, allow_nan=False))
        elif text and not self.quiet:
            typer.echo(text)


def _both(
    first: Callable[[Step], None] | None, second: Callable[[Step], None]
) -> Callable[[Step], None]:
    """Return what calls `first`, if there is one, and then `second`."""
    if first is None:
        return second
    before = first

    def call(step: Step) -> None:
        before(step)
        second(step)

    return call


def time_left(estimate: TimeLeft, step: Step) -> str:
    """Tell an estimate of a step, and return what it says: ``"about 40 s left"`` or nothing."""
    if not step.total:
        return ""
    now = time.monotonic()
    estimate.take(step.fraction, now)
    seconds = estimate.left(now)
    return "" if seconds is None else f"about {spoken_time(seconds)} left"


def spoken_time(seconds: float) -> str:
    """Return a time in words: ``"40 s"``, ``"3 min"``, ``"2.5 h"``."""
    if seconds < 100:
        return f"{max(1.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _Lines:
    """Progress where there is no terminal: a line at times, not one for each step."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._estimate = TimeLeft()

    def __call__(self, step: Step) -> None:
        left = time_left(self._estimate, step)
        if time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            far = f": {step.done} of {step.total}" if step.total else ""
            typer.echo(f"{step.text}{far}{', ' * bool(left)}{left}", err=True)


@contextmanager
def working(*, as_json: bool = False, quiet: bool = False, debug: bool = False) -> Iterator[Work]:
    """Give a `Work`; errors become one sentence and an exit status.

    Raises
    ------
    typer.Exit
        With 1 if the work failed, 130 if it was stopped by Ctrl-C.
    """
    work = Work(as_json=as_json, quiet=quiet)
    try:
        yield work
    except (KeyboardInterrupt, Cancelled) as error:
        _fail(work, f"Stopped. {work.kept}".strip(), debug)
        raise typer.Exit(STOPPED) from error
    except DefectSegError as error:
        _fail(work, str(error), debug, error)
        raise typer.Exit(FAILED) from error
    except MemoryError as error:
        _fail(work, f"There is not enough memory. {work.kept}", debug)
        raise typer.Exit(FAILED) from error
    if work.failed:
        raise typer.Exit(FAILED)


def _fail(work: Work, text: str, debug: bool, error: DefectSegError | None = None) -> None:
    if debug:
        typer.echo(traceback.format_exc(), err=True)
    typer.echo(text, err=True)
    if work.as_json:
        found = {"sentence": error.sentence, "hint": error.hint} if error else {"sentence": text}
        typer.echo(json.dumps({"error": found}, ensure_ascii=False, indent=2))

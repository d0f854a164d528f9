"""Do damaged model files ever end in anything but a model or a sentence?

Every parser gets thousands of seeded damaged copies of small genuine files, in child processes
that live until one dies. Allowed is a model or a `DefectSegError`, in 10 s and with 2 GB of
memory; a file that something harmful would leave behind must never appear.

    python benchmarks/mutations.py                         10,000 files a parser
    python benchmarks/mutations.py --files 2000 keras_h5   fewer, of one parser
    python benchmarks/mutations.py --list
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutation_seeds import PARSERS, load, place, write

FILES = 10_000
SECONDS = 10.0
MEMORY = 2 << 30
STARTING = 180.0
WORKER = Path(__file__).with_name("mutation_worker.py")
MARKER = "DEFECTSEG_MARKER"


@dataclass
class Outcome:
    """What became of the files of one parser.

    Parameters
    ----------
    parser : str
    counts : Counter
        ``"opened"``, ``"refused"``, ``"fault"``, ``"death"``, ``"slow"``, ``"large"``,
        ``"marker"``.
    faults : list of (int, str)
        Number of the file and what happened.
    slowest : float
        Seconds.
    slowest_number : int
        Which file that was.
    largest : int
        Bytes that one file took.
    """

    parser: str
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    slowest_number: int = -1
    largest: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing happened that is not allowed."""
        return not self.faults

    def add(self, number: int, said: str, seconds: float, memory: int) -> None:
        """Count one file."""
        if seconds > self.slowest:
            self.slowest, self.slowest_number = seconds, number
        self.largest = max(self.largest, memory)
        kind = "fault" if said.startswith("FAULT") else said
        if kind in ("opened", "refused"):
            kind = "slow" if seconds > SECONDS else "large" if memory > MEMORY else kind
        self.counts[kind] += 1
        if kind not in ("opened", "refused"):
            self.faults.append((number, f"{said} ({seconds:.1f} s, {memory >> 20} MB)"))


class Child:
    """A process that opens files one after the other; its lines come through a queue."""

    def __init__(self, parser: str, seeds: Path, folder: Path, start: int, stop: int) -> None:
        job = {
            "parser": parser, "seeds": str(seeds), "folder": str(folder / "file"),
            "start": start, "stop": stop, "memory": MEMORY, "seconds": SECONDS,
        }  # fmt: skip
        usual = {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            MARKER: str(folder / "MARKER"),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(job)],
            stdout=subprocess.PIPE,
            stderr=(folder / "stderr.txt").open("wb"),
            env={**os.environ, **usual},
            cwd=folder,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def line(self, seconds: float) -> list[Any] | None:
        """Return the next line; empty at the end, None where none came in time."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        return json.loads(line) if line.strip() else []

    def end(self) -> int:
        """End the process and return its status."""
        self.process.kill()
        return self.process.wait()


def run(parser: str, seeds: Path, folder: Path, files: range) -> Outcome:
    """Open the damaged copies of some numbers and return what became of them.

    Parameters
    ----------
    parser : str
    seeds : Path
        As `mutation_seeds.write` left them.
    folder : Path
        Where copies are written.
    files : range
        Numbers of copies; the same number is the same copy each time.
    """
    outcome, start = Outcome(parser), files.start
    while start < files.stop:
        folder.mkdir(parents=True, exist_ok=True)
        child = Child(parser, seeds, folder, start, files.stop)
        try:
            start = _watch(child, outcome, start, files.stop, folder)
        finally:
            child.end()
    return outcome


def _watch(child: Child, outcome: Outcome, start: int, stop: int, folder: Path) -> int:
    """Read what a child says until it ends; return the number to go on with."""
    number, marker = -1, folder / "MARKER"
    for line in _lines(child):
        if line is None or not line:
            if number + 1 >= stop:
                return stop
            what = "slow" if line is None else "death"
            status = child.end()
            said = (folder / "stderr.txt").read_text("utf-8", "replace")[:3000]
            outcome.counts[what] += 1
            outcome.faults.append((number, f"{what}, status {status}: {said}"))
            if number < 0:
                raise RuntimeError(f"{outcome.parser}: the worker does not start: {said}")
            return number + 1
        if line[0] == "wrong":
            raise RuntimeError(f"{outcome.parser}: {line[1]}")
        if line[0] == "start":
            number = int(line[1])
        elif line[0] == "end":
            outcome.add(*line[1:])
        if marker.exists() or (folder / "pwned.marker").exists():
            outcome.counts["marker"] += 1
            outcome.faults.append((number, "a marker appeared: something was run"))
            for left in (marker, folder / "pwned.marker"):
                left.unlink(missing_ok=True)
    return stop


def _lines(child: Child) -> Iterator[list[Any] | None]:
    wait = STARTING
    while True:
        line = child.line(wait)
        yield line
        if not line:
            return
        # While a file is open its own limit counts; a machine that is busy gets as much again.
        wait = 2 * SECONDS if line[0] == "start" else STARTING


def kinds_of(faults: list[tuple[int, str]]) -> dict[str, list[int]]:
    """Return the last lines of what happened, each with the numbers of its files."""
    found: dict[str, list[int]] = {}
    for number, said in faults:
        rows = [row.strip() for row in said.strip().splitlines() if row.strip(" ^~")]
        found.setdefault(" | ".join(rows[-3:] if "FAULT" in said else rows[:7])[:900], []).append(
            number
        )
    return found


def words(outcome: Outcome, seconds: float) -> str:
    """Return the row of a parser."""
    total = sum(n for kind, n in outcome.counts.items() if kind != "marker")
    counts = outcome.counts
    bad = ", ".join(f"{counts[k]} {k}" for k in ("marker", "death", "slow", "large", "fault"))
    return (
        f"{outcome.parser:18} {total:6} files: {counts['opened']} opened, {counts['refused']} "
        f"refused, {bad}; slowest {outcome.slowest:.2f} s "
        f"(file {outcome.slowest_number}), "
        f"largest {outcome.largest / 2**20:.0f} MB; "
        f"{seconds:.0f} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parsers", nargs="*", help="which; all if none is named")
    parser.add_argument("--files", type=int, default=FILES, help="damaged copies of each")
    parser.add_argument("--first", type=int, default=0, help="number of the first copy")
    parser.add_argument("--keep", type=Path, help="folder for copies that end badly")
    parser.add_argument("--list", action="store_true", help="name the parsers")
    args = parser.parse_args()
    if args.list:
        print("\n".join(PARSERS))
        return 0
    bad = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as held:
        for name in args.parsers or PARSERS:
            folder = Path(held) / name
            write(folder / "seeds", PARSERS[name])
            start = time.perf_counter()
            numbers = range(args.first, args.first + args.files)
            outcome = run(name, folder / "seeds", folder / "work", numbers)
            print(words(outcome, time.perf_counter() - start), flush=True)
            for said, numbers_of in kinds_of(outcome.faults).items():
                print(f"  {len(numbers_of)} (first {numbers_of[0]}): {said}", flush=True)
            if args.keep is not None:
                seeds = load(folder / "seeds", PARSERS[name])
                for number, _ in outcome.faults:
                    seed = seeds[number % len(seeds)]
                    place(seed, name, number, args.keep / f"{name}-{number}")
            bad += not outcome.sound
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())

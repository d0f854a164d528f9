"""Opens damaged models one after the other and says of each what became of it.

Run by `mutations.py` with a job (JSON) as its argument; writes ``["start", i]`` and
``["end", i, what, seconds, bytes, seconds of the processor so far]`` as lines of JSON.
"""

from __future__ import annotations

import faulthandler
import json
import resource
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from mutation_seeds import PARSERS, load, place

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def look(path: Path) -> str:
    """Return ``"opened"`` or ``"refused"``; anything else is a fault."""
    try:
        model = open_model(path)
        if isinstance(model, TorchModel):
            model.network()
    except DefectSegError as error:
        return "refused" if str(error).strip() else "FAULT: an error without a sentence"
    except BaseException:
        return f"FAULT: {traceback.format_exc()}"
    return "opened"


def figure(name: str) -> int:
    """Return a figure of this process in bytes, 0 where the system does not tell."""
    if not STATUS.is_file():
        return 0
    line = next((row for row in STATUS.read_text().splitlines() if row.startswith(name)), "0 0 kB")
    return int(line.split()[1]) << 10


def limit(memory: int) -> None:
    """Allow so many bytes of address space beyond what this process has now."""
    most = figure("VmSize:") + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def say(*words: Any) -> None:
    print(json.dumps(words), flush=True)


def main() -> None:
    job = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    faulthandler.enable()
    seeds = load(Path(job["seeds"]), PARSERS[job["parser"]])
    folder = Path(job["folder"])
    for seed in seeds:  # what is imported late is imported now, before the limit
        for name, content in seed.parts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        sound = look(folder / seed.entry)
        if sound != seed.expected:
            say("wrong", f"{seed.name} is {sound}, not {seed.expected}")
        shutil.rmtree(folder)
    limit(job["memory"])
    say("ready", len(seeds))
    for number in range(job["start"], job["stop"]):
        path = place(seeds[number % len(seeds)], job["parser"], number, folder)
        say("start", number)
        if CLEAR.exists():
            CLEAR.write_text("5")
        before, start = figure("VmRSS:"), time.perf_counter()
        faulthandler.dump_traceback_later(job["seconds"])
        said = look(path)
        faulthandler.cancel_dump_traceback_later()
        seconds = time.perf_counter() - start
        memory = max(0, figure("VmHWM:") - before)
        say("end", number, said, seconds, memory, time.process_time())


if __name__ == "__main__":
    main()

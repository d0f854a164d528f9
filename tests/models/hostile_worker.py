"""Open files in every way a person can, in a process of little memory; run by test_hostile."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from napari_defectseg.cli.main import run
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.open import open_model
from napari_defectseg.ui.drops import dock_for
from napari_defectseg.ui.recent import with_answers

MEMORY = 2 << 30


def main() -> None:
    """Read paths from the file that is named; write a JSON line for each path and named way."""
    faulthandler.enable()
    import torch  # noqa: F401 - what every reader needs is loaded before the limit

    status = Path("/proc/self/status")
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmSize:"))
    most = (int(line.split()[1]) << 10) + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for path in Path(sys.argv[1]).read_text().splitlines():
        for way, look in ((way, WAYS[way]) for way in sys.argv[2:]):
            start = time.perf_counter()
            print(json.dumps([path, way, "START", 0.0]), flush=True)  # noqa: T201
            said = _said(look, path)
            print(json.dumps([path, way, said, time.perf_counter() - start]), flush=True)  # noqa: T201


def _said(look: Callable[[str], str], path: str) -> str:
    faulthandler.dump_traceback_later(15)
    try:
        return look(path)
    except DefectSegError as error:
        return f"refused: {error}"
    except BaseException:
        return f"FAULT: {traceback.format_exc()}"
    finally:
        faulthandler.cancel_dump_traceback_later()


def _python(path: str) -> str:
    model = open_model(path)
    if isinstance(model, ArrayModel):
        _ = model.start(1).confinement  # its process loads it
        model.close()
    else:
        model.network()
    return "opened"


def _command(path: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(["open", path, "--json"])
    document = json.loads(out.getvalue())
    if status == 0:
        return "opened"
    sentence = document["error"]["sentence"]
    return f"refused: {sentence}" if status == 1 and sentence else f"FAULT: status {status}"


def _drop(path: str) -> str:
    """Do what a drop on the window and on the Model dock does, without the window."""
    dock_for([path])
    with_answers(open_model(path))
    return "opened"


WAYS: dict[str, Callable[[str], str]] = {"python": _python, "command": _command, "drop": _drop}

if __name__ == "__main__":
    main()

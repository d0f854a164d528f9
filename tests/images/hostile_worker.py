"""Open files in a process of little memory and say what became of each; run by test_hostile."""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.open import can_open, list_parts, open_lazily
from napari_defectseg.images.parts import PartNeeded

MEMORY = 2 << 30


def look(path: str) -> str:
    """Return what happened: ``"image"``, or the sentence; anything else is a fault."""
    can_open(path)
    for action in (list_parts, _read):
        try:
            action(path)
        except (ImageError, FileMissing) as error:
            # A detached pixel file is named instead of its header where it is the damaged one.
            stems = {Path(path).name, Path(path).stem}
            if not any(stem in str(error) for stem in stems):
                return f"FAULT: does not name the file: {error}"
            sentence = str(error)
        except BaseException:
            return f"FAULT: {traceback.format_exc()}"
        else:
            sentence = "image"
    return sentence


def _read(path: str) -> None:
    try:
        image = open_lazily(path)
    except PartNeeded as needed:
        image = open_lazily(path, part=needed.parts[0].name)
    np.asarray(image.data[...]).sum()
    for level in image.levels:
        np.asarray(level[...])


def main() -> None:
    """Read paths from the command line's file, write one JSON line for each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for path in Path(sys.argv[1]).read_text().splitlines():
        start = time.perf_counter()
        print(json.dumps([path, "START", 0.0]), flush=True)  # noqa: T201
        said = look(path)
        print(json.dumps([path, said, time.perf_counter() - start]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""Analyse an image slowly, so that it can be killed; print the largest memory used."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from napari_defectseg.batch.analyse import AnalyseSettings, analyse
from napari_defectseg.results.recipe import Recipe


def peak() -> int:
    """Return the largest memory so far, in bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split("VmHWM:")[1].split()[0])


def main(image: str, recipe: str, out: str, pause: float) -> None:
    import numba
    import torch  # counted as the program's own

    from napari_defectseg.inference.engines import exact

    _ = numba, torch, exact
    before = peak()
    settings = AnalyseSettings(form="zarr", resume=True)
    analyse(image, Recipe.read(recipe), out, settings, on_step=lambda step: time.sleep(pause))
    sys.stdout.write(str(peak() - before))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))

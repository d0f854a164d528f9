"""Analyse an image in a process of its own: slowly, to be killed; or telling what it takes."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_defectseg.batch.analyse import AnalyseSettings, analyse
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.results.recipe import Recipe


def memory(name: str) -> int:
    """Return ``VmHWM`` or ``VmRSS`` of this process, in bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{name}:")[1].split()[0])


def warm_up(recipe: Recipe) -> None:
    """Load everything that an analysis needs, so that it counts as the program's own."""
    image = CalibratedImage.from_array(np.zeros((8, 32, 32), np.uint8), axes="zyx")
    with tempfile.TemporaryDirectory() as folder:
        analyse(image, recipe, folder, AnalyseSettings(form="zarr"))


def main(image: str, recipe: str, out: str, pause: float) -> None:
    known = Recipe.read(recipe)
    if not pause:
        warm_up(known)
        Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    settings = AnalyseSettings(form="zarr", resume=True)
    analyse(image, known, out, settings, on_step=lambda step: time.sleep(pause))
    sys.stdout.write(str(memory("VmHWM") - before))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))

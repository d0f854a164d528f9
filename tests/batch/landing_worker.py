"""Analyse an image in a process of its own: slowly, to be killed; or telling what it takes."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_defectseg.batch.analyse import AnalyseSettings, analyse
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.results.recipe import Recipe

SMALL = {2: 18_000_000, 3: 7_000_000}
"""Bytes that make a small image go by blocks, by the number of axes."""


def memory(name: str) -> int:
    """Return ``VmHWM``, ``VmRSS`` or ``VmData`` of this process, in bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{name}:")[1].split()[0])


def warm_up(recipe: Recipe, axes: int) -> None:
    """Load everything that an analysis needs, so that it counts as the program's own."""
    shape = (1600, 1600) if axes == 2 else (24, 200, 200)
    noise = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    image = CalibratedImage.from_array(noise)
    small = recipe.model_copy(update={"predict": {**recipe.predict, "memory": SMALL[axes]}})
    with tempfile.TemporaryDirectory() as folder:
        made = analyse(image, small, folder, AnalyseSettings(form="zarr"))
    assert made.plan["streamed"], "only a run by blocks loads what one needs"


def main(image: str, recipe: str, out: str, pause: float, capped: bool) -> None:
    """Analyse; without a pause, print by how many bytes the process has grown at most.

    With `capped` the system refuses what goes beyond the memory of the recipe.
    """
    known = Recipe.read(recipe)
    if not pause:
        warm_up(known, open_image(image).data.ndim)
        Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    if capped:
        most = memory("VmData") + known.predict["memory"]
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    settings = AnalyseSettings(form="zarr", resume=True)
    analyse(image, known, out, settings, on_step=lambda step: time.sleep(pause))
    sys.stdout.write(str(memory("VmHWM") - before))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), "capped" in sys.argv[5:])

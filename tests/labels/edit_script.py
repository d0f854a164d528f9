"""Seeded edits on a small map: the same seed, the same steps. Run as a program, it gets killed.

As a program: ``edit_script.py ROOT SEED …``. For each seed a child process edits and keeps a
journal until it is killed; the number of acknowledged steps is printed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import journalfile
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import Journal
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.paint import paint

SHAPE = (160, 200)
CLASSES = ClassMap.of(["void", "loop"])
journalfile.INLINE = 512  # so that small maps use both kinds of blocks


def random_map(rng):
    coarse = rng.integers(0, 3, (16, 20)) * (rng.random((16, 20)) < 0.4)
    mask = np.kron(coarse, np.ones((10, 10))).astype(np.uint8)
    return from_mask(mask, CLASSES, ("y", "x"), Calibration.of((2.0, 2.0), "nm"))


def start(seed, root):
    labelmap = random_map(np.random.default_rng(seed))
    journal = Journal.start(root, labelmap, image=f"image_{seed}", image_sha256=f"{seed:064x}")
    return History(labelmap, journal, who="ada")


def steps(history, seed):
    """Do one step after the other, and yield after each."""
    rng = np.random.default_rng(seed + 1)
    while True:
        one_step(history, rng)
        yield


def one_step(history, rng):
    labelmap, kind = history.labelmap, int(rng.integers(12))
    numbers = sorted(labelmap.object_classes)
    chosen = [int(n) for n in rng.permutation(numbers)[:2]]
    try:
        if kind < 5:
            history.push(paint(labelmap, stroke(rng), int(rng.integers(1, 3))))
        elif kind == 5:
            history.push(erase(labelmap, stroke(rng)))
        elif kind == 6:
            history.push(delete(labelmap, chosen[:1]))
        elif kind == 7:
            history.push(merge(labelmap, chosen))
        elif kind == 8:
            history.push(accept(labelmap, chosen))
        elif kind == 9:
            history.replace(random_map(rng), "prediction")
        elif kind == 10:
            history.undo()
        else:
            history.redo()
    except LabelError:
        return


def stroke(rng):
    mask = np.zeros(SHAPE, bool)
    y, x = int(rng.integers(150)), int(rng.integers(190))
    mask[y : y + int(rng.integers(2, 60)), x : x + int(rng.integers(2, 60))] = True
    mask &= rng.random(SHAPE) < rng.choice([0.5, 1.0])
    return Stroke.of(mask, (y, x))


def killed(root, seed):
    """Return the steps that a child process acknowledged before it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        history = start(seed, root)
        os.write(write, b"0")
        for _ in steps(history, seed):
            os.write(write, b".")
    os.close(write)
    acknowledged = os.read(read, 1)
    time.sleep(float(np.random.default_rng(seed + 2).uniform(0.0, 0.25)))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(read, 1 << 16):
        acknowledged += part
    os.close(read)
    return len(acknowledged) - 1


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for given in map(int, sys.argv[2:]):
        sys.stdout.write(f"{given} {killed(folder / str(given), given)}\n")

"""Saves into a dataset in a process of its own, and says so after each save.

``save_worker.py DATASET NAME COUNT [LARGEST]``: COUNT images called NAME, every third corrected;
each line on stdout is ``ID SEED``, written once the truth of that seed has been saved. LARGEST
is the most bytes that a file may have (the disk is "full" beyond it).
"""

from __future__ import annotations

import sys

import numpy as np

from napari_defectseg.core.errors import NotSaved
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage

SHAPE = (96, 128)


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60000, SHAPE, dtype=np.uint16)


def truth(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, SHAPE, dtype=np.uint8)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def work(dataset: Dataset, name: str, count: int) -> None:
    for seed in range(count):
        image = CalibratedImage.from_array(pixels(seed), name=name)
        pair = dataset.add(
            image,
            truth(seed),
            specimen=f"{name} {seed}",
            instances=truth(seed).astype(np.int32),
            objects={"label": [1, 2]},
        )
        say(pair.id, seed)
        if seed % 3 == 2:
            dataset.correct(pair.id, truth(seed + 1000))
            say(pair.id, seed + 1000)


def main() -> None:
    path, name, count = sys.argv[1:4]
    if len(sys.argv) > 4:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
    dataset = Dataset.open(path)
    say("ready")
    try:
        work(dataset, name, int(count))
    except NotSaved as error:
        say("sentence:", error)


if __name__ == "__main__":
    main()

"""Watches a folder until it is killed: ``python watch_worker.py FOLDER MODEL OUT``."""

from __future__ import annotations

import sys

from napari_defectseg.batch.watch import WatchSettings, watch
from napari_defectseg.results.recipe import ModelReference, Recipe

if __name__ == "__main__":
    folder, model, out = sys.argv[1:]
    watch(
        folder,
        Recipe(model=ModelReference(path=model), predict={"device": "cpu", "threads": 1}),
        out,
        WatchSettings(settle=0.1, poll=0.05),
        on_step=lambda step: print(step.text, flush=True),  # noqa: T201
    )

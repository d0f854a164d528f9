"""Steps of the journey in the window that several stories take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari_defectseg as ds

LABELLED = ("void", "precipitate", "loop")
SIZE = (256, 320)


def micrograph(folder: Path, seed: int) -> Path:
    """A phantom with voids, precipitates and loops, as a TIFF with its pixel size."""
    made = ds.phantom("micrograph", seed=seed, scene="mixed", labelled=LABELLED, shape=SIZE)
    return ds.save_image(made.image, folder / f"steel_{seed}.ome.tif")


def opened(window: Any, path: Path) -> Any:
    """Open a file by the Data dock's button."""
    window.go("data")
    window.answer("open files", [path])
    window.primary("Open")
    window.until(
        lambda: window.session.image is not None and window.session.image.origin.path == str(path)
    )
    window.settle()
    return window.session.image


def with_shipped_model(window: Any, words: str = "TEM defects") -> None:
    """Choose a model that comes with the program, by its link."""
    window.go("model")
    window.link(words)
    window.until(lambda: window.session.model is not None)
    window.primary("Use this model")
    assert window.bench.current == "predict"

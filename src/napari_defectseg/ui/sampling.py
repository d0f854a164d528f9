"""Samples of the catalogue as napari layers; the window answers while they are fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import SampleError
from napari_defectseg.datasets.catalogue import Sample, catalogue
from napari_defectseg.datasets.samples import fetch_steps
from napari_defectseg.ui.layers import LayerData, image_data

if TYPE_CHECKING:
    from napari_defectseg.datasets.samples import Fetched

FORMATS = "file-formats"
"""Samples of this name are for those who write readers, not for looking at."""


def shown_samples() -> tuple[Sample, ...]:
    """Return the samples that are offered in the window."""
    return tuple(one for one in catalogue() if not one.name.startswith(FORMATS))


def title_of(sample: Sample) -> str:
    """Return what a menu says of a sample: what it is, its licence, what is downloaded."""
    size = f", {max(1, round(sample.bytes / 1e6))} MB download" if sample.bytes else ""
    return f"{sample.title} - {sample.licence}{size}"


def sample_layers(name: str) -> list[LayerData]:
    """Return the layer of a sample's first image, made or downloaded if need be.

    Raises
    ------
    SampleError
        If there is no connection, or it was stopped.
    """
    return [image_data(_wait_for(name).open())]


def _wait_for(name: str) -> Fetched:
    """Fetch in a thread and let the window live meanwhile; without a window, just fetch."""
    from qtpy.QtCore import QEventLoop
    from qtpy.QtWidgets import QApplication

    from napari_defectseg.ui.jobs import Jobs

    if QApplication.instance() is None:
        from napari_defectseg.datasets.samples import fetch

        return fetch(name)
    jobs, loop, told = Jobs(), QEventLoop(), {}

    def end(kind: str) -> Any:
        def took(value: Any) -> None:
            told[kind] = value
            loop.quit()

        return took

    jobs.start(
        "sample",
        fetch_steps(name),
        text=f"fetching {name}",
        on_done=end("done"),
        on_failed=end("failed"),
        on_stopped=end("stopped"),
    )
    # The answer can only come once the loop runs, so it cannot be missed.
    try:
        loop.exec()
    finally:
        jobs.close()
    if "failed" in told:
        raise told["failed"]
    if "done" not in told:
        raise SampleError(f"{name} was not fetched: it was stopped.")
    return told["done"]

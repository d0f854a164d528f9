"""napari with the workbench, images in it, and a model chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.images.open import open_image

if TYPE_CHECKING:
    import napari


def run_view(files: Sequence[str | Path] = (), model: str | Path | None = None) -> None:
    """Open napari and stay until its window is closed.

    Parameters
    ----------
    files : sequence of path
        Images to open; the first is the current one.
    model : str or path, optional
        The model to choose.

    Raises
    ------
    DefectSegError
        If a file or the model cannot be opened; no window is opened then.
    """
    import napari

    open_view(files, model)
    napari.run()


def open_view(
    files: Sequence[str | Path] = (), model: str | Path | None = None, *, show: bool = True
) -> napari.Viewer:
    """Return a viewer with the workbench at its side; see `run_view`."""
    import napari

    from napari_defectseg.models.open import open_model
    from napari_defectseg.ui.stage import stage_of
    from napari_defectseg.ui.workbench import open_workbench

    # What cannot be opened is told before there is a window.
    images = [open_image(file) for file in files]
    chosen = None if model is None else open_model(model)
    viewer = napari.Viewer(show=show)
    open_workbench(viewer)
    session = stage_of(viewer).session
    for image in reversed(images):  # the stage shows each; the first is set last, so it is current
        session.image = image
    if chosen is not None:
        session.model = chosen
    return viewer

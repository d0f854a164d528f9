"""The main job on samples that are made here, by pressing the window's own buttons."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.images.image import CalibratedImage

if TYPE_CHECKING:
    import napari

    from napari_defectseg.ui.session import Session
    from napari_defectseg.ui.workbench import Workbench

FLAT, DEEP = "tem-defects", "tomogram-pores"
"""The shipped models for pictures and for tomograms."""
PATIENCE = 600.0
"""Seconds that a prediction may take before the demo gives up."""
COPIED = ("mask.ome.tif", "labels.ome.tif", "objects.csv", "summary.json")


@dataclass(frozen=True)
class Subject:
    """One image of the demo.

    Parameters
    ----------
    name : str
        Folder of its result.
    image : CalibratedImage
    model : str
        A model's path or the name of a shipped one.
    """

    name: str
    image: CalibratedImage
    model: str

    @property
    def deep(self) -> bool:
        """Whether it is a volume."""
        return "z" in self.image.axes


def run_demo(
    out: Path, image: Path | None, model: str | None, *, close: bool, overwrite: bool
) -> None:
    """Show the main job and leave pictures and results in a folder.

    Parameters
    ----------
    out : Path
        Gets ``screenshot-2d.png``, ``screenshot-3d.png``, mask, labels, ``objects.csv`` and
        ``summary.json`` of the micrograph, and ``tomogram/`` with those of the tomogram.
    image : Path or None
        An image of the user's instead of the samples.
    model : str or None
        A model instead of the shipped one that fits.
    close : bool
        Close the window at the end; else it stays until the user closes it.
    overwrite : bool
        Whether an earlier demo's results may be replaced.

    Raises
    ------
    DefectSegError
        If image or model cannot be opened or do not fit, or the folder cannot be written.
    """
    import napari

    from napari_defectseg.results.folder import check_free
    from napari_defectseg.ui.view import open_view

    subjects = samples() if image is None else [own(image, model)]
    for subject in subjects:
        check_free(out / subject.name, overwrite=overwrite)
    viewer = open_view()
    viewer.window.resize(1440, 900)
    for subject in subjects:
        show(viewer, subject, out, overwrite=overwrite)
    if close:
        viewer.close()
    else:
        napari.run()


def samples() -> list[Subject]:
    """Return a micrograph with voids, precipitates and loops, and a tomogram with pores."""
    from napari_defectseg.phantoms.make import phantom

    labelled = ("void", "precipitate", "loop")
    flat = phantom("micrograph", seed=3, scene="mixed", labelled=labelled).image
    deep = phantom("tomogram", seed=20_003).image
    return [
        Subject("micrograph", replace(flat, name="micrograph"), FLAT),
        Subject("tomogram", replace(deep, name="tomogram"), DEEP),
    ]


def own(path: Path, model: str | None) -> Subject:
    """Return the user's image with a model that fits its dimensions."""
    from napari_defectseg.images.open import open_image
    from napari_defectseg.results.naming import stem_of

    image = open_image(path)
    return Subject(stem_of(path), image, model or (DEEP if "z" in image.axes else FLAT))


def show(viewer: napari.Viewer, subject: Subject, out: Path, *, overwrite: bool) -> None:
    """Take one image through the docks, write its result, and take its picture."""
    from napari_defectseg.models.open import open_model
    from napari_defectseg.ui.session import session_of
    from napari_defectseg.ui.workbench import workbench_of

    session, bench = session_of(viewer), workbench_of(viewer)
    assert bench is not None
    session.image = subject.image
    session.model = open_model(subject.model)
    predict(session, bench)
    write(session, subject, out, overwrite=overwrite)
    bench.bring("statistics")
    viewer.dims.ndisplay = 3 if subject.deep else 2
    look(viewer, deep=subject.deep)
    settle(1.5)
    name = "screenshot-3d.png" if subject.deep else "screenshot-2d.png"
    take_picture(viewer, out / name)


def predict(session: Session, bench: Workbench) -> None:
    """Press *Predict*, and wait until objects and table are there."""
    bench.bring("predict")
    settle(0.3)
    bench.press_primary()
    messages = bench.page("predict").messages

    def ended() -> bool:
        there = session.labels is not None and session.table is not None
        return there or messages.worst() == "error"

    if not wait(ended, PATIENCE):
        raise DefectSegError(f"The prediction did not come to an end in {PATIENCE:.0f} s.")
    if messages.worst() == "error":
        strips = (messages.strip(topic) for topic in messages.topics())
        said = [strip.sentence for strip in strips if strip is not None and strip.kind == "error"]
        raise DefectSegError(" ".join(said))
    settle(0.5)


def write(session: Session, subject: Subject, out: Path, *, overwrite: bool) -> None:
    """Write the result folder; the files of a picture also beside the screenshots."""
    from napari_defectseg.batch.analyse import measured, recipe_for, record_of
    from napari_defectseg.results.folder import write_result

    assert session.labels is not None
    assert session.prediction is not None
    recipe = recipe_for(session.model, subject.model)
    made = measured(subject.image, session.labels, session.prediction, recipe)
    record = record_of(session.model, recipe)
    analysis = replace(made, model=record, seconds=session.prediction.seconds)
    place = write_result(out, analysis, stem=subject.name, overwrite=overwrite)
    if not subject.deep:
        for name in COPIED:
            try:
                shutil.copyfile(place / name, out / name)
            except OSError as error:
                raise not_saved(out / name, error) from error


def look(viewer: napari.Viewer, *, deep: bool) -> None:
    """Turn the view so that the objects are seen."""
    from napari_defectseg.ui.places import show_whole
    from napari_defectseg.ui.stage import stage_of

    layer = stage_of(viewer).image_layer
    assert layer is not None
    if deep:
        layer.rendering = "attenuated_mip"
        layer.opacity = 0.5
    show_whole(viewer, layer)
    if deep:
        viewer.scene.camera.angles = (20.0, 35.0, 60.0)
        viewer.scene.camera.zoom *= 1.35
    viewer.scale_bar.visible = True


def take_picture(viewer: napari.Viewer, path: Path) -> None:
    """Save the whole window as PNG."""
    import imageio.v3 as iio

    from napari_defectseg.core.atomic import atomic_path

    pixels = viewer.screenshot(canvas_only=False, flash=False)
    with atomic_path(path) as part:
        iio.imwrite(part, pixels, extension=".png")


def wait(ready: Callable[[], bool], seconds: float) -> bool:
    """Let the window work until something is so; tell whether it came to be in time."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        settle(0.02)
    return True


def settle(seconds: float) -> None:
    """Let the window draw and answer for a while."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)

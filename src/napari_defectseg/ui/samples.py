"""Samples in the Data dock: fetched in the worker, shown with the model that fits them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu, QWidget

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.catalogue import Sample
from napari_defectseg.datasets.samples import fetch_steps
from napari_defectseg.models.open import open_model, shipped_models
from napari_defectseg.ui.opening import LANE, opener_of
from napari_defectseg.ui.sampling import shown_samples, title_of

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.ui.docks.base import DockPage

FITTING = {"micrograph": "tem-defects", "tomogram": "tomogram-pores"}
"""The shipped model that knows what is in a sample."""


WAY = (
    "Return predicts this sample.\n"
    "Correct →: N goes to the next object, A accepts it, D deletes it.\n"
    "Statistics →: sizes, fractions and densities."
)
"""The way through the docks, told with the first sample and never again."""


class SampleStarter:
    """Opens samples for a page.

    Parameters
    ----------
    page : DockPage
        Shows progress and failures.
    """

    def __init__(self, page: DockPage) -> None:
        self._page = page

    def start(self, name: str) -> None:
        """Fetch a sample and make it the subject."""
        page = self._page
        wanted = FITTING.get(name, "") if page.session.model is None else ""
        page.show_controls()
        page.progress.show()
        page.progress.working(Step(0, 0, "fetching the sample"), None)
        page.run(
            LANE,
            _steps(name, wanted),
            text=f"fetching {name}",
            on_step=lambda step: page.progress.working(step, None),
            on_done=self._take,
            on_failed=self._fail,
            on_stopped=lambda _: self._end(),
        )

    def _take(self, found: tuple[Any, Any, Any]) -> None:
        fetched, image, model = found
        session = self._page.session
        self._page.progress.hide()
        if model is not None and session.model is None:
            session.model = model
        if len(fetched.images) > 1:
            size = image.calibration if image.calibration.in_plane.calibrated else None
            self._open_all([str(path) for path in fetched.images], size)
            return
        session.index = -1
        session.collection = None
        session.image = image
        if model is not None:
            session.go_to("predict", "sample")

    def _open_all(self, paths: list[str], size: Calibration | None) -> None:
        opener_of(self._page.session).open_collection(paths, size=size)

    def _fail(self, error: Exception) -> None:
        self._end()
        self._page.say_error("open", error)

    def _end(self) -> None:
        self._page.progress.hide()
        self._page.refresh()


def samples_menu(parent: QWidget, start: Callable[[str], Any]) -> QMenu:
    """Return all samples with their licences, those that are made here first."""
    menu = QMenu(parent)
    downloads = False
    for sample in shown_samples():
        if sample.files and not downloads:
            menu.addSeparator()
            downloads = True
        action = menu.addAction(title_of(sample))
        action.setToolTip(_about(sample))
        action.triggered.connect(lambda _=False, name=sample.name: start(name))
    menu.setToolTipsVisible(True)
    return menu


def _about(sample: Sample) -> str:
    rows = [sample.text, f"Made by {sample.made_by}. {sample.licence}."]
    return "\n".join([*rows, sample.source] if sample.source else rows)


def _steps(name: str, model: str) -> Steps[tuple[Any, Any, Any]]:
    """Fetch a sample and open its first image and a model, in the worker's thread."""
    fetched = yield from fetch_steps(name)
    yield Step(0, 0, "opening it")
    image = fetched.open()
    found = open_model(model) if model and model in shipped_models() else None
    return fetched, image, found

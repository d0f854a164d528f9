"""Save what is seen, with its mask, to the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.ui import theme
from napari_defectseg.ui.sight import seen_box
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, named, text

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Box
    from napari_defectseg.ui.session import Session

LANE = "save region"


class SaveRegion(QWidget):
    """One button that opens into a small form: part, specimen, save.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
    """

    saved = Signal(object)
    """The `Pair` that is on the disk."""

    def __init__(self, viewer: napari.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.open_button = QPushButton("Save this region to the dataset…")
        self.open_button.setCheckable(True)
        self.open_button.setMinimumWidth(60)
        name(self.open_button, "Save this region to the dataset…", "Image and mask (Ctrl+D)")
        self.open_button.toggled.connect(self._on_opened)
        column.addWidget(self.open_button)
        self.form = QWidget()
        self._build_form()
        self.form.hide()
        column.addWidget(self.form)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._scroll_here)
        self.told = text("", "second")
        self.told.hide()
        column.addWidget(self.told)

    def _build_form(self) -> None:
        column = QVBoxLayout(self.form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.target = ElidedLabel(role="second")
        links = QHBoxLayout()
        self.new = Link("New dataset…")
        self.open = Link("Open…")
        self.new.clicked.connect(lambda: self._session.go_to("dataset", "new"))
        self.open.clicked.connect(lambda: self._session.go_to("dataset", "open"))
        links.addWidget(self.new)
        links.addWidget(self.open)
        links.addStretch(1)
        self.part = Segments(
            "Part",
            (
                ("seen", "what is seen", "Only what the canvas shows: only there you have looked"),
                ("whole", "whole image", "The whole image: everything counts as looked at"),
            ),
        )
        self.specimen = QLineEdit()
        self.specimen.setPlaceholderText("specimen, for example A3")
        self.specimen.setMinimumWidth(60)
        self.save = QPushButton("Save")
        name(self.save, "Save to the dataset", "Write image and mask; done when it is on the disk")
        self.save.clicked.connect(self.start)
        self.specimen.returnPressed.connect(self.start)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        tip = "Training and test never share a specimen, so it has to be named"
        row.addWidget(named(text("Specimen", wrap=False), self.specimen, tip=tip))
        row.addWidget(self.specimen, 1)
        row.addWidget(self.save)
        column.addWidget(self.target)
        column.addLayout(links)
        column.addWidget(self.part)
        column.addLayout(row)

    def set_open(self, opened: bool) -> None:
        """Open or close the form."""
        self.open_button.setChecked(opened)

    def _on_opened(self, opened: bool) -> None:
        self.form.setVisible(opened)
        if opened:
            self.show_target()
            self.specimen.setFocus()
            self._later.start()

    def _scroll_here(self) -> None:
        """Scroll the page to the form, once it is laid out."""
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None and self.form.isVisible():
            above.ensureWidgetVisible(self.form)

    def show_target(self) -> None:
        """Show to which dataset it goes."""
        dataset = self._session.dataset
        self.target.setText(f"to {dataset.name}" if dataset is not None else "No dataset is open.")
        for link in (self.new, self.open):
            link.setVisible(dataset is None)
        self.save.setEnabled(dataset is not None)
        if not self.specimen.text():
            self.specimen.setText(self._known_specimen())

    def _known_specimen(self) -> str:
        collection, index = self._session.collection, self._session.index
        if collection is None or not 0 <= index < len(collection.entries):
            return ""
        return str(collection.entries[index].specimen or "")

    def region(self) -> Box | None:
        """Return what is seen as slices of the mask; None: everything."""
        labels = self._session.labels
        if self.part.value == "whole" or labels is None:
            return None
        return seen_box(self._viewer, labels)

    def start(self) -> None:
        """Write it in the worker."""
        session = self._session
        if session.dataset is None or session.image is None or session.labels is None:
            return
        if not self.specimen.text().strip():
            self._tell("Name the specimen first: training and test never share one.")
            self.specimen.setFocus()
            return
        self.save.setEnabled(False)
        self._tell("")
        session.jobs.start(
            LANE,
            self._steps(session.dataset, session.image, session.labels.copy(), self.region()),
            text="Saving to the dataset",
            owner=self,
            on_done=self._on_done,
            on_failed=self._on_failed,
        )

    def _steps(self, dataset: Any, image: Any, labels: Any, region: Box | None) -> Steps[Any]:
        """Add the pair, in the worker's thread."""
        yield Step(0, 1, "Saving to the dataset")
        return dataset.add(image, labels, specimen=self.specimen.text().strip(), region=region)

    def _on_done(self, pair: Any) -> None:
        self.save.setEnabled(True)
        size = " × ".join(str(length) for length in pair.label_shape)
        self._tell(f"Saved as {pair.id}, {size} px.")
        # The dataset grew in place: listeners of the field hear of it.
        self._session.events.dataset.emit(self._session.dataset)
        self.saved.emit(pair)

    def _on_failed(self, error: Exception) -> None:
        self.save.setEnabled(True)
        known = isinstance(error, DefectSegError)
        self._tell(str(error) if known else f"Not saved ({type(error).__name__}: {error}).")

    def _tell(self, sentence: str) -> None:
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

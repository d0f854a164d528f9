"""In which form the numbers of a raw file lie: a form that says at once whether it fits."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.images.raw import RawForm
from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.forms import form_for
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text

SHOWN = ("shape", "dtype", "byte_order", "offset", "spacing", "unit")
FIRST = RawForm((512, 512), "uint16")


class RawCard(Card):
    """Asks for a `RawForm`; sends ``chosen(path, form)``."""

    chosen = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._path, self._bytes = "", 0
        self.title = ElidedLabel(role="strong")
        self.column.addWidget(self.title)
        self.column.addWidget(
            text("Bare numbers: how do they lie in the file? Slices × rows × columns.", "second")
        )
        self.form = form_for(FIRST, shown=SHOWN)
        self.form.valueChanged.connect(self._check)
        self.column.addWidget(self.form)
        self.fits = text("", "second")
        self.column.addWidget(self.fits)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.open_button = QPushButton("Open it so")
        name(self.open_button, "Open it so", "Open the file in this form")
        self.open_button.clicked.connect(self._choose)
        cancel = Link("put aside", "Do not open it")
        cancel.clicked.connect(self.hide)
        row.addWidget(self.open_button)
        row.addWidget(cancel)
        row.addStretch(1)
        self.column.addLayout(row)

    def ask(self, path: str) -> None:
        """Ask for the form of a file; the last one is shown first, files come in series."""
        self._path = path
        self._bytes = Path(path).stat().st_size if Path(path).is_file() else 0
        self.title.setText(Path(path).name)
        self.setAccessibleName(f"Form of {Path(path).name}")
        self._check(self.form.value)
        self.show()
        self.form.fields["shape"].focus.setFocus()

    def _check(self, form: RawForm) -> None:
        """Say whether shape and type give the length of the file."""
        try:
            need = form.bytes
        except DefectSegError as error:
            need = 0
            self.fits.setText(str(error))
        else:
            said = f"{numbers.count(need)} of {numbers.count(self._bytes)} bytes"
            fits = "That fits the file." if need == self._bytes else f"That is {said}."
            self.fits.setText(fits)
        self.open_button.setEnabled(0 < need <= self._bytes)

    def _choose(self) -> None:
        self.hide()
        self.chosen.emit(self._path, self.form.value)

"""The form for a new dataset: folder, classes, licence."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import name, named, text

LICENCES = ("", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "not to be passed on")


class NewDataset(Card):
    """Three fields and a button.

    Signals
    -------
    asked : Path, ClassMap, str
        Folder, classes and licence of the dataset to make.
    """

    asked = Signal(object, object, str)

    def __init__(self) -> None:
        super().__init__()
        name(self, "New dataset")
        self._known: ClassMap | None = None
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("folder")
        self.folder.setMinimumWidth(60)
        self.browse = QPushButton()
        icons.set_icon(self.browse, "folder", size=14)
        name(self.browse, "Choose a folder…", "Choose where it is made")
        self.browse.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        self.classes = QLineEdit()
        self.classes.setPlaceholderText("void, precipitate, loop")
        self.classes.setMinimumWidth(60)
        self.licence = QComboBox()
        self.licence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for licence in LICENCES:
            self.licence.addItem(licence or "not decided yet", licence)
        self.make = QPushButton("Make the dataset")
        name(self.make, "Make the dataset", "Makes the folder; it may be empty or new")
        self.make.clicked.connect(self.ask)
        self.classes.returnPressed.connect(self.ask)
        self.column.addWidget(text("New dataset", "strong", wrap=False))
        tip = "Pictures and corrected masks are kept in this folder"
        self.column.addWidget(named(text("Folder", wrap=False), self.folder, tip=tip))
        self.column.addLayout(row)
        tip = "Names with commas; they cannot change later"
        self.column.addWidget(named(text("Classes", wrap=False), self.classes, tip=tip))
        self.column.addWidget(self.classes)
        tip = "Under what terms others may use it"
        self.column.addWidget(named(text("Licence", wrap=False), self.licence, tip=tip))
        self.column.addWidget(self.licence)
        self.missing = text("", "strong")
        self.missing.hide()
        self.column.addWidget(self.missing)
        self.column.addWidget(self.make)

    def suggest(self, classes: ClassMap | None) -> None:
        """Offer the classes of the labels or the model, with their colours."""
        self._known = classes
        if classes is not None and not self.classes.text():
            self.classes.setText(", ".join(classes.names))

    @property
    def class_map(self) -> ClassMap:
        """The classes as typed; with known colours where they are the known ones.

        Raises
        ------
        ClassError
            If there are none, or two are the same.
        """
        names = [part.strip() for part in self.classes.text().split(",") if part.strip()]
        if self._known is not None and list(self._known.names) == names:
            return self._known
        return ClassMap.of(names)

    def ask(self) -> None:
        """Say what is wanted, or what is missing."""
        self.missing.hide()
        if not self.folder.text().strip():
            self._miss("Choose a folder first.", self.folder)
            return
        try:
            classes = self.class_map
        except DefectSegError as error:
            self._miss(str(error), self.classes)
            return
        folder = Path(self.folder.text().strip()).expanduser()
        self.asked.emit(folder, classes, self.licence.currentData())

    def _miss(self, sentence: str, field: QLineEdit) -> None:
        self.missing.setText(sentence)
        self.missing.show()
        field.setFocus()

    def _choose(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of the new dataset")
        if path:
            self.folder.setText(path)

"""Everything about the pixel size: its fields, where it comes from, and the ways to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QMenu, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.facts import Facts
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.size_editor import SizeEditor
from napari_defectseg.ui.widgets.text import Link, name

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.images.image import CalibratedImage


class SizeCard(QWidget):
    """Pixel size of the subject.

    Signals ``chosen(Calibration)``, ``draw()``, ``for_all()`` and ``remember(bool)``.
    """

    chosen = Signal(object)
    draw = Signal()
    for_all = Signal()
    remember = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.editor = SizeEditor()
        self.editor.typed.connect(self.chosen)
        column.addWidget(self.editor)
        self.copy = Link("copy from layer", "Take the pixel size of another layer")
        self.bar = Link("draw on scale bar", "Draw along the bar in the picture, type its length")
        self.why = Link("why?", "See where the pixel size comes from")
        self.why.setCheckable(True)
        self.all = Link("use for all images", "Give every image of the collection this size")
        self.links = Links((self.copy, self.bar, self.why, self.all))
        self.copy.clicked.connect(self._offer_copies)
        self.bar.clicked.connect(self.draw)
        self.all.clicked.connect(self.for_all)
        column.addWidget(self.links)
        self.keep = QCheckBox("remember for this instrument")
        name(self.keep, "Remember for this instrument")
        self.keep.hide()
        self.keep.clicked.connect(self.remember)
        column.addWidget(self.keep)
        self.facts = Facts()
        self.facts.hide()
        self.why.toggled.connect(self.facts.setVisible)
        column.addWidget(self.facts)
        self._copies: list[tuple[str, Calibration]] = []

    def show_image(
        self, image: CalibratedImage, copies: Sequence[tuple[str, Calibration]], images: int
    ) -> None:
        """Show the pixel size of an image.

        Parameters
        ----------
        image : CalibratedImage
        copies : sequence of (str, Calibration)
            Layers to copy from.
        images : int
            How many the collection has; 0 outside one.
        """
        known = image.calibration
        self.editor.show_size(known)
        self._copies = list(copies)
        everybody = images > 1 and known.in_plane.calibrated
        self.links.show_only(
            [
                link
                for link in self.links.all
                if (link is not self.copy or copies) and (link is not self.all or everybody)
            ]
        )
        words = f"use for all {images} images"
        self.all.setText(words)
        name(self.all, words, "Give every image of the collection this pixel size")
        self.facts.show_facts(facts_of(image))

    def offer_remembering(self, instrument: str, remembered: bool) -> None:
        """Offer to keep the size for an instrument; an empty name offers nothing."""
        self.keep.setVisible(bool(instrument))
        self.keep.setChecked(remembered)
        tip = f"Images of {instrument} without a pixel size get this one"
        name(self.keep, "Remember for this instrument", tip)

    def menu(self) -> QMenu:
        """Return the layers to copy from, as a menu."""
        menu = QMenu(self)
        for layer, known in self._copies:
            action = menu.addAction(f"{layer}: {known.describe()}")
            action.triggered.connect(lambda _=False, known=known: self.chosen.emit(known))
        return menu

    def _offer_copies(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.copy.mapToGlobal(self.copy.rect().bottomLeft()))


def facts_of(image: Any) -> list[tuple[str, str]]:
    """Return what is known of an image and of where its pixel size comes from."""
    known = image.calibration
    rows = [
        ("Size", f"{' × '.join(str(n) for n in image.shape)} ({''.join(image.axes)})"),
        ("Values", str(image.dtype)),
        ("Pixel size", known.describe()),
        ("From", known.source or "the file states none"),
    ]
    rows += [("or", f"{one.describe()}, {one.source}") for one in known.rivals]
    if known.frame_time:
        rows.append(("Frame", f"every {known.frame_time:.4g} {known.time_unit}"))
    origin = image.origin
    for words, value in (
        ("File", origin.path), ("Part", origin.part), ("Instrument", origin.instrument),
    ):  # fmt: skip
        if value:
            rows.append((words, value))
    return [*rows, *((words.capitalize(), str(value)) for words, value in origin.details.items())]

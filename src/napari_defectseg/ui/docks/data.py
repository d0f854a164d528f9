"""The Data dock: open images and say how large a pixel is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.images.instruments import forget, recall, remember
from napari_defectseg.images.open import PATTERNS
from napari_defectseg.ui.adopt import Offer, geometry_of, offer_of_file
from napari_defectseg.ui.desk import Desk
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.layers import KEY
from napari_defectseg.ui.opening import Question, opener_of
from napari_defectseg.ui.regions import regions_of
from napari_defectseg.ui.ruler import Ruler
from napari_defectseg.ui.samples import SampleStarter, samples_menu
from napari_defectseg.ui.size_questions import TOPIC, question_about
from napari_defectseg.ui.widgets.card import ProgressCard
from napari_defectseg.ui.widgets.conditions import Conditions
from napari_defectseg.ui.widgets.drop_zone import DropZone
from napari_defectseg.ui.widgets.field_table import FieldTable
from napari_defectseg.ui.widgets.part_list import PartList
from napari_defectseg.ui.widgets.raw_card import RawCard
from napari_defectseg.ui.widgets.ruler_row import RulerRow
from napari_defectseg.ui.widgets.size_card import SizeCard
from napari_defectseg.ui.widgets.strip import Action
from napari_defectseg.ui.widgets.text import section, text

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage

EMPTY = "Drop a micrograph, a folder or a tomogram here, or pick one that napari already shows."
FILTER = f"Images ({' '.join(PATTERNS)});;All files (*)"
SAMPLES = (
    ("micrograph", "Try a sample: defects in steel"),
    ("tomogram", "Try a sample: a tomogram"),
)
FILE_LANE = "size in file"
SAYS_SIZE = ("calibration", "pixel size")
"""Places of the page that others may send a person to."""


class DataDock(DockPage):
    """Open images and say how large a pixel is."""

    key, title, icon = "data", "Data", "data"
    tip = "Open images and say how large a pixel is"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out what to open, the pixel size, the collection, and what is seldom needed."""
        self.opener = opener_of(self.session)
        self.regions = regions_of(self.viewer)
        self.starter = SampleStarter(self)
        self._ruler: Ruler | None = None
        self._from_file: tuple[Any, Offer] | None = None
        self.desk = Desk(self)
        self.drop = DropZone("Drop images or a folder here")
        self.drop.dropped.connect(self.opener.open)
        self.drop.folder.clicked.connect(self.open_folder)
        self.drop.sample.clicked.connect(self.show_samples)
        self.drop.result.clicked.connect(self.desk.ask_to_open)
        self.parts, self.raw, self.ruler_row = PartList(), RawCard(), RulerRow()
        self.progress = ProgressCard("opening")
        self.size_title, self.size = section("Pixel size"), SizeCard()
        self.fields_title, self.fields = section("Collection"), FieldTable()
        self.fields_said = text("", "second")
        self.conditions = Conditions(self.regions)
        for widget in (
            self.drop, self.parts, self.raw, self.progress, self.size_title, self.size,
            self.ruler_row, self.fields_title, self.fields_said, self.fields, self.conditions,
        ):  # fmt: skip
            self.body.addWidget(widget)
        for widget in (self.parts, self.raw, self.progress, self.ruler_row):
            widget.hide()
        self.footer.offer("Open images…", "Open files; several become a collection")
        self._connect()

    def _connect(self) -> None:
        self.parts.chosen.connect(self.opener.open_file)
        self.raw.chosen.connect(lambda path, form: self.opener.open_file(path, raw=form))
        self.size.chosen.connect(self.set_size)
        self.size.draw.connect(self.draw_bar)
        self.size.for_all.connect(self._on_for_all)
        self.size.remember.connect(self._on_remember)
        self.ruler_row.measured.connect(self._on_measured)
        self.ruler_row.closed.connect(self._close_ruler)
        self.fields.opened.connect(self._on_opened)
        self.conditions.acquired.connect(self._on_acquired)
        self.conditions.framed.connect(self._on_framed)
        events = self.session.events
        for signal, slot in (
            (events.image, self._on_image),
            (events.collection, self._on_collection),
            (events.index, self._on_collection),
            (events.acquisition, self.conditions.show_acquisition),
            (self.opener.asked, self._on_asked),
            (self.opener.failed, self._on_failed),
            (self.opener.changed, self._on_opener),
            (self.regions.changed, self.conditions.show_regions),
        ):
            self.listen(signal, slot)

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self.conditions.show_acquisition(self.session.acquisition)
        self._on_collection()
        self._on_image(self.session.image)

    def show_place(self, place: str) -> None:
        """Bring the pixel size into view, ready to be typed."""
        if place in SAYS_SIZE and self.session.image is not None:
            self.size.why.setChecked(True)
            self.scroll.ensureWidgetVisible(self.size)
            self.size.editor.begin()

    def _on_image(self, image: CalibratedImage | None) -> None:
        if self._ruler is not None:
            self.ruler_row.leave()
        for widget in (self.size_title, self.size, self.conditions):
            widget.setVisible(image is not None)
        if image is None:
            self.messages.take_back(TOPIC)
            if self.session.collection is None:
                self.show_empty(EMPTY, self._samples())
            self.footer.offer_next("")
            self.set_mark("")
            return
        self.show_controls()
        self._show_size(image)
        self.conditions.show_image(image)
        words = "Model →" if self.session.model is None else "Predict →"
        self.footer.offer_next(words, "Go on to the next step")
        self.set_mark("done")

    def _show_size(self, image: CalibratedImage) -> None:
        collection = self.session.collection
        count = len(collection) if collection is not None and self.session.index >= 0 else 0
        self.size.show_image(image, self._copies(image), count)
        self._ask_file(image)
        self._ask_size(image)

    def _copies(self, image: CalibratedImage) -> list[tuple[str, Calibration]]:
        """Return the pixel sizes that other layers have."""
        here, found = self.stage.image_layer, []
        for layer in self.viewer.layers:
            if layer is here or layer.metadata.get(KEY, {}).get("kind") == "objects":
                continue
            if layer.ndim < 2 or layer.ndim > image.calibration.ndim + 2:
                continue
            plane = geometry_of(layer)[1].in_plane
            if plane.calibrated:
                spacing = (*image.calibration.spacing[:-2], *plane.steps)
                known = image.calibration.unit
                if len(spacing) > 2 and spacing[0] is not None and known != plane.unit:
                    spacing = (*image.calibration.to(plane.unit).spacing[:-2], *plane.steps)
                source = f"copied from layer {layer.name}"
                found.append((layer.name, Calibration(spacing, plane.unit, source)))
        return found

    def _ask_size(self, image: CalibratedImage) -> None:
        """Ask about a pixel size that is missing or unlikely."""
        offer = None
        if self._from_file is not None and self._from_file[0] is image.data:
            offer = self._from_file[1]
        question = question_about(image, self.stage.image_layer, offer)
        if question is None:
            self.messages.take_back(TOPIC)
            return
        actions = question.actions(self.set_size)
        if question.unknown:
            actions += [("Set…", self.size.editor.begin), ("Draw on the scale bar", self.draw_bar)]
        self.messages.say(TOPIC, question.kind, question.sentence, actions)

    def _ask_file(self, image: CalibratedImage) -> None:
        """Look into the file of a layer that napari's own reader opened without a size."""
        layer = self.stage.image_layer
        path = layer.source.path if layer is not None else None
        ours = layer is not None and KEY in layer.metadata
        if image.calibration.in_plane.calibrated or not path or ours:
            return
        if self._from_file is not None and self._from_file[0] is image.data:
            return

        def take(offer: Offer | None) -> None:
            current = self.session.image
            if offer is not None and current is not None and current.data is image.data:
                self._from_file = (image.data, offer)
                self._ask_size(current)

        self.session.jobs.call(
            FILE_LANE, lambda: offer_of_file(str(path), image.axes), owner=self, on_done=take
        )

    def _on_collection(self, _: Any = None) -> None:
        collection = self.session.collection
        shown = collection is not None and len(collection) > 0
        for widget in (self.fields_title, self.fields_said, self.fields):
            widget.setVisible(shown)
        self.fields.show_collection(collection, self.session.index)
        if not shown:
            self.messages.take_back("broken")
            return
        self.show_controls()
        self.fields_said.setText(collection.describe())
        broken = [entry for entry in collection.entries if entry.problem]
        if not broken:
            self.messages.take_back("broken")
        elif self.messages.strip("broken") is None and not self.opener.busy:
            others = len(collection) - len(broken)
            left = f"{len(broken)} images are" if len(broken) > 1 else "It is"
            self.messages.say(
                "broken",
                "warning",
                f"{broken[0].problem} {left} left out; {others} others are open.",
            )

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Ask for files and open them."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Open images", "", FILTER)
        self.opener.open(paths)

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        path = QFileDialog.getExistingDirectory(self, "Open a folder of images")
        if path:
            self.opener.open([path])

    def go_on(self) -> None:
        """Go to the next step."""
        self.session.go_to("model" if self.session.model is None else "predict")

    def stop(self) -> None:
        """Stop opening."""
        self.opener.stop()
        super().stop()

    def set_size(self, known: Calibration) -> None:
        """Give the image a pixel size."""
        image = self.session.image
        if image is None:
            return
        before = image.calibration
        if known.frame_time is None and before.frame_time is not None:
            known = replace(known, frame_time=before.frame_time, time_unit=before.time_unit)
        self.session.image = image.with_calibration(known)
        instrument = image.origin.instrument
        if known.in_plane.calibrated:
            self.size.offer_remembering(instrument, _is_remembered(instrument))

    def draw_bar(self) -> None:
        """Let a person draw a line over the scale bar."""
        layer = self.stage.image_layer
        if layer is None:
            return
        self._close_ruler()
        with self.stage.quietly():
            self._ruler = Ruler(self.viewer, layer)
        self._ruler.changed.connect(self.ruler_row.show_pixels)
        self.ruler_row.show_pixels(0.0)
        self.ruler_row.show()
        self.scroll.ensureWidgetVisible(self.ruler_row)

    def _close_ruler(self) -> None:
        ruler, self._ruler = self._ruler, None
        if ruler is not None:
            with self.stage.quietly():
                ruler.close()

    def _on_measured(self, pixels: float, length: float, unit: str) -> None:
        image = self.session.image
        if image is None:
            return
        drawn = Calibration.from_line(pixels, length, unit)
        z = image.calibration.spacing[:-2]
        if any(z):
            z = image.calibration.to(drawn.unit).spacing[:-2]
        self.ruler_row.leave()
        self.set_size(replace(drawn, spacing=(*z, *drawn.spacing)))

    def _on_for_all(self) -> None:
        if self.session.image is not None:
            self.opener.size_for_all(self.session.image.calibration)

    def _on_remember(self, keep: bool) -> None:
        image = self.session.image
        if image is None:
            return
        try:
            if keep:
                remember(image.origin.instrument, image.calibration)
            else:
                forget(image.origin.instrument)
        except DefectSegError as error:
            self.say_error("remember", error)

    def _on_opened(self, index: int) -> None:
        if not self.session.collection.entries[index].problem:
            self.session.index = index

    def _on_acquired(self, acquisition: Any) -> None:
        self.session.acquisition = acquisition

    def _on_framed(self, time: float, unit: str) -> None:
        image = self.session.image
        if image is not None:
            self.session.image = image.with_calibration(
                image.calibration.with_frame_time(time, unit)
            )

    # -- opening -------------------------------------------------------------------------

    def _samples(self) -> list[Action]:
        return [
            ("Open a folder…", self.open_folder),
            *((words, lambda kind=kind: self.starter.start(kind)) for kind, words in SAMPLES),
            ("More samples…", self.show_samples),
            ("Open a result…", self.desk.ask_to_open),
        ]

    def show_samples(self) -> None:
        """Show all samples with their licences."""
        menu = samples_menu(self, self.starter.start)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.cursor().pos())

    def _on_opener(self) -> None:
        busy, step = self.opener.busy, self.opener.step
        self.footer.set_working(bool(busy))
        self.progress.setVisible(bool(step))
        if step is not None:
            self.show_controls()
            self.progress.working(step, None, "files")
        if busy:
            for topic in ("open", "broken"):
                self.messages.take_back(topic)
        else:
            self._on_collection()

    def _on_failed(self, path: str, error: Exception) -> None:
        self.say_error("open", error)

    def _on_asked(self, question: Question) -> None:
        self.show_controls()
        if question.raw:
            self.raw.ask(question.path)
        elif question.parts:
            self.parts.ask(question.path, question.parts)
        else:
            path = question.path
            self.messages.say(
                "open",
                "info",
                f"{Path(path).name} is a folder. Is it one stack of slices, or images of their "
                "own?",
                (
                    ("One stack", lambda: self.opener.open_file(path)),
                    ("Images of their own", lambda: self.opener.open_collection(path)),
                ),
            )

    def release(self) -> None:
        """Take the line away, stop its work and listen no more."""
        self._close_ruler()
        self.opener.stop()
        super().release()


def _is_remembered(instrument: str) -> bool:
    try:
        return bool(instrument) and recall(instrument) is not None
    except DefectSegError:
        return False

"""The Data dock: open images and say how large a pixel is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog

from napari_defectseg.images.open import PATTERNS
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.opening import Question, opener_of
from napari_defectseg.ui.widgets.card import ProgressCard
from napari_defectseg.ui.widgets.drop_zone import DropZone
from napari_defectseg.ui.widgets.facts import Facts
from napari_defectseg.ui.widgets.strip import Action
from napari_defectseg.ui.widgets.text import Link

EMPTY = "Drop a micrograph, a folder or a tomogram here, or pick one that napari already shows."
FILTER = f"Images ({' '.join(PATTERNS)});;All files (*)"
SHOWN_PARTS = 8
SAMPLES = (
    ("micrograph", "Try a sample: defects in steel"),
    ("tomogram", "Try a sample: pores in a tomogram"),
)


class DataDock(DockPage):
    """Open images and say how large a pixel is."""

    key, title, icon = "data", "Data", "data"
    tip = "Open images and say how large a pixel is"

    def build(self) -> None:
        """Lay out what to open, what is open, and its pixel size."""
        self.opener = opener_of(self.session)
        self.drop = DropZone("Drop a micrograph, a folder or a tomogram here")
        self.drop.dropped.connect(self.opener.open)
        self.body.addWidget(self.drop)
        folder = Link("Open a folder…", "A stack of slices, or images of their own")
        folder.clicked.connect(self.open_folder)
        self.body.addWidget(folder)
        self.progress = ProgressCard("opening")
        self.progress.hide()
        self.body.addWidget(self.progress)
        self.facts = Facts()
        self.body.addWidget(self.facts)
        self.footer.offer("Open images…", "Open files; several become a collection")
        self.listen(self.session.events.image, self._on_image)
        self.listen(self.opener.asked, self._on_asked)
        self.listen(self.opener.failed, self._on_failed)
        self.listen(self.opener.changed, self._on_opener)

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_image(self.session.image)

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

    def open_sample(self, kind: str) -> None:
        """Make a sample with known truth, and show it."""
        from napari_defectseg.phantoms.make import phantom

        def take(made: Any) -> None:
            self.session.collection = None
            self.session.image = made.image

        self.session.jobs.call(
            "open",
            lambda: phantom(kind),
            owner=self,
            text="making a sample",
            on_done=take,
            on_failed=lambda error: self.say_error("open", error),
        )

    def _on_image(self, image: Any) -> None:
        if image is None:
            self.show_empty(EMPTY, self._samples())
            self.footer.offer_next("")
            self.set_mark("")
            return
        self.show_controls()
        self.facts.show_facts(_facts(image))
        words = "Model →" if self.session.model is None else "Predict →"
        self.footer.offer_next(words, "Go on to the next step")
        self.set_mark("done")

    def _samples(self) -> list[Action]:
        links: list[Action] = [("Open a folder…", self.open_folder)]
        return [
            *links,
            *((words, lambda kind=kind: self.open_sample(kind)) for kind, words in SAMPLES),
        ]

    def _on_opener(self) -> None:
        busy, step = self.opener.busy, self.opener.step
        self.footer.set_working(bool(busy))
        self.progress.setVisible(bool(step))
        if step is not None:
            self.show_controls()
            self.progress.working(step, None, "files")
        if busy:
            self.messages.take_back("open")

    def _on_failed(self, path: str, error: Exception) -> None:
        self.say_error("open", error)

    def _on_asked(self, question: Question) -> None:
        name = Path(question.path).name
        if not question.parts:
            self.messages.say(
                "open",
                "info",
                f"{name} is a folder. Is it one stack of slices, or images of their own?",
                (
                    ("One stack", lambda: self.opener.open_file(question.path)),
                    ("Images of their own", lambda: self.opener.open_collection(question.path)),
                ),
            )
            return
        self.messages.say(
            "open",
            "info",
            f"{name} holds {len(question.parts)} images. Which one?",
            [
                (str(part), lambda part=part: self.opener.open_file(question.path, part.name))
                for part in question.parts[:SHOWN_PARTS]
            ],
        )


def _facts(image: Any) -> list[tuple[str, str]]:
    size = " × ".join(str(n) for n in image.shape)
    known = image.calibration
    rows = [
        ("Size", f"{size} ({''.join(image.axes)}), {image.dtype}"),
        ("Pixel size", known.describe()),
    ]
    if known.source:
        rows.append(("from", known.source))
    if image.origin.path:
        rows.append(("File", image.origin.path))
    return rows

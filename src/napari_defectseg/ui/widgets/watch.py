"""*Watch a folder*: where frames arrive, how far behind the program is, and what was found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton

from napari_defectseg.batch.frames import Frame
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.opening import opener_of
from napari_defectseg.ui.plots.curve import Curve
from napari_defectseg.ui.watching import Watching, results_beside
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import Link, name, named, text

if TYPE_CHECKING:
    from napari_defectseg.ui.session import Session

POINTS = 1000
"""Most points of a line; of more frames every second, third, … is drawn."""
REDRAW = 250
"""Milliseconds between two drawings of the plot."""
NUMBERS = (
    ("objects", "objects", "How many objects each frame has"),
    ("fraction", "fraction", "Which part of each frame a class takes"),
)
START, STOP = "Watch", "Stop watching"
TIP = "Predict and measure each frame as it arrives, with this model and these thresholds"


class WatchPart(More):
    """Starts and stops watching, and shows the numbers over the frames.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        super().__init__("watch a folder", key="watch")
        self._session = session
        self.watching = Watching(session)
        self._last: Frame | None = None
        self._build()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REDRAW)
        self._soon.timeout.connect(self._draw)
        self.watching.came.connect(self._on_frame)
        self.watching.said.connect(self._on_said)
        self.watching.ended.connect(self._on_ended)
        session.events.model.connect(self._offer)
        self._offer()

    def _build(self) -> None:
        self.folder = self._path("Frames from", "The folder that an instrument writes into")
        self.out = self._path("Results into", "The folder of the results; a watch goes on there")
        self.folder.textChanged.connect(self._on_folder)
        self.button = QPushButton(START)
        self.button.clicked.connect(self._press)
        self.state = text("", "second")
        self.numbers = Segments("Plot", NUMBERS)
        self.numbers.valueChanged.connect(self._draw)
        self.curve = Curve(bottom="frame", left="objects")
        self.curve.setFixedHeight(150)
        self.problem = text("", "second")
        self.look = Link("Look at the newest", "Open the newest frame as the image")
        self.look.clicked.connect(self._look)
        self.links = Links([self.look])
        shown = (self.button, self.state, self.numbers, self.curve, self.problem, self.links)
        for widget in shown:
            self.column.addWidget(widget)
        for widget in (self.state, self.problem, self.numbers, self.curve, self.links):
            widget.hide()

    def _path(self, words_: str, tip: str) -> QLineEdit:
        edit, browse = QLineEdit(), QPushButton()
        edit.setMinimumWidth(60)
        icons.set_icon(browse, "folder", size=14)
        name(browse, f"{words_}: choose…", tip)
        browse.clicked.connect(partial(self._choose, edit, tip))
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(edit, 1)
        row.addWidget(browse)
        self.column.addWidget(named(text(words_, wrap=False), edit, tip=tip))
        self.column.addLayout(row)
        return edit

    # -- what a person does --------------------------------------------------------------

    def _choose(self, edit: QLineEdit, title: str, _: bool = False) -> None:
        path = QFileDialog.getExistingDirectory(self, title, edit.text())
        if path:
            edit.setText(path)

    def _on_folder(self, path: str) -> None:
        if path:
            self.out.setText(str(results_beside(Path(path))))
        self._offer()

    def _press(self, _: bool = False) -> None:
        if self.watching.running:
            self.watching.stop()
            return
        self._last = None
        self.curve.clear_lines()
        try:
            self.watching.start(Path(self.folder.text()), Path(self.out.text()))
        except DefectSegError as error:
            self._say_problem(str(error))
            return
        self._tell("Opening the model")
        self._say_problem()
        self._draw()
        self._offer()

    def _look(self, _: bool = False) -> None:
        if self._last is not None:
            opener_of(self._session).open_file(str(Path(self.folder.text()) / self._last.image))

    # -- what comes ----------------------------------------------------------------------

    def _on_frame(self, frame: Frame) -> None:
        self._last = frame
        self._tell(self._lag())
        self._say_problem()
        self.links.show()
        if not self._soon.isActive():
            self._soon.start()

    def _on_said(self, sentence: str) -> None:
        if self._last is None or sentence.startswith("waiting"):
            before = f"{self._lag()} · " if self._last is not None else ""
            self._tell(before + (sentence if before else sentence.capitalize()))

    def _on_ended(self, error: Exception | None) -> None:
        self._tell(f"Stopped: {words.counted(len(self.watching.frames), 'frame')} kept.")
        self._draw()
        self._offer()
        if error is not None:
            self._say_problem(str(error))

    def _lag(self) -> str:
        """Return how many frames are done, and how far behind the instrument the last one was."""
        frame = self._last
        assert frame is not None
        parts = [words.counted(len(self.watching.frames), "frame")]
        parts.append(f"{words.took(frame.lag)} behind")
        if frame.waiting:
            parts.append(f"{frame.waiting} waiting")
        return " · ".join(parts)

    def _tell(self, sentence: str) -> None:
        self.state.setText(sentence)
        self.state.setVisible(bool(sentence))

    def _say_problem(self, sentence: str = "") -> None:
        """Say why it ended, or which frame failed last."""
        failed = [one for one in self.watching.frames if one.problem]
        if failed and not sentence:
            count = f"{words.counted(len(failed), 'frame')} failed. " if len(failed) > 1 else ""
            sentence = f"{count}{failed[-1].problem}"
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def _draw(self, _: Any = None) -> None:
        kind = self.numbers.value
        frames = [one for one in self.watching.frames if not one.problem]
        self.numbers.setVisible(bool(frames))
        self.curve.setVisible(bool(frames))
        self.curve.set_titles(left=kind, bottom="frame")
        every = -(-len(frames) // POINTS) or 1
        places = range(0, len(frames), every)
        colours = self._colours()
        for one in frames[-1].objects if frames else ():
            values = [getattr(frames[place], kind).get(one, float("nan")) for place in places]
            x = [place + 1 for place in places]
            self.curve.set_line(one, x, values, colours.get(one, ""))

    def _colours(self) -> dict[str, str]:
        model = self._session.model
        return {} if model is None else {one.name: one.colour for one in model.card.classes}

    def _offer(self, _: Any = None) -> None:
        running = self.watching.running
        ready = self._session.model is not None and Path(self.folder.text() or "\0").is_dir()
        self.button.setText(STOP if running else START)
        self.button.setEnabled(running or (ready and bool(self.out.text())))
        name(self.button, self.button.text(), TIP if ready else "First a model, and a folder")
        for edit in (self.folder, self.out):
            edit.setReadOnly(running)

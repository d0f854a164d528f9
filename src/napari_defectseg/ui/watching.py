"""`Watching`: a folder that an instrument writes into, dealt with in the background."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_defectseg.batch.frames import Frame, FrameTable
from napari_defectseg.core.progress import Step
from napari_defectseg.images.natural import natural
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.ui.preferences import predict_settings
from napari_defectseg.ui.saving import recipe_of

if TYPE_CHECKING:
    from napari_defectseg.results.recipe import Recipe
    from napari_defectseg.ui.session import Session

LANE = "watch"


class Watching(QObject):
    """Watches one folder at a time, with the session's model, thresholds and pixel size.

    Signals ``came(Frame)`` for each frame that was dealt with, ``said(str)`` for what goes on
    between them, ``ended(error or None)``.

    Parameters
    ----------
    session : Session
    """

    came = Signal(object)
    said = Signal(str)
    ended = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.frames: list[Frame] = []

    @property
    def running(self) -> bool:
        """Whether a folder is being watched."""
        return self._session.jobs.running(LANE) is not None

    def start(self, folder: Path, out: Path) -> None:
        """Watch a folder; frames that are in the results already count.

        Raises
        ------
        DefectSegError
            If there is no model, or the results are of other classes.
        """
        from napari_defectseg.batch.watch import watch_steps

        recipe = self._recipe()
        model = self._session.model
        assert model is not None
        self.frames = list(FrameTable(out, model.card.classes.names).frames)
        self._session.jobs.start(
            LANE,
            watch_steps(folder, recipe, out, model=model),
            text=f"Watching {folder.name}",
            owner=self,
            on_step=self._on_step,
            on_done=lambda _: self.ended.emit(None),
            on_stopped=lambda _: self.ended.emit(None),
            on_failed=self.ended.emit,
        )

    def stop(self) -> None:
        """Stop watching; what is finished is kept."""
        self._session.jobs.stop(LANE)

    def _recipe(self) -> Recipe:
        recipe = recipe_of(self._session, MeasureSettings())
        usual = predict_settings()
        chosen = (self._session.computing or usual).as_dict()
        plain = type(usual)().as_dict()
        changed = {name: value for name, value in chosen.items() if value != plain[name]}
        return recipe.model_copy(update={"predict": changed})

    def _on_step(self, step: Step) -> None:
        frame: Any = step.partial
        if not isinstance(frame, Frame):
            self.said.emit(step.text)
            return
        frame = replace(frame, analysis=None)  # its pixels are on the disk
        known = next((n for n, one in enumerate(self.frames) if one.image == frame.image), None)
        if known is not None:
            self.frames[known] = frame
        else:
            self.frames.append(frame)
            if frame.late:
                self.frames.sort(key=lambda one: natural(one.image))
        self.came.emit(frame)


def results_beside(folder: Path) -> Path:
    """Return where the results of a watched folder go unless somebody says otherwise."""
    return folder.with_name(f"{folder.name}-results")

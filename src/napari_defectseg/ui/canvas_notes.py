"""What the canvas says of sizes: the scale bar, and a note where there is no pixel size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_defectseg.ui.preferences import applied, preferences
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.windows import can_draw

if TYPE_CHECKING:
    import napari

NOTE = "uncalibrated: sizes in px"
NOTE_LOOK = {"position": "top_right", "font_size": 12, "box": True, "visible": True}


class CanvasNotes:
    """Keeps the overlays of one viewer; the user's own text comes back when it is not needed.

    Shown while somebody has entered and not left.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = ref(viewer)
        self._session = session_of(viewer)
        self._inside = 0
        self._before: dict[str, Any] | None = None
        self._bar_seen = self._bar_ours = False

    def enter(self) -> None:
        """Show notes from now on."""
        self._inside += 1
        if self._inside == 1:
            self._session.events.image.connect(self._renew)
            applied().changed.connect(self._renew)
            self._renew()

    def leave(self) -> None:
        """Show them no more once everybody has left."""
        self._inside -= 1
        if self._inside == 0:
            self._session.events.image.disconnect(self._renew)
            applied().changed.disconnect(self._renew)
            self._take_back()

    def _renew(self, _: Any = None) -> None:
        viewer, image = self._viewer(), self._session.image
        if viewer is None or not can_draw(viewer):
            return
        if not preferences().scale_bar or image is None:
            self._take_back()
            return
        if not self._bar_seen and not viewer.canvas.overlays.scale_bar.visible:
            # Once: a person who hides it afterwards means it.
            viewer.canvas.overlays.scale_bar.visible = self._bar_ours = True
        self._bar_seen = True
        if image.calibration.calibrated:
            self._take_note_back()
        else:
            self._show_note(viewer.canvas.overlays.text)

    def _show_note(self, overlay: Any) -> None:
        if self._before is None:
            self._before = {name: getattr(overlay, name) for name in ("text", *NOTE_LOOK)}
        overlay.text = NOTE
        for name, value in NOTE_LOOK.items():
            setattr(overlay, name, value)

    def _take_note_back(self) -> None:
        viewer, before = self._viewer(), self._before
        self._before = None
        if viewer is None or before is None or not can_draw(viewer):
            return
        overlay = viewer.canvas.overlays.text
        if overlay.text == NOTE:
            for name, value in before.items():
                setattr(overlay, name, value)

    def _take_back(self) -> None:
        self._take_note_back()
        viewer = self._viewer()
        if viewer is not None and self._bar_ours and can_draw(viewer):
            viewer.canvas.overlays.scale_bar.visible = False
        self._bar_seen = self._bar_ours = False


_notes: WeakKeyDictionary[Any, CanvasNotes] = WeakKeyDictionary()


def notes_of(viewer: napari.Viewer) -> CanvasNotes:
    """Return the notes of a viewer, made at the first call."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _notes:
        _notes[real] = CanvasNotes(real)
    return _notes[real]

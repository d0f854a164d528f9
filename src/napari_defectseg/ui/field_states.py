"""How far each image of a collection has come: new, found, edited, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.ui.session import Session

NEW, PREDICTED, CORRECTED, CHECKED = "new", "predicted", "corrected", "checked"
BY_MACHINE = ("prediction", "threshold")
"""Names of edits that are no correction by a person."""


class FieldStates:
    """Keeps the states in the session's collection.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        session.events.labels.connect(self._on_labels)
        session.events.edited.connect(self._on_edited)

    @property
    def state(self) -> str:
        """State of the current image; empty outside a collection."""
        collection, index = self._session.collection, self._session.index
        if collection is None or not 0 <= index < len(collection):
            return ""
        return collection.entries[index].state

    def _on_labels(self, labels: Any) -> None:
        if labels is not None and self.state == NEW:
            self._set(PREDICTED)

    def _on_edited(self, edit: Edit | None) -> None:
        labels = self._session.labels
        if labels is None or not self.state:
            return
        if labels.object_classes and labels.checked >= labels.object_classes.keys():
            self._set(CHECKED)
        elif edit is not None and edit.tool not in BY_MACHINE:
            self._set(CORRECTED)

    def _set(self, state: str) -> None:
        if state != self.state:
            collection = self._session.collection
            self._session.collection = collection.with_state(self._session.index, state)

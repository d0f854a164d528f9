"""`Later`: edits that take longer than a hand waits, made in the worker one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.progress import Step, Steps

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.ui.session import Session

LANE = "shape"
Make = Callable[[], "Edit | None"]


class Later:
    """Makes edits in the worker, in the order in which they were asked for.

    Each is made for the labels as the one before left them. With other labels in hand what waits
    is forgotten.

    Parameters
    ----------
    session : Session
    use : callable
        Applies a finished edit.
    failed : callable
        Told the error of an edit that could not be made.
    """

    def __init__(
        self, session: Session, use: Callable[[Make], Any], failed: Callable[[Exception], Any]
    ) -> None:
        self._session, self._use, self._failed = session, use, failed
        self._waiting: list[tuple[str, Make]] = []
        self._running = False
        session.events.labels.connect(self._forget)

    def __call__(self, text: str, make: Make) -> None:
        """Make an edit soon; `make` runs in the worker and touches no widget."""
        self._waiting.append((text, make))
        if not self._running:
            self._start()

    def _start(self) -> None:
        self._running = bool(self._waiting)
        if not self._running:
            return
        text, make = self._waiting.pop(0)
        labels = self._session.labels

        def steps() -> Steps[Edit | None]:
            yield Step(0, 1, text)
            return make()

        def done(edit: Edit | None) -> None:
            if self._session.labels is labels:
                self._use(lambda: edit)
            self._start()

        def failed(error: Exception) -> None:
            self._waiting.clear()
            self._running = False
            self._failed(error)

        self._session.jobs.start(
            LANE, steps(), text=text, on_done=done, on_failed=failed, on_stopped=self._forget
        )

    def _forget(self, _: Any = None) -> None:
        self._waiting.clear()
        self._running = False

"""Keeps the table and the numbers of a session up with its labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Steps
from napari_defectseg.measurement.live import LiveTable
from napari_defectseg.measurement.populations import Summary, summarise
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.table import RegionTable

if TYPE_CHECKING:
    from napari_defectseg.core.units import Quantity
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.session import Session

LANE = "measure"
PAUSE = 120
"""Milliseconds without an edit until a whole measurement begins."""


class Follower(QObject):
    """Measures when labels, image or settings change; an edit costs what it touches.

    Parameters
    ----------
    session : Session
        Its `table` and `summary` are set here and nowhere else.
    """

    changed = Signal()
    """What is being done has changed: see `busy` and `failure`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._settings = MeasureSettings()
        self._live: LiveTable | None = None
        self.busy = False
        self.failure: Exception | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._measure)
        events = session.events
        events.labels.connect(self._on_labels)
        events.edited.connect(self._on_edited)
        events.image.connect(self._on_image)
        events.space.connect(self.again)
        events.acquisition.connect(self._summarise)
        self.again()

    @property
    def settings(self) -> MeasureSettings:
        """How objects are counted and measured."""
        return self._settings

    def set_settings(self, **changes: Any) -> None:
        """Measure with other settings."""
        changed = replace(self._settings, **changes)
        if changed != self._settings:
            self._settings = changed
            self.again()

    @property
    def thickness(self) -> Quantity | None:
        """The foil thickness, where one is known and means something."""
        table = self._session.table
        if table is None or table.calibration.ndim != 2 or not table.calibration.calibrated:
            return None
        return self._session.acquisition.thickness

    def again(self, _: Any = None) -> None:
        """Measure everything anew, soon."""
        self._live = None
        if self._session.labels is None:
            self._timer.stop()
            self._session.table = None
            self._session.summary = None
            return
        self._timer.start()

    def _on_labels(self, _: Any) -> None:
        self._session.jobs.stop(LANE, drop=True)
        self._set_busy(False)
        self._session.table = None
        self._session.summary = None
        self.again()

    def _on_image(self, image: Any) -> None:
        labels = self._session.labels
        if image is not None and labels is not None and image.label_shape == labels.shape:
            self.again()

    def _on_edited(self, edit: Edit | None) -> None:
        live = self._live
        # A prediction or threshold touches everything: to look how much would take as long.
        whole = edit is None or not edit.decided
        if whole or live is None or self.busy or not live.is_quick(edit):
            self._timer.start()
            return
        self._set_table(live.update(edit))

    def _measure(self) -> None:
        labels = self._session.labels
        if labels is None:
            return
        self._set_busy(True)
        revision = labels.revision

        def done(found: tuple[Any, RegionTable]) -> None:
            self._set_busy(False)
            if self._session.labels is not labels or labels.revision != revision:
                self.again()
                return
            self._live, table = found
            self._set_table(table)

        def failed(error: Exception) -> None:
            self.failure = error
            self._set_busy(False)
            # An edit while it was measured: what was seen may have been half of each.
            if labels.revision != revision:
                self.again()

        self._session.jobs.start(
            LANE, self._steps(labels), owner=self, on_done=done, on_failed=failed
        )

    def _steps(self, labels: LabelMap) -> Steps[tuple[LiveTable, RegionTable]]:
        """Measure everything, in the worker's thread."""
        image = self._session.image
        if image is not None and image.label_shape != labels.shape:
            image = None
        prediction = self._session.prediction
        scores = prediction.scores if prediction is not None else None
        live = LiveTable(
            labels, image=image, space=self._session.space, scores=scores, settings=self._settings
        )
        table = yield from live.measure_steps()
        return live, table

    def _set_table(self, table: RegionTable) -> None:
        self.failure = None
        self._session.table = table
        self._summarise()

    def _summarise(self, _: Any = None) -> None:
        table = self._session.table
        if table is None:
            self._session.summary = None
            return
        try:
            self._session.summary = self.summary_of(table)
        except DefectSegError as error:
            self.failure = error
            self._session.summary = None
            self.changed.emit()

    def summary_of(self, table: RegionTable) -> Summary:
        """Return the numbers of a choice of rows."""
        # Percentiles take a sorting of all sizes, and no number of the window needs them.
        return summarise(table, thickness=self.thickness, details=False)

    def _set_busy(self, busy: bool) -> None:
        if busy != self.busy:
            self.busy = busy
            self.changed.emit()


_followers: WeakKeyDictionary[Any, Follower] = WeakKeyDictionary()


def follower_of(session: Session) -> Follower:
    """Return the follower of a session, made at the first call."""
    if session not in _followers:
        _followers[session] = Follower(session)
    return _followers[session]

"""`MovieCurves`: keyhole, melt pool and pores of the session's movie, measured when wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.progress import Steps
from napari_defectseg.measurement.movies.movie import MovieStatistics, measure_movie_steps
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.source import from_labelmap

if TYPE_CHECKING:
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.ui.session import Session

LANE = "movie"


class MovieCurves(QObject):
    """Measures the movie of a session in the worker; edits make it out of date.

    Parameters
    ----------
    session : Session
    """

    found = Signal(object)
    """`MovieStatistics`, or None where what was known is out of date."""
    failed = Signal(object)
    """The error that kept it from being measured."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.movie: MovieStatistics | None = None
        self.wanted = False

    def want(self) -> None:
        """Measure now, and again when the table is another one."""
        self.wanted = True
        self._start()

    def out_of_date(self) -> None:
        """Forget what was measured; measure again where it is wanted."""
        if self.movie is not None:
            self.movie = None
            self.found.emit(None)
        if self.wanted:
            self._start()

    def _start(self) -> None:
        session = self._session
        labels, table = session.labels, session.table
        if labels is None or table is None or labels.axes != ("t", "y", "x"):
            return
        revision = labels.revision

        def done(movie: MovieStatistics) -> None:
            if session.labels is labels and labels.revision == revision:
                self.movie = movie
                self.found.emit(movie)

        session.jobs.start(
            LANE, self._steps(), owner=self, on_done=done, on_failed=self.failed.emit
        )

    def _steps(self) -> Steps[MovieStatistics]:
        """Run in a worker; touches no widget."""
        session = self._session
        labels, table, image = session.labels, session.table, session.image
        assert labels is not None
        assert table is not None
        if image is not None and image.label_shape != labels.shape:
            image = None
        direction = session.acquisition.scan_direction
        if not direction and image is not None:
            direction = image.acquisition.scan_direction
        calibration = labels.calibration if image is None else image.calibration
        source = from_labelmap(labels, calibration)
        settings = settings_for(labels.classes, direction)
        return (yield from measure_movie_steps(source, table, settings, image))


def settings_for(classes: ClassMap, direction: str = "") -> MovieSettings:
    """Return what to measure by the names of the classes: keyhole, melt pool, all others pores."""

    def named(*wanted: str) -> str:
        found = (name for name in classes.names if any(word in name.lower() for word in wanted))
        return next(found, "")

    keyhole, pool = named("keyhole", "vapour", "vapor"), named("melt")
    pores = tuple(name for name in classes.names if name not in (keyhole, pool))
    return MovieSettings(
        keyhole=keyhole, pores=pores, melt_pool=pool, scan_direction=_known(direction)
    )


def _known(direction: Any) -> str:
    """Return a direction that is understood; anything else counts as not said."""
    from napari_defectseg.core.errors import MeasurementError
    from napari_defectseg.measurement.movies.settings import direction_of

    try:
        direction_of(str(direction))
    except MeasurementError:
        return ""
    return str(direction)

"""`Forecaster`: what a prediction will take, looked up in the worker together with the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_defectseg.core.progress import Step, Steps

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.devices import DeviceChoice
    from napari_defectseg.inference.forecast import Forecast
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.model import Model
    from napari_defectseg.ui.session import Session

LANE = "forecast"


class Forecaster(QObject):
    """Asks once for each image, model and settings; sets the session's `device`.

    Signals ``found(Forecast)`` and ``failed(error)``: what a prediction would say too.

    Parameters
    ----------
    session : Session
    owner : QObject
        When it is gone nobody looks any more.
    """

    found = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session, owner: QObject) -> None:
        super().__init__(owner)
        self._session, self._owner = session, owner
        self._asked: tuple[Any, ...] = (None, None, None)
        self.forecast: Forecast | None = None

    def ask(self, settings: PredictSettings) -> bool:
        """Look in the worker; false where the answer is known or on its way."""
        image, model = self._session.image, self._session.model
        if image is None or model is None or self.skip(settings):
            return False
        self.forecast = None
        self._session.jobs.start(
            LANE,
            _steps(model, image, settings),
            owner=self._owner,
            on_done=self._take,
            on_failed=self.failed.emit,
        )
        return True

    def skip(self, settings: PredictSettings) -> bool:
        """Take this question as answered; true if it was already."""
        before = self._asked
        self._asked = (self._session.image, self._session.model, settings)
        return (
            before[0] is self._asked[0]
            and before[1] is self._asked[1]
            and before[2] == self._asked[2]
        )

    def leave(self) -> None:
        """Look no more, and ask again when it is wished again."""
        self._session.jobs.stop(LANE, drop=True)
        self._asked = (None, None, None)

    def _take(self, answer: tuple[Forecast, DeviceChoice]) -> None:
        self.forecast, self._session.device = answer
        self.found.emit(self.forecast)


def _steps(
    model: Model, image: CalibratedImage, settings: PredictSettings
) -> Steps[tuple[Forecast, DeviceChoice]]:
    """Return a forecast and the device; the network is timed once where it is not known yet."""
    from napari_defectseg.inference.devices import choose
    from napari_defectseg.inference.forecast import forecast_steps

    yield Step(0, 0, "looking for a device")
    device = choose(settings.device)
    return (yield from forecast_steps(model, image, settings)), device

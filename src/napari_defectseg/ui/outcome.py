"""`Outcome`: what the Predict dock says of a prediction: what came out, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import DeviceError, ImageError
from napari_defectseg.inference.scale import pixel_size_warning
from napari_defectseg.ui import numbers, words
from napari_defectseg.ui.widgets.strip import Action

if TYPE_CHECKING:
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.ui.docks.base import DockPage
    from napari_defectseg.ui.widgets.card import ProgressCard

DIAMETER = "equivalent_diameter_area"
DEVICES = {"cpu": "processor", "mps": "graphics of Apple"}


class Outcome:
    """Shows results in the card, and warnings and failures as messages of the page.

    Parameters
    ----------
    page : DockPage
    card : ProgressCard
    predict : callable
        Predicts from the beginning.
    """

    def __init__(self, page: DockPage, card: ProgressCard, predict: Callable[[], None]) -> None:
        self._page, self._card, self._predict = page, card, predict
        self._session = page.session

    def show(self, prediction: Prediction) -> None:
        """Show what came of a prediction, or of as much of it as was kept."""
        detail = "\n".join(part for part in (self._found(), how(prediction)) if part)
        stopped = prediction.provenance.settings.get("stopped")
        tiles = int(prediction.plan.get("passes", 0))
        if stopped:
            done, total = stopped
            percent = round(100 * done / total)
            self._card.stopped(f"{done} of {total} tiles kept", percent, detail)
        else:
            count = words.counted(tiles, "tile") if tiles > 1 else ""
            self._card.done(f"Done in {words.took(prediction.seconds)}", count, detail)

    def _found(self) -> str:
        labels, table = self._session.labels, self._session.table
        if labels is None:
            return ""
        found = words.objects(len(labels.object_classes))
        if table is not None and len(table) and DIAMETER in table:
            largest = float(table[DIAMETER].max())
            found += f" · largest {numbers.with_unit(largest, table.calibration.length_unit)}"
        return found

    def warn(self, prediction: Prediction) -> None:
        """Say what a prediction warns of, with what can be done about it."""
        self.forget()
        image, model = self._session.image, self._session.model
        size = pixel_size_warning(model.card, image) if image is not None and model else ""
        for number, warning in enumerate(prediction.warnings):
            actions: list[Action] = []
            if warning == size and not image.calibration.calibrated:
                actions.append(("Set pixel size…", self._set_pixel_size))
            if warning.startswith("Stopped after"):
                actions.append(("Begin anew", self._predict))
            self._page.messages.say(f"warning {number}", "warning", warning, actions)

    def forget(self) -> None:
        """Take back what was said of the last prediction."""
        messages = self._page.messages
        for topic in messages.topics():
            if topic.startswith("warning") or topic == "fit":
                messages.take_back(topic)

    def ways_out(self, error: Exception) -> list[Action]:
        """Return what can be done about a failure."""
        if isinstance(error, ImageError) and "finite value" in str(error):
            return [("Take the mean of the others", self._take_mean)]
        if isinstance(error, ImageError):
            return [("Choose another model", lambda: self._session.go_to("model"))]
        if isinstance(error, DeviceError):
            links: list[Action] = [("Why?", lambda: self._page.show_place("device"))]
            device, chosen = self._session.device, self._session.computing
            wanted = "" if chosen is None else chosen.device
            if device is not None and "cpu" not in (device.name, wanted):
                links.insert(0, ("Use the processor", self._use_processor))
            return links
        return []

    def _set_pixel_size(self) -> None:
        self._session.go_to("data", "calibration")

    def _change(self, **changes: Any) -> None:
        self._session.computing = replace(self._page.settings, region=None, **changes)
        self._predict()

    def _take_mean(self) -> None:
        self._change(nan="mean")

    def _use_processor(self) -> None:
        self._change(device="cpu")


def how(prediction: Prediction) -> str:
    """Return how a prediction was computed: ``"torch float32 · processor, 2 threads"``.

    Where the engine is not the exact one, with what was measured of it on the image.
    """
    plan = prediction.plan
    device = str(plan.get("device", ""))
    parts = [str(plan.get("engine", "")), DEVICES.get(device, device)]
    threads = plan.get("threads")
    if device == "cpu" and threads:
        parts[1] += f", {words.counted(int(threads), 'thread')}"
    error = plan.get("error")
    if error:
        parts.append(
            f"{100 * error['agreement']:.4g} % of the pixels in the class of the exact engine, "
            f"probabilities within {error['max']:.2g}"
        )
    return " · ".join(part for part in parts if part)

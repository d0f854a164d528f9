"""What a prediction will take, in one line; honest where it is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.widgets.text import name, text

if TYPE_CHECKING:
    from napari_defectseg.inference.forecast import Forecast


class ForecastLine(QWidget):
    """Shows a `Forecast`."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        sign = QLabel()
        icons.set_icon(sign, "info", size=14)
        sign.setFixedWidth(18)
        row.addWidget(sign)
        self.words = text()
        row.addWidget(self.words, 1)
        self.say("Time not known yet.")

    def say(self, sentence: str, tip: str = "") -> None:
        """Show a sentence."""
        self.words.setText(sentence)
        name(self, f"Forecast: {sentence}", tip)

    def show_forecast(self, found: Forecast, images: int = 1) -> None:
        """Show what one image, or so many like it, will take."""
        if found.seconds is None:
            time = "time not known yet"
        else:
            time = f"about {words.about(found.seconds * images)} on this computer"
            if images > 1:
                time = f"{words.count(images)} images like this one: {time}"
        room = words.size(found.memory)
        disk = f" · {words.size(found.disk)} on disk" if found.disk else ""
        tip = " ".join(part for part in (f"{found.sentence}.", found.stopping) if part)
        self.say(f"{time} · {room} of memory{disk} · can be stopped", tip)

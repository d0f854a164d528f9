"""`Preferences`: what a person chose in napari's own preferences, and where it takes effect."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.provenance import call_me
from napari_defectseg.inference.settings import PredictSettings

PLUGIN = "napari-defectseg"
GB = 1_000_000_000


@dataclass(frozen=True)
class Preferences:
    """The values of *Preferences ▸ Defects*, as the manifest declares them.

    Parameters
    ----------
    device : str
        As in `PredictSettings`.
    threads : int
        0: all cores.
    memory : float
        GB for a prediction; 0: a quarter of the machine's.
    digits : bool
        Whether the digits choose the class on our label layers.
    person : str
        The name beside corrections; empty: the login name.
    state_folder : str
        Where journals are kept; empty: the usual folder.
    scale_bar, drops : bool
        Whether the canvas shows a scale bar, and whether dropped files go to the workbench.
    """

    device: str = "auto"
    threads: int = 0
    memory: float = 0.0
    digits: bool = False
    person: str = ""
    state_folder: str = ""
    scale_bar: bool = True
    drops: bool = True


def preferences() -> Preferences:
    """Return what is chosen now; the defaults where napari does not know the plugin."""
    said: dict[str, Any] = {}
    for group in _groups():
        said |= group.model_dump()
    names = {field.name for field in fields(Preferences)}
    return Preferences(**{name: value for name, value in said.items() if name in names})


def predict_settings() -> PredictSettings:
    """Return the settings of a prediction that the preferences ask for."""
    chosen = preferences()
    return PredictSettings(
        device=chosen.device,
        threads=chosen.threads or None,
        memory=round(chosen.memory * GB) or None,
    )


def state_folder() -> Path:
    """Return the folder in which journals of edits are kept."""
    chosen = preferences().state_folder.strip()
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path(PLUGIN, appauthor=False)


class Applied:
    """Takes over what is chosen when it changes; one a program, see `applied`."""

    changed = Signal(object)
    """Preferences are others now."""

    def __init__(self) -> None:
        self._followed: list[Any] = []
        self.failure: DefectSegError | None = None
        """Why the last change could not be kept."""
        self.follow()

    def follow(self) -> None:
        """Listen to napari's preferences, and apply what they say now."""
        for group in _groups():
            if not any(group is known for known in self._followed):
                self._followed.append(group)
                group.events.connect(self._renew)
        self._apply()

    def _renew(self, event: Any = None) -> None:
        self._apply()
        self.changed.emit(preferences())

    def _apply(self) -> None:
        from napari_defectseg.ui.key_table import key_table

        chosen = preferences()
        key_table().set_digits(chosen.digits)
        self.failure = None
        try:
            call_me(chosen.person)
        except DefectSegError as error:
            self.failure = error


@cache
def applied() -> Applied:
    """Return what keeps the program in step with the preferences, made at the first call."""
    return Applied()


def _groups() -> list[Any]:
    """Return napari's groups of our preferences; none where it does not know the plugin."""
    from napari.settings import get_plugin_settings

    try:
        ours = get_plugin_settings(PLUGIN)
    except KeyError:
        return []
    found = [getattr(ours, name, None) for name in ("computing", "drawing", "records", "window")]
    return [group for group in found if group is not None]

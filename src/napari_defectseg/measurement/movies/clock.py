"""`Clock`: times of frames, and units of velocities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.units import LENGTHS, TIMES

FRAME = "frame"
"""Unit of time where the time from frame to frame is not known."""


@dataclass(frozen=True)
class Clock:
    """Times of the frames of a movie.

    Parameters
    ----------
    frames : int
    step : float
        Time from frame to frame; 1 where it is not known.
    time_unit : str
        One of `TIMES`, or `FRAME`.
    speed_unit : str
        ``"m/s"`` where lengths and times are known.
    speed_factor : float
        What a length of the pixel size's unit over a time of `time_unit` is in `speed_unit`.
    """

    frames: int
    step: float
    time_unit: str
    speed_unit: str
    speed_factor: float

    @classmethod
    def of(cls, frames: int, calibration: Calibration) -> Clock:
        """Return the clock of a movie with a calibration."""
        length = calibration.length_unit
        if calibration.frame_time is None:
            return cls(frames, 1.0, FRAME, f"{length}/{FRAME}", 1.0)
        unit = calibration.time_unit
        if length not in LENGTHS:
            return cls(frames, calibration.frame_time, unit, f"{length}/{unit}", 1.0)
        return cls(frames, calibration.frame_time, unit, "m/s", LENGTHS[length] / TIMES[unit])

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each frame from the first one, in `time_unit`."""
        times: NDArray[np.float64] = np.arange(self.frames, dtype=np.float64) * self.step
        return times

    def unit(self, kind: str, length: str) -> str:
        """Return the unit of a ``"time"``, ``"length"``, ``"area"`` or ``"velocity"``."""
        units = {"time": self.time_unit, "length": length, "velocity": self.speed_unit}
        return units.get(kind) or (f"{length}²" if kind == "area" else "")

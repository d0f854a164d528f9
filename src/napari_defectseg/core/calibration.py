"""The size of a pixel, with unit and origin; the only form in which lengths travel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.units import (
    LENGTHS,
    PIXEL,
    TIMES,
    normalise_length,
    normalise_time,
    ratio,
    readable,
)

NEARLY_SQUARE = 0.01
"""Largest relative difference of y and x that a camera image is believed with."""
SMALLEST_METRES, LARGEST_METRES = 2e-12, 1e-2
"""Pixel sizes outside this range are asked about, not believed."""


@dataclass(frozen=True)
class Calibration:
    """The size of a pixel along each spatial axis, and of a frame along time.

    Parameters
    ----------
    spacing : tuple of float or None
        One entry a spatial axis, in the order of the image's spatial axes (z, y, x);
        None where it is not known.
    unit : str
        One of `LENGTHS` (``"nm"``, ``"µm"``, …); ``"px"`` if no spacing is known.
    source : str
        Where it came from, for a person to check: the tag of the header, ``"typed by you"``,
        ``"scale bar"``, ``"copied from layer …"``.
    frame_time : float or None
        Time from frame to frame, in `time_unit`.
    time_unit : str
        One of `TIMES`.
    question : str
        Why a person should confirm it, empty if there is no doubt.
    rivals : tuple of Calibration
        What else the file says, where its headers differ.
    """

    spacing: tuple[float | None, ...]
    unit: str = PIXEL
    source: str = ""
    frame_time: float | None = None
    time_unit: str = "s"
    question: str = ""
    rivals: tuple[Calibration, ...] = ()

    def __post_init__(self) -> None:
        known = [value for value in self.spacing if value is not None]
        if any(not (math.isfinite(value) and value > 0) for value in known):
            raise CalibrationError(
                f"A pixel size must be a positive number; {self.spacing} was given."
            )
        if known and self.unit not in LENGTHS:
            raise CalibrationError(
                f"{self.unit!r} is not a unit of length.",
                hint=f"Use one of {', '.join(LENGTHS)}.",
            )
        if not known and self.unit != PIXEL:
            raise CalibrationError("A unit without a pixel size means nothing.")
        if self.frame_time is not None and not (
            math.isfinite(self.frame_time) and self.frame_time > 0 and self.time_unit in TIMES
        ):
            raise CalibrationError(
                f"A frame time must be positive; {self.frame_time} {self.time_unit} was given."
            )

    @classmethod
    def uncalibrated(cls, ndim: int, source: str = "") -> Calibration:
        """Return the calibration of an image whose pixel size is not known."""
        return cls((None,) * ndim, PIXEL, source)

    @classmethod
    def of(cls, spacing: Sequence[float | None], unit: str | None, source: str = "") -> Calibration:
        """Return a calibration from what a person typed.

        Parameters
        ----------
        spacing : sequence of float or None
            One entry a spatial axis, in `unit`.
        unit : str
            Any spelling of a length unit.
        source : str
            Where it came from.

        Raises
        ------
        CalibrationError
            If a value is not positive, or the unit is not a length.
        """
        known = normalise_length(unit)
        if known is None:
            raise CalibrationError(
                f"{unit!r} is not a unit of length.", hint=f"Use one of {', '.join(LENGTHS)}."
            )
        factor, name = known
        values = tuple(None if value is None else float(value) * factor for value in spacing)
        return cls(values, name, source)

    @classmethod
    def believed(
        cls,
        spacing: Sequence[float | None],
        units: str | Sequence[str | None] | None,
        source: str,
    ) -> Calibration:
        """Return the calibration a file states, as far as it can be believed.

        Values that are not finite and positive, and units that are not lengths, count
        as unknown. Sizes that are unlikely keep their value and carry a `question`.

        Parameters
        ----------
        spacing : sequence of float or None
            One entry a spatial axis, slowest axis first.
        units : str, None, or a sequence of them
            One for all axes, or one each.
        source : str
            Which tag of which header.
        """
        each = [units] * len(spacing) if units is None or isinstance(units, str) else list(units)
        metres = [_metres(value, unit) for value, unit in zip(spacing, each, strict=True)]
        return cls.from_metres(metres, source)

    @classmethod
    def from_metres(cls, metres: Sequence[float | None], source: str) -> Calibration:
        """Return a calibration from sizes in metres, in the unit that reads best."""
        known = [value for value in metres if value is not None]
        if not known:
            return cls.uncalibrated(len(metres), source)
        _, unit = readable(min(known), "m")
        values = tuple(
            None if value is None else float(f"{value / LENGTHS[unit]:.12g}") for value in metres
        )
        return cls(values, unit, source, question=_question(metres))

    @classmethod
    def from_line(cls, pixels: float, length: float, unit: str, ndim: int = 2) -> Calibration:
        """Return the calibration that makes a drawn line of `pixels` as long as `length`.

        Raises
        ------
        CalibrationError
            If the line or the length is not positive.
        """
        if not (pixels > 0 and length > 0):
            raise CalibrationError("Draw along the whole scale bar, and type its length.")
        size = length / pixels
        return cls.of((None,) * (ndim - 2) + (size, size), unit, "scale bar in the picture")

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.spacing)

    @property
    def calibrated(self) -> bool:
        """Whether every spatial axis has a known size."""
        return all(value is not None for value in self.spacing)

    @property
    def steps(self) -> tuple[float, ...]:
        """Spacing to compute with: in `length_unit`, all ones if not calibrated."""
        if not self.calibrated:
            return (1.0,) * self.ndim
        return tuple(float(value) for value in self.spacing if value is not None)

    @property
    def length_unit(self) -> str:
        """The unit of lengths computed with `steps`: a length, or ``"px"``."""
        return self.unit if self.calibrated else PIXEL

    @property
    def in_plane(self) -> Calibration:
        """The calibration of one y-x plane."""
        plane = self.spacing[-2:]
        known = any(value is not None for value in plane)
        return replace(self, spacing=plane, unit=self.unit if known else PIXEL)

    def power_unit(self, power: int) -> str:
        """Return the unit of a length to a power: ``"nm"``, ``"nm²"``, ``"nm³"``."""
        return self.length_unit + {1: "", 2: "²", 3: "³"}[power]

    def to(self, unit: str) -> Calibration:
        """Return the same sizes in another unit."""
        factor = ratio(self.unit, unit)
        values = tuple(None if value is None else value * factor for value in self.spacing)
        return replace(self, spacing=values, unit=unit)

    def settled(self, source: str = "") -> Calibration:
        """Return the same after a person has looked: nothing is in question any more."""
        return replace(self, question="", rivals=(), source=source or self.source)

    def with_frame_time(self, frame_time: float, unit: str) -> Calibration:
        """Return the same with a time from frame to frame."""
        known = normalise_time(unit)
        if known is None:
            raise CalibrationError(
                f"{unit!r} is not a unit of time.", hint=f"Use one of {', '.join(TIMES)}."
            )
        return replace(self, frame_time=frame_time * known[0], time_unit=known[1])

    def describe(self) -> str:
        """Return it as a person reads it: ``"0.486 nm/px"``, ``"no pixel size: sizes in px"``.

        Known axes of an otherwise unknown size are named.
        """
        if all(value is None for value in self.spacing):
            return "no pixel size: sizes in px"
        names = ("z", "y", "x")[-self.ndim :]
        if self.calibrated and len({f"{value:.4g}" for value in self.steps}) == 1:
            return f"{self.spacing[-1]:.4g} {self.unit}/px"
        parts = [
            f"{name} {'unknown' if value is None else f'{value:.4g}'}"
            for name, value in zip(names, self.spacing, strict=True)
        ]
        return f"{', '.join(parts)} {self.unit}/px"


def _metres(value: float | None, unit: str | None) -> float | None:
    known = normalise_length(unit)
    if value is None or known is None:
        return None
    try:
        metres = float(value) * known[0] * LENGTHS[known[1]]
    except (TypeError, ValueError, OverflowError):
        return None
    return metres if math.isfinite(metres) and metres > 0 else None


def _question(metres: Sequence[float | None]) -> str:
    known = [value for value in metres if value is not None]
    if min(known) < SMALLEST_METRES or max(known) > LARGEST_METRES:
        return f"A pixel of {min(known):.3g} m is unlikely. Is it right?"
    y, x = metres[-2], metres[-1]
    if y is not None and x is not None and abs(y - x) > NEARLY_SQUARE * max(y, x):
        return "Pixels are not square: y and x differ. Is that right?"
    return ""

"""What a container tells about the axes of an array, and which of them make an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.units import normalise_time
from napari_defectseg.images.reader import name_axes
from napari_defectseg.images.statements import Statement, combine, with_frames

LETTERS = {
    "x": "x", "width": "x", "y": "y", "height": "y", "z": "z", "depth": "z",
    "t": "t", "time": "t", "frame": "t", "frames": "t", "c": "c", "channel": "c", "rgb": "c",
}  # fmt: skip
"""What files call axes."""
ENERGY = ("ev", "kev", "mev")


@dataclass(frozen=True)
class AxisFact:
    """One axis of an array as its file describes it.

    Parameters
    ----------
    size : int
    name : str
    step : number or None
        From pixel to pixel, in `unit`, as the file writes it.
    unit : str or None
        As the file writes it.
    scanned : bool
        Whether the beam was moved along it, with a whole record at each place.
    """

    size: int
    name: str = ""
    step: Any = None
    unit: str | None = None
    scanned: bool = False

    @property
    def letter(self) -> str:
        """Our letter for it, empty if its name is none we know."""
        if normalise_time(self.unit) is not None:
            return "t"
        return LETTERS.get(self.name.strip().lower(), "")

    @property
    def energy(self) -> bool:
        """Whether it is the axis of a spectrum."""
        unit = str(self.unit or "").strip().lower()
        return unit in ENERGY or "energy" in self.name.lower()


@dataclass(frozen=True)
class Described:
    """An array in a container.

    Parameters
    ----------
    name : str
        Its path in the file.
    shape : tuple of int
        After `order` and without the axes of length 1 that only the file needs.
    dtype : str
    facts : tuple of AxisFact
        One an axis, empty if the file tells nothing.
    source : str
        Which header the facts come from.
    title, instrument : str
    order : tuple of int
        The file's axes in the order of `shape`; those left out have length 1. Empty: as stored.
    preview : bool
        Whether it is a thumbnail or a record beside the image, not taken unasked.
    details : dict
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    facts: tuple[AxisFact, ...] = ()
    source: str = ""
    title: str = ""
    instrument: str = ""
    order: tuple[int, ...] = ()
    preview: bool = False
    details: dict[str, str] = field(default_factory=dict)


def image_axes(
    path: Path, facts: Sequence[AxisFact], source: str, wanted: str | None = None
) -> tuple[Axes, Calibration]:
    """Return the axes of an image and its pixel size.

    Parameters
    ----------
    path : Path
        The file, for messages.
    facts : sequence of AxisFact
        One an axis.
    source : str
        Which header they come from.
    wanted : str, optional
        Axes that a person asked for; then nothing is refused that fits them.

    Raises
    ------
    ImageError
        If the array is a spectrum, spectra, or a scan with a picture at every place.
    """
    shape = tuple(fact.size for fact in facts)
    if not wanted:
        _refuse_others(path, facts)
    names = name_axes(path, shape, wanted or _letters(facts))
    pairs = list(zip(names, facts, strict=True))
    sizes = {name: (fact.step, _unit(fact.unit)) for name, fact in pairs if name not in "tc"}
    calibration = combine([Statement(_source(source, facts), sizes)], names)
    for name, fact in pairs:
        if name == "t":
            calibration = with_frames(calibration, fact.step, fact.unit)
    return names, calibration


def unknown_axes(shape: Sequence[int]) -> tuple[AxisFact, ...]:
    """Return facts that tell nothing but the lengths."""
    return tuple(AxisFact(int(length)) for length in shape)


def _refuse_others(path: Path, facts: Sequence[AxisFact]) -> None:
    size = " × ".join(str(fact.size) for fact in facts)
    if len(facts) < 2:
        what = "a spectrum" if any(fact.energy for fact in facts) else "a line"
        raise ImageError(
            f"{path.name} holds {what} of {size} values, not an image.",
            hint="Open the image that was recorded with it.",
        )
    if any(fact.energy for fact in facts):
        raise ImageError(
            f"{path.name} holds {size} values of spectra, not an image.",
            hint="Save a map of it (a sum over energies) as TIFF, and open that.",
        )
    scanned = [str(fact.size) for fact in facts if fact.scanned]
    if len(scanned) > 1 and len(facts) > 3:
        each = " × ".join(str(fact.size) for fact in facts if not fact.scanned)
        raise ImageError(
            f"{path.name} holds a scan of {' × '.join(scanned)} places with {each} values at each "
            f"({len(facts)}D), not an image or volume.",
            hint="Save a virtual image of it as TIFF and open that, or name the axes yourself.",
        )


def _letters(facts: Sequence[AxisFact]) -> str | None:
    named = [fact.letter for fact in facts]
    if all(named) and len(set(named)) == len(named) and {"y", "x"} <= set(named):
        return "".join(named)
    if len(facts) not in (3, 4) or facts[-1].size in (3, 4):
        return None
    return (
        "".join(
            "tz"[index] if len(facts) == 4 else "t" if facts[0].letter == "t" else "z"
            for index in range(len(facts) - 2)
        )
        + "yx"
    )


def _unit(unit: str | None) -> str | None:
    """Return a unit without the dress of the Berkeley EMD files: ``[n_m]`` is nm."""
    text = str(unit or "").strip()
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1].replace("_", "") or None
    return text or None


def _source(source: str, facts: Sequence[AxisFact]) -> str:
    units = dict.fromkeys(str(fact.unit) for fact in facts[-2:] if fact.unit)
    return f"{source}, in {', '.join(units)}" if units else source

"""The one place where lengths and times are parsed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from napari_defectseg.core.errors import CalibrationError

PIXEL = "px"
"""The unit of data whose pixel size is not known."""

LENGTHS = {"pm": 1e-12, "nm": 1e-9, "µm": 1e-6, "mm": 1e-3, "m": 1.0}
"""Our length units in metres."""
TIMES = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
"""Our time units in seconds."""

_MICRO = str.maketrans({"μ": "µ"})
_SPELLED = {
    "um": "µm", "micron": "µm", "microns": "µm", "micrometer": "µm", "micrometre": "µm",
    "nanometer": "nm", "nanometre": "nm", "millimeter": "mm", "millimetre": "mm",
    "picometer": "pm", "picometre": "pm", "meter": "m", "metre": "m",
    "us": "µs", "microsecond": "µs", "millisecond": "ms", "nanosecond": "ns",
    "second": "s", "sec": "s",
}  # fmt: skip
_VAGUE = {"", "px", "pixel", "pixels", "voxel", "none", "null", "a.u.", "arb", "counts", "µ"}
_VALUE = re.compile(
    r"\s*(?P<value>[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
    r"(?:\s*(?:±|\+/-|\+-)\s*(?P<sigma>\d*\.?\d+(?:[eE][-+]?\d+)?))?"
    r"\s*(?P<unit>[^±]*?)\s*"
)


@dataclass(frozen=True)
class Quantity:
    """A number with its standard deviation and unit.

    Parameters
    ----------
    value : float
    unit : str
        One of `LENGTHS` or `TIMES`, or any other text for other quantities.
    sigma : float
        One standard deviation, 0 where none is known.
    """

    value: float
    unit: str
    sigma: float = 0.0

    def to(self, unit: str) -> Quantity:
        """Return the same quantity in another unit of the same kind."""
        factor = ratio(self.unit, unit)
        return Quantity(self.value * factor, unit, self.sigma * factor)

    def __str__(self) -> str:
        doubt = f" ± {self.sigma:g}" if self.sigma else ""
        return f"{self.value:g}{doubt} {self.unit}"


def normalise_length(unit: str | None) -> tuple[float, str] | None:
    """Return factor and our unit for a length unit, None if it is not a length.

    Parameters
    ----------
    unit : str or None
        As a file or a person spells it: ``"um"``, ``"µm"``, ``"Å"``, ``"inch"``.

    Returns
    -------
    tuple of float and str, or None
        ``value * factor`` is in the returned unit.

    Examples
    --------
    >>> normalise_length("um"), normalise_length("1/nm")
    ((1.0, 'µm'), None)
    """
    return _normalise(unit, "[length]")


def normalise_time(unit: str | None) -> tuple[float, str] | None:
    """Return factor and our unit for a time unit, None if it is not a time."""
    return _normalise(unit, "[time]")


def ratio(unit: str, target: str) -> float:
    """Return how many `target` one `unit` is.

    Raises
    ------
    CalibrationError
        If the two are not the same kind of quantity (nm and px, for example).
    """
    if unit == target:
        return 1.0
    for table in (LENGTHS, TIMES):
        if unit in table and target in table:
            return table[unit] / table[target]
    raise CalibrationError(
        f"{unit!r} cannot be turned into {target!r}.",
        hint="Pixels become a length only when the pixel size is known.",
    )


def readable(value: float, unit: str) -> tuple[float, str]:
    """Return the same length or time in the unit that needs the fewest digits.

    Examples
    --------
    >>> readable(3.37e-06, "m")
    (3.37, 'µm')
    """
    table = LENGTHS if unit in LENGTHS else TIMES
    base = value * table[unit]
    # 0.0053 µm reads as 5.3 nm, but 0.39 nm stays: nobody speaks of a micrograph in picometres.
    for name in ("nm", "µm", "mm", "m") if table is LENGTHS else ("ns", "µs", "ms", "s"):
        if base < 1000 * table[name] * 0.999999 or name in ("m", "s"):
            return float(f"{base / table[name]:.12g}"), name
    raise AssertionError("unreachable")


def parse_quantity(text: str, default_unit: str = "") -> Quantity:
    """Read ``"85 ± 10 nm"``, ``"85±10"``, ``"0.4um"``.

    Raises
    ------
    CalibrationError
        If the text is not a number with an optional unit of length or time.
    """
    found = _VALUE.fullmatch(text)
    if not found:
        raise CalibrationError(
            f"{text!r} is not a number with a unit.", hint="Write it like 85 ± 10 nm."
        )
    unit = found["unit"] or default_unit
    known = normalise_length(unit) or normalise_time(unit)
    if known is None:
        raise CalibrationError(
            f"{unit!r} in {text!r} is not a unit of length or time.",
            hint=f"Use one of {', '.join([*LENGTHS, *TIMES])}.",
        )
    factor, name = known
    return Quantity(float(found["value"]) * factor, name, float(found["sigma"] or 0) * factor)


def _normalise(unit: str | None, dimension: str) -> tuple[float, str] | None:
    if unit is None:
        return None
    name = str(unit).strip().translate(_MICRO).strip("\x00")
    name = _SPELLED.get(name, _SPELLED.get(name.lower(), name))
    table = LENGTHS if dimension == "[length]" else TIMES
    if name in table:
        return 1.0, name
    if name.lower() in _VAGUE or len(name) > 40:
        return None
    return _ask_pint(name, dimension)


@cache
def _ask_pint(name: str, dimension: str) -> tuple[float, str] | None:
    try:
        import pint

        quantity = _pint_registry().Quantity(1.0, _pint_registry().parse_units(name))
        if not quantity.check(dimension):
            return None
        base = float(quantity.to_base_units().magnitude)
    except (pint.PintError, ValueError, TypeError, AttributeError, SyntaxError, RecursionError):
        return None
    except Exception as error:  # pint's tokenizer lets tokenize errors through
        if type(error).__module__ not in ("tokenize", "builtins"):
            raise
        return None
    if not math.isfinite(base) or base <= 0:
        return None
    if dimension == "[time]":
        _, best = readable(base, "s")
        return base / TIMES[best], best
    _, best = readable(base, "m")
    return base / LENGTHS[best], best


@cache
def _pint_registry():  # type: ignore[no-untyped-def]
    import pint

    return pint.UnitRegistry(cache_folder=None)

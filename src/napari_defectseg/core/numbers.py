"""How numbers are written for people: units, intervals, powers of ten, thin spaces."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

NOT_DEFINED = "—"
THIN_SPACE = "\u2009"
MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LARGEST_PLAIN, SMALLEST_PLAIN = 1e5, 1e-3
"""Columns whose values lie outside get a power of ten in their header."""
ALIKE = 0.35
"""Relative difference of the two halves of an interval that is still written with ±."""


def count(value: int) -> str:
    """Return a count, exact, with thin spaces between thousands.

    Examples
    --------
    >>> count(168)
    '168'
    """
    return _grouped(f"{int(value):d}")


def plain(value: float | None, digits: int = 3) -> str:
    """Return a number without interval: `digits` significant digits, ``—`` if undefined.

    Examples
    --------
    >>> plain(13.333), plain(0.8766), plain(float("nan"))
    ('13.3', '0.877', '—')
    """
    if value is None or not math.isfinite(value):
        return NOT_DEFINED
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(rounded)))
    if not -4 <= exponent < 7:
        return f"{fixed(rounded / 10.0**exponent, digits - 1)} × 10{superscript(exponent)}"
    return fixed(rounded, max(0, digits - 1 - exponent))


def with_unit(value: float | None, unit: str, digits: int = 3) -> str:
    """Return a number with its unit behind it.

    Examples
    --------
    >>> with_unit(13.33, "nm")
    '13.3 nm'
    """
    number = plain(value, digits)
    return number if number == NOT_DEFINED or not unit else f"{number} {unit}"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a number with its interval.

    The uncertainty has two digits if its first is 1, else one, and the value ends at the
    same place. An interval whose two halves differ much is written out, as ``2 (0 – 7)``.
    Without an interval the number has three significant digits and no ``±``.

    Examples
    --------
    >>> with_interval(12.04, 10.94, 13.14), with_interval(4.83, 3.93, 5.73)
    ('12.0 ± 1.1', '4.8 ± 0.9')
    """
    if value is None or not math.isfinite(value):
        return NOT_DEFINED
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return plain(value)
    below, above = value - low, high - value
    half = (below + above) / 2
    if half <= 0:
        return plain(value)
    places = _places_of_uncertainty(half)
    if value == 0 and low == 0:
        return f"0 (below {fixed(high, _places_of_uncertainty(high))})"
    if abs(below - above) <= ALIKE * half:
        return f"{fixed(value, places)} ± {fixed(half, places)}"
    return f"{fixed(value, places)} ({span(low, high, places)})"


def span(low: float, high: float, places: int | None = None) -> str:
    """Return a range as a person reads it.

    Examples
    --------
    >>> span(0.2, 0.6)
    '0.2 – 0.6'
    """
    if places is None:
        return f"{low:.4g} – {high:.4g}"
    return f"{fixed(low, places)} – {fixed(high, places)}"


def fixed(value: float, places: int) -> str:
    """Return `value` rounded to `places` decimals (negative: tens, hundreds, …)."""
    if places < 0:
        value, places = round(value / 10.0**-places) * 10.0**-places, 0
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    whole, point, rest = text.partition(".")
    return (_grouped(whole) + point + rest).replace("-", MINUS)


def superscript(power: int) -> str:
    """Return an exponent in raised digits.

    Examples
    --------
    >>> superscript(-3)
    '⁻³'
    """
    return str(power).translate(_SUPERSCRIPT)


def common_power(
    values: Sequence[float] | np.ndarray,
    smallest: float = SMALLEST_PLAIN,
    largest: float = LARGEST_PLAIN,
) -> int:
    """Return the power of ten that a column of values is divided by, 0 for ordinary sizes."""
    array = np.abs(np.asarray(values, float))
    array = array[np.isfinite(array) & (array > 0)]
    if not array.size:
        return 0
    top = float(array.max())
    if smallest <= top < largest:
        return 0
    return math.floor(math.log10(top))


def common_places(values: Sequence[float] | np.ndarray) -> int:
    """Return how many decimals a column needs so that its median has three digits."""
    array = np.abs(np.asarray(values, float))
    array = array[np.isfinite(array) & (array > 0)]
    if not array.size:
        return 0
    return int(min(4, max(0, 2 - math.floor(math.log10(float(np.median(array)))))))


def header(name: str, unit: str = "", power: int = 0) -> str:
    """Return a column header: ``name (unit)``, with a power of ten where one is taken out.

    Examples
    --------
    >>> header("density", "m⁻³", 21)
    'density (10²¹ m⁻³)'
    """
    parts = [f"10{superscript(power)}"] if power else []
    parts += [unit] if unit else []
    return f"{name} ({' '.join(parts)})" if parts else name


def _grouped(digits: str) -> str:
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    if len(digits) <= 3:
        return sign + digits
    head = len(digits) % 3 or 3
    parts = [digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))]
    return sign + THIN_SPACE.join(parts)


def _places_of_uncertainty(half: float) -> int:
    """Two digits if the first is 1 (after rounding: 0.96 is written 1.0), else one."""
    mantissa, exponent = f"{half:.1e}".split("e")
    if float(mantissa) < 2:
        return 1 - int(exponent)
    mantissa, exponent = f"{half:.0e}".split("e")
    return (1 if mantissa == "1" else 0) - int(exponent)

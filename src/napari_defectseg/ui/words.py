"""Numbers and times as a person reads them."""

from __future__ import annotations

import math

THIN = "\u2009"
NOT_DEFINED = "—"


def about(seconds: float) -> str:
    """Return a time to come, roughly: ``"3 min"``, never ``"2 min 47 s"``."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{_rounded(seconds)} s"
    if seconds < 90 * 60:
        return f"{_rounded(seconds / 60)} min"
    return f"{_rounded(seconds / 3600)} h"


def took(seconds: float) -> str:
    """Return a time that has passed: ``"5.8 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def count(number: int) -> str:
    """Return an exact count with a thin space between thousands."""
    return f"{number:,}".replace(",", THIN)


def objects(number: int) -> str:
    """Return ``"1 object"``, ``"168 objects"``."""
    return f"{count(number)} {'object' if number == 1 else 'objects'}"


def value(number: float | None) -> str:
    """Return a number whose doubt is not known: three significant digits, ``"—"`` for none."""
    if number is None or not math.isfinite(number):
        return NOT_DEFINED
    if number == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(float(f"{number:.3g}")))))
    return _thin(f"{number:.{places}f}" if places < 7 else f"{number:.3g}")


def measured(number: float | None, doubt: float | None) -> str:
    """Return ``"12.0 ± 1.1"``: the doubt to two digits if its first is 1, else to one."""
    if number is None or not math.isfinite(number):
        return NOT_DEFINED
    if doubt is None or not math.isfinite(doubt) or doubt <= 0:
        return value(number)
    power = math.floor(math.log10(doubt))
    digits = 2 if f"{doubt:e}"[0] == "1" else 1
    places = digits - 1 - power
    if f"{round(doubt, places):e}"[0] != f"{doubt:e}"[0] and digits == 1:
        places = 1 - math.floor(math.log10(round(doubt, places)))
    shown = max(0, places)
    return f"{_thin(f'{round(number, places):.{shown}f}')} ± {round(doubt, places):.{shown}f}"


def size(count_of_bytes: float) -> str:
    """Return bytes as ``"0.4 GB"`` or ``"48 MB"``."""
    if count_of_bytes >= 0.1e9:
        return f"{count_of_bytes / 1e9:.1f} GB"
    return f"{max(1, round(count_of_bytes / 1e6))} MB"


def _rounded(number: float) -> int:
    step = 1 if number < 10 else 5
    return max(1, step * round(number / step))


def _thin(digits: str) -> str:
    whole, dot, rest = digits.partition(".")
    return (
        f"{int(whole):,}".replace(",", THIN).replace("-", "−") + dot + rest
        if len(whole.lstrip("-")) > 3
        else digits.replace("-", "−")
    )

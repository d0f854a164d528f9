"""Times, counts and amounts as a person says them; numbers with units are in `numbers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.ui.numbers import count

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage

__all__ = ["about", "count", "counted", "objects", "size", "subject", "took"]


def about(seconds: float) -> str:
    """Return a time to come, roughly.

    Examples
    --------
    >>> about(167), about(4.2), about(0.3)
    ('3 min', '4 s', '1 s')
    """
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{_rounded(seconds)} s"
    if seconds < 90 * 60:
        return f"{_rounded(seconds / 60)} min"
    return f"{_rounded(seconds / 3600)} h"


def took(seconds: float) -> str:
    """Return a time that has passed.

    Examples
    --------
    >>> took(5.83), took(125)
    ('5.8 s', '2 min 5 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def counted(number: int, word: str) -> str:
    """Return a count and what is counted.

    Examples
    --------
    >>> counted(1, "edit"), counted(37, "edit")
    ('1 edit', '37 edits')
    """
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def objects(number: int) -> str:
    """Return ``"1 object"``, ``"168 objects"``."""
    return counted(number, "object")


def size(count_of_bytes: float) -> str:
    """Return bytes as ``"0.4 GB"`` or ``"48 MB"``."""
    if count_of_bytes >= 0.1e9:
        return f"{count_of_bytes / 1e9:.1f} GB"
    return f"{max(1, round(count_of_bytes / 1e6))} MB"


def _rounded(number: float) -> int:
    step = 1 if number < 10 else 5
    return max(1, step * round(number / step))


def subject(image: CalibratedImage | None) -> str:
    """Return what an image is called where it is predicted: image, volume or movie."""
    if image is None:
        return "image"
    if image.frames > 1:
        return "movie"
    return "volume" if "z" in image.axes else "image"

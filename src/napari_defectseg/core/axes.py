"""Axis names: one letter an axis, ``t`` time, ``c`` channel, ``z y x`` space."""

from __future__ import annotations

from napari_defectseg.core.errors import ImageError

Axes = tuple[str, ...]
"""Names of an array's axes in order, for example ``("t", "y", "x")``."""

SPATIAL: Axes = ("z", "y", "x")
KNOWN: Axes = ("t", "c", *SPATIAL)


def check(axes: Axes, ndim: int) -> Axes:
    """Return `axes` if they name an array of `ndim` dimensions.

    Raises
    ------
    ImageError
        If a name is unknown or doubled, y or x is missing, or the count is wrong.
    """
    names = tuple(axes)
    if len(names) != ndim:
        raise ImageError(
            f"{len(names)} axis names ({''.join(names)}) were given for {ndim} dimensions."
        )
    strange = [name for name in names if name not in KNOWN]
    if strange or len(set(names)) != len(names) or not {"y", "x"} <= set(names):
        raise ImageError(
            f"The axes {''.join(names)!r} are not an image's axes.",
            hint="Use each of t, c, z, y, x at most once; y and x are needed.",
        )
    return names


def spatial(axes: Axes) -> Axes:
    """Return the spatial axes in their order."""
    return tuple(name for name in axes if name in SPATIAL)


def guess(ndim: int, last: int) -> Axes:
    """Return the usual axes of a bare array: yx, zyx, tzyx; a last axis of 3 or 4 is colour.

    Parameters
    ----------
    ndim : int
        Number of dimensions, 2 to 4.
    last : int
        Length of the last axis.

    Raises
    ------
    ImageError
        For fewer than two or more than four dimensions.
    """
    if ndim == 2:
        return ("y", "x")
    if ndim == 3:
        return ("y", "x", "c") if last in (3, 4) else ("z", "y", "x")
    if ndim == 4:
        return ("z", "y", "x", "c") if last in (3, 4) else ("t", "z", "y", "x")
    raise ImageError(
        f"An array with {ndim} dimensions is not an image.",
        hint="Give 2 to 4 dimensions, or name the axes.",
    )

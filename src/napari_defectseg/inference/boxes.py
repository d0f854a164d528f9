"""Boxes of pixels: what two have in common, and what of one others do not cover."""

from __future__ import annotations

from collections.abc import Sequence

from napari_defectseg.inference.tiling import Box


def common(first: Box, second: Box) -> Box | None:
    """Return what lies in both, None if nothing does."""
    found = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return found if all(part.start < part.stop for part in found) else None


def remainder(box: Box, covered: Sequence[Box]) -> list[Box]:
    """Return disjoint boxes that make up what of a box is not covered.

    Parameters
    ----------
    box : tuple of slice
    covered : sequence of tuple of slice
        They may overlap, and reach beyond the box.
    """
    left = [box]
    for one in covered:
        left = [part for whole in left for part in _without(whole, one)]
    return left


def _without(box: Box, hole: Box) -> list[Box]:
    both = common(box, hole)
    if both is None:
        return [box]
    found, rest = [], list(box)
    for axis, (whole, part) in enumerate(zip(box, both, strict=True)):
        for start, stop in ((whole.start, part.start), (part.stop, whole.stop)):
            if start < stop:
                found.append((*rest[:axis], slice(start, stop), *rest[axis + 1 :]))
        rest[axis] = part
    return found

"""Numbers in the window are written as everywhere."""

from __future__ import annotations

from napari_defectseg.core.numbers import (
    LARGEST_PLAIN,
    MINUS,
    NOT_DEFINED,
    SMALLEST_PLAIN,
    THIN_SPACE,
    common_places,
    common_power,
    count,
    fixed,
    header,
    plain,
    span,
    superscript,
    with_interval,
    with_unit,
)

__all__ = [
    "LARGEST_PLAIN",
    "MINUS",
    "NOT_DEFINED",
    "SMALLEST_PLAIN",
    "THIN_SPACE",
    "common_places",
    "common_power",
    "count",
    "fixed",
    "header",
    "plain",
    "span",
    "superscript",
    "with_interval",
    "with_unit",
]

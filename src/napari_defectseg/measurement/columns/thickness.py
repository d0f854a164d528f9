"""How thick: local thickness, its mean and its largest."""

from __future__ import annotations

from napari_defectseg.measurement.columns.measurement import Measurement

GROUP = "thickness"

MEAN = Measurement(
    "thickness_mean",
    "length",
    "Mean over its pixels of the diameter of the largest disc (ball) within it that holds the "
    "pixel (local thickness, Hildebrand & Rüegsegger 1997), from distances to pixel centres "
    "outside. A sheet along the pixels, an odd number thick, comes out one too thick.",
    lambda objects: objects.thickness[:, 0],
    group=GROUP,
)
MAX = Measurement(
    "thickness_max",
    "length",
    "Diameter of the largest disc (ball) within it, from distances to pixel centres outside.",
    lambda objects: objects.thickness[:, 1],
    group=GROUP,
)

"""What is common to networks published for defects of steel strip (the data set NEU-Seg)."""

from __future__ import annotations

from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import Published
from napari_defectseg.models.preprocess import Normalise

MEAN = (0.49139968, 0.48215841, 0.44653091)
STD = (0.24703223, 0.24348513, 0.26158784)
"""Of red, green and blue after division by 255."""
NAMES = {4: ("inclusion", "patch", "scratch"), 2: ("crack",)}
"""Classes by the number of outputs: steel strip, road. The code does not name them; these names
follow from the order of the columns of the published table."""
CITATION = (
    "neulmc/MFF-Metal: Lightweight metal surface defect segmentation method based on multiscale "
    "feature fusion and knowledge distillation (2025)."
)


def neu_seg(
    description: str,
    in_channels: int,
    out_channels: int,
    quirks: tuple[str, ...],
    *,
    citation: str = CITATION,
    licence: str = "not stated by the authors",
) -> Published:
    """Return what the authors say about a network trained on NEU-Seg.

    Parameters
    ----------
    description : str
    in_channels, out_channels : int
        Where they are not those of the publication, what depends on them is left out.
    quirks : tuple of str
    citation, licence : str
    """
    fields: dict[str, Any] = {
        "description": description,
        "symmetries": ("flip_y", "flip_x", "rot90_yx"),
        "citation": citation,
        "licence": licence,
        "quirks": quirks,
    }
    if in_channels == 3:
        fields["preprocessing"] = (
            Normalise(method="divide", scope="constant"),
            Normalise(method="zscore", scope="constant", low=MEAN, high=STD),
        )
    if out_channels in NAMES:
        fields |= {
            "classes": ClassMap.of(NAMES[out_channels]),
            "task": "exclusive",
            "activation": "softmax",
            "has_background": True,
        }
    return Published(fields, guesses=("classes",) if "classes" in fields else ())

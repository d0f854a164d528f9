"""What AM-SegNet and the networks it was compared with have in common on a card."""

from __future__ import annotations

from typing import Any

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.models.architecture import Published

CLASSES = ClassMap(
    (
        DefectClass(1, "keyhole", "#541352"),
        DefectClass(2, "pore", "#d62728", "hatch //"),
        DefectClass(3, "substrate", "#2f9aa0", "dots"),
        DefectClass(4, "background", "#10a53d", "horizontal lines"),
        DefectClass(5, "powder", "#ffcf20", "vertical lines"),
    )
)
"""The published list and colours by index; that the list is in the order of the outputs is a
guess, supported by pores that are red in a published movie."""


def about_radiographs(name: str, outputs: int) -> Published:
    """Return what the authors say about a network for their radiographs.

    Parameters
    ----------
    name : str
        Of the network.
    outputs : int
        Number of classes; the published ones are five.
    """
    quirks = [
        "Grey values 0 … 255 go in as they are: scale images of 16 bits to that range first.",
        "Made for frames of 256 × 512 px whose background is bright and flat-field-corrected.",
    ]
    fields: dict[str, Any] = {
        "description": f"{name}: keyhole, pores and phases in X-ray movies of laser melting.",
        "preprocessing": (),
        "symmetries": ("flip_x",),
        "citation": "W. Li et al., Virtual and Physical Prototyping 19 (2024) e2325572",
        "licence": "none stated by the authors",
    }
    if outputs == len(CLASSES):
        fields |= {
            "classes": CLASSES,
            "task": "exclusive",
            "activation": "softmax",
            "has_background": False,
        }
        quirks.append(
            "Which output is which of the five classes is a guess; every pixel has one of them."
        )
    fields["quirks"] = tuple(quirks)
    return Published(fields, guesses=("symmetries", *(("classes",) if "classes" in fields else ())))

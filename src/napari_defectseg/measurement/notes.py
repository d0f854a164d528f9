"""What a person should know before using the numbers of a population."""

from __future__ import annotations

import numpy as np

from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.intervals import FEW_FIELDS
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.settings import WINDOWED
from napari_defectseg.measurement.table import RegionTable


def notes_of(table: RegionTable, region: Region) -> list[str]:
    """Return the notes of a table: its own, intervals, border rule, frames, fields."""
    return [*table.warnings, _intervals(region), *_border(table, region), *_frames(region)]


def foil_notes(foil: Foil) -> list[str]:
    """Return the notes of numbers per foil volume."""
    notes = [
        (
            f"number_density_foil is N/(A t) with t = {foil.thickness}: objects cut by the foil's "
            "surfaces are counted whole, so it is too high by about the factor 1 + d/t; "
            "number_density_foil_corrected counts each over t + d."
        )
    ]
    if foil.zone is not None and foil.zone.value:
        notes[0] = (
            f"number_density_foil is N/(A t) with t = {foil.thickness}; the corrected one takes "
            f"{foil.zone} at each surface as empty."
        )
    if foil.visible < 1:
        notes.append(
            f"Corrected numbers per volume are divided by the visible share {foil.visible:.3g}."
        )
    if foil.thickness.sigma:
        share = 100 * foil.thickness.sigma / foil.thickness.value
        notes.append(f"The thickness adds {share:.2g} % to its error, which the interval lacks.")
    notes.append(
        "Swelling is f/(1 - f) of balls with the diameters seen, and holds where the objects are "
        "voids; swelling_edge_range moves the edge by half a pixel."
    )
    return notes


def _intervals(region: Region) -> str:
    if len(region.fields) > 1:
        few = ", which are few" if len(region.fields) < FEW_FIELDS else ""
        return (
            f"Intervals are 95 %, with the {len(region.fields)} images as units{few}, and never "
            "narrower than counting alone; images of one specimen say nothing about others."
        )
    return (
        "Intervals are 95 %, with objects as units in one image, and hold if objects lie at "
        "random; the scatter from field to field needs several images."
    )


def _border(table: RegionTable, region: Region) -> list[str]:
    cut = sum(region.border_objects.values())
    if region.border in WINDOWED:
        rule = "the counting frame" if region.border == "frame" else "Miles–Lantuéjoul weights"
        return [
            (
                f"Border rule: {rule}, {cut} objects at the border left out; sizes are those of "
                "whole objects, weighted by the room that they have to lie in."
            )
        ]
    if region.border == "exclude" and cut:
        return [
            (
                f"{cut} objects at the border are left out: number densities are too low, and "
                "large objects are missing more often than small ones."
            )
        ]
    if "touches_border" in table and np.any(table["touches_border"]):
        touching = int(np.count_nonzero(table["touches_border"]))
        return [
            (
                f"{touching} of {len(table)} objects touch the border and are counted: number "
                "densities are too high by about half of them, and their sizes are too small."
            )
        ]
    return []


def _frames(region: Region) -> list[str]:
    if region.frames <= region.images:
        return []
    return [
        (
            "Objects are counted in every frame; frames of one movie are not independent, so "
            "intervals are too narrow."
        )
    ]

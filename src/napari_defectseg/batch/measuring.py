"""How an image is measured after its prediction: settings that fit it, thickness of the foil."""

from __future__ import annotations

from dataclasses import replace

from napari_defectseg.core.units import Quantity
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.results.recipe import Recipe

COLOURS = (1, 3, 4)
"""Numbers of channels that have grey values: one, or colours."""
Notes = tuple[str, ...]


def measure_settings(image: CalibratedImage, recipe: Recipe) -> tuple[MeasureSettings, Notes]:
    """Return how an image is measured, and what of the recipe does not fit it."""
    measure = recipe.measure
    if not measure.intensity or image.channels in COLOURS:
        return measure, ()
    note = (
        f"{image.name} has {image.channels} channels, which are no colours: "
        "grey values were not measured."
    )
    return replace(measure, intensity=False), (note,)


def foil_thickness(image: CalibratedImage) -> tuple[Quantity | None, Notes]:
    """Return the foil thickness where it means something, and else why it was not used."""
    stated = image.acquisition.thickness
    if stated is None:
        return None, ()
    if len(image.spatial_axes) != 2:
        return None, (f"{image.name} is a volume, so the foil thickness was not used.",)
    if not image.calibration.calibrated:
        note = f"{image.name} has no pixel size, so the foil thickness was not used."
        return None, (note,)
    return stated, ()

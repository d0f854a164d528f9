"""Steel surfaces, light-optical: inclusions, patches and scratches."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.steel import Lay, illumination, photographed, reflectivity
from napari_defectseg.phantoms.surface_marks import (
    INCLUSION,
    PATCH,
    SCRATCH,
    Sheet,
    add_inclusions,
    add_patches,
    add_scratches,
)
from napari_defectseg.phantoms.surface_settings import SurfaceSettings
from napari_defectseg.phantoms.truth import Truth

CLASSES = ClassMap.of(["inclusion", "patch", "scratch"])
ON_TOP = (SCRATCH, INCLUSION, PATCH)
"""Which class keeps a pixel where several lie on it."""
FIELD = 512 * 512
"""Pixels of the field that the settings' counts refer to."""


def surface(
    settings: SurfaceSettings, *, seed: int = 0, shape: tuple[int, int] = (512, 512)
) -> Phantom:
    """Return a synthetic photograph of a steel surface with truth.

    Parameters
    ----------
    settings : SurfaceSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int)
        Rows and columns.
    """
    rng = np.random.default_rng(seed)
    pixel = log_between(settings.pixel_size, rng)
    lay = Lay.drawn(shape, settings, rng)
    grey = reflectivity(shape, lay, between(settings.texture, rng), rng)
    truth = Truth(Grid(shape, (pixel, pixel)), CLASSES, ON_TOP)
    sheet = Sheet(truth, grey, np.zeros(shape), lay)
    share = shape[0] * shape[1] / FIELD
    add_patches(sheet, how_many(settings.patches, share, rng), settings, rng)
    add_inclusions(sheet, how_many(settings.inclusions, share, rng), settings, rng)
    add_scratches(sheet, how_many(settings.scratches, share, rng), settings, rng)
    light = illumination(shape, lay, settings, rng)
    mask, instances, objects = truth.resolve()
    return Phantom(
        CalibratedImage(
            photographed(sheet.grey * light, sheet.rust, settings, rng),
            ("y", "x", "c") if settings.colour else ("y", "x"),
            Calibration.of((pixel, pixel), "µm", "phantom: exact"),
            f"surface-{seed}",
        ),
        mask,
        instances,
        objects,
        CLASSES,
        "surface",
        seed,
        facts={
            "rolling_direction": lay.direction,
            "curvature_per_px": lay.curvature,
            "pixel_size_um": pixel,
        },
    )

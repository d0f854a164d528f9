"""Bright-field transmission micrographs with voids, precipitates, loops and lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms import defects, optics
from napari_defectseg.phantoms.defects import Scene
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.foil import bent_foil
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.scenes import (
    LINE,
    LOOP,
    PRECIPITATE,
    SCENES,
    VARIED,
    VOID,
    MicrographSettings,
)
from napari_defectseg.phantoms.truth import Truth

Array = np.ndarray[Any, Any]
ON_TOP = (VOID, PRECIPITATE, LOOP, LINE)
"""Which class keeps a pixel where several lie on it in an exclusive mask."""
FIELD = 512 * 512
"""Pixels of the field that the settings' counts refer to."""


def scene_settings(scene: str, seed: int) -> MicrographSettings:
    """Return the settings of a named scene; ``"varied"`` draws one of `VARIED` by the seed.

    Raises
    ------
    KeyError
        If there is no such scene.
    """
    if scene != "varied":
        return SCENES[scene]
    names, shares = zip(*VARIED, strict=True)
    # Its own stream, so that a scene looks the same whether it was named or drawn.
    rng = np.random.default_rng([seed, 7])
    return SCENES[str(rng.choice(names, p=shares))]


def micrograph(
    settings: MicrographSettings, *, seed: int = 0, shape: tuple[int, int] = (512, 512)
) -> Phantom:
    """Return a synthetic micrograph with truth.

    Parameters
    ----------
    settings : MicrographSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int)
        Rows and columns.
    """
    rng = np.random.default_rng(seed)
    pixel = log_between(settings.pixel_size, rng)
    grid = Grid(shape, (pixel, pixel))
    scene = Scene.empty(grid, Truth(grid, settings.classes, ON_TOP), settings.labelled)
    foil = bent_foil(shape, pixel, between(settings.bending, rng), rng)
    counts = _populate(scene, settings, rng)
    image = foil.bright_field(scene.missing) * scene.factor
    image = image / max(float(np.mean(image)), 1e-9)
    defocus = between(settings.defocus, rng)
    phase = -defects.PHASE_PER_NM * scene.missing
    image = image * np.maximum(1 + optics.fresnel(phase, pixel, defocus, pixel + 0.2), 0.1)
    image = image * _clouds(shape, settings, rng)
    levels = _recorded(image, settings, rng)
    mask, instances, objects = scene.truth.resolve()
    calibration = Calibration.of((pixel, pixel), "nm", "phantom: exact")
    return Phantom(
        CalibratedImage(levels, ("y", "x"), calibration, f"micrograph-{seed}"),
        mask,
        instances,
        objects,
        settings.classes,
        "micrograph",
        seed,
        facts={"defocus_nm": defocus, "pixel_size_nm": pixel, "drawn": counts},
    )


def _populate(
    scene: Scene, settings: MicrographSettings, rng: np.random.Generator
) -> Mapping[str, int]:
    share = scene.grid.shape[0] * scene.grid.shape[1] / FIELD
    counts = {
        name: how_many(getattr(settings, name), share, rng)
        for name in ("specks", "lines", "loops", "precipitates", "voids")
    }
    defects.add_specks(scene, counts["specks"], settings, rng)
    lines = defects.add_lines(scene, counts["lines"], settings, rng)
    defects.add_loops(scene, counts["loops"], lines, settings, rng)
    defects.add_precipitates(scene, counts["precipitates"], settings, rng)
    defects.add_voids(scene, counts["voids"], settings, rng)
    return counts


def _clouds(
    shape: tuple[int, int], settings: MicrographSettings, rng: np.random.Generator
) -> Array:
    """Return the slow and cloudy background as a factor about 1."""
    strength = between(settings.clouds, rng)
    angle = rng.uniform(0, np.pi)
    size = float(rng.uniform(12, 60))
    long = size * rng.uniform(1, 3)
    fine = optics.turned_field(shape, rng, (long, size), angle, slope=rng.uniform(2.2, 3.6))
    slow = optics.random_field(shape, rng, max(shape) / rng.uniform(2, 6))
    return np.asarray(np.exp(strength * (0.8 * fine + 0.6 * slow)))


def _recorded(image: Array, settings: MicrographSettings, rng: np.random.Generator) -> Array:
    """Return grey levels: lens, illumination, shot noise, detector, contrast stretch."""
    shape = image.shape[0], image.shape[1]
    image = optics.blurred(image, between(settings.blur, rng))
    image = image * optics.vignette(shape, rng, between(settings.vignetting, rng))
    image = optics.recorded(
        image,
        rng,
        dose=log_between(settings.dose, rng),
        spread=between(settings.detector, rng),
        enlargement=between(settings.enlargement, rng),
    )
    middle, spread = between(settings.brightness, rng), between(settings.stretch, rng)
    # The stretch of an operator: mean and spread of the grey levels, extremes clipped.
    scale = max(float(image.std()), 0.01) / spread
    low = float(image.mean()) - middle * scale
    return optics.grey_levels(image, low, low + scale, settings.bits)

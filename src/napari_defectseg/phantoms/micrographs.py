"""Bright-field transmission micrographs with voids, precipitates, loops and lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms import defects, loops, optics
from napari_defectseg.phantoms.background import background
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.foil import Foil, bent_foil
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.marks import DISTRACTOR, Mark, Scene, composed
from napari_defectseg.phantoms.optics import Camera
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.scenes import (
    CLASSES,
    LINE,
    LOOP,
    PRECIPITATE,
    SCENES,
    VARIED,
    VOID,
    MicrographSettings,
)
from napari_defectseg.phantoms.truth import Truth
from napari_defectseg.phantoms.visibility import visible

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
    foil = bent_foil(shape, pixel, between(settings.bending, rng), rng)
    marks = _marks(grid, settings, rng)
    camera = Camera(
        between(settings.blur, rng),
        log_between(settings.dose, rng),
        between(settings.detector, rng),
        between(settings.enlargement, rng),
    )
    light = background(shape, settings, rng)
    light = light * optics.vignette(shape, rng, between(settings.vignetting, rng))
    view = View(grid, foil, light, between(settings.defocus, rng), camera)
    drawn = visible(marks, grid, view.clean, camera, settings.visibility)
    levels = _developed(camera.record(view.clean(drawn), rng), settings, rng)
    mask, instances, objects = _truth(grid, drawn, settings).resolve()
    return Phantom(
        CalibratedImage(
            levels,
            ("y", "x"),
            Calibration.of((pixel, pixel), "nm", "phantom: exact"),
            f"micrograph-{seed}",
            acquisition=_acquisition(view),
        ),
        mask,
        instances,
        objects,
        settings.classes,
        "micrograph",
        seed,
        facts={
            "defocus_nm": view.defocus,
            "thickness_nm": float(foil.thickness.mean()),
            "pixel_size_nm": pixel,
            "drawn": _counted(drawn),
            "too_faint": {k: n - _counted(drawn)[k] for k, n in _counted(marks).items()},
        },
    )


@dataclass(frozen=True)
class View:
    """Foil, light (background and illumination, about 1), defocus (nm) and camera of a picture."""

    grid: Grid
    foil: Foil
    light: Array
    defocus: float
    camera: Camera

    def clean(self, marks: Iterable[Mark]) -> Array:
        """Return the picture of these marks before it is recorded, without noise."""
        pixel = self.grid.spacing[0]
        factor, missing = composed(self.grid, marks)
        image = self.foil.bright_field(missing) * factor
        image = image / max(float(np.mean(self.foil.bright_field())), 1e-9)
        if missing.any():
            phase = -defects.PHASE_PER_NM * missing
            change = optics.fresnel(phase, pixel, self.defocus, pixel + 0.2)
            image = image * np.maximum(1 + change, 0.1)
        return optics.blurred(image * self.light, self.camera.blur)


def _acquisition(view: View) -> Acquisition:
    """Return the conditions; ± of the thickness is its standard deviation over the field."""
    thickness = view.foil.thickness
    return Acquisition(
        thickness=Quantity(float(thickness.mean()), "nm", float(thickness.std())),
        thickness_method="phantom: exact mean over the field",
        defocus=Quantity(view.defocus, "nm"),
    )


def _marks(grid: Grid, settings: MicrographSettings, rng: np.random.Generator) -> list[Mark]:
    """Return defects and distractors, the later ones drawn over the earlier."""
    share = grid.shape[0] * grid.shape[1] / FIELD
    counts = {
        name: how_many(getattr(settings, name), share, rng)
        for name in ("specks", "lines", "loops", "precipitates", "voids")
    }
    scene = Scene(grid)
    defects.add_specks(scene, counts["specks"], rng)
    lines = defects.add_lines(scene, counts["lines"], settings, rng)
    loops.add_loops(scene, counts["loops"], lines, settings, rng)
    defects.add_precipitates(scene, counts["precipitates"], settings, rng)
    defects.add_voids(scene, counts["voids"], settings, rng)
    return scene.marks


def _truth(grid: Grid, marks: Iterable[Mark], settings: MicrographSettings) -> Truth:
    truth = Truth(grid, settings.classes, ON_TOP)
    for mark in marks:
        if mark.value != DISTRACTOR and CLASSES.by_value(mark.value).name in settings.labelled:
            truth.add(mark.shape, mark.value, mark.extras)
    return truth


def _counted(marks: Sequence[Mark]) -> dict[str, int]:
    """Return how many defects of each class there are."""
    counts = Counter(mark.value for mark in marks)
    return {item.name: counts[item.value] for item in CLASSES}


def _developed(image: Array, settings: MicrographSettings, rng: np.random.Generator) -> Array:
    """Return grey levels after an operator's stretch: mean and spread set, extremes clipped."""
    middle, spread = between(settings.brightness, rng), between(settings.stretch, rng)
    scale = max(float(image.std()), 0.01) / spread
    low = float(image.mean()) - middle * scale
    return optics.grey_levels(image, low, low + scale, settings.bits)

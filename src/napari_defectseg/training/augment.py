"""Changes that leave a picture true: symmetries of the physics, magnification, intensity."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.training.plan import TrainingPlan

Array = np.ndarray[Any, Any]


def augment(
    image: Array, target: Array, plan: TrainingPlan, rng: np.random.Generator, *, square: bool
) -> tuple[Array, Array]:
    """Return a picture and its target, changed alike.

    Parameters
    ----------
    image : ndarray of float32, shape (channel, *spatial)
        Normalised.
    target : ndarray of uint8
        Spatial shape, or with classes in front.
    plan : TrainingPlan
        Which symmetries, how strong.
    rng : numpy.random.Generator
        Source of all chance.
    square : bool
        Whether quarter turns of the y-x plane are allowed.

    Returns
    -------
    tuple of ndarray
        Of the same shapes.
    """
    image, target = mirror_and_turn(image, target, plan, rng, square=square)
    return change_intensity(image, plan, rng), np.ascontiguousarray(target)


def mirror_and_turn(
    image: Array, target: Array, plan: TrainingPlan, rng: np.random.Generator, *, square: bool
) -> tuple[Array, Array]:
    """Return both after a random one of the plan's symmetries."""
    for name, axis in (("flip_z", -3), ("flip_y", -2), ("flip_x", -1)):
        if name in plan.symmetries and plan.dims >= -axis and rng.random() < 0.5:
            image, target = np.flip(image, axis), np.flip(target, axis)
    if "rot90_yx" in plan.symmetries and square and image.shape[-1] == image.shape[-2]:
        turns = int(rng.integers(4))
        image, target = np.rot90(image, turns, (-2, -1)), np.rot90(target, turns, (-2, -1))
    return image, target


def change_intensity(image: Array, plan: TrainingPlan, rng: np.random.Generator) -> Array:
    """Return the picture with other contrast, brightness, gamma, sharpness and noise.

    A Gaussian blur and noise are applied to half of the pictures each; noise after blur,
    as in a camera.
    """
    changed = np.asarray(image, np.float32)
    if plan.gamma:
        changed = _gamma(changed, float(np.exp(rng.uniform(-plan.gamma, plan.gamma))))
    gain = float(np.exp(rng.uniform(-plan.gain, plan.gain)))
    changed = changed * np.float32(gain) + np.float32(rng.uniform(-plan.offset, plan.offset))
    if plan.blur and rng.random() < 0.5:
        sigma = float(rng.uniform(0, plan.blur))
        changed = ndimage.gaussian_filter(changed, (0, *(sigma,) * (changed.ndim - 1)))
    if plan.noise and rng.random() < 0.5:
        strength = np.float32(rng.uniform(0, plan.noise))
        changed = changed + strength * rng.standard_normal(changed.shape, np.float32)
    return np.ascontiguousarray(changed, np.float32)


def _gamma(image: Array, gamma: float) -> Array:
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return image
    unit = (image - low) / (high - low)
    curved: Array = unit**gamma * (high - low) + low
    return curved.astype(np.float32)


def zoomed(image: Array, target: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return both resampled to `shape`: the picture linearly, the target by nearest pixel."""
    if image.shape[1:] == shape:
        return image, target
    factors = [want / have for want, have in zip(shape, image.shape[1:], strict=True)]
    picture = ndimage.zoom(image, (1, *factors), order=1, mode="nearest", grid_mode=True)
    lead = (1,) * (target.ndim - len(shape))
    truth = ndimage.zoom(
        target, (*lead, *factors), order=0, mode="grid-constant", grid_mode=True, cval=UNLABELLED
    )
    return picture, truth

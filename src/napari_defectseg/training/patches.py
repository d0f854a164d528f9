"""Patches cut at random from examples, more often where objects are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.training.augment import augment, zoomed
from napari_defectseg.training.example import Example, pad_to
from napari_defectseg.training.plan import TrainingPlan

Array = np.ndarray[Any, Any]


class PatchSampler:
    """Draws augmented batches from examples.

    Every draw depends only on the plan's seed and the step's number, so a run can be repeated.

    Parameters
    ----------
    examples : sequence of Example
        Each is drawn from in proportion to its labelled pixels.
    plan : TrainingPlan

    Raises
    ------
    TrainingError
        If there are no examples.
    """

    def __init__(self, examples: Sequence[Example], plan: TrainingPlan) -> None:
        if not examples:
            raise TrainingError("There are no images to train on.")
        self.plan = plan
        largest = [int(np.ceil(n * (1 + plan.zoom))) for n in plan.patch]
        if plan.whole:
            examples = [shrunk(example, plan.patch) for example in examples]
        self.examples = [pad_to(example, largest) for example in examples]
        self._foreground = [example.foreground() for example in self.examples]
        known = [e.weight * float((e.target != UNLABELLED).sum()) for e in examples]
        if not sum(known):
            raise TrainingError("None of the training images has a labelled pixel.")
        self._shares = np.cumsum(known) / sum(known)

    def batch(self, step: int) -> tuple[Array, Array]:
        """Return the batch of a step.

        Returns
        -------
        images : ndarray of float32, shape (batch, channel, *patch)
        targets : ndarray of int64 or uint8, shape (batch, [class,] *patch)
        """
        pairs = [self.patch(step * self.plan.batch + n) for n in range(self.plan.batch)]
        return np.stack([image for image, _ in pairs]), np.stack([target for _, target in pairs])

    def patch(self, number: int) -> tuple[Array, Array]:
        """Return the patch of a running number, augmented."""
        rng = np.random.default_rng([self.plan.seed, number])
        index = int(np.searchsorted(self._shares, rng.random(), side="right"))
        example = self.examples[index]
        size = self._zoomed_size(rng)
        corner = self._corner(index, size, rng)
        cut: tuple[Any, ...] = (
            ...,
            *(slice(a, a + n) for a, n in zip(corner, size, strict=True)),
        )
        image, target = zoomed(example.image[cut], example.target[cut], self.plan.patch)
        if self.plan.scaling == "patch":
            image = zscored(image)
        return augment(image, target, self.plan, rng, square=example.square)

    def _zoomed_size(self, rng: np.random.Generator) -> tuple[int, ...]:
        factor = float(np.exp(rng.uniform(-self.plan.zoom, self.plan.zoom)))
        factor = min(factor, 1 + self.plan.zoom)
        return tuple(max(4, round(n * factor)) for n in self.plan.patch)

    def _corner(
        self, index: int, size: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, ...]:
        shape = self.examples[index].spatial_shape
        if self.plan.lattice:
            return self._on_lattice(shape, size, rng)
        classes = self._foreground[index]
        if classes and rng.random() < self.plan.foreground_share:
            # Class first, then pixel: small voids are met as often as large precipitates.
            places = classes[int(rng.integers(len(classes)))]
            centre = np.unravel_index(int(places[rng.integers(places.size)]), shape)
            shifted = [
                int(c) - n // 2 + int(rng.integers(-n // 4, n // 4 + 1))
                for c, n in zip(centre, size, strict=True)
            ]
        else:
            shifted = [int(rng.integers(0, s - n + 1)) for s, n in zip(shape, size, strict=True)]
        return tuple(
            int(np.clip(a, 0, s - n)) for a, s, n in zip(shifted, shape, size, strict=True)
        )

    def _on_lattice(
        self, shape: tuple[int, ...], size: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, ...]:
        """Return one of the evenly spaced corners; axes before y and x begin at 0."""
        places = [0] * (len(shape) - 2) + [int(n) for n in rng.integers(0, self.plan.lattice, 2)]
        steps = max(1, self.plan.lattice - 1)
        return tuple(
            round(place * (s - n) / steps) if s > n else 0
            for place, s, n in zip(places, shape, size, strict=True)
        )


def shrunk(example: Example, shape: tuple[int, ...]) -> Example:
    """Return a whole example at another size."""
    image, target = zoomed(example.image, example.target, shape)
    return replace(example, image=image.astype(np.float32), target=target)


def zscored(image: Array) -> Array:
    """Return a patch with mean 0 and standard deviation 1 (divided by N) a channel."""
    axes = tuple(range(1, image.ndim))
    centre, spread = image.mean(axes, keepdims=True), image.std(axes, keepdims=True)
    found: Array = ((image - centre) / np.maximum(spread, 1e-12)).astype(np.float32)
    return found

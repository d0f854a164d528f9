"""`Job`: an image and a model that fit together, and how the work is cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.channels import ChannelPlan
from napari_defectseg.inference.devices import DeviceChoice, choose
from napari_defectseg.inference.layout import Layout
from napari_defectseg.inference.memory import bytes_per_pixel, default_budget
from napari_defectseg.inference.scale import scale_of
from napari_defectseg.inference.segments import plan_segments
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import TilePlan, TilingSettings, plan_tiles
from napari_defectseg.models.model import Model, TorchModel

HOLES = 2
"""Kept memory grows up to 1.8 times of what a pass needs (measured in 3D)."""


@dataclass(frozen=True)
class Job:
    """Everything that is decided before the first tile.

    Parameters
    ----------
    model : TorchModel
    image : CalibratedImage
    settings : PredictSettings
    layout : Layout
    plan : TilePlan
        Of each plane or volume.
    device : DeviceChoice
    budget : int
        Bytes that one pass may need.
    bytes_per_pixel : float
        What one pass needs for each pixel it sees.
    warnings : tuple of str
    """

    model: TorchModel
    image: CalibratedImage
    settings: PredictSettings
    layout: Layout
    plan: TilePlan
    device: DeviceChoice
    budget: int
    bytes_per_pixel: float
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Number of passes of the network."""
        return self.layout.count * len(self.plan)

    @property
    def one_pass(self) -> int:
        """Bytes that the largest tile needs, or all of them where they go together."""
        together = self.model.card.batch_norm == "image"
        pixels = self.plan.work if together else math.prod(self.plan.largest)
        return math.ceil(self.bytes_per_pixel * pixels)

    @property
    def keeps(self) -> bool:
        """Whether memory may be kept between layers and tiles: that leaves holes in it."""
        return HOLES * self.one_pass <= self.budget

    @property
    def scores_shape(self) -> tuple[int, ...]:
        """Shape of the scores, channels in front."""
        return (self.model.card.score_channels, *self.image.label_shape)

    def resolved(self, engine: str, threads: int) -> dict[str, Any]:
        """Return the plan as plain JSON values; the same plan gives the same bits."""
        return {
            "engine": engine,
            "device": self.device.name,
            "threads": threads,
            "dtype": "float32",
            "passes": self.total,
            "channels": self.layout.channels.how,
            **self.layout.told,
            **self.plan.as_dict(),
        }


def prepare(model: Model, image: CalibratedImage, settings: PredictSettings) -> Job:
    """Return the work of predicting `image`; imports torch and builds the network.

    Raises
    ------
    ImageError
        If the image does not fit the model.
    ModelError
        If the model cannot be run.
    DeviceError
        If the device or the memory is not there.
    """
    if not isinstance(model, TorchModel):
        raise ModelError(f"{model.card.name} cannot be run by the engines of this program.")
    card = model.card
    channels = ChannelPlan.of(image.name, image.channels, card.in_channels, settings.channel)
    layout = Layout.of(image, card.dims, channels)
    scale = scale_of(card, image, settings.pixel_policy, layout.seen)
    layout = layout.on(scale.resampling)
    device = choose(settings.device)
    budget = settings.memory or default_budget()
    each = bytes_per_pixel(model.network(), card.dims, card.in_channels, card.grid)
    limits = TilingSettings(budget, each, settings.tile)
    if card.batch_norm == "image":
        plan = plan_segments(layout.shape, card.grid, card.segment, limits)
    else:
        plan = plan_tiles(layout.shape, card.grid, layout.widened(card.halo, card.grid), limits)
    warnings = tuple(s for s in (channels.sentence, scale.sentence) if s)
    return Job(model, image, settings, layout, plan, device, budget, each, warnings)

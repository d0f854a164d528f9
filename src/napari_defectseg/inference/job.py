"""`Job`: an image and a model that fit together, and how the work is cut."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.core.units import ratio
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.channels import ChannelPlan
from napari_defectseg.inference.devices import DeviceChoice, choose, wanted_devices
from napari_defectseg.inference.flips import Turn, doubt_about, turns_of
from napari_defectseg.inference.layout import Layout
from napari_defectseg.inference.memory import bytes_per_pixel, default_budget
from napari_defectseg.inference.patches import WindowPlan, plan_windows
from napari_defectseg.inference.region import Region
from napari_defectseg.inference.scale import scale_of
from napari_defectseg.inference.segments import plan_segments
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.shared import SharedModel
from napari_defectseg.inference.tiling import (
    Box,
    TilePlan,
    TilingSettings,
    plan_fixed_tiles,
    plan_tiles,
)
from napari_defectseg.inference.ways import EXACT, Way, exact_way
from napari_defectseg.models.arraymodel import ArrayModel, OpenedModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.runtime import GRAPHICS

if TYPE_CHECKING:
    from napari_defectseg.inference.agreement import Agreement

HOLES = 2.0
"""Kept memory grows up to 1.8 times of what a pass needs (measured in 3D)."""
HOLES_WHOLE = 1.55
"""The same where every pass has the same lengths: up to 1.51 times."""
SAME = 1e-6
"""Pixel sizes that differ by less, relative to their size, are one."""
GUESSED = 1536.0
"""Bytes a pixel that a network takes whose layers only its runtime knows: six copies of 64
channels. Where it is too little, the tiles become smaller and that is said."""


@dataclass(frozen=True)
class Job:
    """Everything that is decided before the first tile.

    Parameters
    ----------
    model : TorchModel or ArrayModel
    image : CalibratedImage
    settings : PredictSettings
    layout : Layout
    plan : TilePlan or WindowPlan
        Of each plane or volume.
    device : DeviceChoice
    budget : int
        Bytes that one pass may need.
    bytes_per_pixel : float
        What one pass needs for each pixel it sees.
    warnings : tuple of str
    turns : tuple of Turn
        The ways in which each tile is laid down; their mean is taken.
    others : tuple of DeviceChoice
        Devices that share the tiles with `device`.
    lighter : tuple of str
        What there was no memory for, each time the work was made lighter; see `recover`.
    first : TilePlan or WindowPlan or None
        The plan before tiles were made smaller; None: this one.
    way : Way
        What computes, and in which numbers.
    agreement : Agreement or None
        How far that way lies from the exact one on this image, where it is another.
    """

    model: OpenedModel
    image: CalibratedImage
    settings: PredictSettings
    layout: Layout
    plan: TilePlan | WindowPlan
    device: DeviceChoice
    budget: int
    bytes_per_pixel: float
    warnings: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    others: tuple[DeviceChoice, ...] = ()
    lighter: tuple[str, ...] = ()
    first: TilePlan | WindowPlan | None = None
    way: Way = EXACT
    agreement: Agreement | None = None

    def by(self, way: Way) -> Job:
        """Return the same work, computed another way."""
        return replace(self, way=way)

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
        holes = HOLES_WHOLE if len(self.plan) == 1 else HOLES
        return holes * self.one_pass <= self.budget

    @property
    def device_names(self) -> list[str]:
        """All devices that compute."""
        return [self.device.name, *(other.name for other in self.others)]

    @property
    def scores_shape(self) -> tuple[int, ...]:
        """Shape of the scores, channels in front."""
        wanted = (part.stop - part.start for part in self.layout.wanted)
        return (self.model.card.score_channels, *wanted)

    def resolved(self, engine: str, threads: int) -> dict[str, Any]:
        """Return the plan as plain JSON values; the same plan gives the same bits."""
        return {
            "engine": engine,
            "device": self.device.name,
            "threads": threads,
            "dtype": self.way.dtype,
            **({"error": self.agreement.as_dict()} if self.agreement else {}),
            "memory": self.budget,
            "passes": self.total,
            "channels": self.layout.channels.how,
            **self.layout.told,
            **({"devices": self.device_names} if self.others else {}),
            **({"turns": len(self.turns)} if len(self.turns) > 1 else {}),
            **({"slices": self.layout.slices} if self.layout.slices > 1 else {}),
            **self.plan.as_dict(),
            **(self.model.told if isinstance(self.model, SharedModel) else {}),
        }


def prepare(
    model: Model, image: CalibratedImage, settings: PredictSettings, *, square: bool = False
) -> Job:
    """Return the work of predicting `image`; builds the network of a `TorchModel`.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
    settings : PredictSettings
    square : bool
        Whether the network sees planes across the slices of a volume, see `scale_of`.

    Raises
    ------
    ImageError
        If the image does not fit the model.
    ModelError
        If the model cannot be run.
    DeviceError
        If the device or the memory is not there.
    """
    if not isinstance(model, TorchModel | ArrayModel):
        raise ModelError(f"{model.card.name} cannot be run by the engines of this program.")
    card = model.card
    wanted = card.in_channels // card.slices
    channels = ChannelPlan.of(image.name, image.channels, wanted, settings.channel)
    layout = Layout.of(image, card.dims, channels, card.slices)
    scale = scale_of(card, image, settings.pixel_policy, layout.seen, square=square)
    layout = replace(layout.on(scale.resampling), region=_region(image, settings))
    device, *others = [_device(model, name) for name in wanted_devices(settings)]
    alone = _why_alone(model, device) if others else ""
    budget = settings.memory or default_budget()
    each = _bytes_per_pixel(model)
    plan = _plan(card, layout, TilingSettings(budget, each, settings.tile))
    said = (
        channels.sentence,
        scale.sentence,
        spacing_warning(card, image),
        alone_warning(card, layout),
        doubt_about(card, settings.flips),
        alone,
        Region.parse(settings.region).sentence(image) if settings.region else "",
    )
    warnings = tuple(s for s in said if s)
    return Job(
        model=model,
        image=image,
        settings=settings,
        layout=layout,
        plan=plan,
        device=device,
        budget=budget,
        bytes_per_pixel=each,
        warnings=warnings,
        turns=turns_of(card, settings.flips),
        others=() if alone else tuple(others),
        way=exact_way(model),
    )


def on_region(job: Job, box: Box) -> Job:
    """Return the work of a part of the image alone, planned anew.

    Parameters
    ----------
    job : Job
    box : tuple of slice
        Along the label axes of the image.
    """
    layout = replace(job.layout, region=box)
    limits = TilingSettings(job.budget, job.bytes_per_pixel, job.settings.tile)
    return replace(job, layout=layout, plan=_plan(job.model.card, layout, limits))


def _region(image: CalibratedImage, settings: PredictSettings) -> Box | None:
    return Region.parse(settings.region).box(image) if settings.region else None


def _plan(card: ModelCard, layout: Layout, limits: TilingSettings) -> TilePlan | WindowPlan:
    if card.windows is not None:
        channels = card.in_channels + card.score_channels
        spacing = spacing_for(card, layout.image)
        return plan_windows(layout.shape, card.windows, spacing, channels, limits)
    if card.batch_norm == "image":
        return plan_segments(layout.shape, card.grid, card.segment, limits)
    if card.tile is not None:
        box = layout.seen_region
        return plan_fixed_tiles(layout.shape, card.grid, card.halo, card.tile, limits, box)
    halo = layout.widened(card.halo, card.grid)
    # Where all scores of an image are scaled together, all of them are needed.
    box = None if card.rescale == "image" else layout.seen_region
    return plan_tiles(layout.shape, card.grid, halo, limits, box)


def _bytes_per_pixel(model: OpenedModel) -> float:
    if isinstance(model, ArrayModel):
        return GUESSED
    return bytes_per_pixel(
        model.network(), model.card.dims, model.card.in_channels, model.card.grid
    )


def _why_alone(model: OpenedModel, device: DeviceChoice) -> str:
    """Return the sentence why several devices cannot share the tiles, empty if they can."""
    card = model.card
    if isinstance(model, ArrayModel):
        return f"{card.name} runs in a process of its own, so only one device computed."
    if card.batch_norm == "image" or card.windows is not None:
        return f"{card.name} looks at each image as a whole, so {device.name} computed alone."
    return ""


def _device(model: OpenedModel, name: str) -> DeviceChoice:
    """Return the device; programs in a process of their own use the processor unless asked.

    Raises
    ------
    DeviceError
        If one was asked for that is not there, or that the runtime does not know.
    """
    if isinstance(model, SharedModel):
        return choose("cpu")  # here nothing is computed; the team looks for devices of its own
    if not isinstance(model, ArrayModel):
        return choose(name)
    if name in ("auto", "cpu"):
        return choose("cpu")
    runtime = model.program.runtime
    if name.partition(":")[0] not in GRAPHICS.get(runtime, ()):
        raise DeviceError(
            f"{model.card.name} is run by {runtime}, on the processor; {name} was asked for.",
            hint="Use cpu, or auto.",
        )
    return choose(name)


def spacing_for(card: ModelCard, image: CalibratedImage) -> tuple[float, ...] | None:
    """Return the image's pixel size in the unit of the model's windows, None if not needed.

    None too where the image has none: it stays as it is, which is said.
    """
    windows = card.windows
    if windows is None or windows.spacing is None:
        return None
    seen = image.size_along(("z", "y", "x")[-card.dims :])
    if not seen.calibrated:
        return None
    factor = ratio(seen.unit, windows.unit) if windows.unit else 1.0
    return tuple(step * factor for step in seen.steps)


def alone_warning(card: ModelCard, layout: Layout) -> str:
    """Return the sentence about a plane that has no neighbours to be seen with, else nothing."""
    if card.slices == 1 or "z" in layout.through:
        return ""
    return (
        f"{card.name} sees {card.slices} neighbouring slices at once; {layout.image.name} is no "
        "stack of slices, so each plane stands in for its neighbours."
    )


def spacing_warning(card: ModelCard, image: CalibratedImage) -> str:
    """Return the sentence about an image that is resampled, or cannot be, else nothing."""
    windows = card.windows
    if windows is None or windows.spacing is None:
        return ""
    wanted = f"{' × '.join(f'{s:.4g}' for s in windows.spacing)} {windows.unit}".rstrip()
    spacing = spacing_for(card, image)
    if spacing is None:
        return (
            f"{image.name} has no pixel size; this model works at {wanted} a pixel, so the image "
            "was not resampled. Whether it fits is not known."
        )
    if all(abs(a - b) <= SAME * b for a, b in zip(spacing, windows.spacing, strict=True)):
        return ""
    doubt = "" if windows.unit else " (the model does not name its unit: numbers were compared)"
    seen = " × ".join(f"{s:.4g}" for s in spacing)
    return f"{image.name} was resampled from {seen} to {wanted} a pixel{doubt}, and scores back."

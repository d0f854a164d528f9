"""Calibrate a network that measures each image: keep the statistics of one chosen image."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.segments import ordered
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import TilePlan
from napari_defectseg.models.model import TorchModel


def calibrate(
    model: TorchModel, image: CalibratedImage, settings: PredictSettings | None = None
) -> TorchModel:
    """Return the model with the batch statistics of an image stored in its weights.

    It then works in tiles and gives every image the same treatment; a result no longer depends
    on which squares are seen together. On the image itself it differs from the published way
    only along the edges of the squares.

    Parameters
    ----------
    model : TorchModel
        With batch normalisation.
    image : CalibratedImage
        Its first plane or volume is used; it should be like those that will follow.
    settings : PredictSettings, optional

    Raises
    ------
    ModelError
        If the model has no batch normalisation.
    DeviceError
        If the image is too large for the memory.
    """
    import torch

    from napari_defectseg.inference.engines.exact import exact_engine
    from napari_defectseg.models.statistics import measured, norms_of, with_statistics

    settings = settings or PredictSettings()
    measuring = model.with_card(model.card.replaced(batch_norm="image", source="you"))
    network = measuring.network()
    if not norms_of(network):
        raise ModelError(f"{model.card.name} has no batch normalisation that could be calibrated.")
    job = prepare(measuring, image, settings)
    source = Source(job)
    source.start(next(job.layout.indices()))
    assert isinstance(job.plan, TilePlan)  # batch norm of images goes by squares, not patches
    blocks = np.stack([source.block(tile)[0] for tile in ordered(job.plan)])
    with (
        exact_engine(measuring, job.device.name, settings.threads) as engine,
        measured(engine.network) as statistics,
        torch.inference_mode(),
    ):
        engine.run_batch(blocks)
    state = with_statistics(model.state_dict(), {n: t.clone() for n, t in statistics.items()})
    training = {**model.card.training, "calibrated_on": image.name}
    card = model.card.replaced(batch_norm="calibrated", training=training, source="you")
    return TorchModel(card, lambda: state)

"""Calibrate a network that measures each image: keep the statistics of chosen images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.segments import ordered
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import TilePlan
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import Model, TorchModel, torch_model


def calibrate(
    model: Model,
    images: CalibratedImage | Sequence[CalibratedImage],
    settings: PredictSettings | None = None,
) -> TorchModel:
    """Return the model with the batch statistics of images stored in its weights.

    It then works in tiles and gives every image the same treatment; a result no longer depends
    on which squares are seen together. On one image alone it differs from the published way
    only along the edges of the squares. Several images count as if they were one.

    Parameters
    ----------
    model : Model
        One network with batch normalisation.
    images : CalibratedImage or sequence of them
        Of each the first plane or volume is used; they should be like those that will follow.
    settings : PredictSettings, optional

    Raises
    ------
    ModelError
        If the model is not one network, has no batch normalisation, or sees whole images of
        different sizes.
    DeviceError
        If the images together are too large for the memory.
    """
    import torch

    from napari_defectseg.inference.engines.exact import exact_engine
    from napari_defectseg.models.statistics import measured, norms_of, with_statistics

    known = torch_model(model)
    chosen = [images] if isinstance(images, CalibratedImage) else list(images)
    settings = settings or PredictSettings()
    measuring = known.with_card(known.card.replaced(batch_norm="image", source="you"))
    if not norms_of(measuring.network()):
        raise ModelError(f"{model.card.name} has no batch normalisation that could be calibrated.")
    if not chosen:
        raise ModelError("No image was named to calibrate on.")
    jobs = [prepare(measuring, image, settings) for image in chosen]
    blocks = _together(jobs)
    with (
        exact_engine(measuring, jobs[0].device.name, settings.threads) as engine,
        measured(engine.network) as statistics,
        torch.inference_mode(),
    ):
        engine.run_batch(blocks)
    state = with_statistics(known.state_dict(), {n: t.clone() for n, t in statistics.items()})
    return TorchModel(_card(known, chosen), lambda: state)


def _together(jobs: Sequence[Job]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return the squares of all images as one batch."""
    # Batch statistics of images go by squares, never by patches.
    plans = [job.plan for job in jobs if isinstance(job.plan, TilePlan)]
    sizes = {tile.shape for plan in plans for tile in plan}
    if len(sizes) > 1:
        words = ", ".join(" × ".join(map(str, size)) for size in sorted(sizes))
        raise ModelError(
            f"{jobs[0].model.card.name} sees whole images, and these differ in size ({words} px).",
            hint="Calibrate on one image, or on images of one size.",
        )
    need = math.ceil(sum(job.one_pass for job in jobs))
    if need > jobs[0].budget:
        raise DeviceError(
            f"Calibrating on {len(jobs)} images at once needs {need / 1e9:.2g} GB; "
            f"{jobs[0].budget / 1e9:.2g} GB are allowed.",
            hint="Use fewer or smaller images, or allow more memory.",
        )
    blocks = []
    for job, plan in zip(jobs, plans, strict=True):
        source = Source(job)
        source.start(next(job.layout.indices()))
        blocks += [source.block(tile)[0] for tile in ordered(plan)]
    return np.stack(blocks)


def _card(model: TorchModel, images: Sequence[CalibratedImage]) -> ModelCard:
    training = {
        **model.card.training,
        "calibrated_on": ", ".join(image.name for image in images),
        "calibrated_on_sha256": [image.sha256() for image in images],
        "calibrated_from_sha256": model.sha256,
    }
    return model.card.replaced(batch_norm="calibrated", training=training, source="you")

"""Write a model for other programs, and hold what was written against what it came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.registry import Registry
from napari_defectseg.models.arraymodel import OpenedModel
from napari_defectseg.models.model import TorchModel

if TYPE_CHECKING:
    from napari_defectseg.models.export.compare import Exported


class Exporter(Protocol):
    """One kind of export; a module of `models.export` is one."""

    def write(self, model: TorchModel, out: Path, *, overwrite: bool) -> Steps[Exported]:
        """Write the model whole or not at all, and compare it with the original."""


EXPORTS: Registry[Exporter] = Registry(
    "kind of export",
    {
        "safetensors": "napari_defectseg.models.export.safetensors",
        "onnx": "napari_defectseg.models.export.onnx",
        "bioimageio": "napari_defectseg.models.export.bioimageio",
    },
)


def export_model_steps(
    model: OpenedModel, to: str, out: str | Path, *, overwrite: bool = False
) -> Steps[Exported]:
    """Export a model, step by step; see `export_model`."""
    yield Step(0, 3, f"preparing {model.card.name}")
    exporter = EXPORTS.get(to)
    if not isinstance(model, TorchModel):
        raise ModelError(
            f"{model.path or model.card.name} is run by a program of its own, not by a network of "
            "torch, so it cannot be exported.",
            hint="Export it where it was made.",
        )
    if model.card.batch_norm == "image":
        raise ModelError(
            f"{model.card.name} measures the statistics of its batch normalisation on each image, "
            "which no exported file can do.",
            hint="Calibrate it on one image first, then export the calibrated model.",
        )
    path = Path(out).expanduser()
    refuse_existing(path, overwrite)
    return (yield from exporter.write(model, path, overwrite=overwrite))


def export_model(
    model: OpenedModel,
    to: str,
    out: str | Path,
    *,
    overwrite: bool = False,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Exported:
    """Write a model for other programs.

    Parameters
    ----------
    model : TorchModel
    to : str
        ``"safetensors"`` (weights with the card, a file or a model folder), ``"onnx"`` or
        ``"bioimageio"`` (a package of version 0.5).
    out : str or Path
    overwrite : bool
        Replace what is there.
    on_step : callable, optional
        Called with each `Step`.
    cancelled : callable, optional
        Asked after each step.

    Returns
    -------
    Exported
        What was written, and how far its scores differ from those of `model`.

    Raises
    ------
    ModelError
        If it is no model of torch, cannot be exported so, or gives other scores afterwards.
    AlreadyExists
        If `out` exists and `overwrite` is false.
    NotSaved
        If it cannot be written.
    """
    return drive(export_model_steps(model, to, out, overwrite=overwrite), on_step, cancelled)

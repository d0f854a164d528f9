"""Encoders by name, as networks of segmentation_models_pytorch share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Shapes
from napari_defectseg.models.encoders.mobilenet import (
    MobileNet,
    MobileNetSettings,
    read_mobilenet,
)
from napari_defectseg.models.encoders.resnet import ResNet, ResNetSettings, read_resnet

Encoder: TypeAlias = ResNetSettings | MobileNetSettings
CITATION = "Iakubovskii, P. Segmentation Models Pytorch (2019), "
CITATION += "github.com/qubvel-org/segmentation_models.pytorch."
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def encoder_settings(kind: str, values: Mapping[str, Any], where: str) -> Encoder:
    """Return the settings of an encoder.

    Raises
    ------
    ModelError
        If there is no such encoder, or no such setting.
    """
    kinds = {"resnet": ResNetSettings, "mobilenet": MobileNetSettings}
    if kind not in kinds:
        raise ModelError(f"{where} has no encoder {kind!r}.", hint=f"Known: {', '.join(kinds)}.")
    try:
        found: Encoder = kinds[kind](**values)
        return found
    except TypeError as error:
        raise ModelError(f"These are not the settings of an encoder: {error}.") from error


def encoder(settings: Encoder, depth: int) -> nn.Module:
    """Return the encoder of settings."""
    if isinstance(settings, ResNetSettings):
        return ResNet(settings, depth)
    outer = nn.Module()
    outer.model = MobileNet(settings, depth)
    return outer


def features(module: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Return what the encoder makes of an image, finest first, the image before it."""
    inner = module.model if hasattr(module, "model") else module
    found: list[torch.Tensor] = inner(x)  # type: ignore[operator]
    return found


def read_encoder(shapes: Shapes) -> tuple[str, dict[str, Any]] | None:
    """Return kind and settings of the encoder with these tensors, None if it is another."""
    resnet, mobilenet = read_resnet(shapes, "encoder."), read_mobilenet(shapes, "encoder.model.")
    if resnet is not None:
        return "resnet", asdict(resnet)
    return ("mobilenet", asdict(mobilenet)) if mobilenet is not None else None


def imagenet(channels: int) -> dict[str, Any]:
    """Return the preparation of grey values that encoders trained on ImageNet have seen."""
    if channels != len(MEAN):
        return {}
    steps: list[dict[str, Any]] = [
        {"kind": "normalise", "method": "divide", "scope": "constant"},
        {"kind": "normalise", "method": "zscore", "scope": "constant", "low": MEAN, "high": SPREAD},
    ]
    return {"preprocessing": steps}

"""Folders of segmentation_models_pytorch (``save_pretrained``): configuration and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.hub import (
    CONFIG,
    card_of,
    config_in,
    model_in,
    read_weights,
    weights_in,
)
from napari_defectseg.models.installed import installed
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.recognise import recognise as recognise_network

CLASS = "_model_class"
BUILT = "Unet, UnetPlusPlus and FPN with encoders of ResNet, ResNeXt and MobileNetV3 (timm)"
ACTIVATIONS = {"sigmoid": "sigmoid", "softmax": "softmax", "softmax2d": "softmax"}


def recognise(path: Path) -> Match:
    """Say whether `path` is such a folder."""
    if not path.is_dir():
        return Match(False, "it is not a folder")
    found = isinstance(config_in(path).get(CLASS), str)
    return Match(found, "" if found else f"it has no {CONFIG} with {CLASS!r}")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a folder.

    Raises
    ------
    ModelError
        If its network is not built here, or weights and configuration do not agree.
    """
    config, weights = config_in(path), weights_in(path)
    card = card or _card(path, config, weights)
    return model_in(path, card, weights, (CONFIG, weights.name), "smp")


def _card(path: Path, config: dict[str, Any], weights: Path) -> ModelCard:
    shapes = {name: tuple(tensor.shape) for name, tensor in read_weights(weights).items()}
    known = recognise_network(shapes)
    name, encoder = config[CLASS], config.get("encoder_name")
    notes: list[str] = []
    if known is None or not known.architecture.startswith("smp_"):
        architecture, settings = "smp_package", _installed(path, config)
        notes.append(installed(architecture).note(name))
    else:
        architecture, settings = known.architecture, dict(known.settings)
        if architecture == "smp_unet":
            settings["mode"] = config.get("decoder_interpolation") or "nearest"
        _check(path, config, settings)
    said = config.get("activation")
    if said is not None and said not in (*ACTIVATIONS, "identity"):
        raise ModelError(f"{path} ends with the activation {said!r}, which is not known here.")
    stated = {
        "name": path.name,
        "description": f"{name} of segmentation_models_pytorch with the encoder {encoder}.",
        "quirks": (
            *notes,
            (
                "How grey values were scaled is not in the folder; encoders trained on ImageNet "
                "saw its mean and spread."
            ),
        ),
    }
    activation = ACTIVATIONS.get(str(said), "")
    return card_of(architecture, settings, stated, activation=activation, where=str(path))


def _installed(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a network that the installed library builds.

    Raises
    ------
    ModelError
        If it is not installed, or not one of the networks on the list.
    """
    kind, name = installed("smp_package"), config[CLASS]
    if not kind.knows(name) or not kind.there:
        raise ModelError(
            f"{path} is a model of segmentation_models_pytorch, {name} with the encoder "
            f"{config.get('encoder_name')}, which is not built here. Built are {BUILT}.",
            hint=kind.way_out(name),
        )
    return {"network": name, "arguments": {k: v for k, v in config.items() if k != CLASS}}


def _check(path: Path, config: dict[str, Any], settings: dict[str, Any]) -> None:
    """Refuse a configuration of another network than the weights are of."""
    seen = {
        "classes": settings["out_channels"],
        "in_channels": settings["encoder_settings"]["in_channels"],
        "decoder_channels": settings.get("widths"),
        "encoder_depth": len(settings.get("widths", ())) or None,
    }
    wrong = [
        f"{key} {config[key]} in {CONFIG}, {value} in the weights"
        for key, value in seen.items()
        if value is not None and key in config and config[key] != value
    ]
    if wrong:
        raise ModelError(f"{path}: {'; '.join(wrong)}.")

"""Folders of transformers: SegFormer and UPerNet with ConvNeXt; others where it is installed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
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
from napari_defectseg.models.package import Package
from napari_defectseg.models.plain import numbers, read_json, table, whole_numbers
from napari_defectseg.models.preprocess import Normalise, Preprocessing
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.windows import Windows

PROCESSOR = "preprocessor_config.json"
OWN = {
    "segformer": {"heads": "num_attention_heads", "strides": "strides"},
    "upernet": {"pools": "pool_scales"},
}
"""Settings that the weights do not tell, and where the configuration has them."""
GELU = ("gelu", None)
PACKAGE = "transformers_package"


def recognise(path: Path) -> Match:
    """Say whether `path` is such a folder."""
    if not path.is_dir():
        return Match(False, "it is not a folder")
    config = config_in(path)
    found = isinstance(config.get("model_type"), str) and "architectures" in config
    return Match(found, "" if found else f"it has no {CONFIG} with 'model_type'")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a folder; code that it names is never run.

    Raises
    ------
    ModelError
        If its network is not built here, or weights and configuration do not agree.
    """
    config = config_in(path)
    weights = weights_in(path)
    card = card or _card(path, config, weights)
    files = tuple(n for n in (CONFIG, PROCESSOR, weights.name) if (path / n).is_file())
    return model_in(path, card, weights, files, "transformers")


def _card(path: Path, config: dict[str, Any], weights: Path) -> ModelCard:
    kind = config["model_type"]
    shapes = {name: tuple(tensor.shape) for name, tensor in read_weights(weights).items()}
    known = recognise_network(shapes) if kind in OWN else None
    acts = (config.get("hidden_act"), table(config, "backbone_config").get("hidden_act"))
    ours = known is not None and known.architecture == kind and all(act in GELU for act in acts)
    notes: tuple[str, ...] = ()
    if known is not None and ours:
        architecture, settings = kind, dict(known.settings)
        for own, theirs in OWN[kind].items():
            stated = whole_numbers(config.get(theirs))
            settings[own] = list(stated) if stated else settings[own]
    else:
        architecture, settings = PACKAGE, _installed(path, config)
        notes = (installed(PACKAGE).note(_title(config)),)
    facts = ARCHITECTURES.get(architecture).facts(settings)
    labels = table(config, "id2label")
    keys = sorted((k for k in labels if str(k).isdigit()), key=int)
    names = tuple(str(labels[key]) for key in keys)
    fields, quirks = _processing(path, facts["in_channels"], facts["grid"])
    if len(set(names)) < len(names) or all(n.startswith("LABEL_") for n in names):
        names = ()
    fields |= {"name": path.name, "description": f"{_title(config)} of transformers."}
    fields["quirks"] = (*notes, *quirks)
    return card_of(architecture, settings, fields, names=names, where=str(path))


def _installed(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a network that the installed library builds.

    Raises
    ------
    ModelError
        If it is not installed, or not one of the networks on the list.
    """
    from napari_defectseg.models.architectures.transformers_package import plain

    library, name = installed(PACKAGE), _title(config)
    if not library.knows(name) or not library.there:
        raise ModelError(
            f"{path} is a model of transformers, {name}, which is not built here. Built are "
            "SegFormer, and UPerNet with a ConvNeXt.",
            hint=f"{library.way_out(name)} Or run it there and open the result as labels.",
        )
    return {"network": name, "arguments": plain(config)}


def _title(config: dict[str, Any]) -> str:
    """Return the class that wrote the folder, or the kind of network where it is not named."""
    names = config["architectures"]
    return str(names[0] if isinstance(names, list) and names else config["model_type"])


def _processing(path: Path, channels: int, grid: int) -> tuple[dict[str, Any], list[str]]:
    """Return grey values and patches as the processor has them."""
    if not (path / PROCESSOR).is_file():
        return {}, [f"There is no {PROCESSOR}, so how grey values were scaled is a guess."]
    values = read_json(Package(path).read(PROCESSOR), str(path / PROCESSOR))
    fields: dict[str, Any] = {"preprocessing": _steps(values, channels)}
    quirks = []
    if values.get("do_reduce_labels"):
        quirks.append(
            "Labels were reduced by one in training: what was 0 was ignored, so there is no "
            "background among the outputs."
        )
    size = values.get("size") if values.get("do_resize") else None
    edges = _edges(size)
    if edges is not None and all(edge % grid == 0 for edge in edges):
        fields["windows"] = Windows.of(str(path), size=edges, step=0.5, style="monai")
        words = " × ".join(map(str, edges))
        quirks.append(
            f"It was trained on images resized to {words} px; here images keep their pixels and "
            "are seen in patches of that size."
        )
    return fields, quirks


def _edges(size: Any) -> tuple[int, int] | None:
    if isinstance(size, int):
        size = {"height": size, "width": size}
    if not isinstance(size, dict):
        return None
    found = whole_numbers([size.get("height"), size.get("width")])
    return (found[0], found[1]) if found and min(found) > 0 else None


def _steps(values: dict[str, Any], channels: int) -> tuple[Preprocessing, ...]:
    steps: list[Preprocessing] = []
    factor = values.get("rescale_factor", 1 / 255)
    sensible = isinstance(factor, int | float) and factor > 0 and 0 < 1 / factor < math.inf
    if values.get("do_rescale", True) and sensible:
        usual = abs(factor * 255 - 1) < 1e-6  # of 8 bits; here of whatever bits the image has
        high = None if usual else 1 / factor
        steps.append(Normalise(method="divide", scope="constant", high=high))
    mean, spread = numbers(values.get("image_mean")), numbers(values.get("image_std"))
    if values.get("do_normalize", True) and mean and spread and min(spread) > 0:
        one = len(mean) == len(spread) == channels
        each = one and channels > 1
        steps.append(
            Normalise(
                method="zscore",
                scope="constant",
                low=mean if each else mean[0],
                high=spread if each else spread[0],
            )
        )
    return tuple(steps)

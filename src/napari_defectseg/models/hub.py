"""Folders with ``config.json`` and weights beside it, as libraries for the hub write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.architecture import ARCHITECTURES, Published, published
from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.guess import meaning_of
from napari_defectseg.models.installed import under_its_names
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.package import Package
from napari_defectseg.models.plain import read_json
from napari_defectseg.models.states import State, bare, find_state
from napari_defectseg.models.torchfile import read_torch
from napari_defectseg.models.weights import read_safetensors

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "diffusion_pytorch_model.safetensors")
LARGEST = 4 << 20
NETWORK = ("dims", "in_channels", "grid", "halo", "parameters")


def config_in(path: Path) -> dict[str, Any]:
    """Return what ``config.json`` of a folder holds, nothing where there is none or it is broken.

    For telling formats apart; it never raises.
    """
    if not path.is_dir() or not (path / CONFIG).is_file():
        return {}
    try:
        return read_json(Package(path).read(CONFIG, LARGEST), str(path / CONFIG))
    except (ModelError, OSError):
        return {}


def weights_in(path: Path) -> Path:
    """Return the file of weights in a folder.

    Raises
    ------
    ModelError
        If there is none, or it is split into several.
    """
    for name in WEIGHTS:
        if (path / name).is_file() and not (path / name).is_symlink():
            return path / name
    split = sorted(item.name for item in path.iterdir() if item.name.endswith(".index.json"))
    if split:
        raise ModelError(
            f"{path} holds its weights in several files ({split[0]}).",
            hint="Save it as one: model.save_pretrained(…, max_shard_size='100GB').",
        )
    raise ModelError(f"{path} has {CONFIG}, but no weights ({', '.join(WEIGHTS[:2])}).")


def read_weights(file: Path) -> State:
    """Return the tensors of a file of weights under their bare names."""
    if file.suffix == ".safetensors":
        return bare(read_safetensors(file))[0]
    return find_state(read_torch(file).tree, str(file), file.stat().st_size).state


def model_in(
    path: Path, card: ModelCard, weights: Path, files: tuple[str, ...], format_: str
) -> TorchModel:
    """Return the model of a folder, its weights read when they are needed.

    Parameters
    ----------
    path : Path
    card : ModelCard
    weights : Path
        The file of its weights.
    files : tuple of str
        Names of all that it consists of.
    format_ : str
    """
    return TorchModel(
        card,
        lambda: under_its_names(card, read_weights(weights)),
        path=str(path),
        format=format_,
        sha256=sha256_of_file(weights),
        files=files,
    )


def card_of(
    architecture: str,
    settings: dict[str, Any],
    stated: dict[str, Any],
    *,
    names: tuple[str, ...] = (),
    activation: str = "",
    where: str,
) -> ModelCard:
    """Return the card of a network whose layers a configuration names.

    Parameters
    ----------
    architecture : str
    settings : dict
    stated : dict
        Fields that the folder states; grey values too, or they are a guess.
    names : tuple of str
        Of the outputs; empty: not stated.
    activation : str
        As stated, ``"sigmoid"`` or ``"softmax"``; empty: guessed.
    where : str
    """
    facts = ARCHITECTURES.get(architecture).facts(settings)
    about = published(architecture, facts["settings"]) or Published({})
    outputs = facts["out_channels"]
    sources: dict[str, Source] = dict.fromkeys(("architecture", *NETWORK), "file")
    missing = {"pixel_size"} - stated.keys()
    multilabel = activation == "sigmoid" and outputs > 1
    meaning = meaning_of(outputs, names, multilabel=multilabel) if names else None
    if meaning is None:
        count = outputs if multilabel else max(1, outputs - 1)
        unnamed = tuple(f"class {n + 1}" for n in range(count)) if count > 1 else ("defect",)
        meaning = meaning_of(outputs, unnamed, multilabel=multilabel) or {}
        sources["classes"] = "guess"
        missing.add("classes")
    if not activation:
        sources |= {"task": "guess", "activation": "guess", "has_background": "guess"}
        missing |= set() if names else {"task"}
    grey = {} if "preprocessing" in stated else about.fields
    if "preprocessing" not in stated:
        sources["preprocessing"] = "guess"
        missing.add("preprocessing")
    fields = {
        "architecture": architecture,
        "architecture_settings": facts["settings"],
        **{name: facts[name] for name in NETWORK},
        "tile": facts.get("tile"),
        **{k: v for k, v in about.fields.items() if k == "citation"},
        **{k: v for k, v in grey.items() if k == "preprocessing"},
        **meaning,
        **stated,
    }
    return ModelCard.of({**fields, "sources": sources, "missing": tuple(sorted(missing))}, where)

"""Bundles of MONAI, a folder or a zip archive: configurations as plain data, weights as data.

The network is one of ours with the same layers; Python in the configuration is never run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.configuration import Configuration
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import meaning_of
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.installed import InstalledKind, installed, under_its_names
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.monai_networks import settings_of
from napari_defectseg.models.monai_transforms import Read, after, before, inferer
from napari_defectseg.models.package import DAMAGE, Package, is_zip, zip_at
from napari_defectseg.models.plain import read_json, table
from napari_defectseg.models.rdf import read_yaml
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.recognise import unknown
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import program_in, read_torch

METADATA = "configs/metadata.json"
CONFIGS = tuple(
    f"configs/{name}.{ending}"
    for name in ("inference", "predict", "evaluate", "train")
    for ending in ("json", "yaml", "yml")
)
WEIGHTS = ("models/model.pt", "models/model.pth", "models/model.ts")
PACKAGE = "monai_package"
EXPORT = "Export it where MONAI is installed: python -m monai.bundle onnx_export …"
NETWORKS = ("network_def", "network", "net", "model")


def recognise(path: Path) -> Match:
    """Say whether `path` is a bundle."""
    if path.is_dir():
        found = (path / METADATA).is_file()
    elif is_zip(path):
        found = _root(path) is not None
    else:
        return Match(False, "it is no folder or zip archive")
    return Match(found, "" if found else f"it has no {METADATA}")


def _root(path: Path) -> str | None:
    """Return the folder inside an archive that the bundle is, None where there is none."""
    try:
        names = Package(path).names()
    except ModelError:
        return None
    roots = [name.removesuffix(METADATA) for name in names if name.endswith(METADATA)]
    good = [root for root in roots if root.count("/") <= 1 and (not root or root.endswith("/"))]
    return good[0] if len(good) == 1 else None


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a bundle.

    Raises
    ------
    ModelError
        If there are no weights, or they fit no network that this program builds; missing, extra
        and mis-shaped tensors are named where the bundle says which network it is.
    """
    package, root = Package(path), "" if path.is_dir() else _root(path) or ""
    weights = next((root + name for name in WEIGHTS if package.holds(root + name)), None)
    if weights is None:
        raise ModelError(
            f"{path} is a bundle of MONAI without weights ({', '.join(WEIGHTS)}).",
            hint="Fetch the whole bundle: python -m monai.bundle download …",
        )
    config, name = _config(package, root)
    card = card or _card(package, root, config, _weights(package, weights))
    model = TorchModel(
        card,
        lambda: under_its_names(card, _weights(package, weights)),
        path=str(path),
        format="monai",
        sha256=package.sha256(weights),
        files=tuple(n for n in (root + METADATA, name, weights) if n),
    )
    model.network()  # what does not fit is said now
    return model


def _config(package: Package, root: str) -> tuple[Configuration, str]:
    name = next((root + name for name in CONFIGS if package.holds(root + name)), "")
    if not name:
        return Configuration({}, str(package.path)), ""
    read = read_json if name.endswith("json") else read_yaml
    where = f"{package.path} → {name}"
    return Configuration(read(package.read(name), where), where), name


def _weights(package: Package, name: str) -> State:
    with package.unpacked(name) as file:
        tree = (read_inert if program_in(_members(file)) else read_torch)(file).tree
        return find_state(tree, f"{package.path} → {name}", file.stat().st_size).state


def _members(file: Path) -> list[str]:
    if not is_zip(file):
        return []
    try:
        with zip_at(file) as archive:
            return archive.namelist()
    except DAMAGE:
        return []


def _card(package: Package, root: str, config: Configuration, state: State) -> ModelCard:
    where = str(package.path)
    metadata = read_json(package.read(root + METADATA), f"{where} → {METADATA}")
    found = Read()
    architecture, settings, source = _network(config, state, where, found)
    facts = ARCHITECTURES.get(architecture).facts(settings)
    before(config, found)
    inferer(config, facts["dims"], found)
    after(config, found)
    order, patches = found.fields.pop("order", ()), found.fields.get("windows")
    if order and patches is not None and facts["dims"] == 3:
        found.fields["windows"] = patches.model_copy(update={"order": order})
    sources: dict[str, Source] = {"architecture": source, "architecture_settings": source}
    network = ("dims", "in_channels", "grid", "halo", "parameters")
    meaning = _meaning(metadata, facts["out_channels"], found, sources)
    fields = {
        "name": str(metadata.get("name") or metadata.get("task") or package.path.stem),
        "description": str(metadata.get("description") or ""),
        "citation": "; ".join(
            str(metadata[k]) for k in ("authors", "references") if metadata.get(k)
        ),
        "licence": str(metadata.get("license") or metadata.get("copyright") or ""),
        "architecture": architecture,
        "architecture_settings": facts["settings"],
        **{name: facts[name] for name in network},
        "tile": facts.get("tile"),
        **found.fields,
        **meaning,
        "quirks": tuple(found.quirks),
    }
    return ModelCard.of(
        {**fields, "sources": sources, "missing": tuple(sorted(found.missing))}, where
    )


def _network(
    config: Configuration, state: State, where: str, found: Read
) -> tuple[str, dict[str, Any], Source]:
    """Return architecture, settings and their source: the definition, else the weights."""
    reason, library, target = "the bundle does not say which network it is", None, ""
    for name in NETWORKS:
        raw = config.raw(name)
        if isinstance(raw, dict) and "_target_" in raw:
            target = str(raw["_target_"])
            try:
                values = config.get(name)
                return *settings_of(target, values), "card"
            except ModelError as error:
                reason = error.sentence.rstrip(".")
            library = installed(PACKAGE)
            if (settings := _installed(library, config, name)) is not None:
                found.quirks.append(library.note(settings["network"]))
                return PACKAGE, settings, "card"
            break
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    known = recognise_network(shapes)
    if known is None:
        refused = unknown(shapes, where)
        last = target.rpartition(".")[2]
        raise ModelError(
            f"{refused.sentence} Its definition: {reason}.",
            hint=library.way_out(last) if library else EXPORT,
        )
    found.quirks.append(f"Its network was recognised by its weights, for {reason}.")
    return known.architecture, known.settings, "file"


def _installed(library: InstalledKind, config: Configuration, name: str) -> dict[str, Any] | None:
    """Return the settings of a network that the installed MONAI builds, None if it does not."""
    try:
        values = config.get(name)
    except ModelError:
        return None
    last = str(values.get("_target_", "")).rpartition(".")[2]
    if not library.knows(last) or not library.there:
        return None
    given = {key: value for key, value in values.items() if not key.startswith("_")}
    return {"network": last, "arguments": given}


def _meaning(
    metadata: dict[str, Any], outputs: int, found: Read, sources: dict[str, Source]
) -> dict[str, Any]:
    """Return classes and task as metadata and postprocessing have them."""
    formats = table(table(metadata, "network_data_format"), "outputs")
    pred = table(formats, "pred") or next((v for v in formats.values() if isinstance(v, dict)), {})
    named = table(pred, "channel_def")
    keys = sorted((k for k in named if str(k).isdigit()), key=int)
    names = tuple(str(named[key]) for key in keys)
    said = found.fields.pop("activation", None)
    if said is None:
        found.missing.add("task")
        sources |= {"task": "guess", "activation": "guess"}
    multilabel = said == "sigmoid" and outputs > 1
    meaning = meaning_of(outputs, names, multilabel=multilabel)
    if meaning is None:
        count = outputs if multilabel else max(1, outputs - 1)
        names = tuple(f"class {n + 1}" for n in range(count))
        meaning = meaning_of(outputs, names, multilabel=multilabel) or {}
        found.missing.add("classes")
        sources["classes"] = "guess"
    return meaning

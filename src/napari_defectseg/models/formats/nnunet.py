"""Results of nnU-Net v2: a folder (or its export as zip), or one checkpoint alone.

Plans and checkpoints are read as data: the trainer and the network class that they name are
never imported. The networks of all folds are one model whose logits are their mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.architectures.nnunet import CITATION, FOLD
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.nnunet_plans import (
    Plan,
    checked_network,
    meaning,
    preprocessing,
    windows,
)
from napari_defectseg.models.package import DAMAGE, Package, is_zip, zip_at
from napari_defectseg.models.pickles import MOST
from napari_defectseg.models.plain import read_json, table, whole_numbers
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import read_torch, why_not

PLANS, DATASET = "plans.json", "dataset.json"
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
WORDS = (b"network_weights", b"init_args", b"trainer_name")
"""Names that every checkpoint of nnU-Net v2 has in its pickle."""
_FOLD = re.compile(r"fold_(\d+|all)")


def recognise(path: Path) -> Match:
    """Say whether `path` is a results folder, its export, or a checkpoint of nnU-Net v2."""
    if path.is_dir():
        lacking = [name for name in (PLANS, DATASET) if not (path / name).is_file()]
        return Match(not lacking, f"it has no {lacking[0]}" if lacking else "")
    if why_not(path):
        found = is_zip(path) and _exported(path)
        return Match(bool(found), "" if found else "it is no checkpoint or export of nnU-Net")
    return Match(_is_checkpoint(path), "it is no checkpoint of nnU-Net")


def _exported(path: Path) -> str | None:
    """Return the folder inside an archive that holds one result, None where there is none."""
    try:
        names = Package(path).names()
    except ModelError:
        return None
    roots = [name.removesuffix(PLANS) for name in names if name.split("/")[-1] == PLANS]
    good = [root for root in roots if root + DATASET in names]
    return good[0] if len(good) == 1 else None


def _is_checkpoint(path: Path) -> bool:
    try:
        with zip_at(path) as archive:
            name = next(n for n in archive.namelist() if n.split("/")[1:] == ["data.pkl"])
            if archive.getinfo(name).file_size > MOST:
                return False
            data = archive.read(name)
    except (*DAMAGE, StopIteration):
        return False
    return all(word in data for word in WORDS)


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model of a results folder, of its export, or of one checkpoint.

    Raises
    ------
    ModelError
        If plans, data set and weights do not fit together, it is a stage of a cascade, or its
        network is not built here.
    """
    if path.is_dir() or why_not(path):
        package = Package(path)
        root = "" if path.is_dir() else _exported(path) or ""
        files = _checkpoints(package, root)
        tree = _tree(package, files[0])
        plans = read_json(package.read(root + PLANS), f"{path} → {PLANS}")
        dataset = read_json(package.read(root + DATASET), f"{path} → {DATASET}")
        names: tuple[str, ...] = (root + PLANS, root + DATASET, *files)
        plan = _plan(tree, str(path), plans, dataset)
    else:
        package, files = Package(path.parent), (path.name,)
        tree, names = _tree(package, path.name), (path.name,)
        given = table(tree, "init_args")
        plan = _plan(tree, str(path), table(given, "plans"), table(given, "dataset_json"))
    return TorchModel(
        card or _card(plan, _weights(tree, plan.where, path), tree, len(files)),
        lambda: _states(package, files),
        path=str(path),
        format="nnunet",
        sha256=sha256_of_file(path) if path.is_file() else "",
        files=names,
    )


def _checkpoints(package: Package, root: str) -> tuple[str, ...]:
    """Return one checkpoint of each fold; the numbered ones rather than that of all data."""
    if package.path.is_dir():
        folders = [item.name for item in package.path.iterdir() if item.is_dir()]
    else:
        inside = [name.removeprefix(root) for name in package.names() if name.startswith(root)]
        folders = sorted({name.split("/")[0] for name in inside if "/" in name})
    folds = sorted((f for f in folders if _FOLD.fullmatch(f)), key=lambda f: (len(f), f))
    numbered = [fold for fold in folds if fold != "fold_all"]
    found = []
    for fold in numbered or folds:
        names = [f"{root}{fold}/{name}" for name in CHECKPOINTS]
        found += [name for name in names if package.holds(name)][:1]
    if not found:
        raise ModelError(
            f"{package.path} has plans of nnU-Net, but no checkpoint in fold_0, fold_1, …",
            hint=f"Copy the folders fold_… with {CHECKPOINTS[0]} too.",
        )
    return tuple(found)


def _tree(package: Package, name: str) -> dict[str, Any]:
    if package.path.is_dir():
        tree = read_torch(package.path / name).tree
    else:
        with package.unpacked(name) as file:
            tree = read_torch(file).tree
    if not isinstance(tree, dict) or not isinstance(tree.get("network_weights"), Mapping):
        raise ModelError(f"{package.path} → {name} holds no network_weights.")
    return tree


def _weights(tree: Mapping[str, Any], where: str, path: Path) -> State:
    size = sum(getattr(t, "nbytes", 0) for t in tree["network_weights"].values())
    return find_state(tree["network_weights"], where, max(1, size)).state


def _states(package: Package, files: tuple[str, ...]) -> State:
    """Return the weights of every fold, with the number of the fold where there are several."""
    states = []
    for name in files:
        where = f"{package.path} → {name}"
        states.append(_weights(_tree(package, name), where, package.path))
    if len(states) == 1:
        return states[0]
    return {f"{FOLD}{n}.{key}": t for n, state in enumerate(states) for key, t in state.items()}


def _plan(
    tree: Mapping[str, Any], where: str, plans: dict[str, Any], dataset: dict[str, Any]
) -> Plan:
    configuration = table(dict(tree), "init_args").get("configuration")
    if not isinstance(configuration, str) or not plans or not dataset:
        raise ModelError(
            f"{where} does not say to which configuration, plans and data set it belongs.",
            hint="Open the results folder with plans.json and dataset.json.",
        )
    mirror = tree.get("inference_allowed_mirroring_axes")
    axes = whole_numbers(mirror) if mirror else ()
    return Plan(plans, dataset, configuration, axes or (), where)


def _card(plan: Plan, state: State, tree: Mapping[str, Any], folds: int) -> ModelCard:
    architecture = ARCHITECTURES.get("nnunet")
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    known = architecture.recognise(shapes)
    if known is None:
        from napari_defectseg.models.recognise import unknown

        raise unknown(shapes, plan.where)
    facts = architecture.facts({**checked_network(plan, known), "folds": folds})
    grey, notes = preprocessing(plan, facts["in_channels"])
    classes, more = meaning(plan, facts["out_channels"])
    patches = windows(plan, grey.pop("masked"))
    network = ("dims", "in_channels", "grid", "halo", "parameters")
    fields = {
        "name": plan.name,
        "description": _description(plan, tree, folds),
        "architecture": "nnunet",
        "architecture_settings": facts["settings"],
        **{name: facts[name] for name in network},
        **grey,
        **classes,
        "windows": patches,
        "citation": CITATION,
        "licence": str(plan.dataset.get("licence") or plan.dataset.get("license") or ""),
        "quirks": (*more, *notes),
    }
    from_weights = dict.fromkeys(("architecture", *network), "file")
    return ModelCard.of({**fields, "sources": from_weights}, plan.where)


def _description(plan: Plan, tree: Mapping[str, Any], folds: int) -> str:
    trainer = tree.get("trainer_name")
    several = f", mean of {folds} folds" if folds > 1 else ""
    named = f", trained by {trainer}" if isinstance(trainer, str) else ""
    channels = f"; channels: {', '.join(plan.channels)}" if plan.channels else ""
    return f"nnU-Net v2, {plan.plans.get('plans_name', 'plans')}{named}{several}{channels}."

"""Packages of bioimage.io (0.4 and 0.5): weights of networks we build, with their description.

Weights as a state dict, or those inside TorchScript, are read as data; where no network of ours
fits them, the TorchScript runs after a person trusted it. The Python file of an architecture is
never run. The package's own test tensors are computed on opening.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError, ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import guess_card, meaning_of
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import Model, TorchModel, torch_model
from napari_defectseg.models.package import Package
from napari_defectseg.models.preprocess import fit_chain
from napari_defectseg.models.programs import Told, trusted_model
from napari_defectseg.models.rdf import (
    DESCRIPTIONS,
    Described,
    described,
    read_yaml,
    test_tensors,
)
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import read_torch
from napari_defectseg.models.trust.consent import NotTrusted, program_in_file
from napari_defectseg.models.trust.record import trusted

KINDS = ("pytorch_state_dict", "torchscript")
"""Kinds of weights that are opened, the preferred first."""
LARGEST_TEST = 64 << 20
CLOSE = 1e-3


def recognise(path: Path) -> Match:
    """Say whether `path` is a package with a description of bioimage.io."""
    try:
        if not path.is_dir() and not zipfile.is_zipfile(path):
            return Match(False, "it is no zip archive or folder")
        found = any(name in DESCRIPTIONS for name in Package(path).names())
    except ModelError:
        return Match(False, "it is a zip archive that was cut off or damaged")
    return Match(found, "" if found else f"it has no {DESCRIPTIONS[0]}")


def open(path: Path, card: ModelCard | None) -> Model:  # noqa: A001 - the protocol's word
    """Return the model in a package.

    Raises
    ------
    ModelError
        If its description cannot be read, its weights are damaged, or none of them are of a
        kind and network that this program builds.
    """
    package = Package(path)
    name = next(n for n in DESCRIPTIONS if n in package.names())
    rdf = read_yaml(package.read(name), f"{path} → {name}")
    says = described(rdf, str(path))
    program = _trusted(package, rdf, says)
    if program is not None:
        return _tested(program, package, rdf)
    kind, source, state = _weights(package, rdf)
    model = TorchModel(
        card or _card(says, state, path, kind),
        lambda: _read(package, source, kind),
        path=str(path),
        format="bioimageio",
        sha256=_hash(package, source),
        files=(name, source),
    )
    return model if card else _tested(model, package, rdf)


def _weights(package: Package, rdf: Mapping[str, Any]) -> tuple[str, str, State]:
    """Return kind, file and tensors of the first weights that fit a network of ours."""
    weights = rdf.get("weights")
    offered = weights if isinstance(weights, dict) else {}
    for kind in KINDS:
        entry = offered.get(kind)
        if not isinstance(entry, dict) or not isinstance(entry.get("source"), str):
            continue
        source, said = entry["source"], entry.get("sha256")
        if said and said != _hash(package, source):
            raise ModelError(
                f"{package.path} holds another {source} than its description says.",
                hint="It was changed or damaged; fetch it again.",
            )
        state = _read(package, source, kind)
        if recognise_network({n: tuple(t.shape) for n, t in state.items()}):
            return kind, source, state
    _ask_for_trust(package, offered)
    kinds = ", ".join(str(kind) for kind in offered) or "none"
    raise ModelError(
        f"{package.path} has weights of these kinds: {kinds}. None of them can be opened: weights "
        "of torch are opened where they fit a network that this program builds, and programs "
        "stay closed.",
        hint="Run it in a program of bioimage.io, and open the result as labels.",
    )


def _trusted(package: Package, rdf: Mapping[str, Any], says: Described) -> ArrayModel | None:
    """Return the package's program where a person trusts it, None where nobody does."""
    source = _script(rdf.get("weights"))
    record = trusted(_hash(package, source)) if source else None
    if record is None:
        return None
    try:
        state = _read(package, source, "torchscript")
    except ModelError:  # a program may hold its weights in a way of its own
        state = {}
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    model = trusted_model(record, Told(package.path, "bioimageio", shapes, says.names))
    fields = {n: v for n, v in says.fields.items() if n != "activation"}
    meaning = _meaning(model.card.out_channels, says)
    missing = (set(model.card.missing) | says.missing) - {*fields, *meaning}
    stated = model.card.replaced(source="card", **fields, **meaning)
    quirks = (*says.quirks, *stated.quirks)
    return model.with_card(
        stated.model_copy(update={"missing": tuple(sorted(missing)), "quirks": quirks})
    )


def _script(offered: Any) -> str:
    """Return the TorchScript file that a package names, empty if it has none."""
    entry = offered.get("torchscript") if isinstance(offered, dict) else None
    source = entry.get("source") if isinstance(entry, dict) else None
    return source if isinstance(source, str) else ""


def _ask_for_trust(package: Package, offered: Mapping[str, Any]) -> None:
    """Raise `NotTrusted` where running the package's program is all that remains."""
    found = program_in_file(package.path) if _script(offered) else None
    if found is not None:
        raise NotTrusted(
            replace(found, what=f"a package with {found.what}"),
            "None of its weights fit a network that this program builds.",
        )


def _read(package: Package, source: str, kind: str) -> State:
    with package.unpacked(source) as file:
        tree = read_inert(file).tree if kind == "torchscript" else read_torch(file).tree
        return find_state(tree, f"{package.path} → {source}", file.stat().st_size).state


def _hash(package: Package, source: str) -> str:
    if package.path.is_dir():
        return sha256_of_file(package.path / source)
    return hashlib.sha256(package.read(source)).hexdigest()


def _card(says: Described, state: State, path: Path, kind: str) -> ModelCard:
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    notes = list(says.quirks)
    if kind == "torchscript":
        notes.append("Its weights come from a program, which was not run.")
    card = guess_card(shapes, str(path), notes=tuple(notes))
    fields = {n: v for n, v in says.fields.items() if n != "activation"}
    stated = card.replaced(source="card", **fields, **_meaning(card.out_channels, says))
    missing = {*stated.missing, *says.missing}
    if "activation" in says.fields:
        missing -= {"task"}
    sources = dict(stated.sources)
    if not says.names:
        sources["classes"] = "guess"
        missing |= {"classes"}
    return stated.model_copy(update={"missing": tuple(sorted(missing)), "sources": sources})


def _meaning(outputs: int, says: Described) -> dict[str, Any]:
    """Return classes and task as the description has them, nothing where it is silent."""
    if "activation" not in says.fields:
        return {}
    sigmoid = says.fields["activation"] == "sigmoid"
    names = says.names or tuple(f"class {i + 1}" for i in range(max(1, outputs - (not sigmoid))))
    return meaning_of(outputs, names, multilabel=sigmoid and outputs > 1) or {}


def _tested(model: Model, package: Package, rdf: Mapping[str, Any]) -> Model:
    """Return the model with the greatest difference that its own test showed in its card."""
    given, wanted = test_tensors(rdf)
    if not given or not wanted:
        return model
    x, y = _array(package, given), _array(package, wanted)
    found = _run(model, x)
    if found.shape != y.shape:
        raise ModelError(f"{package.path} gives {found.shape} where its own test has {y.shape}.")
    if not np.isfinite(y).all() or not np.isfinite(found).all():
        raise ModelError(f"The test of {package.path} has values that are not numbers.")
    difference = float(np.abs(found - y).max(initial=0.0))
    card = model.card.replaced(source="file", scores={"test_tensor_difference": difference})
    if difference > CLOSE:
        warning = f"Its own test differs by {difference:.2g}: what it gives is not what it should."
        card = card.replaced(source="file", quirks=(warning, *card.quirks))
    return model.with_card(card)


def _run(model: Model, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import torch

    card = model.card
    try:
        chain = fit_chain(card.preprocessing, x[0])
        block = np.ascontiguousarray(chain.apply(x[0]))
        if isinstance(model, ArrayModel):
            logits = torch.from_numpy(model.start(1).run(block))[None]
        else:
            with torch.inference_mode():
                logits = torch_model(model).network()(torch.from_numpy(block)[None])
    except (ImageError, RuntimeError, IndexError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{model.path} cannot compute its own test: {reason}.") from error
    if card.activation == "softmax":
        logits = torch.softmax(logits, 1)
    elif card.activation == "sigmoid":
        logits = torch.sigmoid(logits)
    result: np.ndarray[Any, Any] = logits.numpy()
    return result


def _array(package: Package, name: str) -> np.ndarray[Any, Any]:
    try:
        array = np.load(io.BytesIO(package.read(name, LARGEST_TEST)), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise ModelError(f"{package.path} → {name} is not a plain array: {error}.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim < 4:
        raise ModelError(f"{package.path} → {name} is not an array of an image with channels.")
    return array

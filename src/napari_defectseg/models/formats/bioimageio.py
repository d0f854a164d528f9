"""Packages of bioimage.io (0.4 and 0.5): weights of networks we build, with their description.

Weights as a state dict, or those inside TorchScript, are read as data; the Python file of an
architecture and programs are never run. The package's own test tensors are computed on opening.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError, ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import guess_card, meaning_of
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.package import Package, is_zip
from napari_defectseg.models.preprocess import fit_chain
from napari_defectseg.models.rdf import Described, described, read_yaml, test_tensors
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import read_torch

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
KINDS = ("pytorch_state_dict", "torchscript")
"""Kinds of weights that are opened, the preferred first."""
LARGEST_TEST = 64 << 20
CLOSE = 1e-3


def recognise(path: Path) -> Match:
    """Say whether `path` is a package with a description of bioimage.io."""
    try:
        if not path.is_dir() and not is_zip(path):
            return Match(False, "it is no zip archive or folder")
        found = any(name in DESCRIPTIONS for name in Package(path).names())
    except ModelError:
        return Match(False, "it is a zip archive that was cut off or damaged")
    return Match(found, "" if found else f"it has no {DESCRIPTIONS[0]}")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
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
    kinds = ", ".join(str(kind) for kind in offered) or "none"
    raise ModelError(
        f"{package.path} has weights of these kinds: {kinds}. None of them can be opened: weights "
        "of torch are opened where they fit a network that this program builds, and programs "
        "stay closed.",
        hint="Run it in a program of bioimage.io, and open the result as labels.",
    )


def _read(package: Package, source: str, kind: str) -> State:
    with package.unpacked(source) as file:
        tree = read_inert(file).tree if kind == "torchscript" else read_torch(file).tree
        return find_state(tree, f"{package.path} → {source}", file.stat().st_size).state


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


def _tested(model: TorchModel, package: Package, rdf: Mapping[str, Any]) -> TorchModel:
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


def _run(model: TorchModel, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import torch

    card = model.card
    try:
        chain = fit_chain(card.preprocessing, x[0])
        block = torch.from_numpy(np.ascontiguousarray(chain.apply(x[0])))[None]
        with torch.inference_mode():
            logits = model.network()(block)
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


def _hash(package: Package, source: str) -> str:
    return package.sha256(source)

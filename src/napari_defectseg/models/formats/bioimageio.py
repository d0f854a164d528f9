"""Packages of bioimage.io (0.4 and 0.5): weights of networks we build, or ONNX, described.

Weights as a state dict, or those inside TorchScript, are read as data into networks of ours; ONNX
runs in a process of its own; a TorchScript that neither replaces runs after a person trusted it.
The Python file of an architecture is never run. The package's own test tensors are computed on
opening; where what was opened first does not give what it should, the next kind is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.arraymodel import ArrayModel, Program
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.copies import kept_copy
from napari_defectseg.models.format import Match
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.onnx.opened import has_runtime, open_onnx
from napari_defectseg.models.ownpackage import own_model
from napari_defectseg.models.package import Package, is_zip
from napari_defectseg.models.packagecard import described_graph, described_network
from napari_defectseg.models.programs import Told, trusted_model
from napari_defectseg.models.rdf import DESCRIPTIONS, Described, described, read_yaml
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.selftest import CLOSE, difference, test_in, tested_card
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import read_torch
from napari_defectseg.models.trust.consent import NotTrusted, program_in_file
from napari_defectseg.models.trust.record import trusted

KINDS = ("pytorch_state_dict", "onnx", "torchscript")
"""Kinds of weights that are opened, the preferred first."""


def recognise(path: Path) -> Match:
    """Say whether `path` is a package with a description of bioimage.io."""
    try:
        if not path.is_dir() and not is_zip(path):
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
        kind that is opened.
    """
    package = Package(path)
    name = next(n for n in DESCRIPTIONS if n in package.names())
    rdf = read_yaml(package.read(name), f"{path} → {name}")
    says = described(rdf, str(path))
    test = test_in(package, rdf)
    best: tuple[float, Model] | None = None
    for model in _models(package, rdf, says, name):
        if card is not None:
            return model.with_card(card)
        if test is None:
            return model
        try:
            greatest = difference(model, *test)
        finally:
            model.close()
        if best is None or greatest < best[0]:
            best = greatest, model.with_card(tested_card(model.card, greatest))
        if greatest <= CLOSE:
            break
    if best is None:
        _ask_for_trust(package, rdf)
        raise _nothing_fits(package, rdf)
    return best[1]


def _models(
    package: Package, rdf: Mapping[str, Any], says: Described, description: str
) -> Iterator[Model]:
    """Yield the package's weights as models, those of kinds that are opened here."""
    ours = own_model(package, rdf, description)
    if ours is not None:
        yield ours
        return
    program = _trusted(package, rdf, says)
    if program is not None:
        yield program
        return
    offered = _offered(rdf)
    for kind in KINDS:
        entry = offered.get(kind)
        if not isinstance(entry, dict) or not isinstance(entry.get("source"), str):
            continue
        files = (description, entry["source"])
        if kind == "onnx":
            if has_runtime():
                yield _graph(package, entry, says, files)
        else:
            _check_hash(package, entry)
            state = _read(package, entry["source"], kind)
            if recognise_network({n: tuple(t.shape) for n, t in state.items()}):
                yield _network(package, (kind, entry["source"]), state, says, files)


def _network(
    package: Package,
    stored: tuple[str, str],
    state: State,
    says: Described,
    files: tuple[str, ...],
) -> TorchModel:
    kind, source = stored
    path = str(package.path)
    notes = ("Its weights come from a program, which was not run.",) * (kind == "torchscript")
    return TorchModel(
        described_network(says, state, path, notes),
        lambda: _read(package, source, kind),
        path=path,
        format="bioimageio",
        sha256=package.sha256(source),
        files=files,
    )


def _graph(
    package: Package, entry: Mapping[str, Any], says: Described, files: tuple[str, ...]
) -> ArrayModel:
    """Return the model of the package's ONNX; out of an archive it is copied to the cache."""
    outside = entry.get("external_data")
    parts = [entry, *([outside] if isinstance(outside, dict) else [])]
    for part in parts:
        _check_hash(package, part)
    sources = [str(part.get("source", "")) for part in parts]
    if package.path.is_dir():
        file = package.path / sources[0]
    else:
        file = kept_copy({PurePosixPath(s).name: package.read(s) for s in sources})[0]
    inner = open_onnx(file)
    program = inner.program
    return ArrayModel(
        described_graph(says, inner.card),
        Program(program.runtime, program.file, program.files, program.options),
        path=str(package.path),
        format="bioimageio",
        sha256=inner.sha256,
        files=(files[0], *sources),
    )


def _check_hash(package: Package, entry: Mapping[str, Any]) -> None:
    source, said = str(entry.get("source", "")), entry.get("sha256")
    if said and said != package.sha256(source):
        raise ModelError(
            f"{package.path} holds another {source} than its description says.",
            hint="It was changed or damaged; fetch it again.",
        )


def _trusted(package: Package, rdf: Mapping[str, Any], says: Described) -> ArrayModel | None:
    """Return the package's program where a person trusts it, None where nobody does."""
    source = _script(rdf)
    record = trusted(package.sha256(source)) if source else None
    if record is None:
        return None
    try:
        state = _read(package, source, "torchscript")
    except ModelError:  # a program may hold its weights in a way of its own
        state = {}
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    model = trusted_model(record, Told(package.path, "bioimageio", shapes, says.names))
    return model.with_card(described_graph(says, model.card))


def _offered(rdf: Mapping[str, Any]) -> Mapping[str, Any]:
    weights = rdf.get("weights")
    return weights if isinstance(weights, dict) else {}


def _script(rdf: Mapping[str, Any]) -> str:
    """Return the TorchScript file that a package names, empty if it has none."""
    entry = _offered(rdf).get("torchscript")
    source = entry.get("source") if isinstance(entry, dict) else None
    return source if isinstance(source, str) else ""


def _ask_for_trust(package: Package, rdf: Mapping[str, Any]) -> None:
    """Raise `NotTrusted` where running the package's program is all that remains."""
    found = program_in_file(package.path) if _script(rdf) else None
    if found is not None:
        raise NotTrusted(
            replace(found, what=f"a package with {found.what}"),
            "None of its weights fit a network that this program builds.",
        )


def _nothing_fits(package: Package, rdf: Mapping[str, Any]) -> ModelError:
    offered = _offered(rdf)
    kinds = ", ".join(str(kind) for kind in offered) or "none"
    hint = "Run it in a program of bioimage.io, and open the result as labels."
    if "onnx" in offered and not has_runtime():
        hint = "Its ONNX can be run: pip install 'napari-defectseg[onnx]'."
    return ModelError(
        f"{package.path} has weights of these kinds: {kinds}. None of them can be opened: weights "
        "of torch are opened where they fit a network that this program builds, and programs "
        "stay closed.",
        hint=hint,
    )


def _read(package: Package, source: str, kind: str) -> State:
    with package.unpacked(source) as file:
        tree = read_inert(file).tree if kind == "torchscript" else read_torch(file).tree
        return find_state(tree, f"{package.path} → {source}", file.stat().st_size).state

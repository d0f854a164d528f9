"""Small genuine files to damage, one table of them: a new format joins with one line in `PARSERS`.

Files are made here; genuine ones of other libraries are added where the folder named by
``DEFECTSEG_TEST_REFERENCE`` is there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from mutation_ways import (  # noqa: E402 - the packages of this repository first
    Way,
    in_bytes,
    in_graph,
    in_hdf5,
    in_json,
    in_message,
    in_safetensors,
    in_table,
    in_xml,
    in_zip,
)
from tests.models.keras.writing import (  # noqa: E402
    seeded,
    small_config,
    write_defectsegnet,
    write_h5,
    write_keras,
    write_saved_model,
)

REFERENCE = Path(os.environ.get("DEFECTSEG_TEST_REFERENCE", ROOT.parent / "shared/reference"))
LARGEST = 600_000
"""Bytes of a genuine file that is small enough to be damaged thousands of times."""
Make: TypeAlias = Callable[[Path], "Iterator[tuple[str, str]]"]


@dataclass(frozen=True)
class Parser:
    """What is damaged, and how.

    Parameters
    ----------
    make : callable
        Writes seeds, each into a folder of its own below the one it is given, and yields for each
        the path of what is opened, relative to that folder, and what becomes of it undamaged.
    ways : dict of str to Way
        Pattern of file names to the way in which these files are damaged.
    genuine : tuple of str
        Files or folders of the reference that are seeds as well.
    """

    make: Make
    ways: dict[str, Way]
    genuine: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seed:
    """One genuine file, or a folder of them, in memory."""

    name: str
    entry: str
    expected: str
    parts: dict[str, bytes]
    ways: dict[str, Way]


def write(folder: Path, parser: Parser) -> None:
    """Write the seeds of a parser, and what is expected of them."""
    folder.mkdir(parents=True)
    listed = dict(parser.make(folder))
    for name in parser.genuine:
        file = REFERENCE / "formats" / name
        if file.exists():
            place = folder / name.replace("/", "-")
            shutil.copytree(file, place) if file.is_dir() else _copy(file, place)
            inside = "" if file.is_dir() else f"/{file.name}"
            listed[f"{place.name}{inside}"] = "opened"
    (folder / "seeds.json").write_text(json.dumps(listed))


def _copy(file: Path, place: Path) -> None:
    place.mkdir()
    shutil.copy(file, place)


def load(folder: Path, parser: Parser) -> list[Seed]:
    """Return the seeds that `write` left, smallest first."""
    found = []
    for path, expected in json.loads((folder / "seeds.json").read_text()).items():
        place = folder / path.split("/")[0]
        parts = {
            str(file.relative_to(place)): file.read_bytes()
            for file in sorted(place.rglob("*"))
            if file.is_file()
        }
        ways = {name: way for name in parts for way in _ways(name, parser) if parts[name]}
        if ways and sum(map(len, parts.values())) <= LARGEST:
            found.append(Seed(place.name, path.partition("/")[2], expected, parts, ways))
    return found


def _ways(name: str, parser: Parser) -> Iterator[Way]:
    yield from [way for pattern, way in parser.ways.items() if fnmatch(name, pattern)][:1]


def place(seed: Seed, parser: str, number: int, folder: Path) -> Path:
    """Write the damaged copy of a number and return its path."""
    dice = random.Random(f"{parser} {number}")
    shutil.rmtree(folder, ignore_errors=True)
    chosen = dice.choice(sorted(seed.ways))
    for name, content in seed.parts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(seed.ways[chosen](content, dice) if name == chosen else content)
    return folder / seed.entry


# --- the files --------------------------------------------------------------------------------


def _small() -> Any:
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.models.model import TorchModel, design

    card = design("small", settings={"widths": (2, 4)}, classes=ClassMap.of(["void", "loop"]))
    return TorchModel.new(card, seed=1)


def _place(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    return place


def _folder(folder: Path) -> Iterator[tuple[str, str]]:
    from napari_defectseg.models.save import save_model

    save_model(_small(), folder / "model")
    yield "model", "opened"


def _safetensors(folder: Path) -> Iterator[tuple[str, str]]:
    from napari_defectseg.models.weights import write_safetensors

    write_safetensors(_small().state_dict(), _place(folder, "plain") / "model.safetensors")
    yield "plain/model.safetensors", "opened"


def _torch(*, new: bool) -> Make:
    def make(folder: Path) -> Iterator[tuple[str, str]]:
        import torch

        state = dict(_small().state_dict())
        trees = {
            "state": state,
            "checkpoint": {
                "epoch": 3, "class_names": ["void", "loop"], "optimizer": {"lr": 0.1},
                "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
            },
        }  # fmt: skip
        for name, tree in trees.items():
            file = _place(folder, name) / "model.pth"
            torch.save(tree, file, _use_new_zipfile_serialization=new)
            yield f"{name}/model.pth", "opened"

    return make


RUN = b"import os;open(os.environ.get('DEFECTSEG_MARKER','pwned.marker'),'a').write('x')"
HARM = b"cbuiltins\nexec\nX" + len(RUN).to_bytes(4, "little") + RUN + b"\x85R"
"""A pickle that would run something, if it were run."""


def _inert(folder: Path) -> Iterator[tuple[str, str]]:
    import torch

    network = _small().network()
    options = argparse.Namespace(lr=0.1, folder=Path("runs"), class_names=["void", "loop"])
    trees = {"module": network, "objects": {"model": network.state_dict(), "args": options}}
    for name, tree in trees.items():
        for new in (True, False):
            place = _place(folder, f"{name}-{'zip' if new else 'legacy'}")
            torch.save(tree, place / "model.pt", _use_new_zipfile_serialization=new)
            yield f"{place.name}/model.pt", "opened"
    harmful = {
        "harm-bare": b"\x80\x02" + HARM + b".",
        "harm-inst": b"\x80\x02}(X\x01\x00\x00\x00ac__main__\nA\n)\x81}X\x01\x00\x00\x00b"
        + HARM
        + b"sbu.",
    }
    for name, data in harmful.items():
        (_place(folder, name) / "model.pkl").write_bytes(data)
        yield f"{name}/model.pkl", "refused"
    with zipfile.ZipFile(_place(folder, "harm-zip") / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", harmful["harm-inst"])
        archive.writestr("archive/version", "3\n")
    yield "harm-zip/model.pt", "refused"


def _program(folder: Path) -> Iterator[tuple[str, str]]:
    import torch

    network, x = _small().network(), torch.zeros(1, 1, 8, 8)
    torch.jit.trace(network, x).save(str(_place(folder, "script") / "model.pt"))
    torch.export.save(torch.export.export(network, (x,)), _place(folder, "export") / "model.pt2")
    yield "script/model.pt", "opened"
    yield "export/model.pt2", "opened"


def _graph(config: dict[str, Any] | None = None) -> Any:
    from napari_defectseg.models.architecture import ARCHITECTURES
    from napari_defectseg.models.keras.configuration import network_in

    if config is not None:
        return network_in(config, "small").graph
    graph: Any = ARCHITECTURES.get("am_unet")
    return graph.graph({"base": 1})


def _keras_h5(folder: Path) -> Iterator[tuple[str, str]]:
    config = small_config()
    graph = _graph(config)
    write_h5(graph, seeded(graph), _place(folder, "whole") / "model.h5", config=config)
    yield "whole/model.h5", "opened"
    graph = _graph()
    write_h5(graph, seeded(graph), _place(folder, "weights") / "model.h5")
    yield "weights/model.h5", "opened"


def _keras_archive(folder: Path) -> Iterator[tuple[str, str]]:
    write_keras(_place(folder, "archive") / "model.keras")
    yield "archive/model.keras", "opened"


def _keras_json(folder: Path) -> Iterator[tuple[str, str]]:
    place, config = _place(folder, "two"), small_config()
    graph = _graph(config)
    write_h5(graph, seeded(graph), place / "model_weights.h5")
    (place / "model.json").write_text(json.dumps(config))
    yield "two/model.json", "opened"


def _checkpoint(folder: Path) -> Iterator[tuple[str, str]]:
    from napari_defectseg.models.architecture import ARCHITECTURES

    net: Any = ARCHITECTURES.get("defectsegnet")
    write_defectsegnet(net.graph({"base": 1}), _place(folder, "defectsegnet"))
    yield "defectsegnet/checkpoint_folder", "opened"


def _saved_model(folder: Path) -> Iterator[tuple[str, str]]:
    config = small_config()
    graph = _graph(config)
    write_saved_model(graph, seeded(graph), _place(folder, "saved"), config)
    yield "saved", "opened"


RDF = """
name: small
type: model
format_version: 0.5.3
inputs:
  - axes: [{type: batch}, {type: channel, channel_names: [sem]}]
    preprocessing: [{id: zero_mean_unit_variance}]
outputs:
  - axes: [{type: channel, channel_names: [background, void, loop]}]
    postprocessing: [{id: softmax}]
weights:
  pytorch_state_dict: {source: weights.pt}
"""


def _bioimageio(folder: Path) -> Iterator[tuple[str, str]]:
    import torch

    place = _place(folder, "package")
    torch.save(dict(_small().state_dict()), folder / "weights.pt")
    with zipfile.ZipFile(place / "model.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rdf.yaml", RDF)
        archive.write(folder / "weights.pt", "weights.pt")
    yield "package/model.zip", "opened"


def _onnx(folder: Path) -> Iterator[tuple[str, str]]:
    from tests.models.onnx.writing import small_onnx

    for name, end in {"plain": "", "softmax": "Softmax", "labels": "ArgMax"}.items():
        small_onnx(_place(folder, name) / "model.onnx", end=end)
        yield f"{name}/model.onnx", "opened"


def _openvino(folder: Path) -> Iterator[tuple[str, str]]:
    from tests.models.openvino.writing import small_openvino

    small_openvino(_place(folder, "written") / "model.xml")
    yield "written/model.xml", "opened"
    genuine = REFERENCE / "formats" / "openvino"
    if genuine.is_dir():
        shutil.copytree(genuine, folder / "genuine")
        yield "genuine/unet.xml", "opened"


def _contracts(*names: str) -> Make:
    """Return what writes the files that the contracts of these formats are held with."""

    def make(folder: Path) -> Iterator[tuple[str, str]]:
        from tests.models import test_containers

        for name in names:
            path = getattr(test_containers, name)().write(_place(folder, name))
            yield str(path.relative_to(folder)), "opened"

    return make


def _named(folder: Path) -> Iterator[tuple[str, str]]:
    from tests.models.named_files import write_named

    for path in write_named(folder):
        yield str(path.relative_to(folder)), "refused"


def _inner(name: str) -> Way:
    """Return the way to damage a member of an archive."""
    h5, text = name.endswith(".h5"), name.endswith(".json")
    return in_hdf5("model_config") if h5 else in_json if text else in_bytes


TORCH = {"*": in_zip(_inner)}
KERAS = {"*.h5": in_hdf5("model_config"), "*.json": in_json, "*.keras": in_zip(_inner)}
TABLE = {"*.index": in_table, "*.data-*": in_bytes, "*.json": in_json, "*checkpoint": in_bytes}


def _torch_or_bytes(data: bytes, dice: random.Random) -> bytes:
    return (TORCH["*"] if data[:2] == b"PK" else in_bytes)(data, dice)


BUNDLE: dict[str, Way] = {
    "*.json": in_json,
    "*.safetensors": in_safetensors,
    "*": _torch_or_bytes,
}

PARSERS: dict[str, Parser] = {
    "folder": Parser(_folder, {"card.json": in_json, "*.safetensors": in_safetensors}),
    "safetensors": Parser(
        _safetensors,
        {"*": in_safetensors},
        ("torch2d/unet.safetensors", "torch3d/unet3d.safetensors"),
    ),
    "torch_zip": Parser(_torch(new=True), TORCH, ("torch2d/checkpoint_ema.pth",)),
    "torch_legacy": Parser(_torch(new=False), {"*": in_bytes}, ("torch2d/unet_legacy.pth",)),
    "inert_pickle": Parser(
        _inert,
        {
            "*.pt": _torch_or_bytes,
            "*": in_bytes,
        },
        ("torch2d/checkpoint_namespace_numpy.pth.tar", "torch2d/unet_lightning.ckpt"),
    ),
    "program": Parser(_program, TORCH, ("torch2d/unet_jit_script.pt",)),
    "keras_h5": Parser(_keras_h5, KERAS, ("keras2_2d/unet_full.h5", "keras3/unet_legacy.h5")),
    "keras_archive": Parser(
        _keras_archive, KERAS, ("keras2_2d/unet_keras2.keras", "keras3/unet.keras")
    ),
    "keras_json": Parser(_keras_json, KERAS),
    "tf_checkpoint": Parser(_checkpoint, TABLE, ("tf2_checkpoint",)),
    "saved_model": Parser(
        _saved_model,
        {"*keras_metadata.pb": in_message, "*.index": in_table},
        ("keras2_2d/savedmodel",),
    ),
    "bioimageio": Parser(_bioimageio, TORCH),
    "onnx": Parser(_onnx, {"*": in_graph}, ("onnx/unet_opset17_dynamic.onnx",)),
    "openvino": Parser(_openvino, {"*.xml": in_xml, "*.bin": in_bytes}),
    "nnunet": Parser(_contracts("TestNNUNetFolder", "TestNNUNetCheckpoint"), BUNDLE),
    "monai": Parser(_contracts("TestMonaiFolder", "TestMonaiArchive"), BUNDLE, ("monai_bundle",)),
    "smp": Parser(_contracts("TestSmpFolder"), BUNDLE),
    "transformers": Parser(_contracts("TestTransformersFolder"), BUNDLE, ("segformer", "upernet")),
    "named": Parser(_named, {"*": in_bytes}),
}

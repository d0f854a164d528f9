"""Whole modules and checkpoints with objects in them: read to the bit, nothing run."""

from __future__ import annotations

import argparse
import io
import pickle
import random
import runpy
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published import check_logits, filled, reference, run

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, ModelError
from napari_defectseg.models.inert import InertMachine
from napari_defectseg.models.inert_values import AsksToRun, Name, StrangePickle, Stub
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    card = design("small", settings={"widths": (4, 8)}, classes=ClassMap.of(["void", "loop"]))
    return TorchModel.new(card, seed=3).network()


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "DataParallel"])
def test_a_whole_module_opens_like_its_state_dict(
    network: torch.nn.Module, tmp_path: Path, new: bool, wrapped: bool
) -> None:
    thing = torch.nn.DataParallel(network) if wrapped else network
    torch.save(thing, tmp_path / "whole.pt", _use_new_zipfile_serialization=new)
    model = open_model(tmp_path / "whole.pt")
    x = torch.rand(1, 1, 8, 8)
    assert torch.equal(model.network()(x), network(x))
    assert "nothing was run" in model.card.quirks[0]


def test_a_module_inside_a_checkpoint_with_objects_is_found(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    args = argparse.Namespace(lr=0.1, folder=Path("runs"), class_names=["void", "loop"])
    tree = {"model": network, "args": args, "best": np.float64(0.5), "config": vars(args)}
    torch.save(tree, tmp_path / "a.pth")
    read = read_inert(tmp_path / "a.pth")
    assert read.tree["best"] == 0.5
    assert read.tree["args"]["lr"] == 0.1
    model = open_model(tmp_path / "a.pth")
    assert torch.equal(model.state_dict()["head.bias"], network.state_dict()["head.bias"])
    assert model.card.classes.names == ("void", "loop")


def test_every_type_of_numbers_is_read_to_the_bit(tmp_path: Path) -> None:
    kinds = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32)
    kinds += (torch.int16, torch.int8, torch.uint8, torch.bool)
    base = torch.arange(24).reshape(4, 6) - 3
    tensors = {str(kind): base.to(kind) for kind in kinds}
    tensors |= {
        "view": base.float().T[1:4],
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.5),
    }
    for new in (True, False):
        torch.save(tensors, tmp_path / "t.pth", _use_new_zipfile_serialization=new)
        found = read_inert(tmp_path / "t.pth").tree
        assert list(found) == list(tensors)
        for name, tensor in tensors.items():
            assert found[name].dtype == tensor.dtype, name
            assert torch.equal(found[name], tensor), name


WHOLE = ["mff_metal/narrow_w6", "unet_pbf/narrow_w4"]


@pytest.mark.parametrize("name", WHOLE)
def test_published_whole_modules_open_without_their_classes(name: str) -> None:
    folder = reference(name)
    path = folder / "whole_module.pth"
    for key, tensor in filled(folder).items():
        assert torch.equal(read_inert(path).tree[key], tensor) if key.endswith("0.weight") else True
    model = open_model(path)
    assert model.card.architecture == name.split("/")[0]
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    check_logits(run(model.network(), given["a_x"]), wanted["a_logits"])


def test_names_are_words_and_objects_are_stubs() -> None:
    data = pickle.dumps(argparse.Namespace(a=1, b=[1, (2, 3)]))
    found = InertMachine().read(io.BytesIO(data))
    assert isinstance(found, Stub)
    assert found.name == Name("argparse", "Namespace")
    assert found.state == {"a": 1, "b": [1, (2, 3)]}


class Marked:
    """Leaves a mark wherever it is unpickled."""

    mark = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.mark, "w"))


@pytest.mark.parametrize("protocol", range(6))
def test_functions_of_the_system_are_refused_by_name(tmp_path: Path, protocol: int) -> None:
    Marked.mark = str(tmp_path / "mark")
    with pytest.raises(AsksToRun, match=r"open"):
        InertMachine().read(io.BytesIO(pickle.dumps({"w": Marked()}, protocol)))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80\x02K\x01K\x02K\x03s.", "an entry put into a int"),
        (b"\x80\x02h\x00.", "never remembered"),
        (b"\x80\x02e.", "no mark"),
        (b"\x80\x02]]K\x01s}]K\x01s.", "list"),
        (b"\x80\x02}]K\x01s.", "as a key"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02K\x01", "exhausted|no end|without"),
        (b"\x80\x02K\x01Q.", "outside the file"),
    ],
)
def test_what_no_honest_pickle_does_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(StrangePickle, match=words):
        InertMachine().read(io.BytesIO(data))


def test_mutated_modules_open_or_get_a_sentence(network: torch.nn.Module, tmp_path: Path) -> None:
    """A seeded short run: bytes changed, cut and repeated, in both layouts."""
    rng = random.Random(8)
    for new in (True, False):
        buffer = io.BytesIO()
        torch.save(network, buffer, _use_new_zipfile_serialization=new)
        whole = buffer.getvalue()
        if new:
            with zipfile.ZipFile(buffer) as archive:
                members = {m.filename: archive.read(m) for m in archive.infolist()}
        for _ in range(60):
            path = tmp_path / "mutated.pt"
            if new:
                with zipfile.ZipFile(path, "w") as archive:
                    for name, data in members.items():
                        changed = mutated(data, rng) if name.endswith("data.pkl") else data
                        archive.writestr(name, changed)
            else:
                path.write_bytes(mutated(whole, rng))
            try:
                open_model(path)
            except DefectSegError as error:
                assert isinstance(error, ModelError)  # noqa: PT017 - or it opened


def mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4) if len(data) > 200 else 1):
        place = rng.randrange(len(changed))
        kind = rng.randrange(4)
        if kind == 0:
            changed[place] = rng.randrange(256)
        elif kind == 1:
            del changed[place : place + rng.randint(1, 40)]
        elif kind == 2:
            changed[place:place] = changed[place : place + rng.randint(1, 40)]
        else:
            changed[place:place] = rng.choice([b".", b"R", b"b", b"s", b"u", b"\x81", b"Q", b"0"])
    return bytes(changed)


@pytest.mark.long
def test_no_hostile_file_runs_or_hurts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attack on files of models: a sentence or an opened model, no mark, 10 s at most."""
    script = reference("formats/make_hostile.py")
    folder = tmp_path / "hostile"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DEFECTSEG_MARKER", str(tmp_path / "pwned.marker"))
    runpy.run_path(str(script))["main"](str(folder))
    for path in sorted(folder.iterdir()):
        started = time.perf_counter()
        try:
            open_model(path).network()
        except DefectSegError as error:
            assert isinstance(error, ModelError), path.name  # noqa: PT017 - or it opened
        assert time.perf_counter() - started < 10, path.name
    assert not list(tmp_path.rglob("*pwned.marker"))

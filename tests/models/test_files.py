"""Bare weight files: wrappings, guesses, and sentences for everything that is no model."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import napari_defectseg.models.torchfile as torchfile
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.format import FORMATS
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model, shipped_models
from napari_defectseg.models.save import save_model

State = dict[str, torch.Tensor]


class Alien:
    """Leaves a mark wherever it is unpickled."""

    mark = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, (f"open({self.mark!r}, 'w').close()",))


@pytest.fixture(scope="module")
def model() -> TorchModel:
    card = design("small", settings={"widths": (4, 8)}, classes=ClassMap.of(["void", "loop"]))
    return TorchModel.new(card, seed=3)


@pytest.fixture
def state(model: TorchModel) -> State:
    return dict(model.state_dict())


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


WRAPPINGS: dict[str, Callable[[State], Any]] = {
    "bare": lambda s: s,
    "ordered": OrderedDict,
    "state_dict": lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"state": {}}},
    "model": lambda s: {"model": s, "args": {"lr": 0.1}},
    "model_state_dict": lambda s: {"model_state_dict": s},
    "net": lambda s: {"net": s},
    "nested": lambda s: {"model": {"state_dict": s}},
    "DataParallel": lambda s: prefixed(s, "module."),
    "compiled": lambda s: prefixed(s, "_orig_mod."),
    "both": lambda s: {"state_dict": prefixed(s, "module._orig_mod.")},
    "lightning": lambda s: {
        "state_dict": {**prefixed(s, "model."), "criterion.weight": torch.ones(3)},
        "pytorch-lightning_version": "2.6",
    },
    "parameters": lambda s: {n: torch.nn.Parameter(t.float()) for n, t in s.items()},
    "no counters": lambda s: {n: t for n, t in s.items() if "num_batches" not in n},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_our_network_is_found_in_every_usual_wrapping(
    state: State, model: TorchModel, tmp_path: Path, wrapping: str, new: bool
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(WRAPPINGS[wrapping](state), path, _use_new_zipfile_serialization=new)
    found = open_model(path)
    x = torch.rand(1, 1, 8, 8)
    assert torch.equal(found.network()(x), model.network()(x))
    assert found.format == "state_dict"


def test_averaged_weights_come_before_the_others(state: State, tmp_path: Path) -> None:
    averaged = {name: tensor + 1 for name, tensor in state.items()}
    torch.save({"model": state, "model_ema": averaged}, tmp_path / "a.pth")
    found = open_model(tmp_path / "a.pth")
    assert torch.equal(found.state_dict()["head.bias"], averaged["head.bias"])
    assert found.card.quirks == (
        "The file holds several sets of weights: 'model_ema' was taken, 'model' left aside.",
    )


def test_card_of_a_bare_file_says_what_is_known_and_what_is_guessed(
    state: State, tmp_path: Path
) -> None:
    save_file(state, tmp_path / "steel.v2.safetensors")
    card = open_model(tmp_path / "steel.v2.safetensors").card
    assert (card.name, card.dims, card.out_channels, card.grid) == ("steel", 2, 3, 2)
    assert card.classes.names == ("class 1", "class 2")
    assert card.sources["dims"] == "file"
    assert card.sources["classes"] == card.sources["preprocessing"] == "guess"
    assert card.missing == ("classes", "task", "preprocessing", "pixel_size")


def test_settings_name_the_classes_of_a_bare_file(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    card = open_model(tmp_path / "a.pth", settings={"classes": "void,loop"}).card
    assert card.classes.names == ("void", "loop")
    assert card.sources["classes"] == "you"
    assert "classes" not in card.missing


def test_one_output_is_a_class_or_not(tmp_path: Path) -> None:
    card = design(
        "one",
        settings={"widths": (4, 8)},
        task="binary",
        activation="sigmoid",
        classes=ClassMap.of(["pore"]),
    )
    torch.save(dict(TorchModel.new(card).state_dict()), tmp_path / "one.pt")
    found = open_model(tmp_path / "one.pt").card
    assert (found.task, found.activation, found.classes.names) == ("binary", "sigmoid", ("defect",))


@pytest.mark.parametrize(
    ("stated", "names", "background"),
    [
        (["background", "void", "loop"], ("void", "loop"), True),
        (["void", "loop"], ("void", "loop"), True),
        (["steel", "void", "loop"], ("steel", "void", "loop"), False),
        (["only one of three"], ("class 1", "class 2"), True),
    ],
)
def test_names_of_classes_in_the_file_are_used_where_they_fit(
    state: State, tmp_path: Path, stated: list[str], names: tuple[str, ...], background: bool
) -> None:
    torch.save({"state_dict": state, "meta": {"CLASSES": stated}}, tmp_path / "a.pth")
    card = open_model(tmp_path / "a.pth").card
    assert (card.classes.names, card.has_background) == (names, background)
    assert card.sources["classes"] == ("guess" if names[0] == "class 1" else "file")


def test_weights_picked_from_a_model_folder_keep_their_card(
    model: TorchModel, tmp_path: Path
) -> None:
    folder = save_model(model, tmp_path / "model")
    assert open_model(folder / "weights.safetensors").card == model.card


def test_half_precision_is_widened(state: State, model: TorchModel, tmp_path: Path) -> None:
    half = {n: t.bfloat16() if t.is_floating_point() else t for n, t in state.items()}
    save_file(half, tmp_path / "a.safetensors")
    network = open_model(tmp_path / "a.safetensors").network()
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_a_network_of_others_is_named_with_what_was_seen(tmp_path: Path) -> None:
    alien = {"inc.double_conv.0.weight": torch.ones(3, 1, 3, 3), "outc.conv.weight": torch.ones(2)}
    torch.save(alien, tmp_path / "alien.pth")
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path / "alien.pth")
    text = str(caught.value)
    assert "2 tensors with 29 values in all" in text
    assert "inc.double_conv.0.weight 3×1×3×3, outc.conv.weight 2" in text
    assert "milesial" in text
    assert "The nearest is 'unet': 0 of its 78 tensors fit" in text
    assert "What to do" in text


def test_our_network_with_a_part_missing_says_how_much_fits(state: State, tmp_path: Path) -> None:
    del state["decoder.0.0.conv.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(ModelError, match=r"33 of its 34 tensors fit \(decoder\.0\.0\.conv\.weight"):
        open_model(tmp_path / "part.pth")


def test_a_harmful_pickle_is_refused_by_name_and_not_run(tmp_path: Path) -> None:
    Alien.mark = str(tmp_path / "mark")
    torch.save({"state_dict": Alien()}, tmp_path / "zip.pth")
    torch.save(Alien(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for protocol in range(5):
        path = tmp_path / f"bare{protocol}.pth"
        path.write_bytes(pickle.dumps(Alien(), protocol))
    files = sorted(tmp_path.glob("*.pth"))
    assert len(files) == 7
    for path in files:
        with pytest.raises(
            ModelError, match=r"asks for (builtins|__builtin__)\.exec.*Nothing was run"
        ):
            open_model(path)
    assert not (tmp_path / "mark").exists()


def test_a_name_hidden_from_our_look_is_still_refused(tmp_path: Path, monkeypatch: Any) -> None:
    """What torch itself refuses does not depend on our own list."""
    Alien.mark = str(tmp_path / "mark")
    torch.save(Alien(), tmp_path / "a.pth")
    monkeypatch.setattr(torchfile, "_foreign", lambda names: [])
    with pytest.raises(ModelError, match=r"exec.*Nothing in it was run") as caught:
        open_model(tmp_path / "a.pth")
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "mark").exists()


def test_a_whole_module_of_another_kind_is_named(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3)), tmp_path / "whole.pt")
    with pytest.raises(ModelError, match=r"container\.Sequential.*fit no network.*0\.weight 2×1"):
        open_model(tmp_path / "whole.pt")


def test_every_truncation_gets_a_sentence(state: State, tmp_path: Path) -> None:
    whole: dict[str, bytes] = {}
    for name, new in (("zip", True), ("old", False)):
        buffer = io.BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=new)
        whole[f"{name}.pth"] = buffer.getvalue()
    save_file(state, tmp_path / "whole.safetensors")
    whole["a.safetensors"] = (tmp_path / "whole.safetensors").read_bytes()
    for name, data in whole.items():
        for length in [0, 1, 7, 30, 100, len(data) // 2, len(data) - 100, len(data) - 1]:
            path = tmp_path / name
            path.write_bytes(data[:length])
            with pytest.raises(ModelError, match=name):
                open_model(path).network()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"epoch,loss\n1,0.5\n", "it is text, beginning 'epoch,loss'"),
        (b"\n<!DOCTYPE html><title>Sign in", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (b"II*\x00" + bytes(60), "it is a TIFF image"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5"),
        (bytes(4096), "zeros alone"),
        (b"\xfe\xed\xfa\xce" * 40, "no kind"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        open_model(path)
    for name in FORMATS.names():
        assert f"{name}: " in str(caught.value)


def test_a_folder_without_a_card_says_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").touch()
    with pytest.raises(ModelError, match=r"a folder with weights\.pth.*Open the weights themsel"):
        open_model(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("This system has no named pipes.")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        open_model(tmp_path / "pipe")


def test_zip_archives_that_torch_never_writes_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02N.")
        archive.writestr("a/data/0", bytes(50_000_000))
    with pytest.raises(ModelError, match="compressed or encrypted members"):
        open_model(path)
    for member, words in (("code/net.py", "TorchScript"), ("archive_format", "torch.export")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", b"\x80\x02N.")
            archive.writestr(f"a/{member}", b"pt2")
        with pytest.raises(ModelError, match=f"{words}.*would have to be run"):
            open_model(path)


def test_tensors_that_claim_more_than_the_file_are_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1).expand(1000, 1000)}, tmp_path / "wide.pth")
    with pytest.raises(ModelError, match="claims to hold"):
        open_model(tmp_path / "wide.pth")
    torch.save({"w": torch.eye(3).to_sparse()}, tmp_path / "sparse.pth")
    with pytest.raises(ModelError, match="w as a tensor that is sparse"):
        open_model(tmp_path / "sparse.pth")


@pytest.mark.parametrize(
    ("thing", "words"),
    [({"epoch": 3}, "a table with 'epoch'"), ([1, 2], "a list of 2"), (7, "one int")],
)
def test_a_file_without_weights_says_what_it_holds(
    tmp_path: Path, thing: object, words: str
) -> None:
    torch.save(thing, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=f"{words}.*, but no weights"):
        open_model(tmp_path / "a.pth")


def test_weights_that_are_not_numbers_are_found(state: State, tmp_path: Path) -> None:
    state["head.bias"][0] = torch.nan
    torch.save(state, tmp_path / "nan.pth")
    state["head.bias"][0] = 0
    with pytest.raises(ModelError, match=r"not numbers in 1 of 40 tensors: head\.bias"):
        open_model(tmp_path / "nan.pth").network()


def test_an_old_torch_is_not_trusted_with_pickles(state: State, tmp_path: Path, monkeypatch: Any):
    torch.save(state, tmp_path / "a.pth")
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    with pytest.raises(ModelError, match=r"torch 2\.9\.1.*safetensors"):
        open_model(tmp_path / "a.pth")


def test_shipped_models_open_by_name(model: TorchModel, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("napari_defectseg.models.open._shipped_folder", lambda: tmp_path)
    save_model(model, tmp_path / "tem-defects")
    (tmp_path / "notes").mkdir()
    assert shipped_models() == ("tem-defects",)
    assert open_model("tem-defects").card == model.card
    with pytest.raises(ModelError, match="come with the program: tem-defects"):
        open_model("tem-defect")


def test_strangers_formats_are_asked_too(tmp_path: Path, monkeypatch: Any) -> None:
    undo = FORMATS.add("mine", f"{__name__}:Mine")
    try:
        monkeypatch.setitem(FORMATS._loaded, "mine", Mine)
        (tmp_path / "a.mine").write_text("x")
        assert open_model(tmp_path / "a.mine") == "opened"
    finally:
        undo()


class Mine:
    """A stranger's format."""

    @staticmethod
    def recognise(path: Path) -> Any:
        from napari_defectseg.models.format import Match

        return Match(path.suffix == ".mine", "another suffix")

    @staticmethod
    def open(path: Path, card: object) -> str:
        return "opened"

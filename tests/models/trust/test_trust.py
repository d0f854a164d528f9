"""Trust: classes by content, closed until a person says so, by the hash of every byte."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from published import REFERENCE, reference

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.models.trust.consent import NotTrusted, revoke_file, trust_file
from napari_defectseg.models.trust.examine import examine, trust_class
from napari_defectseg.models.trust.record import is_trusted, listed, trusted

LOGITS = 1e-4


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """No test sees what the person at this machine trusts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DEFECTSEG_MARKER", str(tmp_path / "marker"))
    return tmp_path / "state"


def scripted(path: Path, bias: float = 0.0, activation: type = torch.nn.Tanh) -> Path:
    """Write a TorchScript program whose weights fit no network of ours."""
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 5, padding=2), torch.nn.ELU(),
                              torch.nn.AvgPool2d(2), torch.nn.Upsample(scale_factor=2),
                              torch.nn.Conv2d(4, 3, 1), activation())  # fmt: skip
    torch.nn.init.constant_(net[4].bias, bias)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(path), _extra_files={"labels.txt": "matrix, pore, crack"})
    return path


def repacked(source: Path, target: Path, **members: bytes) -> Path:
    """Write the archive again with members added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        root = old.namelist()[0].split("/")[0]
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, data in members.items():
            new.writestr(f"{root}/{name.replace('__', '/')}", data)
    return target


# -- classes -------------------------------------------------------------------------------


def test_the_class_is_told_by_content_never_by_name(tmp_path):
    program = scripted(tmp_path / "weights.safetensors")
    torch.save({"a": torch.ones(2)}, tmp_path / "program.pt")
    assert trust_class(program) == "program"
    assert trust_class(tmp_path / "program.pt") == "data"


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference files here")
def test_programs_of_the_reference_are_programs():
    folder = reference("formats")
    for file in ("torch2d/unet_jit_trace.pt", "torch2d/unet_exported.pt2", "torch3d/unet3d_jit.pt"):
        found = examine(folder / file)
        assert found.kind == "program"
        assert found.runs
        assert len(found.sha256) == 64
    assert "defectnet.model.UNet" in examine(folder / "torch2d/unet_jit_trace.pt").runs[0]


@pytest.mark.parametrize(
    ("member", "data", "words"),
    [
        ("lib.so", b"\x7fELF", "native code"),
        ("data__aotinductor__model", b"\x7fELF and more", "native code"),
        ("..__..__escaped", b"x", "leads out of it"),
    ],
)
def test_native_code_and_names_that_lead_out_are_refused(tmp_path, member, data, words):
    """Also by whoever would trust it."""
    file = repacked(scripted(tmp_path / "a.pt"), tmp_path / "b.pt", **{member: data})
    assert trust_class(file) == "refused"
    for act in (open_model, trust_file):
        with pytest.raises(ModelError, match=words):
            act(file)
    assert listed() == ()


def test_links_twins_and_bombs_are_refused(tmp_path):
    source = scripted(tmp_path / "a.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twins = repacked(source, tmp_path / "twins.pt", version=b"3")
    linked, bomb = tmp_path / "link.pt", tmp_path / "bomb.pt"
    shutil.copy(source, linked)
    shutil.copy(source, bomb)
    with zipfile.ZipFile(linked, "a") as archive:
        member = zipfile.ZipInfo("a/data/9")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data/9", bytes(64 << 20))
    for file, words in ((twins, "two members"), (linked, "link"), (bomb, "unpack to")):
        assert trust_class(file) == "refused"
        with pytest.raises(ModelError, match=words):
            open_model(file)


def test_a_folder_with_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.safetensors").symlink_to("/etc/passwd")
    assert trust_class(tmp_path / "model") == "refused"


# -- consent -------------------------------------------------------------------------------


def test_a_program_stays_closed_and_the_sentence_names_the_command(tmp_path):
    file = scripted(tmp_path / "mailed.pt")
    with pytest.raises(NotTrusted, match=r"stays closed.*defectseg open .*mailed.pt --trust"):
        open_model(file)


def test_a_trusted_program_runs_from_a_private_copy(tmp_path, own_state):
    file = scripted(tmp_path / "mailed.pt")
    record = trust_file(file)
    model = open_model(file)
    assert isinstance(model, ArrayModel)
    assert model.program.file.is_relative_to(own_state)
    assert record.file.stat().st_mode & 0o077 == 0
    card = model.card
    assert (card.dims, card.in_channels, card.out_channels) == (2, 1, 3)
    assert card.classes.names == ("pore", "crack")
    assert (card.grid, card.tile) == (2, None)
    assert 2 <= (card.halo or 0) <= 6
    assert card.sources["halo"] == "guess"
    block = np.random.default_rng(0).standard_normal((1, 20, 22)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = torch.jit.load(str(file))(torch.from_numpy(block)[None])[0].detach().numpy()
    np.testing.assert_allclose(model.start(1).run(block), wanted, atol=1e-6)
    model.close()
    file.unlink()  # the copy, not the file, is what runs
    assert model.start(1).run(block).shape == (3, 20, 22)
    model.close()


def test_changed_bytes_are_asked_for_anew(tmp_path):
    file = scripted(tmp_path / "mailed.pt")
    trust_file(file)
    scripted(file, bias=0.5)
    with pytest.raises(NotTrusted):
        open_model(file)
    copy = tmp_path / "elsewhere.pt"
    scripted(copy)  # the same bytes but for its name inside
    assert trusted(examine(copy).sha256) is None


def test_a_copy_that_was_changed_is_not_trusted(tmp_path):
    file = scripted(tmp_path / "mailed.pt")
    record = trust_file(file)
    record.file.chmod(0o600)
    record.file.write_bytes(record.file.read_bytes() + b"x")
    assert not is_trusted(record.sha256)
    with pytest.raises(NotTrusted):
        open_model(file)


def test_trust_is_listed_and_taken_back_by_file_or_hash(tmp_path):
    first, second = scripted(tmp_path / "a.pt"), scripted(tmp_path / "b.pt", bias=1.0)
    records = trust_file(first), trust_file(second)
    assert {record.name for record in listed()} == {"a.pt", "b.pt"}
    assert revoke_file(first) is not None
    second.unlink()
    assert revoke_file(records[1].sha256[:12]) is not None
    assert revoke_file(records[1].sha256[:12]) is None
    assert listed() == ()
    assert not records[0].file.exists()
    with pytest.raises(NotTrusted):
        open_model(first)


def test_model_folders_carry_no_trust_and_no_program(tmp_path):
    """A program cannot be written into a model folder, from where it would run elsewhere."""
    file = scripted(tmp_path / "mailed.pt")
    trust_file(file)
    with pytest.raises(ModelError, match="cannot be written as a model folder"):
        save_model(open_model(file), tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_weights_need_no_trust(tmp_path, model_folder):
    with pytest.raises(ModelError, match="needs no trust"):
        trust_file(model_folder / "weights.safetensors")


def test_an_activation_inside_the_program_is_seen(tmp_path):
    sigmoid = scripted(tmp_path / "s.pt", activation=torch.nn.Sigmoid)
    trust_file(sigmoid)
    card = open_model(sigmoid).card
    assert (card.task, card.activation) == ("multilabel", "none")
    assert card.sources["activation"] == "file"


# -- genuine programs ----------------------------------------------------------------------

PROGRAMS = [
    "torch2d/unet_jit_trace.pt",
    "torch2d/unet_jit_script.pt",
    "torch2d/unet_exported.pt2",
    "torch3d/unet3d_jit.pt",
    "torch3d/unet3d_exported.pt2",
]


@pytest.mark.parametrize("file", PROGRAMS)
def test_genuine_programs_give_their_stored_output_after_trust(file):
    """Without it our own network has their weights; the program of the 3D net takes one size."""
    folder = reference("formats")
    assert isinstance(open_model(folder / file), TorchModel)
    trust_file(folder / file)
    model = open_model(folder / file)
    assert isinstance(model, ArrayModel)
    place = (folder / file).parent
    x, y = np.load(place / "input.npz")["x"], np.load(place / "output.npz")["y"]
    np.testing.assert_allclose(model.start(1).run(x[0]), y[0], atol=LOGITS)
    assert model.card.out_channels == y.shape[1]
    assert model.card.tile == ((16, 24, 32) if file.endswith("3d_exported.pt2") else None)
    model.close()


def test_weights_of_a_class_of_a_script_are_read(tmp_path, model_folder):
    """What is defined where it is saved has no module of its own in the archive."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 2, 3, padding=1)

        def forward(self, x):
            return self.conv(x)

    Net.__module__ = "__main__"
    path = tmp_path / "a.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Net(), torch.zeros(1, 3, 8, 8)).save(str(path))
    with pytest.raises(NotTrusted, match=r"Its weights \(2 tensors\) fit no network"):
        open_model(path)
    trust_file(path)
    assert open_model(path).card.in_channels == 3


# -- attacks -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacks(tmp_path_factory) -> Path:
    """Programs that write a file when they are loaded or run."""
    out = tmp_path_factory.mktemp("hostile")
    script = reference("formats") / "make_hostile.py"
    subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(out)], check=True, capture_output=True,
        cwd=out,
    )  # fmt: skip
    (out / "pwned.marker").unlink(missing_ok=True)
    return out


HOSTILE = [
    "ts01_forward_writes.pt",
    "ts02_setstate_writes.pt",
    "e01_sample_inputs.pt2",
    "e02_sympy_expression.pt2",
    "e03_pickled_weight.pt2",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_programs_run_nothing_before_trust_and_write_nothing_after(
    attacks, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotTrusted):
        open_model(attacks / name)
    found = examine(attacks / name)
    assert any(
        words in " ".join(found.runs) for words in ("files", "pickle", "written as code")
    )  # what is unusual is told to the person who decides
    from napari_defectseg.models.worker import landlock

    if landlock.version():
        trust_file(attacks / name)
        try:
            open_model(attacks / name).close()
        except ModelError as error:
            assert name in str(error)  # noqa: PT017 - some load, some cannot
    assert not list(tmp_path.rglob("*marker"))
    assert not list(attacks.rglob("*.marker"))


def test_no_file_of_the_attacker_is_a_program_by_mistake(attacks):
    """Of all attacks only the programs ask for trust; classes come without running anything."""
    kinds = {}
    for path in sorted(p for p in attacks.iterdir() if p.suffix in (".pt", ".pt2", ".pth", ".pkl")):
        kinds[path.name] = trust_class(path)
    assert [name for name, kind in kinds.items() if kind == "program"] == sorted(HOSTILE)
    asking = [n for n in kinds if n.startswith("p") and n not in ("p12_after_stop.pth",)]
    assert all(kinds[n] == "refused" for n in asking if n[:3] not in ("p15", "p16", "p17", "p20"))
    assert not list(attacks.rglob("*.marker"))

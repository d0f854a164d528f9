"""Programs on the command line: closed, trusted by name, listed, taken back."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

ALONE = "stays closed"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TorchScript program whose weights fit no network of ours."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.Softplus(),
                              torch.nn.Conv2d(3, 2, 1))  # fmt: skip
    path = tmp_path / "mailed.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(path))
    return path


def test_an_untrusted_program_ends_with_the_command_that_trusts_it(
    defectseg, program: Path, tmp_path: Path
) -> None:
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, np.arange(40 * 50, dtype=np.uint16).reshape(40, 50))
    for arguments in (
        ("open", program),
        ("predict", image, "--model", program, "--out", tmp_path / "out"),
    ):
        said = defectseg(*arguments)
        assert said.status == 1
        assert ALONE in said.err
        assert f"defectseg open {program} --trust" in said.err
    assert not (tmp_path / "out").exists()


def test_a_trusted_program_opens_predicts_is_listed_and_revoked(
    defectseg, program: Path, tmp_path: Path
) -> None:
    said = defectseg("open", program, "--trust", "--json")
    assert said.status == 0, said.err
    assert said.document["trust"] == "program"
    assert "process of its own" in said.document["runs"]
    for words in ("SHA-256", "private copy", "files of code"):
        assert words in said.err
    sha = said.document["sha256"]
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, np.arange(40 * 50, dtype=np.uint16).reshape(40, 50))
    said = defectseg("predict", image, "--model", program, "--out", tmp_path / "out", "--json")
    assert said.status == 0, said.err
    assert (tmp_path / "out" / "a" / "mask.ome.tif").is_file()
    assert not list((tmp_path / "out").rglob("trust*"))  # results carry no trust
    doctor = defectseg("doctor", "--json").document
    assert [one["sha256"] for one in doctor["trusted"]] == [sha]
    assert "process of its own" in doctor["confinement"]
    said = defectseg("open", program, "--revoke")
    assert said.status == 1
    assert "not trusted any more" in said.err
    assert ALONE in said.err
    assert defectseg("doctor", "--json").document["trusted"] == []


def test_trust_is_revoked_by_hash_when_the_file_is_gone(defectseg, program: Path) -> None:
    sha = defectseg("open", program, "--trust", "--json").document["sha256"]
    program.unlink()
    said = defectseg("open", sha[:12], "--revoke", "--json")
    assert said.status == 0
    assert said.document == {"revoked": sha}
    assert defectseg("open", "nothing-there", "--revoke", "--json").document == {"revoked": None}


def test_weights_need_no_trust_and_both_options_clash(defectseg, model_folder: Path) -> None:
    assert defectseg("open", model_folder, "--json").document["trust"] == "data"
    assert "needs no trust" in defectseg("open", model_folder, "--trust").err
    assert defectseg("open", model_folder, "--trust", "--revoke").status == 2

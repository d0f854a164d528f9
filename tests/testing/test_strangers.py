"""A package of a stranger adds a format and a network by entry points and keeps their contracts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]

NETWORK = '''
"""A network of a stranger: two convolutions."""

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError


def _known(settings):
    known = {"in_channels": 1, "out_channels": 2, "width": 4}
    unknown = set(settings) - set(known)
    if unknown:
        raise ModelError(f"A plain network has no setting {sorted(unknown)[0]!r}.")
    return {**known, **settings}


def build(settings):
    s = _known(settings)
    return nn.Sequential(
        nn.Conv2d(s["in_channels"], s["width"], 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(s["width"], s["out_channels"], 3, padding=1),
    )


def facts(settings):
    s = _known(settings)
    parameters = sum(p.numel() for p in build(s).parameters())
    counts = {"parameters": parameters, "dims": 2, "grid": 1, "halo": 2}
    return {"settings": s, **counts, **{n: s[n] for n in ("in_channels", "out_channels")}}


def _shapes(settings):
    return {name: tuple(t.shape) for name, t in build(settings).state_dict().items()}


def recognise(shapes):
    first, last = shapes.get("0.weight", ()), shapes.get("2.weight", ())
    if len(first) != 4 or len(last) != 4:
        return None
    found = {"in_channels": first[1], "out_channels": last[0], "width": first[0]}
    return found if _shapes(found) == dict(shapes) else None


def nearest(shapes):
    return _shapes(recognise(shapes) or {})
'''

FORMAT = '''
"""A format of a stranger: a header of text, then a safetensors file."""

from safetensors import SafetensorError
from safetensors.torch import load, save

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import guess_card
from napari_defectseg.models.model import TorchModel

MAGIC = b"STRANGE\\n"


def recognise(path):
    if not path.is_file() or not path.read_bytes().startswith(MAGIC):
        return Match(False, "it has no header of ours")
    return Match(True)


def _read(path):
    try:
        return load(path.read_bytes()[len(MAGIC):])
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged: {error}.", hint="Fetch it again.") from error


def open(path, card):
    shapes = {name: tuple(tensor.shape) for name, tensor in _read(path).items()}
    card = card or guess_card(shapes, str(path))
    digest = sha256_of_file(path)
    return TorchModel(
        card, lambda: _read(path), path=str(path), format="strange", sha256=digest,
        files=(path.name,),
    )


def write(state, path):
    path.write_bytes(MAGIC + save(state))
    return path
'''

TESTS = """
import torch
from stranger import nets, strange

from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.format import FORMATS
from napari_defectseg.models.open import open_model
from napari_defectseg.testing import ArchitectureContract, FormatContract


class TestNetwork(ArchitectureContract):
    architecture = nets
    examples = ({}, {"in_channels": 3, "out_channels": 1, "width": 8})


class TestFormat(FormatContract):
    format = strange

    def write(self, folder):
        return strange.write(nets.build({"width": 6}).state_dict(), folder / "a.strange")


def test_both_are_found_by_their_entry_points(tmp_path):
    assert ARCHITECTURES.get("stranger_net") is nets
    assert FORMATS.get("stranger_format") is strange
    path = strange.write(nets.build({"width": 6}).state_dict(), tmp_path / "a.strange")
    model = open_model(path)
    assert (model.card.architecture, model.format) == ("stranger_net", "strange")
    torch.save(nets.build({}).state_dict(), tmp_path / "plain.pth")
    assert open_model(tmp_path / "plain.pth").card.architecture == "stranger_net"
"""

POINTS = """
[napari_defectseg.formats]
stranger_format = stranger.strange

[napari_defectseg.architectures]
stranger_net = stranger.nets
"""


def test_a_package_of_a_stranger_joins_and_keeps_the_contracts(tmp_path: Path) -> None:
    """Nothing of ours is changed: a folder with two modules and two entry points."""
    package, said = tmp_path / "stranger", tmp_path / "stranger-1.0.dist-info"
    package.mkdir()
    said.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(dedent(NETWORK))
    (package / "strange.py").write_text(dedent(FORMAT))
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (said / "entry_points.txt").write_text(POINTS)
    (tmp_path / "test_stranger.py").write_text(dedent(TESTS))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_stranger.py"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'src'}"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "failed" not in done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 15

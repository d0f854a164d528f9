"""The command line as a whole: help, exit statuses, light start."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from napari_defectseg.cli.main import app


def verbs() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        found += [(name, each) for each in inner] if inner else [(name,)]
    return found


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_help_is_in_plain_words_with_an_example(defectseg, verb: tuple[str, ...]) -> None:
    said = defectseg(*verb, "--help")
    assert said.status == 0
    assert f"Example: defectseg {' '.join(verb)}" in said.out
    for word in ("--json", "--quiet", "--debug"):
        assert word in said.out


def test_help_and_start_load_no_heavy_package() -> None:
    code = (
        "import sys; from napari_defectseg.cli.main import run; run(['--help']);"
        "heavy = {'torch', 'napari', 'qtpy', 'pandas', 'numba', 'scipy', 'skimage', 'pint'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands" in done.stdout


def test_wrong_use_has_status_2(defectseg) -> None:
    for wrong in (["measure"], ["fly"], ["measure", "m.tif", "--out", "o", "--wings"], []):
        assert defectseg(*wrong).status == 2


def test_version(defectseg) -> None:
    assert defectseg("--version").out.startswith("napari-defectseg ")

"""The plugin manifest is where npe2 looks, and the top-level name leads to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from npe2 import PluginManifest

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT / "src" / "napari_defectseg" / "napari.yaml"
TOP = ROOT / "napari.yaml"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(REAL)


def test_the_top_level_file_is_a_link_to_the_package_s() -> None:
    """Where links are not supported git leaves the path as text."""
    if TOP.is_symlink():
        assert TOP.resolve() == REAL.resolve()
    else:
        assert TOP.read_text().strip() == "src/napari_defectseg/napari.yaml"


def test_npe2_finds_nothing_wrong() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(REAL)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_leads_to_something_callable(manifest: PluginManifest) -> None:
    commands = manifest.contributions.commands or []
    assert commands
    for command in commands:
        module, _, attribute = str(command.python_name).partition(":")
        done = __import__(module, fromlist=[attribute])
        assert callable(getattr(done, attribute)), command.id


def test_every_dock_sample_reader_and_writer_names_a_command(manifest: PluginManifest) -> None:
    known = {command.id for command in manifest.contributions.commands or []}
    parts = manifest.contributions
    for group in (parts.widgets, parts.readers, parts.writers, parts.sample_data):
        for item in group or []:
            assert item.command in known

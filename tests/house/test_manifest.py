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


def test_readers_take_what_our_readers_know(manifest: PluginManifest) -> None:
    from napari_defectseg.images.open import PATTERNS
    from napari_defectseg.ui.reading import MODELS

    images, models = manifest.contributions.readers or []
    assert tuple(images.filename_patterns) == PATTERNS
    assert images.accepts_directories
    assert tuple(models.filename_patterns) == MODELS


def test_everything_a_key_does_is_in_the_palette_by_its_plain_name(
    manifest: PluginManifest,
) -> None:
    from napari_defectseg.ui.commands import COMMANDS
    from napari_defectseg.ui.workbench import DOCKS

    missing = {f"dock_{entry.key}" for entry in DOCKS if not entry.exists}
    wanted = {
        f"napari-defectseg.do_{name}": command.words
        for name, command in COMMANDS.items()
        if not command.hold and name not in missing
    }
    found = {command.id: command.title for command in manifest.contributions.commands or []}
    assert {one: words for one, words in found.items() if ".do_" in one} == wanted


def test_every_dock_is_a_widget_and_stands_in_a_menu(manifest: PluginManifest) -> None:
    from napari_defectseg.ui.workbench import docks

    parts = manifest.contributions
    widgets = {item.command: item.display_name for item in parts.widgets or []}
    wanted = {f"napari-defectseg.{entry.key}": entry.title for entry in docks()}
    assert widgets == {"napari-defectseg.workbench": "Workbench", **wanted}
    listed = [item.command for items in parts.menus.values() for item in items]
    assert sorted(listed) == sorted(widgets)


def test_samples_are_those_of_the_catalogue_with_their_licence(manifest: PluginManifest) -> None:
    from napari_defectseg.ui.sampling import shown_samples, title_of

    found = {item.key: item.display_name for item in manifest.contributions.sample_data or []}
    assert found == {sample.name: title_of(sample) for sample in shown_samples()}


def test_preferences_are_those_that_are_used(manifest: PluginManifest) -> None:
    from dataclasses import fields

    from napari_defectseg.ui.preferences import Preferences

    found = {
        name: said.default
        for group in manifest.contributions.configurations.values()
        for name, said in group.properties.items()
    }
    assert found == {field.name: field.default for field in fields(Preferences)}

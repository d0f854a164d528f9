"""`defectseg sample` lists, makes, and shows licence and source."""

from __future__ import annotations

from pathlib import Path


def test_the_list_names_licences_and_sources(defectseg) -> None:
    said = defectseg("sample", "--json")
    assert said.status == 0
    known = {one["name"]: one for one in said.document["samples"]}
    assert known["tem-loops-316l"]["licence"] == "MIT"
    assert known["tem-loops-316l"]["source"].startswith("ai-atoms/creme@19e9c46d731e")
    assert known["micrograph"]["bytes"] == 0
    assert "GPL-3.0" in defectseg("sample").out


def test_one_that_is_made_here(defectseg, tmp_path: Path) -> None:
    said = defectseg("sample", "micrograph", "--out", tmp_path / "here", "--json")
    assert said.status == 0, said.err
    assert Path(said.document["images"][0]).exists()
    assert "CC0" in defectseg("sample", "micrograph", "--out", tmp_path / "here").out


def test_an_unknown_name_gets_a_sentence(defectseg) -> None:
    said = defectseg("sample", "gold", "--json")
    assert said.status == 1
    assert "no sample 'gold'" in said.document["error"]["sentence"]

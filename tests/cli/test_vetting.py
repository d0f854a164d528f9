"""`defectseg dataset import|export|check|exclude|agree|sheet` in one go, as a user types them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def source(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(4):
        mask = np.zeros((64, 64), np.uint8)
        mask[10 + number : 20, 10:22], mask[40:50, 30:34] = 1, 2
        pixels = (100 + 60 * mask + rng.normal(0, 9, mask.shape)).clip(0, 255).astype(np.uint8)
        for kind, array in (("images", pixels), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / kind / f"A{number % 2}_{number}.png")
    return folder


def test_from_a_folder_to_a_dataset_and_out_again(defectseg, tmp_path: Path) -> None:
    folder, steel = source(tmp_path / "data"), tmp_path / "steel"
    said = defectseg("dataset", "import", steel, folder, "--look", "--json")
    assert said.document["format"] == "pairs"
    assert [mark["mark"] for mark in said.document["marks"]] == ["0", "1", "2"]
    said = defectseg("dataset", "import", steel, folder)
    assert said.status == 1
    assert "Nobody has said what these marks mean" in said.err
    names = ["--name", "1=void", "--name", "2=loop", "--specimen-of", "{specimen}_*"]
    said = defectseg("dataset", "import", steel, folder, *names, "--json")
    assert said.status == 0, said.err
    assert said.document["classes"] == ["void", "loop"]
    said = defectseg("dataset", "info", steel, "--json")
    assert said.document["specimens"] == {"A0": 2, "A1": 2}
    said = defectseg("dataset", "export", steel, "--to", "coco", "--out", tmp_path / "coco")
    assert said.status == 0, said.err
    assert (tmp_path / "coco" / "annotations" / "instances_all.json").is_file()
    said = defectseg("dataset", "export", steel, "--to", "coco", "--out", tmp_path / "coco")
    assert said.status == 1


def test_check_exclude_agree_and_sheet(defectseg, tmp_path: Path) -> None:
    folder, steel = source(tmp_path / "data"), tmp_path / "steel"
    names = ["--name", "1=void", "--name", "2=loop"]
    defectseg("dataset", "import", steel, folder, *names)
    path = next((steel / "masks").glob("A0_0*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    said = defectseg("dataset", "check", steel, "--json")
    assert said.status == 0
    assert [f["pairs"] for f in said.document["findings"] if f["kind"] == "hash"] == [["A0_0"]]
    assert defectseg("dataset", "check", steel, "--strict").status == 1
    said = defectseg("dataset", "exclude", steel, "A0_0", "--reason", "damaged", "--json")
    assert said.document == {"pairs": ["A0_0"], "excluded": 1, "left": 3}
    assert defectseg("dataset", "check", steel, "--strict").status == 0
    said = defectseg("dataset", "exclude", steel, "A0_0", "nobody")
    assert said.status == 1
    assert "no pair called 'nobody'" in said.err
    assert defectseg("dataset", "exclude", steel, "A0_0", "--undo", "--json").document["left"] == 4
    said = defectseg("dataset", "agree", steel, steel, "--json")
    assert said.document["classes"]["void"]["dice"]["value"] == 1
    said = defectseg("dataset", "sheet", steel, "--out", tmp_path / "steel.html")
    assert said.status == 0, said.err
    assert "hash differs" in (tmp_path / "steel.html").read_text(encoding="utf-8")

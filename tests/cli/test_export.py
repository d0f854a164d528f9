"""``defectseg export``."""

from __future__ import annotations

from pathlib import Path


def test_export_writes_and_says_how_near_it_is(defectseg, model_folder: Path, tmp_path: Path):
    out = tmp_path / "m.safetensors"
    done = defectseg(
        "export", str(model_folder), "--to", "safetensors", "--out", str(out), "--json"
    )
    assert done.status == 0
    assert done.document["greatest_difference"] == 0.0
    assert out.is_file()
    again = defectseg("export", str(model_folder), "--to", "safetensors", "--out", str(out))
    assert again.status == 1

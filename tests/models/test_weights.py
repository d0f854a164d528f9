from __future__ import annotations

from pathlib import Path

import torch

from napari_defectseg.models.weights import write_safetensors


def test_weights_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_safetensors({"a": torch.zeros(2)}, tmp_path / "weights.safetensors")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1

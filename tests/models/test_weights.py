from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from napari_defectseg.models.weights import (
    read_safetensors,
    sha256_of_state,
    write_safetensors,
)


def test_weights_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_safetensors({"a": torch.zeros(2)}, tmp_path / "weights.safetensors")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_tensors_that_share_memory_are_written_and_hashed(tmp_path: Path) -> None:
    """Tied weights, and views of one another, are tensors like others."""
    whole = torch.arange(12.0).reshape(3, 4)
    state = {"whole": whole, "same": whole, "row": whole[1], "turned": whole.T}
    write_safetensors(state, tmp_path / "tied.safetensors")
    found = read_safetensors(tmp_path / "tied.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    content = (tmp_path / "tied.safetensors").read_bytes()
    assert sha256_of_state(state) == hashlib.sha256(content).hexdigest()

"""Tensors in files: safetensors and torch's own, read without running anything in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.errors import ModelError

if TYPE_CHECKING:
    import torch

LONGEST_HEADER = 100_000_000
"""Bytes, as the format says."""
CARD_KEY = "napari_defectseg.card"
"""Word in a header under which an export keeps its card."""


def read_safetensors(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file.

    Raises
    ------
    ModelError
        If the file is truncated, or is not one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except SafetensorError as error:
        raise not_safetensors(path, error) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return tensors


def tensors_in(content: bytes, where: str) -> dict[str, torch.Tensor]:
    """Return the tensors of the bytes of a safetensors file.

    Raises
    ------
    ModelError
        If they are truncated, or are not such a file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors: dict[str, torch.Tensor] = load(content)
    except SafetensorError as error:
        raise ModelError(f"{where} is not a whole safetensors file: {error}.") from error
    return tensors


def shapes_in_safetensors(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Return name and shape of each tensor, reading the header alone.

    Raises
    ------
    ModelError
        If the file is truncated, or is not one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise not_safetensors(path, error) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def metadata_of_safetensors(path: str | Path) -> dict[str, str]:
    """Return the words in the header of a safetensors file that `shapes_in_safetensors` read."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return dict(file.metadata() or {})


def looks_like_safetensors(path: Path) -> bool:
    """Return whether a file begins with the length of a header and the header's brace."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") <= LONGEST_HEADER


def write_safetensors(
    state: Mapping[str, torch.Tensor], path: str | Path, words: dict[str, str] | None = None
) -> None:
    """Write tensors, perhaps with words in the header; the same give the same bytes."""
    from safetensors.torch import save_file

    path = Path(path)
    path.touch()
    usual = path.stat().st_mode
    save_file(_apart(state), path, words)
    # safetensors writes for the owner alone; a model folder is there to be shared.
    path.chmod(usual)


def _apart(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors that share no memory, as the format wants them."""
    seen: set[int] = set()
    made: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        place = tensor.untyped_storage().data_ptr()
        made[name] = tensor.clone().contiguous() if place in seen else tensor.contiguous()
        seen.add(place)
    return made


def sha256_of_state(state: Mapping[str, torch.Tensor]) -> str:
    """Return the hash that the tensors' safetensors file would have."""
    from safetensors.torch import save

    return hashlib.sha256(save(_apart(state))).hexdigest()


def not_safetensors(path: str | Path, error: Exception) -> ModelError:
    """Return the sentence for a file that safetensors refused."""
    size = Path(path).stat().st_size
    return ModelError(
        f"{path} ({size} bytes) is not a whole safetensors file: {error}.",
        hint="It may have been cut off while it was copied; fetch it again.",
    )

"""Numbers of a model that lie in files of their own: which, and whether they may be read."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.structure import Graph, Tensor

MOST_FILES = 1000


def outside_files(path: Path, graph: Graph) -> tuple[Path, ...]:
    """Return the files beside a model that hold tensors of it.

    The runtime opens them by the name in the model, so that name must lead nowhere else: plain,
    in the same folder, no link of any kind.

    Parameters
    ----------
    path : Path
        The model.
    graph : Graph

    Raises
    ------
    ModelError
        If a name leads out of the folder or to a link, or a file is missing or too short.
    """
    needed: dict[str, int] = {}
    for tensor in graph.tensors.values():
        if tensor.outside is not None:
            place = tensor.outside
            _check_name(path, tensor)
            end = place.offset + max(place.length, 0)
            needed[place.location] = max(needed.get(place.location, 0), end)
    if len(needed) > MOST_FILES:
        raise ModelError(f"{path} has its numbers in {len(needed)} files, which is too many.")
    for name, length in needed.items():
        _check_file(path, path.parent / name, length)
    return tuple(path.parent / name for name in sorted(needed))


def _check_name(path: Path, tensor: Tensor) -> None:
    name = tensor.outside.location if tensor.outside else ""
    if name in ("", ".", "..") or any(letter in name for letter in "/\\:\0"):
        raise ModelError(
            f"{path} wants to read {tensor.name!r} from {name!r}, which is no plain name of a file "
            "beside it, so it is not opened.",
            hint="Where it was made, save it with its numbers inside or in one file beside it.",
        )


def _check_file(path: Path, file: Path, length: int) -> None:
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise ModelError(f"{file}, where {path.name} has its numbers, is a link: not followed.")
    if not file.is_file():
        raise ModelError(
            f"{path} has its numbers in {file.name}, which is not beside it.",
            hint="Fetch that file too and put both into one folder.",
        )
    state = file.stat()
    if state.st_nlink > 1:
        raise ModelError(
            f"{file}, where {path.name} has its numbers, has a second name elsewhere (a hard "
            "link), so it is not read.",
            hint="Copy both files into a folder of their own.",
        )
    if state.st_size < length:
        raise ModelError(
            f"{file} has {state.st_size} bytes; {path.name} asks for {length}.",
            hint="It may have been cut off while it was copied; fetch it again.",
        )

"""Files of ``torch.save``, read as data: nothing that they name is imported or called."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.inertfile import InertTree, read_inert
from napari_defectseg.models.package import DAMAGE, is_zip, zip_at
from napari_defectseg.models.pickles import MOST, is_pickle, names_in, names_in_file

NEEDED = (2, 10)
"""Older versions of torch can be made to run code or to write outside their memory by a file,
even when weights alone are asked for (CVE-2025-32434, CVE-2026-24747)."""
MOST_MEMBERS = 20_000

SAVE_STATE = (
    "Where the model was made, save its weights alone: "
    "torch.save(model.state_dict(), 'weights.pth')."
)
_ORDINARY = (
    "collections.",
    "torch._utils._rebuild",
    "torch._tensor._rebuild",
    "torch.serialization._get_layout",
    "torch.storage.",
    "torch.nn.parameter.",
    "torch.Tensor",
    "torch.Size",
    "torch.device",
    "_codecs.encode",
    "builtins.set",
    "builtins.complex",
    "__builtin__.set",
    "__builtin__.complex",
)
"""Names that weights may have beside types of numbers; `torch.load` still decides. A file with
any other is not given to torch."""


def why_not(path: Path) -> str:
    """Return why a file is none of ``torch.save``, as half a sentence; empty if it is one."""
    if path.is_dir():
        return "it is a folder"
    if path.stat().st_size == 0:
        return "it is empty"
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        pickled = file.read(1) == b"\x80"
    if not zipped:
        damaged = "it is a pickle that was cut off or damaged"
        return "" if is_pickle(path) else damaged if pickled else "it holds no pickle"
    try:
        with zip_at(path) as archive:
            return _why_not_zip(archive.namelist())
    except DAMAGE as error:
        return f"it is a zip archive that was cut off or damaged ({error})"


def program_in(names: Iterable[str]) -> str:
    """Return what kind of program an archive with these members is, empty if it is none."""
    inside = ["/".join(name.split("/")[1:]) for name in names]
    if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
        return "a TorchScript program"
    exported = ("models/model.json", "archive_format", "serialized_exported_program.json")
    return "a program of torch.export" if {*exported} & {*inside, *names} else ""


def _why_not_zip(names: list[str]) -> str:
    inside = ["/".join(name.split("/")[1:]) for name in names]
    if program := program_in(names):
        return f"it is {program}, which would have to be run"
    if "data.pkl" not in inside:
        return f"it is a zip archive without data.pkl ({', '.join(names[:3])}, …)"
    return ""


def read_torch(path: str | Path) -> InertTree:
    """Return what a file of ``torch.save`` holds: dictionaries, numbers and tensors.

    A file that names nothing but weights is read by torch; whole modules and checkpoints with
    other objects in them are read inertly, and their objects stay stubs.

    Raises
    ------
    ModelError
        If the file is damaged, is larger inside than outside, or names anything that would
        have to be run; the name is told, and nothing was run.
    """
    import torch

    path = Path(path)
    _check_version(torch.__version__)
    if _foreign(_names(path)):
        return read_inert(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice to its own users
            return InertTree(torch.load(path, map_location="cpu", weights_only=True))
    # torch raises whatever its parser stumbles on; the file is to blame for all of it.
    except Exception as error:
        raise ModelError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: {_reason(error)}. "
            "Nothing in it was run.",
            hint=f"If it was cut off while it was copied, fetch it again. {SAVE_STATE}",
        ) from error


def _check_version(version: str) -> None:
    found = tuple(int(part) for part in version.split("+")[0].split(".")[:2])
    if found < NEEDED:
        raise ModelError(
            f"torch {version} reads weight files in a way that a harmful file can abuse.",
            hint="Install torch 2.10 or newer, or use a safetensors file.",
        )


def _names(path: Path) -> list[str]:
    try:
        if not is_zip(path):
            return names_in_file(path)
        with zip_at(path) as archive, archive.open(_the_pickle(path, archive)) as file:
            return names_in(file)  # type: ignore[arg-type]
    except ModelError:
        raise
    except DAMAGE as error:
        raise ModelError(
            f"{path} ({path.stat().st_size} bytes) is not a whole file of torch: {error}.",
            hint="It may have been cut off while it was copied; fetch it again.",
        ) from error


def _the_pickle(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the pickle of the archive, after a look at what the archive claims to hold."""
    members = archive.infolist()
    pickles = [m for m in members if m.filename.split("/")[1:] == ["data.pkl"]]
    problem = _strange(members, path.stat().st_size)
    if not problem and (len(pickles) != 1 or pickles[0].file_size > MOST):
        problem = f"{len(pickles)} pickles of {sum(m.file_size for m in pickles)} bytes"
    if problem:
        raise ModelError(
            f"{path} was not opened: it is a zip archive with {problem}, which torch never writes.",
            hint="Fetch it again from where it came, or ask its author.",
        )
    return pickles[0]


def _strange(members: list[zipfile.ZipInfo], size: int) -> str:
    if len(members) > MOST_MEMBERS:
        return f"{len(members)} members"
    if len({m.filename for m in members}) < len(members):
        return "two members of one name"
    if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
        return "compressed or encrypted members"
    if sum(m.file_size for m in members) > size:
        return "more inside than the file is long"
    return ""


def _foreign(names: list[str]) -> list[str]:
    """Return the names that weights alone do not have."""
    import torch

    allowed = {f"torch.{kind}" for kind in dir(torch) if kind.endswith("Storage")}
    dtypes = {f"torch.{name}" for name, v in vars(torch).items() if isinstance(v, torch.dtype)}
    return [
        name
        for name in names
        if not name.startswith(_ORDINARY) and name not in allowed and name not in dtypes
    ]


def _reason(error: Exception) -> str:
    """Return what torch saw, without its advice to switch the protection off."""
    for line in str(error).splitlines():
        found = re.search(r"(Unsupported|Trying to load|Can only|Only \w+ ).*", line)
        if found:
            return found[0].strip().rstrip(".")[:200]
    if "weights_only" in str(error):
        return "torch refuses it where weights alone are asked for"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:200]

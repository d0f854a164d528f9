"""Which of three classes a file is of, by its content: data, program, refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from napari_defectseg.core.errors import ModelError, ModelMissing
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.package import DAMAGE, is_zip, zip_at
from napari_defectseg.models.torchfile import program_in, read_torch, why_not
from napari_defectseg.models.trust.archive import native_code, why_refused
from napari_defectseg.models.trust.program import what_runs

TrustClass: TypeAlias = Literal["data", "program", "refused"]

SCRIPT = "a TorchScript program"
RUNTIMES_OF = {SCRIPT: "torchscript", "a program of torch.export": "torch_export"}


@dataclass(frozen=True)
class Examined:
    """What a file is, before anything of it is opened.

    Parameters
    ----------
    kind : str
        ``"data"``: bytes and numbers only; ``"program"``: loading or running it executes what
        its author wrote; ``"refused"``: it is not opened.
    path : Path
    what : str
        Of a program: ``"a TorchScript program"``.
    runtime : str
        Of a program: what would run it.
    sha256 : str
        Of a program: hash of every byte that can run.
    runs : tuple of str
        Of a program: sentences about what would run.
    reason : str
        Of a refused file: half a sentence.
    """

    kind: TrustClass
    path: Path
    what: str = ""
    runtime: str = ""
    sha256: str = ""
    runs: tuple[str, ...] = ()
    reason: str = ""


def trust_class(path: str | Path) -> TrustClass:
    """Return the class of a file or folder, see `Examined`.

    Raises
    ------
    ModelMissing
        If there is nothing at that path.
    """
    return examine(path).kind


def examine(path: str | Path) -> Examined:
    """Return what a file or folder is by its content; nothing in it is run or unpacked.

    Raises
    ------
    ModelMissing
        If there is nothing at that path.
    """
    path = Path(path)
    if not path.exists():
        raise ModelMissing(f"There is nothing at {path}.")
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return Examined("refused", path, reason="it is neither a file nor a folder")
    try:
        if is_zip(path):
            return _archive(path)
        return _pickled(path) if not why_not(path) else Examined("data", path)
    except OSError as error:
        return Examined("refused", path, reason=f"it cannot be read ({error.strerror or error})")


def examine_program(path: Path) -> Examined | None:
    """Return what program of torch a file is, None if it is none.

    Raises
    ------
    ModelError
        If it is one that is not opened at all; says why.
    """
    if not is_zip(path):
        return None
    found = _archive(path)
    if found.kind == "refused" and found.what:
        raise refusal(found)
    return found if found.kind == "program" else None


def refusal(found: Examined) -> ModelError:
    """Return the error for a file that is not opened."""
    return ModelError(
        f"{found.path} was refused: {found.reason}. Nothing in it was run.",
        hint="Ask its author for a file of weights, or an ONNX model.",
    )


def _archive(path: Path) -> Examined:
    problem = why_refused(path)
    what = _program(path)
    if problem:
        return Examined("refused", path, what=what, reason=problem)
    if not what:
        return _pickled(path) if not why_not(path) else Examined("data", path)
    if native := native_code(path):
        reason = f"it holds native code ({native}), which no one can look through"
        return Examined("refused", path, what=what, reason=reason)
    return Examined(
        "program",
        path,
        what=what,
        runtime=RUNTIMES_OF[what],
        sha256=sha256_of_file(path),
        runs=what_runs(path),
    )


def _program(path: Path) -> str:
    try:
        with zip_at(path) as archive:
            return program_in(archive.namelist())
    except (*DAMAGE, NotImplementedError):
        return ""


def _pickled(path: Path) -> Examined:
    try:
        read_torch(path)
    except ModelError as error:
        return Examined("refused", path, reason=error.sentence.removesuffix("."))
    return Examined("data", path)


def _folder(path: Path) -> Examined:
    """Return the class of a folder: one link that leads out of it is enough to refuse it."""
    home = path.resolve()
    for item in path.rglob("*"):
        if item.is_symlink() and not item.resolve().is_relative_to(home):
            reason = f"{item.relative_to(path)} is a link that leads out of it"
            return Examined("refused", path, reason=reason)
    return Examined("data", path)

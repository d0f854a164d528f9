"""Ask for, give and take back trust in a file: what the command line and the dock call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.package import Package
from napari_defectseg.models.rdf import DESCRIPTIONS, read_yaml
from napari_defectseg.models.torchfile import SAVE_STATE
from napari_defectseg.models.trust.examine import Examined, examine, examine_program, refusal
from napari_defectseg.models.trust.record import TrustRecord, listed, revoke, trust


class NotTrusted(ModelError):
    """A program that stays closed until a person trusts it.

    Parameters
    ----------
    found : Examined
    why : str
        Why nothing but running it remains, a sentence.
    """

    def __init__(self, found: Examined, why: str) -> None:
        super().__init__(
            f"{found.path} is {found.what}, which would have to be run, and it stays closed. {why}",
            hint=f"If you trust its author: defectseg open {found.path} --trust. Otherwise: "
            f"{SAVE_STATE}",
        )
        self.found = found


def program_in_file(path: str | Path) -> Examined | None:
    """Return the program that a file is or that a package holds; None if there is none.

    Raises
    ------
    ModelError
        If it is one that is not opened at all, or the package is damaged.
    """
    with _program_at(Path(path)) as found:
        return found if found is None else replace(found, path=Path(path))


def trust_file(path: str | Path) -> TrustRecord:
    """Trust the program that a file is or that a package holds, and keep a private copy.

    Raises
    ------
    ModelError
        If there is no program in it, or it is not opened at all.
    NotSaved
        If the copy cannot be written.
    """
    path = Path(path)
    with _program_at(path) as found:
        if found is None:
            whole = examine(path)
            if whole.kind == "refused":
                raise refusal(whole)
            raise ModelError(
                f"{path} needs no trust: it holds no program that would be run here.",
                hint="Open it without --trust.",
            )
        return trust(found)


def revoke_file(path_or_hash: str | Path) -> TrustRecord | None:
    """Take back the trust in a program; return what was trusted, None if nothing was.

    Parameters
    ----------
    path_or_hash : str or Path
        The file, or the beginning (8 letters at least) of its SHA-256 where it is gone.

    Raises
    ------
    ModelError
        If the file cannot be read.
    """
    text = str(path_or_hash)
    known = listed()
    if Path(text).exists():
        found = program_in_file(text)
        wanted = found.sha256 if found else ""
    else:
        fitting = [r.sha256 for r in known if len(text) >= SHORTEST and r.sha256.startswith(text)]
        wanted = fitting[0] if len(fitting) == 1 else ""
    record = next((r for r in known if r.sha256 == wanted), None)
    if record is not None:
        revoke(record.sha256)
    return record


SHORTEST = 8
"""Letters of a hash that name a program."""


@contextmanager
def _program_at(path: Path) -> Iterator[Examined | None]:
    """Give the program of a file or package, as a file that lasts while the block runs."""
    direct = examine_program(path)
    source = "" if direct else _script_of(path)
    if not source:
        yield direct
        return
    with Package(path).unpacked(source) as file:
        yield examine_program(file)


def _script_of(path: Path) -> str:
    """Return the TorchScript member that a package of bioimage.io names, empty if none."""
    if not path.is_dir() and examine(path).kind == "refused":
        return ""
    try:
        package = Package(path)
        names = package.names()
        name = next((one for one in DESCRIPTIONS if one in names), "")
        if not name:
            return ""
        weights = read_yaml(package.read(name), f"{path} → {name}").get("weights")
    except ModelError:
        return ""
    entry = weights.get("torchscript") if isinstance(weights, dict) else None
    source = entry.get("source") if isinstance(entry, dict) else None
    return source if isinstance(source, str) else ""

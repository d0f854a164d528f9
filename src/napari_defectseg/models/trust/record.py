"""What a person decided about programs: a folder for each, named by the SHA-256 of its bytes.

The folder lies in the user's state folder and holds a private copy of what was trusted; only
that copy is ever run. Model folders, projects and results carry no trust.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from napari_defectseg.core.atomic import atomic_folder, write_text
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import now, person, sha256_of_file
from napari_defectseg.models.trust.examine import Examined

RECORD, COPY = "trust.json", "copy"
HASH = 64


@dataclass(frozen=True)
class TrustRecord:
    """That a person trusts a program.

    Parameters
    ----------
    sha256 : str
        Of every byte that can run.
    name : str
        Of the file, when it was trusted.
    what : str
    runtime : str
    runs : tuple of str
        What the person was told that it would run.
    when, who : str
    facts : dict
        What was measured when it first ran: channels, grid, halo.
    """

    sha256: str
    name: str
    what: str
    runtime: str
    runs: tuple[str, ...] = ()
    when: str = ""
    who: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The private copy."""
        return _folder(self.sha256) / COPY


def trust_folder() -> Path:
    """Return the folder in which decisions are kept."""
    from platformdirs import user_state_path

    return user_state_path("napari-defectseg", appauthor=False) / "trust"


def is_trusted(sha256: str) -> bool:
    """Return whether a person trusts the program with this hash."""
    return trusted(sha256) is not None


def trusted(sha256: str) -> TrustRecord | None:
    """Return the record of a program, None where it is not trusted or its copy was changed."""
    if not _is_hash(sha256):
        return None
    record = _read(_folder(sha256) / RECORD)
    if record is None or record.sha256 != sha256 or not record.file.is_file():
        return None
    return record if sha256_of_file(record.file) == sha256 else None


def trust(found: Examined) -> TrustRecord:
    """Keep that a person trusts a program, and a private copy of it.

    Parameters
    ----------
    found : Examined
        The program as the person was shown it.

    Raises
    ------
    ModelError
        If it is no program that can be trusted, or has changed since it was examined.
    NotSaved
        If the copy cannot be written.
    """
    if found.kind != "program":
        raise ModelError(
            f"{found.path} is no program that can be trusted: it is {found.kind}"
            f"{': ' + found.reason if found.reason else ''}."
        )
    record = TrustRecord(
        found.sha256, found.path.name, found.what, found.runtime, found.runs, now(), person()
    )
    folder = _folder(found.sha256)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with atomic_folder(folder, overwrite=True) as part:
        part.chmod(0o700)
        shutil.copyfile(found.path, part / COPY)
        if sha256_of_file(part / COPY) != found.sha256:
            raise ModelError(
                f"{found.path} has changed since it was looked at.", hint="Look at it again."
            )
        (part / COPY).chmod(0o400)
        write_text(part / RECORD, _written(record))
    return record


def revoke(sha256: str) -> bool:
    """Forget that a program is trusted; return whether it was."""
    folder = _folder(sha256)
    if not _is_hash(sha256) or not folder.is_dir():
        return False
    shutil.rmtree(folder)
    return True


def listed() -> tuple[TrustRecord, ...]:
    """Return all that is trusted, the newest first."""
    folder = trust_folder()
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [trusted(place.name) for place in places]
    return tuple(sorted((r for r in found if r), key=lambda r: r.when, reverse=True))


def remember_facts(record: TrustRecord, facts: Mapping[str, Any]) -> TrustRecord:
    """Keep what was measured when a program first ran."""
    known = replace(record, facts=dict(facts))
    write_text(_folder(record.sha256) / RECORD, _written(known))
    return known


def _written(record: TrustRecord) -> str:
    return json.dumps(asdict(record), indent=1) + "\n"


def _read(file: Path) -> TrustRecord | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        known = {one.name: values[one.name] for one in fields(TrustRecord) if one.name in values}
        return TrustRecord(**{**known, "runs": tuple(known.get("runs", ()))})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _folder(sha256: str) -> Path:
    return trust_folder() / sha256


def _is_hash(text: str) -> bool:
    return len(text) == HASH and all(letter in "0123456789abcdef" for letter in text)

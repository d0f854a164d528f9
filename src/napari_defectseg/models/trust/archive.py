"""Whether a zip archive is what it seems: names, links, bombs, native code; nothing is unpacked."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from napari_defectseg.models.package import DAMAGE, zip_at

MOST_MEMBERS = 20_000
LARGEST = 10 << 30
WIDEST = 100
"""Times that all members together may be larger than they are packed."""
SMALL = 16 << 20
"""Bytes below which the members may be packed as tightly as they like."""
NATIVE = (".so", ".dll", ".dylib", ".pyd", ".exe")
_HEADS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def why_refused(path: Path) -> str:
    """Return why an archive is not opened, as half a sentence; empty if nothing is wrong.

    Parameters
    ----------
    path : Path
        A zip archive.
    """
    try:
        with zip_at(path) as archive:
            return _problem(archive.infolist())
    except DAMAGE as error:
        return f"it is a zip archive that was cut off or damaged ({error})"


def native_code(path: Path) -> str:
    """Return the name of the first native library in an archive, empty if there is none.

    Looks at the names and at the first bytes of every member.
    """
    try:
        with zip_at(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename).name.lower()
                if name.endswith(NATIVE) or ".so." in name:
                    return member.filename
                with archive.open(member) as file:
                    if file.read(4) in _HEADS:
                        return member.filename
    except (*DAMAGE, NotImplementedError):
        return "a member that cannot be read"
    return ""


def _problem(members: list[zipfile.ZipInfo]) -> str:
    names = [member.filename for member in members]
    if len(members) > MOST_MEMBERS:
        return f"it has {len(members)} members"
    twice = next((name for name in names if names.count(name) > 1), "") if _repeated(names) else ""
    if twice:
        return f"it has two members called {twice}"
    for member in members:
        if problem := _strange(member):
            return f"it holds {member.filename!r}, {problem}"
    size = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if size > LARGEST or (size > SMALL and size > WIDEST * max(packed, 1)):
        return f"{packed} bytes in it unpack to {size}"
    return ""


def _repeated(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def _strange(member: zipfile.ZipInfo) -> str:
    name = member.filename
    if (
        name.startswith("/")
        or "\\" in name
        or ".." in PurePosixPath(name).parts
        or name[1:2] == ":"
    ):
        return "which leads out of it"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "which is a link"
    if member.flag_bits & 1:
        return "which is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "which is packed in a way that hides its size"
    return ""

"""Members of a model package, a zip archive or a folder, read within bounds."""

from __future__ import annotations

import hashlib
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from napari_defectseg.core.errors import ModelError

MOST_MEMBERS = 10_000
LARGEST = 4 << 30
WIDEST = 1000
"""Times that a member may be larger than it is packed."""

FRONT = b"PK\x03\x04"
"""How a zip archive with anything in it begins."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing that cannot make a file of a few bytes fill the memory."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
"""What a damaged or encrypted archive makes Python raise (also names that are no text)."""


def is_zip(path: Path) -> bool:
    """Return whether a file begins as a zip archive does.

    An archive behind other bytes is none: other readers would take those bytes for the file.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(FRONT)) == FRONT


def check_sizes(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive with members that claim more bytes than the whole file has.

    Parameters
    ----------
    archive : ZipFile
    size : int
        Of the file.

    Raises
    ------
    zipfile.BadZipFile
    """
    for member in archive.infolist():
        if member.compress_size > size:
            raise zipfile.BadZipFile(
                f"{member.filename[:60]!r} claims {member.compress_size} bytes"
            )


@contextmanager
def zip_at(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give an archive whose members fit into the file, see `check_sizes`."""
    with zipfile.ZipFile(path) as archive:
        check_sizes(archive, path.stat().st_size)
        yield archive


class Package:
    """What a package holds, by plain relative names.

    Parameters
    ----------
    path : Path
        A zip archive or a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> tuple[str, ...]:
        """Return the names of all members; of a folder those at its top.

        Raises
        ------
        ModelError
            If the archive is damaged.
        """
        if self.path.is_dir():
            return tuple(sorted(item.name for item in self.path.iterdir()))
        with self._archive() as archive:
            return tuple(archive.namelist())

    def holds(self, name: str) -> bool:
        """Return whether there is a file of this relative name."""
        if self.path.is_dir():
            return (self.path / name).is_file()
        return name in self.names()

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """Return the bytes of a member.

        Raises
        ------
        ModelError
            If the name leads out of the package or to a link, or the member is missing,
            damaged or too large.
        """
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise ModelError(f"{self.path} names {name!r}, which is no file inside it.")
        return self._from_folder(name, most) if self.path.is_dir() else self._from_zip(name, most)

    def sha256(self, name: str) -> str:
        """Return the hash of a member.

        Raises
        ------
        ModelError
            As `read` does.
        """
        return hashlib.sha256(self.read(name)).hexdigest()

    @contextmanager
    def unpacked(self, name: str) -> Iterator[Path]:
        """Give a member as a file of its own, which goes afterwards."""
        data = self.read(name)
        with tempfile.TemporaryDirectory(prefix="defectseg-model-") as folder:
            path = Path(folder) / PurePosixPath(name).name
            path.write_bytes(data)
            yield path

    def _from_folder(self, name: str, most: int) -> bytes:
        file = self.path / name
        inside = file.resolve().is_relative_to(self.path.resolve())
        if not file.is_file() or file.is_symlink() or not inside:
            raise ModelError(f"{self.path} has no file {name}.")
        if file.stat().st_size > most:
            raise ModelError(f"{file} is {file.stat().st_size} bytes long, which is too much.")
        return file.read_bytes()

    def _from_zip(self, name: str, most: int) -> bytes:
        with self._archive() as archive:
            members = [m for m in archive.infolist() if m.filename == name]
            if len(members) != 1:
                words = "has no member" if not members else "has two members called"
                raise ModelError(f"{self.path} {words} {name}.")
            member = members[0]
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ModelError(f"{self.path} holds {name} as a link, which is not followed.")
            if member.compress_type not in METHODS or member.flag_bits & 1:
                raise ModelError(f"{self.path} packs {name} in an unusual way, or encrypted.")
            packed = max(member.compress_size, 1)
            if member.file_size > most or member.file_size > WIDEST * packed:
                raise ModelError(
                    f"{self.path} was not opened: {name} is {member.file_size} bytes long, "
                    f"{packed} packed."
                )
            with archive.open(member) as file:
                return file.read(member.file_size)

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zip_at(self.path) as archive:
                if len(archive.infolist()) > MOST_MEMBERS:
                    raise ModelError(f"{self.path} was not opened: it has too many members.")
                yield archive
        except ModelError:
            raise
        except DAMAGE as error:
            raise ModelError(
                f"{self.path} is a zip archive that was cut off or damaged: {error}.",
                hint="Fetch it again.",
            ) from error

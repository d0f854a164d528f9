"""`Collection`: specimen → field → image; two hundred micrographs as one thing."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from napari_defectseg.core.atomic import BESIDE, write_text
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DefectSegError, FileMissing, ImageError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.units import PIXEL
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.natural import natural
from napari_defectseg.images.open import PATTERNS, can_open, open_image, open_lazily
from napari_defectseg.images.specimen import specimen_of

NEW, UNREADABLE = "new", "unreadable"
UNKNOWN = Calibration.uncalibrated(2)
COLUMNS = (
    "image", "sha256", "specimen", "field", "state",
    "shape", "axes", "pixel_size", "unit", "problem",
)  # fmt: skip
"""Columns of ``collection.csv``."""
STORES = (".zarr",)
"""Folders with these names are one image."""


@dataclass(frozen=True)
class Field:
    """One image of a collection, as its header tells; its pixels stay in the file.

    Parameters
    ----------
    path : str
        The file; ``FILE::part`` for a part of it.
    name : str
        What it is called in tables.
    specimen, field : str
        The specimen it was taken from, and which place of it.
    shape : tuple of int
        Lengths of its axes, empty if it cannot be opened.
    axes : tuple of str
    calibration : Calibration
    state : str
        ``"new"``, ``"predicted"``, ``"corrected"``, ``"checked"``, or ``"unreadable"``.
    problem : str
        Why it cannot be opened, empty if it can.
    """

    path: str
    name: str
    specimen: str = ""
    field: str = ""
    shape: tuple[int, ...] = ()
    axes: Axes = ()
    calibration: Calibration = UNKNOWN
    state: str = NEW
    problem: str = ""


@dataclass(frozen=True)
class Collection:
    """Images that belong together.

    Parameters
    ----------
    entries : tuple of Field
        In natural order of their paths.
    root : str
        The folder that was scanned, empty for files chosen one by one.
    """

    entries: tuple[Field, ...] = ()
    root: str = ""

    @classmethod
    def scan_steps(
        cls, folder: str | Path | Sequence[str | Path], specimen_of: str | None = None
    ) -> Steps[Collection]:
        """Read the headers of a folder's images (folders in it too), or of chosen files.

        Each step's `partial` is the collection so far. What cannot be opened stays in the list
        with its problem.

        Parameters
        ----------
        folder : path or sequence of path
            Files in a sequence are taken as they stand; a folder in it is a stack of slices.
        specimen_of : str, optional
            Where the specimen's name stands in the path, see `specimen.specimen_of`; by default
            it is the folder's name.

        Raises
        ------
        FileMissing
            If the folder is not there.
        ImageError
            If no image is in it.
        """
        root = ""
        if isinstance(folder, str | Path):
            paths = [str(path) for path in find_images(folder)]
            root = str(folder) if Path(folder).is_dir() else ""
        else:
            paths = [str(path) for path in folder]
        if not paths:
            raise ImageError(f"{folder} holds no images.", hint=f"Known: {', '.join(PATTERNS)}.")
        found: list[Field] = []
        for number, path in enumerate(paths, 1):
            found.append(_look(path, specimen_of, root))
            collection = cls(tuple(found), root)
            yield Step(number, len(paths), f"read {Path(path).name}", collection)
        return cls(tuple(found), root)

    @classmethod
    def scan(
        cls, folder: str | Path | Sequence[str | Path], specimen_of: str | None = None
    ) -> Collection:
        """Return what `scan_steps` finds."""
        return drive(cls.scan_steps(folder, specimen_of))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def specimens(self) -> tuple[str, ...]:
        """Names of the specimens in order, each once."""
        return tuple(dict.fromkeys(entry.specimen for entry in self.entries))

    def open(self, index: int) -> CalibratedImage:
        """Return an image; its header is read again, name and pixel size are those in the table.

        Raises
        ------
        ImageError
            If it cannot be opened.
        """
        entry = self.entries[index]
        image = replace(open_image(entry.path), name=entry.name)
        said = entry.calibration
        if said.ndim == image.calibration.ndim and said != image.calibration:
            return image.with_calibration(said)
        return image

    def with_calibration(self, index: int, calibration: Calibration) -> Collection:
        """Return the same collection with another pixel size of one image."""
        changed = replace(self.entries[index], calibration=calibration)
        return replace(self, entries=(*self.entries[:index], changed, *self.entries[index + 1 :]))

    def with_plane(self, calibration: Calibration) -> Collection:
        """Return the same collection with one pixel size in the plane for all its images.

        What is known along z stays.
        """
        return replace(self, entries=tuple(_in_plane(one, calibration) for one in self.entries))

    def with_state(self, index: int, state: str) -> Collection:
        """Return the same collection with another state of one image."""
        changed = replace(self.entries[index], state=state)
        return replace(self, entries=(*self.entries[:index], changed, *self.entries[index + 1 :]))

    def describe(self) -> str:
        """Return it in a line: ``"48 images, 3 specimens, 47 with pixel size"``."""
        count, kinds = len(self.entries), len(self.specimens)
        sized = sum(entry.calibration.calibrated for entry in self.entries)
        broken = sum(bool(entry.problem) for entry in self.entries)
        words = [
            f"{count} image{'s' * (count != 1)}",
            f"{kinds} specimen{'s' * (kinds != 1)}",
            f"{sized} with pixel size",
        ]
        return ", ".join([*words, f"{broken} cannot be opened"] if broken else words)

    def write_csv(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the table with the SHA-256 of every image, and return where it is.

        Parameters
        ----------
        path : path
            ``collection.csv`` of a result folder.
        overwrite : bool
            Whether a file there may be replaced.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for entry in self.entries:
            writer.writerow(_row(entry))
        write_text(path, text.getvalue(), overwrite=overwrite)
        return Path(path)


def find_images(folder: str | Path) -> list[Path]:
    """Return the images in a folder and the folders in it, in natural order; a file is itself.

    Raises
    ------
    FileMissing
        If there is no such folder.
    """
    top = Path(folder).expanduser()
    if not top.exists():
        raise FileMissing(f"{top} is not there.", hint="Check the name and the folder.")
    if not top.is_dir() or top.suffix.lower() in STORES:
        return [top]
    return sorted(_walk(top), key=lambda path: natural(path.relative_to(top).as_posix()))


def _walk(top: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(top):
        stores = [name for name in folders if Path(name).suffix.lower() in STORES]
        yield from (Path(place, name) for name in stores)
        # What is changed here in place is where os.walk goes on.
        folders[:] = [name for name in folders if name not in stores and name[0] != "."]
        for name in files:
            path = Path(place, name)
            if name[0] == "." or name.startswith(BESIDE):
                continue
            if _is_image(path, files):
                yield path


def _is_image(path: Path, beside: Sequence[str]) -> bool:
    """Whether a file is listed: not the raw file that a header beside it describes."""
    if path.suffix.lower() == ".raw":
        return not any(f"{path.stem}{suffix}" in beside for suffix in (".mhd", ".nhdr"))
    named = any(fnmatch(path.name.lower(), pattern) for pattern in PATTERNS)
    return named or can_open(path)


def _look(path: str, pattern: str | None, root: str) -> Field:
    file = Path(path.split("::", maxsplit=1)[0])
    name = file.name.split(".")[0] or file.name
    specimen = specimen_of(file, pattern, root or None)
    try:
        image = open_lazily(path)
    except DefectSegError as error:
        return Field(path, name, specimen, name, state=UNREADABLE, problem=str(error))
    return Field(path, image.name, specimen, name, image.shape, image.axes, image.calibration)


def _in_plane(entry: Field, calibration: Calibration) -> Field:
    known, plane = entry.calibration, calibration.in_plane
    if entry.problem:
        return entry
    if known.ndim == 2:
        spacing = plane.spacing
    else:
        z = known.to(plane.unit).spacing[:-2] if known.unit != PIXEL else known.spacing[:-2]
        spacing = (*z, *plane.spacing)
    changed = replace(
        known, spacing=spacing, unit=plane.unit, source=plane.source, question="", rivals=()
    )
    return replace(entry, calibration=changed)


def _row(entry: Field) -> list[str]:
    sizes = ["" if value is None else f"{value:.9g}" for value in entry.calibration.spacing]
    return [
        entry.path,
        "" if entry.problem else open_lazily(entry.path).sha256(),
        entry.specimen,
        entry.field,
        entry.state,
        " ".join(map(str, entry.shape)),
        "".join(entry.axes),
        " ".join(sizes) if any(sizes) else "",
        entry.calibration.unit,
        entry.problem,
    ]

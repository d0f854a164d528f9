"""`Reader`: what a family of files offers; strangers join by an entry point."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.parts import Part

NO, BY_NAME, BY_CONTENT, EXACT = 0, 1, 2, 3
"""How sure a reader is: not mine, by the suffix alone, by the content, by a content of its own."""


class Reader(Protocol):
    """A module (or object) that reads one family of files.

    `recognise` looks at suffix and first bytes only and never raises for files that exist.
    `read` returns lazy pixels where the file allows.
    """

    def recognise(self, path: Path) -> int:
        """Return how sure it is that it reads `path`: `NO`, `BY_NAME`, `BY_CONTENT`, `EXACT`."""

    def parts(self, path: Path) -> tuple[Part, ...]:
        """Return the images inside."""

    def read(self, path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
        """Return one image.

        Raises
        ------
        ImageError
            If the file is damaged or not an image; `PartNeeded` if it holds several.
        """


def head(path: Path, count: int = 512) -> bytes:
    """Return the first bytes of a file, none of a folder or of what cannot be read."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def stem(path: Path) -> str:
    """Return the name of a file without the suffixes of its format."""
    name = path.name
    for suffix in (".gz", ".bz2"):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    for suffix in (".ome.tif", ".ome.tiff", ".ome.zarr"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def name_axes(path: Path, shape: tuple[int, ...], wanted: str | None, what: str = "") -> Axes:
    """Return `wanted` as axes of an array of `shape`, or the usual ones without a wish.

    Raises
    ------
    ImageError
        If they do not fit; the sentence names the file and what it holds.
    """
    try:
        if wanted:
            return axis_names.check(tuple(wanted), len(shape))
        return axis_names.guess(len(shape), shape[-1] if shape else 0)
    except ImageError as error:
        kind = what or {0: "a single number", 1: "a line of numbers"}.get(len(shape), "an array")
        size = " × ".join(map(str, shape))
        raise ImageError(
            f"{path.name} holds {kind}{f' of {size}' if size else ''}: {error.sentence}",
            hint=error.hint,
        ) from error

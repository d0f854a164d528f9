"""`Part`: one of several images inside a file, and the error that asks which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.errors import ImageError

SEPARATOR = "::"
"""Between a file and the part of it: ``scan.h5::entry/data``."""
SHOWN = 12


@dataclass(frozen=True)
class Part:
    """One image inside a file.

    Parameters
    ----------
    name : str
        What `open_image` takes as `part`.
    shape : tuple of int
        Lengths of its axes.
    dtype : str
        Type of its values.
    note : str
        What the file says about it.
    """

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    note: str = ""

    def __str__(self) -> str:
        size = " × ".join(str(length) for length in self.shape)
        facts = ", ".join(fact for fact in (size, self.dtype, self.note) if fact)
        return f"{self.name} ({facts})" if facts else self.name


class PartNeeded(ImageError):
    """A file holds several images and nobody said which.

    Parameters
    ----------
    path : path
        The file.
    parts : sequence of Part
        What it holds; a window can offer them as a list.
    """

    def __init__(self, path: str | Path, parts: Sequence[Part]) -> None:
        self.path = str(path)
        self.parts = tuple(parts)
        shown = "; ".join(str(part) for part in self.parts[:SHOWN])
        more = f"; and {len(self.parts) - SHOWN} more" if len(self.parts) > SHOWN else ""
        super().__init__(
            f"{Path(path).name} holds {len(self.parts)} images: {shown}{more}.",
            hint=f"Say which one: {Path(path).name}{SEPARATOR}{self.parts[0].name}",
        )


def find_part(path: Path, parts: Sequence[Part], name: str) -> int:
    """Return the index of the part called `name`, or counted by it from 0.

    Raises
    ------
    ImageError
        If there is no such part.
    """
    names = [part.name for part in parts]
    if name in names:
        return names.index(name)
    if name.isdigit() and int(name) < len(parts):
        return int(name)
    raise ImageError(
        f"{path.name} holds no image called {name!r}.",
        hint=f"It holds {', '.join(names[:SHOWN]) or 'none'}.",
    )


def split_part(path: str | Path) -> tuple[Path, str | None]:
    """Return file and part of ``FILE::part``; a file that exists under the whole name wins."""
    text = str(path)
    whole = Path(text).expanduser()
    if SEPARATOR not in text or whole.exists():
        return whole, None
    file, _, part = text.partition(SEPARATOR)
    return Path(file).expanduser(), part or None

"""``collection.csv``: which images a result folder holds, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from napari_defectseg.core.atomic import not_saved, write_text
from napari_defectseg.core.errors import NotSaved, RecipeError
from napari_defectseg.results.analysis import Analysis

FILE = "collection.csv"
LOCK = ".lock"
PATIENCE = 60.0


@dataclass(frozen=True)
class Entry:
    """One image of a result folder.

    Parameters
    ----------
    folder : str
        Its folder in the result.
    image, sha256 : str
        The image file and its hash; it is never copied or changed.
    specimen, field : str
        Where it belongs.
    state : str
        ``"predicted"``, ``"corrected"``, ``"measured"`` or ``"failed: …"``.
    """

    folder: str
    image: str
    sha256: str = ""
    specimen: str = ""
    field: str = ""
    state: str = ""


NAMES = tuple(field.name for field in fields(Entry))


def register(folder: Path, name: str, analysis: Analysis) -> None:
    """List an analysis in ``collection.csv``."""
    if analysis.journal is not None:
        state = "corrected"
    else:
        state = "predicted" if analysis.model is not None else "measured"
    path = analysis.image.origin.path
    add_entry(
        folder,
        Entry(
            name,
            str(Path(path).resolve()) if path else "",
            analysis.sha256(),
            analysis.specimen,
            analysis.field,
            state,
        ),
    )


def add_entry(folder: Path, entry: Entry) -> None:
    """Put an entry in the place of that of the same folder, or behind the others."""
    with _locked(folder):
        entries = {known.folder: known for known in read_entries(folder)}
        entries[entry.folder] = entry
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(NAMES)
        writer.writerows(astuple(known) for known in entries.values())
        write_text(folder / FILE, text.getvalue())


def read_entries(folder: Path) -> list[Entry]:
    """Return the images of a result folder; none if it lists none.

    Raises
    ------
    RecipeError
        If the list cannot be read.
    """
    try:
        with (folder / FILE).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecipeError(f"{folder / FILE} cannot be read: {error}.") from error
    return [Entry(**{name: row.get(name) or "" for name in NAMES}) for row in rows]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout as error:
        raise NotSaved(f"{folder} is being written to by another program.") from error
    except OSError as error:
        raise not_saved(folder, error) from error
    try:
        yield
    finally:
        lock.release()

"""``frames.csv``: what was found in the frames of a watched folder, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_defectseg.batch.arrivals import Signature
from napari_defectseg.core.atomic import not_saved, write_text
from napari_defectseg.core.errors import RecipeError
from napari_defectseg.images.natural import natural
from napari_defectseg.results.analysis import Analysis

FILE = "frames.csv"
OBJECTS, FRACTION = "objects.", "fraction."
FIXED = ("image", "folder", "state", "lag [s]", "seconds [s]", "bytes", "written [ns]")
DONE, FAILED = "predicted", "failed: "


@dataclass(frozen=True)
class Frame:
    """What became of one file of a watched folder.

    Parameters
    ----------
    image : str
        Name of the file.
    folder : str
        Name of its folder in the result, which is not there if it failed.
    signature : tuple of int
        Bytes of the file, and when it was written, in ns since 1970.
    objects : mapping of str to int
        Their number, by class.
    fraction : mapping of str to float
        Part of the area or volume that a class takes; a class without one is left out.
    lag : float
        Seconds from the last change of the file that was seen to the result on the disk.
    seconds : float
        Part of them that the work took.
    problem : str
        Why it failed, as a sentence; empty if it did not.
    late : bool
        Whether it came after frames that follow it were dealt with.
    waiting : int
        How many files waited when it was done.
    analysis : Analysis or None
        What was found, for whoever shows the newest frame; not kept.
    """

    image: str
    folder: str
    signature: Signature
    objects: Mapping[str, int] = field(default_factory=dict)
    fraction: Mapping[str, float] = field(default_factory=dict)
    lag: float = 0.0
    seconds: float = 0.0
    problem: str = ""
    late: bool = False
    waiting: int = 0
    analysis: Analysis | None = field(default=None, repr=False, compare=False)


class FrameTable:
    """The rows of ``frames.csv``: each is appended as its frame is done.

    Parameters
    ----------
    folder : Path
        The result folder; what is in its table is read.
    classes : sequence of str
        Names of the classes, which get a column each.

    Raises
    ------
    RecipeError
        If the table that is there cannot be read, or is one of other classes.
    """

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self.path = folder / FILE
        self._classes = tuple(classes)
        self._frames: dict[str, Frame] = {}
        for frame in self._read():
            self._frames[frame.image] = frame

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All frames in the order of their names."""
        return tuple(self._frames[name] for name in sorted(self._frames, key=natural))

    @property
    def done(self) -> dict[str, Signature]:
        """The files that need not be dealt with again."""
        return {name: one.signature for name, one in self._frames.items() if not one.problem}

    def __len__(self) -> int:
        return len(self._frames)

    def folder_of(self, image: str, wanted: str) -> str:
        """Return the name of a file's folder: `wanted`, or its whole name where that is taken."""
        known = self._frames.get(image)
        if known is not None:
            return known.folder
        taken = {one.folder.casefold() for one in self._frames.values()}
        return image if wanted.casefold() in taken else wanted

    def append(self, frame: Frame) -> None:
        """Add a frame, or put it in the place of what was known of its file.

        Raises
        ------
        NotSaved
            If the disk is full or read-only.
        """
        self._frames[frame.image] = frame
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.path.exists()
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._text([frame], header=fresh))
        except OSError as error:
            raise not_saved(self.path, error) from error

    def tidy(self) -> None:
        """Write the table anew: in the order of the frames, each once."""
        if self._frames:
            write_text(self.path, self._text(self.frames, header=True))

    @property
    def _names(self) -> tuple[str, ...]:
        numbers = [front + name for name in self._classes for front in (OBJECTS, FRACTION)]
        return (*FIXED[:5], *numbers, *FIXED[5:])

    def _text(self, frames: Iterable[Frame], *, header: bool) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._names, lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows(self._row(frame) for frame in frames)
        return text.getvalue()

    def _row(self, frame: Frame) -> dict[str, object]:
        state = FAILED + " ".join(frame.problem.split()) if frame.problem else DONE
        fixed = (
            frame.image, frame.folder, state, f"{frame.lag:.3f}", f"{frame.seconds:.3f}",
            *frame.signature,
        )  # fmt: skip
        numbers = {OBJECTS + name: count for name, count in frame.objects.items()}
        shares = {FRACTION + name: repr(share) for name, share in frame.fraction.items()}
        return {**dict(zip(FIXED, fixed, strict=True)), **numbers, **shares}

    def _read(self) -> list[Frame]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{self.path} cannot be read: {error}.") from error
        # A row that a killed program has not ended is none: its frame is done again.
        whole = text[: text.rfind("\n") + 1]
        reader = csv.DictReader(io.StringIO(whole))
        if whole and tuple(reader.fieldnames or ()) != self._names:
            raise RecipeError(
                f"{self.path} is a table of other classes, or of something else.",
                hint="Choose another folder for the results.",
            )
        try:
            found = [self._frame(row) for row in reader]
        except (KeyError, TypeError, ValueError) as error:
            raise RecipeError(f"{self.path} cannot be read: {error}.") from error
        if whole != text:
            write_text(self.path, whole)
        return found

    def _frame(self, row: Mapping[str, str]) -> Frame:
        failed = row["state"].startswith(FAILED)
        return Frame(
            row["image"],
            row["folder"],
            (int(row["bytes"]), int(row["written [ns]"])),
            {name: int(row[OBJECTS + name]) for name in self._classes if row[OBJECTS + name]},
            {name: float(row[FRACTION + name]) for name in self._classes if row[FRACTION + name]},
            float(row["lag [s]"]),
            float(row["seconds [s]"]),
            row["state"].removeprefix(FAILED) if failed else "",
        )

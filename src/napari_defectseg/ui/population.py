"""The objects that are counted: of this image, of some of it, or of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import words

if TYPE_CHECKING:
    from napari_defectseg.core.units import Quantity
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.results.stored import StoredResult
    from napari_defectseg.ui.session import Session

IMAGE, FRAME, SELECTED, COLLECTION = "image", "frame", "selected", "collection"
SPECIMEN = "specimen:"
"""What can be counted; a specimen's name stands behind the colon."""


@dataclass(frozen=True)
class Measured:
    """The table of one image.

    Parameters
    ----------
    name, specimen : str
        Of the image; the specimen may be unknown.
    table : RegionTable
    image : CalibratedImage or None
        Where it is in the session.
    stored : StoredResult or None
        Where its result lies on the disk.
    """

    name: str
    specimen: str
    table: RegionTable
    image: CalibratedImage | None = None
    stored: StoredResult | None = None


@dataclass(frozen=True)
class Population:
    """Rows that are counted together.

    Parameters
    ----------
    table : RegionTable
    ids : ndarray of int64, shape (rows,)
        Objects of the current image have their own numbers, those of others negative ones.
    places : tuple of (Measured, int)
        Image and number of the objects with the ids -1, -2, …
    images : int
    """

    table: RegionTable
    ids: np.ndarray
    places: tuple[tuple[Measured, int], ...] = ()
    images: int = 1

    @classmethod
    def of_one(cls, table: RegionTable) -> Population:
        """Return the objects of the current image."""
        return cls(table, np.asarray(table["label"], np.int64))

    @classmethod
    def of_many(cls, measured: Sequence[Measured], current: CalibratedImage | None) -> Population:
        """Return the objects of several images under one another.

        Raises
        ------
        MeasurementError
            If sizes in px and in a length, or planes and volumes, would be mixed.
        """
        ids: list[np.ndarray] = []
        places: list[tuple[Measured, int]] = []
        for one in measured:
            own = np.asarray(one.table["label"], np.int64)
            if _same(one.image, current):
                ids.append(own)
                continue
            ids.append(-1 - np.arange(len(places), len(places) + own.size, dtype=np.int64))
            places += [(one, int(number)) for number in own]
        stacked = RegionTable.stack([one.table.with_front(image=one.name) for one in measured])
        return cls(stacked, np.concatenate(ids), tuple(places), len(measured))

    def place(self, row_id: int) -> tuple[Measured, int] | None:
        """Return image and number of an object of another image."""
        return self.places[-1 - row_id] if row_id < 0 else None

    def where(self, keep: np.ndarray) -> Population:
        """Return a choice of the rows."""
        return Population(self.table.where(keep), self.ids[keep], self.places, self.images)


def measured_of(session: Session) -> tuple[Measured, ...]:
    """Return every image that has a table: in the session, and in an opened result folder."""
    found: list[Measured] = []
    for image, table in session.tables():
        found.append(Measured(image.name, specimen_of(session, image), table, image))
    held = {one.image.origin.path or one.name for one in found if one.image is not None}
    found += [one for one in session.results if one.stored is None or _key(one.stored) not in held]
    return tuple(found)


def chosen_of(measured: Sequence[Measured], choice: str) -> list[Measured]:
    """Return the images of a collection or specimen; none for other choices."""
    if choice == COLLECTION:
        return list(measured)
    return [one for one in measured if choice == SPECIMEN + one.specimen]


def counted_of(
    session: Session, measured: Sequence[Measured], choice: str, frame: int
) -> Population | None:
    """Return the objects that a choice counts; None while nothing is measured.

    Parameters
    ----------
    session : Session
    measured : sequence of Measured
        What `measured_of` found.
    choice : str
    frame : int
        The frame in sight.

    Raises
    ------
    MeasurementError
        If images of a collection cannot be counted together.
    """
    table = session.table
    if table is None:
        return None
    chosen = chosen_of(measured, choice)
    if chosen:
        return Population.of_many(chosen, session.image)
    whole = Population.of_one(table)
    if choice == SELECTED:
        return whole.where(np.isin(whole.ids, list(session.selection)))
    if choice == FRAME:
        return whole.where(table["frame"] == frame)
    return whole


def specimen_of(session: Session, image: CalibratedImage) -> str:
    """Return the specimen of an image, empty if nobody said."""
    entries = session.collection.entries if session.collection is not None else ()
    for entry in entries:
        if entry.name == image.name and entry.path.startswith(image.origin.path):
            return entry.specimen
    return next((r.specimen for r in session.results if r.name == image.name), "")


def choices_of(measured: Sequence[Measured], frames: bool) -> list[tuple[str, str]]:
    """Return what can be counted, in words."""
    found: list[tuple[str, str]] = [("this image", IMAGE)]
    if frames:
        found = [("all frames", IMAGE), ("this frame", FRAME)]
    found.append(("selected objects", SELECTED))
    if len(measured) > 1:
        found.append((f"collection: {len(measured)} images", COLLECTION))
    specimens = dict.fromkeys(one.specimen for one in measured if one.specimen)
    if len(specimens) > 1 or (specimens and len(measured) > 1):
        for specimen in specimens:
            count = sum(one.specimen == specimen for one in measured)
            words = f"{specimen}: {count} image{'' if count == 1 else 's'}"
            found.append((words, SPECIMEN + specimen))
    return found


def counting_note(table: RegionTable, thickness: Quantity | None) -> str:
    """Return what the intervals of a table stand for, and what was left out, in sentences."""
    region = table.region
    fields = 1 if region is None else len(region.each)
    unit = "objects as units, 1 field" if fields < 2 else f"{words.count(fields)} fields as units"
    parts = [f"95 %, {unit}."]
    left = sum(region.border_objects.values()) if region is not None else 0
    if left:
        parts.append(f"{words.count(left)} at the border left out.")
    elif "touches_border" in table:
        touching = int(np.count_nonzero(table["touches_border"]))
        parts.append(f"{words.count(touching)} touch the border and count.")
    if thickness is not None:
        parts.append(f"Foil {thickness}.")
    return " ".join(parts)


def _same(image: CalibratedImage | None, current: CalibratedImage | None) -> bool:
    return image is not None and current is not None and image.data is current.data


def _key(stored: StoredResult) -> str:
    return str(stored.summary["image"]["path"] or stored.summary["image"]["name"])

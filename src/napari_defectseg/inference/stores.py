"""`Stores`: what is kept of a long run, block by block: classes, their scores, or all scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import RecipeError
from napari_defectseg.images.store import create_store, finish_store, open_store
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.ledger import Entry, checksum
from napari_defectseg.inference.scores import SIDES, scores_attributes
from napari_defectseg.inference.tiling import Box, TilePlan
from napari_defectseg.labels.decode import DecodeSettings, class_values, own_scores

if TYPE_CHECKING:
    from napari_defectseg.inference.pieces import Part

MASK, OWN, SCORES = "classes.zarr", "chosen.zarr", "scores.zarr"
NOTHING = checksum(())
"""Of a block that has no pixel."""
DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError)
"""What reading a damaged block of a store leads to."""


@dataclass(frozen=True, eq=False)
class Stores:
    """Arrays on disk with the axes of a mask; overlapping classes have one in front.

    Parameters
    ----------
    folder : Path
    mask : zarr.Array of uint8
        Class values, before holes are filled and small objects left out.
    own : zarr.Array of float32 or None
        The score of the class that each pixel has, in the shape of `mask`; None where all
        scores are kept.
    scores : zarr.Array of float32 or None
        All scores, channels in front.
    classes : ClassMap
    task : str
    """

    folder: Path
    mask: Any
    own: Any
    scores: Any
    classes: ClassMap
    task: Any

    @classmethod
    def create(cls, folder: Path, job: Job, *, scores: bool) -> Stores:
        """Make new stores for a job in place of those that are there."""
        card = job.model.card
        shape, chunks = job.scores_shape[1:], block_sides(job)
        if card.task == "multilabel":
            shape, chunks = (len(card.classes), *shape), (1, *chunks)
        known = {"classes": card.classes.as_dict(), "task": card.task}
        for name in (MASK, OWN, SCORES):
            shutil.rmtree(folder / name, ignore_errors=True)
        create_store(folder / MASK, shape, np.uint8, chunks, attributes=known)
        if scores:
            create_store(
                folder / SCORES,
                job.scores_shape,
                np.float32,
                (1, *block_sides(job)),
                attributes=scores_attributes(job),
            )
        else:
            create_store(folder / OWN, shape, np.float32, chunks)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Stores:
        """Open the stores of a run that was begun.

        Raises
        ------
        RecipeError
            If one of them is missing or damaged.
        """
        try:
            mask = open_store(folder / MASK, unfinished=True)
            kept = {
                name: open_store(folder / name, unfinished=True)
                for name in (OWN, SCORES)
                if (folder / name).is_dir()
            }
            classes = ClassMap.from_dict(dict(mask.attrs["classes"]))
            task = str(mask.attrs["task"])
        except (OSError, ValueError, KeyError) as error:
            raise RecipeError(
                f"{folder} cannot be gone on with: {error}.", hint="Begin anew."
            ) from error
        return cls(folder, mask, kept.get(OWN), kept.get(SCORES), classes, task)

    def finish(self) -> None:
        """Mark the stores as whole."""
        for array in (self.mask, self.own, self.scores):
            if array is not None:
                finish_store(array)

    def put(self, part: Part, decode: DecodeSettings) -> str:
        """Write what is kept of the scores of a block, and return its checksum.

        Parameters
        ----------
        part : Part
            Place and scores, channels in front.
        decode : DecodeSettings
        """
        if not part.scores.size:  # the tile lies beside the region that is wanted
            return NOTHING
        scores = np.ascontiguousarray(part.scores)
        where = part.where[1:]
        mask = class_values(scores, self.classes, self.task, decode)
        second = scores
        if self.scores is not None:
            self.scores[(slice(None), *where)] = scores
        else:
            second = own_scores(scores, mask, self.classes, self.task)
            self.own[self._key(where)] = second
        self.mask[self._key(where)] = mask
        return checksum((mask, second))

    def agreeing(self, blocks: Mapping[int, Entry]) -> set[int]:
        """Return which blocks are as they were when they were written.

        Pieces of the stores that cannot be read at all are taken away, so that what belongs
        there can be written again.
        """
        good = {first for first, entry in blocks.items() if self._agrees(entry)}
        broken = [entry.where for first, entry in blocks.items() if first not in good]
        if self._clear(broken):
            # A neighbour that shared such a piece has lost its part of it.
            good = {first for first in good if self._agrees(blocks[first])}
        return good

    def _agrees(self, entry: Entry) -> bool:
        if any(part.start >= part.stop for part in entry.where):
            return entry.checksum == NOTHING
        try:
            mask = np.asarray(self.mask[self._key(entry.where)])
            if self.scores is not None:
                second = np.asarray(self.scores[(slice(None), *entry.where)])
            else:
                second = np.asarray(self.own[self._key(entry.where)])
        except DAMAGE:
            return False
        return checksum((mask, second)) == entry.checksum

    def _clear(self, boxes: list[Box]) -> bool:
        """Take away what cannot be read in some boxes; return whether there was anything."""
        found = False
        for array, name in ((self.mask, MASK), (self.own, OWN), (self.scores, SCORES)):
            if array is None:
                continue
            lead = len(array.shape) - len(boxes[0]) if boxes else 0
            for box in boxes:
                whole = (*(slice(0, n) for n in array.shape[:lead]), *box)
                for at in _chunks_in(whole, array.chunks):
                    found |= _take_away_unreadable(array, self.folder / name, at)
        return found

    def _key(self, where: Box) -> Box:
        return (slice(None), *where) if self.task == "multilabel" else where


def block_sides(job: Job) -> tuple[int, ...]:
    """Return the sides of the pieces of a store, in the order of the label axes.

    Where that can be, tiles are made of whole pieces, so that each piece is written once.
    """
    seen, plan = job.layout.seen, job.plan
    most = SIDES[len(seen)]
    sides = dict.fromkeys(seen, most)
    if isinstance(plan, TilePlan) and job.layout.resampling is None:
        sides = {name: _divisor(core, most) for name, core in zip(seen, plan.core, strict=True)}
    lengths = zip(job.image.label_axes, job.scores_shape[1:], strict=True)
    return tuple(min(n, sides[name]) if name in seen else 1 for name, n in lengths)


def _divisor(core: int, most: int) -> int:
    """Return the largest divisor of a tile's side up to `most`, or `most` if that is tiny."""
    parts = -(-core // most)
    while core % parts:
        parts += 1
    return core // parts if core // parts >= most // 4 or core <= most else most


def _chunks_in(box: Box, chunks: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    sides = zip(box, chunks, strict=True)
    yield from product(*(range(p.start // c, -(-p.stop // c)) for p, c in sides))


def _take_away_unreadable(array: Any, folder: Path, at: tuple[int, ...]) -> bool:
    key = tuple(slice(n * c, (n + 1) * c) for n, c in zip(at, array.chunks, strict=True))
    try:
        array[key]
    except DAMAGE:
        (folder / "/".join(map(str, at))).unlink(missing_ok=True)
        return True
    return False

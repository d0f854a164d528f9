"""`Dataset`: images and their truth, in a folder on disk that is always whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_defectseg.core.atomic import not_saved, write_text
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, DatasetError, FileMissing
from napari_defectseg.core.provenance import now, person
from napari_defectseg.datasets import files
from napari_defectseg.datasets.card import CARD, DatasetCard, read_card
from napari_defectseg.datasets.cut import Cut, count_pixels, cut, new_event
from napari_defectseg.datasets.info import DatasetInfo, summarise
from napari_defectseg.datasets.manifest import Event, Manifest, follow, next_number, origin_of
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

Split = Literal["train", "validation", "test", "unused"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Dataset:
    """Images with masks, specimens, splits and origins; safe against crashes and full disks.

    Everything is kept: a correction or an exclusion is a new event, and nothing is deleted.
    Make one with `create`, or open one with `open`.
    """

    def __init__(self, path: Path, card: DatasetCard) -> None:
        self.path = path
        self.card = card
        self.classes = card.class_map
        self._manifest = Manifest(path)

    @classmethod
    def create(
        cls,
        path: str | Path,
        classes: ClassMap | Sequence[str],
        *,
        name: str = "",
        licence: str = "",
        made_by: str = "",
    ) -> Dataset:
        """Make an empty dataset folder.

        Parameters
        ----------
        path : str or Path
            A folder that does not exist yet, or is empty.
        classes : ClassMap or sequence of str
            Names alone get the values 1, 2, … and the default colours.
        name, licence, made_by : str
            For people; the name defaults to that of the folder.

        Raises
        ------
        AlreadyExists
            If there is something in the folder.
        NotSaved
            If it cannot be written.
        """
        path = Path(path)
        known = classes if isinstance(classes, ClassMap) else ClassMap.of(classes)
        card = DatasetCard(
            name=name or path.name,
            classes=tuple(known.as_dict()["classes"]),
            exclusive=known.exclusive,
            created=now(),
            licence=licence,
            made_by=made_by,
        )
        _make_folder(path)
        text = json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False)
        write_text(path / CARD, text + "\n", overwrite=False)
        return cls(path, card)

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open a dataset folder; only what was saved whole counts.

        Raises
        ------
        FileMissing
            If there is no such folder.
        DatasetError
            If it is not a dataset, or of a form that this version does not know.
        """
        path = Path(path)
        if not path.exists():
            raise FileMissing(f"{path} does not exist.", hint="Make a dataset first.")
        dataset = cls(path, read_card(path))
        dataset._manifest.read()
        return dataset

    @property
    def name(self) -> str:
        """What it is called."""
        return self.card.name

    def pairs(self, split: Split | None = None) -> tuple[Pair, ...]:
        """Return the pairs that count, in the order they were added.

        Parameters
        ----------
        split : str, optional
            Only those of ``"train"``, ``"validation"``, ``"test"`` or ``"unused"``.
        """
        events = self._manifest.state().values()
        kept = (e for e in events if e.what != "excluded" and split in (None, e.split))
        return tuple(Pair(self.path, event, self.classes) for event in kept)

    def pair(self, pair_id: str) -> Pair:
        """Return the pair of that name.

        Raises
        ------
        DatasetError
            If there is none.
        """
        return Pair(self.path, self._event(pair_id), self.classes)

    def add(
        self,
        image: CalibratedImage,
        labels: LabelMap | np.ndarray[Any, Any],
        *,
        specimen: str,
        split: Split | None = None,
        region: tuple[slice, ...] | None = None,
        instances: np.ndarray[Any, Any] | None = None,
        objects: Mapping[str, Sequence[Any]] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> Pair:
        """Save an image and its truth; when this returns, they are on the disk.

        Parameters
        ----------
        image : CalibratedImage
        labels : LabelMap or ndarray
            See `cut`: class values, 255 where nobody looked.
        specimen : str
            The specimen it shows; sets for training and test never share one.
        split : str, optional
            The set it belongs to, if that is decided already.
        region : tuple of slice, optional
            Save only this part of the image, one slice an axis of the mask.
        instances : ndarray of int, optional
            Objects; those of a `LabelMap` are taken by themselves.
        objects : mapping of str to sequence, optional
            Columns of a list of objects.
        origin : mapping, optional
            ``file``, ``region``, ``model``, ``who``, ``when``; anything else is kept as detail.

        Raises
        ------
        DatasetError
            If labels, region or classes do not fit.
        NotSaved
            If the disk is full or read-only; the dataset is as it was before.
        """
        if not specimen.strip():
            raise DatasetError(
                f"{image.name} was not saved: it names no specimen.",
                hint="Any name will do; it keeps training and test apart.",
            )
        made = cut(image, labels, self.classes, region=region, instances=instances)
        known = _known_origin(image, labels, made)
        with self._manifest.locked():
            events = self._manifest.read()
            with files.writing(self.path) as writer:
                pair_id = files.free_id(self.path, image.name, {event.id for event in events})
                writer.image(pair_id, made.image)
                writer.truth(pair_id, made, self.classes, objects)
                event = new_event(
                    made,
                    self.classes,
                    id=pair_id,
                    number=next_number(events),
                    specimen=specimen.strip(),
                    split=split or "",
                    origin=origin_of(origin, **known),
                    **writer.record(),
                )
                self._manifest.append([event])
        return Pair(self.path, event, self.classes)

    def correct(
        self,
        pair_id: str,
        labels: LabelMap | np.ndarray[Any, Any],
        *,
        instances: np.ndarray[Any, Any] | None = None,
        objects: Mapping[str, Sequence[Any]] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> Pair:
        """Save better truth for an image that is here; the old truth stays on the disk.

        Parameters
        ----------
        pair_id : str
        labels, instances, objects
            As for `add`.
        origin : mapping, optional
            What changes in where it came from: ``who`` and ``when`` do by themselves.

        Raises
        ------
        DatasetError
            If there is no such pair, or the labels do not fit its image.
        NotSaved
            If the disk is full or read-only; the dataset is as it was before.
        """
        made = cut(self.pair(pair_id).image(), labels, self.classes, instances=instances)
        with self._manifest.locked():
            events = self._manifest.read()
            before = self._event(pair_id)
            known = {**before.origin.model_dump(), "who": person(), "when": now()}
            with files.writing(self.path) as writer:
                writer.truth(files.free_version(self.path, pair_id), made, self.classes, objects)
                event = follow(
                    before,
                    events,
                    what="corrected",
                    pixels=count_pixels(made.mask, self.classes),
                    origin=origin_of(origin, **known),
                    **writer.record(before),
                )
                self._manifest.append([event])
        return Pair(self.path, event, self.classes)

    def exclude(self, pair_id: str, *, reason: str = "") -> None:
        """Leave a pair out from now on; its files stay, and `include` takes it back."""
        self._append_one(pair_id, "excluded", {"reason": reason} if reason else {})

    def include(self, pair_id: str) -> None:
        """Take back a pair that was excluded."""
        self._append_one(pair_id, "added", {})

    def assign(self, splits: Mapping[str, str]) -> None:
        """Put pairs into sets, all of them or none.

        Parameters
        ----------
        splits : mapping of str to str
            Pair to ``"train"``, ``"validation"``, ``"test"`` or ``"unused"``.
        """
        with self._manifest.locked():
            events = self._manifest.read()
            made: list[Event] = []
            for pair_id, split in splits.items():
                before = self._event(pair_id)
                made.append(follow(before, [*events, *made], what="split", split=split))
            self._manifest.append(made)

    def cut_up(self, pair_id: str, pieces: Sequence[tuple[Split, tuple[slice, ...]]]) -> None:
        """Put parts of one pair into different sets, as pairs of their own; it is excluded.

        All parts are recorded at once, so that no crash leaves the whole beside its parts.

        Parameters
        ----------
        pair_id : str
        pieces : sequence of (str, tuple of slice)
            Set, and the region of the pair's mask that goes there.
        """
        pair = self.pair(pair_id)
        image, mask, objects = pair.image(), pair.mask(), pair.instances()
        with self._manifest.locked(), files.writing(self.path) as writer:
            events = self._manifest.read()
            before = self._event(pair_id)
            made = [follow(before, events, what="excluded")]
            for split, region in pieces:
                piece = cut(image, mask, self.classes, region=region, instances=objects)
                name = files.free_id(self.path, f"{pair_id}-{split}", {e.id for e in events})
                writer.image(name, piece.image)
                writer.truth(name, piece, self.classes, None)
                origin = before.origin.inside(piece.region, cut_from=pair_id)
                event = new_event(
                    piece,
                    self.classes,
                    id=name,
                    number=next_number([*events, *made]),
                    specimen=before.specimen,
                    split=split,
                    origin=origin,
                    **writer.record(),
                )
                made.append(event)
            self._manifest.append(made)

    def broken(self) -> list[Event]:
        """Return the last events of pairs whose files are not there or have another size."""
        return self._manifest.broken()

    def info(self) -> DatasetInfo:
        """Return counts by class, specimen and set, and what deserves a look."""
        return summarise(
            self.name,
            self.path,
            self.classes,
            list(self._manifest.state().values()),
            self._manifest.broken(),
        )

    def _append_one(
        self, pair_id: str, what: Literal["added", "excluded"], details: dict[str, str]
    ) -> None:
        with self._manifest.locked():
            before = self._event(pair_id)
            origin = before.origin.model_copy(
                update={"details": {**before.origin.details, **details}}
            )
            event = follow(before, self._manifest.read(), what=what, origin=origin)
            self._manifest.append([event])

    def _event(self, pair_id: str) -> Event:
        found = self._manifest.state().get(pair_id)
        if found is None:
            raise DatasetError(f"{self.path} has no pair called {pair_id!r}.")
        return found


def _make_folder(path: Path) -> None:
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise AlreadyExists(
                f"{path} exists already and was left as it is.",
                hint="Choose another name, or open the dataset that is there.",
            )
        path.mkdir(parents=True, exist_ok=True)
    except AlreadyExists:
        raise
    except OSError as error:
        raise not_saved(path, error) from error


def _known_origin(
    image: CalibratedImage, labels: LabelMap | np.ndarray[Any, Any], made: Cut
) -> dict[str, Any]:
    provenance = labels.provenance if isinstance(labels, LabelMap) else None
    return {
        "file": image.origin.path,
        "region": made.region,
        "model": provenance.model if provenance else "",
        "who": person(),
        "when": now(),
    }

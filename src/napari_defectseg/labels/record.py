"""Edits and label maps as records of a journal, and back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, LabelError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit, Sides
from napari_defectseg.labels.journalfile import Record
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import PackedChange, deflate, inflate, pack, unpack

FORMAT, VERSION = "defectseg edits", 1


def record_of(edit: Edit) -> Record:
    """Return the record of an edit."""
    numbers = sorted(edit.classes_after)
    fields = {
        "do": "edit",
        "tool": edit.tool,
        "who": edit.person,
        "when": edit.when,
        "decided": edit.decided,
        "changes": [{"plane": change.plane, "box": _sides(change.box)} for change in edit.changes],
        "classes": [[n, edit.classes_before.get(n), edit.classes_after[n]] for n in numbers],
        "checked": sorted(edit.checked),
        "unchecked": sorted(edit.unchecked),
        "completed": sorted(edit.completed),
        "reopened": sorted(edit.reopened),
    }
    blocks = tuple(
        change.blob if isinstance(change, PackedChange) and not change.reverse else pack(change)
        for change in edit.changes
    )
    return Record(fields, blocks)


def edit_of(fields: Mapping[str, Any], blocks: Sequence[bytes]) -> Edit:
    """Return the edit that `record_of` wrote.

    Raises
    ------
    LabelError
        If the fields or blocks are not those of an edit.
    """
    try:
        changes = tuple(
            unpack(int(change["plane"]), _box(change["box"]), block)
            for change, block in zip(fields["changes"], blocks, strict=True)
        )
        return Edit(
            str(fields["tool"]),
            changes,
            {int(n): before for n, before, _ in fields["classes"]},
            {int(n): after for n, _, after in fields["classes"]},
            frozenset(map(int, fields["checked"])),
            frozenset(map(int, fields["unchecked"])),
            # Journals from before there were complete regions do not have these.
            _regions(fields.get("completed", ())),
            _regions(fields.get("reopened", ())),
            decided=bool(fields["decided"]),
            person=str(fields["who"]),
            when=str(fields["when"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LabelError(f"A kept edit is damaged: {error}.") from error


def record_of_map(labelmap: LabelMap, facts: Mapping[str, str]) -> Record:
    """Return the first record of a journal: the labels at the beginning.

    Parameters
    ----------
    labelmap : LabelMap
        Not kept: it may be changed afterwards.
    facts : mapping of str to str
        Name and hash of the image, layer, time.
    """
    table = np.array(sorted(labelmap.object_classes.items()), np.int32).reshape(-1)
    blocks = [deflate(table), deflate(np.array(sorted(labelmap.checked), np.int32))]
    for plane in labelmap.planes:
        blocks.extend(deflate(plane[slab].reshape(-1)) for slab in _slabs(labelmap))
    if labelmap.unlabelled is not None:
        hidden = labelmap.unlabelled.view(np.uint8)
        blocks.extend(deflate(hidden[slab].reshape(-1)) for slab in _slabs(labelmap))
    fields = {
        "do": "begin",
        "format": FORMAT,
        "version": VERSION,
        **facts,
        "shape": labelmap.shape,
        "axes": labelmap.axes,
        "classes": labelmap.classes.as_dict(),
        "calibration": {
            name: value for name, value in asdict(labelmap.calibration).items() if name != "rivals"
        },
        "provenance": labelmap.provenance.as_dict() if labelmap.provenance else None,
        "objects": len(labelmap.object_classes),
        "checked": len(labelmap.checked),
        "complete": sorted(labelmap.complete),
        "last_label": labelmap.last_label,
        "unlabelled": labelmap.unlabelled is not None,
    }
    return Record(fields, tuple(blocks))


def map_of_record(fields: Mapping[str, Any], blocks: Sequence[bytes]) -> LabelMap:
    """Return the label map that `record_of_map` wrote.

    Raises
    ------
    LabelError
        If the fields or blocks are not those of a label map.
    """
    try:
        return _map(fields, blocks)
    except (KeyError, TypeError, ValueError, IndexError, zlib.error) as error:
        if isinstance(error, DefectSegError):
            raise
        raise LabelError(f"The labels that were kept are damaged: {error}.") from error


def _map(fields: Mapping[str, Any], blocks: Sequence[bytes]) -> LabelMap:
    classes = ClassMap.from_dict(fields["classes"])
    axes = tuple(fields["axes"])
    shape = tuple(int(n) for n in fields["shape"])
    table = inflate(blocks[0], np.int32, 2 * fields["objects"]).reshape(-1, 2)
    checked = inflate(blocks[1], np.int32, fields["checked"])
    values = dict(fields["calibration"])
    values["spacing"] = tuple(values["spacing"])
    count = 1 if classes.exclusive else len(classes)
    labelmap = LabelMap.empty(shape, classes, axes, Calibration(**values))
    slabs = _slabs(labelmap)
    rest = iter(blocks[2:])
    for plane in labelmap.planes[:count]:
        for slab in slabs:
            lengths = boxes.shape_of(slab)
            size = int(np.prod(lengths))
            plane[slab] = inflate(next(rest), np.int32, size).reshape(lengths)
    if fields["unlabelled"]:
        labelmap.unlabelled = np.zeros(shape, bool)
        for slab in slabs:
            lengths = boxes.shape_of(slab)
            part = inflate(next(rest), np.uint8, int(np.prod(lengths)))
            labelmap.unlabelled[slab] = part.reshape(lengths).view(np.bool_)
    labelmap.object_classes = {int(n): int(value) for n, value in table}
    labelmap.checked = set(checked.tolist())
    labelmap.complete = set(_regions(fields.get("complete", ())))
    labelmap.last_label = int(fields["last_label"])
    if fields["provenance"]:
        labelmap.provenance = Provenance(**fields["provenance"])
    return labelmap


def _slabs(labelmap: LabelMap) -> list[Box]:
    return boxes.slabs(boxes.whole(labelmap.shape))


def _sides(box: Box) -> list[list[int]]:
    return [[int(side.start), int(side.stop)] for side in box]


def _regions(found: Sequence[Sequence[Sequence[int]]]) -> frozenset[Sides]:
    return frozenset(tuple((int(start), int(stop)) for start, stop in sides) for sides in found)


def _box(sides: Sequence[Sequence[int]]) -> Box:
    return tuple(slice(int(start), int(stop)) for start, stop in sides)

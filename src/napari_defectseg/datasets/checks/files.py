"""Whether the files are there, and are those that were saved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.datasets.finding import Finding
from napari_defectseg.datasets.manifest import Event
from napari_defectseg.datasets.pair import Pair


def missing(broken: Sequence[Event]) -> list[Finding]:
    """Return a finding for each pair whose files are not there or have another size."""
    return [
        Finding(
            "hash",
            "error",
            f"{event.id}: its files are not there, or have another size than was saved. "
            "Take them from a backup.",
            (event.id,),
        )
        for event in broken
    ]


def changed(pair: Pair) -> list[Finding]:
    """Return a finding for each file of a pair whose bytes are not those that were saved."""
    found = []
    for role, wanted in pair.sha256.items():
        path = pair.path(role)
        if path is not None and sha256_of_file(path) != wanted:
            sentence = (
                f"{pair.id}: {path.name} is not the file that was saved: its hash differs. "
                "Take it from a backup, or save the correction through this program."
            )
            found.append(Finding("hash", "error", sentence, (pair.id,), {"file": role}))
    return found


def readable(pair: Pair) -> list[Finding]:
    """Return a finding if image or mask cannot be read, or the mask holds what is no class."""
    try:
        pair.image()
        mask = pair.mask()
    except DefectSegError as error:
        return [Finding("hash", "error", f"{pair.id}: {error.sentence}", (pair.id,))]
    known = pair.classes.values if pair.classes.exclusive else (1,)
    strange = sorted(set(np.unique(mask).tolist()) - {BACKGROUND, UNLABELLED, *known})
    if not strange:
        return []
    values = ", ".join(map(str, strange))
    sentence = f"{pair.id}: its mask holds {values}, which is no class of this dataset."
    return [Finding("classes", "error", sentence, (pair.id,), {"values": strange})]

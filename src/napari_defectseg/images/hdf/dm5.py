"""Gatan DM5: the tags of DigitalMicrograph in HDF5."""

from __future__ import annotations

import re
from typing import Any

from napari_defectseg.images.described import AxisFact, Described
from napari_defectseg.images.hdf.tree import Tree, attributes, child, text

DATA = re.compile(r"ImageList/\[(\d+)\]/ImageData/Data")


def find(tree: Tree) -> list[Described]:
    """Return the images of a DM5 file; the thumbnails that it names are previews."""
    small = {
        text(group.attrs.get("ImageIndex"))
        for path, group in tree.groups.items()
        if path.startswith("Thumbnails/")
    }
    found = []
    for path, array in tree.arrays.items():
        match = DATA.fullmatch(path)
        if match and array.ndim:
            found.append(_image(tree, path, array, match[1] in small))
    return found


def _image(tree: Tree, path: str, array: Any, preview: bool) -> Described:
    above = path.removesuffix("/Data")
    facts = []
    for axis, length in enumerate(array.shape):
        # Their first dimension is the fastest, ours the last.
        number = array.ndim - 1 - axis
        tags = attributes(child(tree, above, f"Calibrations/Dimension/[{number}]"))
        letter = "xyz"[number] if number < 3 else ""
        unit = text(tags.get("Units")) or None
        facts.append(AxisFact(length, letter, tags.get("Scale"), unit))
    name = text(attributes(tree.groups.get(above.removesuffix("/ImageData"))).get("Name"))
    return Described(
        path,
        array.shape,
        str(array.dtype),
        tuple(facts),
        "DM5 tags, Calibrations Dimension Scale",
        name.strip("/"),
        preview=preview,
    )

"""Berkeley EMD (EMD 0.2, emdfile, py4DSTEM): a data set with one dim vector an axis."""

from __future__ import annotations

from typing import Any

from napari_defectseg.images.described import AxisFact, Described
from napari_defectseg.images.hdf.tree import Tree, number, text

TYPES = ("1", "array")
"""What emd_group_type says of a group with data."""


def find(tree: Tree) -> list[Described]:
    """Return the arrays of an EMD file."""
    found = []
    for path, group in tree.groups.items():
        array = tree.arrays.get(f"{path}/data".lstrip("/"))
        if array is not None and array.ndim and text(group.attrs.get("emd_group_type")) in TYPES:
            # HyperSpy turns its arrays around when it writes EMD; this is its signature.
            turned = "record_by" in group.attrs
            found.append(_array(tree, path, array, turned))
    return found


def _array(tree: Tree, path: str, array: Any, turned: bool) -> Described:
    # EMD 0.2 counts its dimensions from 1, emdfile from 0.
    first = 0 if f"{path}/dim0".lstrip("/") in tree.arrays else 1
    facts = []
    for axis, length in enumerate(array.shape):
        dim = tree.arrays.get(f"{path}/dim{axis + first}".lstrip("/"))
        scanned = array.ndim == 4 and axis < 2
        facts.append(_axis(dim, length, scanned))
    order = tuple(range(array.ndim))[:: -1 if turned else 1]
    facts = [facts[axis] for axis in order]
    return Described(
        f"{path}/data".lstrip("/"),
        tuple(fact.size for fact in facts),
        str(array.dtype),
        tuple(facts),
        "EMD dim vectors",
        path.split("/")[-1].strip("_"),
        order=order,
    )


def _axis(dim: Any, length: int, scanned: bool) -> AxisFact:
    if dim is None:
        return AxisFact(length, scanned=scanned)
    step = None
    if dim.ndim == 1 and dim.shape[0] > 1 and dim.dtype.kind in "uif":
        ends = dim[:2]
        step = number(ends[1] - ends[0])
    name, unit = text(dim.attrs.get("name")), text(dim.attrs.get("units")) or None
    return AxisFact(length, name, step, unit, scanned)

"""NeXus: NXdata groups with a signal and its axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.images.described import AxisFact, Described
from napari_defectseg.images.hdf.tree import Tree, number, text, texts

UNIFORM = 1e-3
"""Largest relative difference of the steps of an axis that counts as even."""
SIGNAL_AXES = {"image": 2, "spectrum": 1, "rgb-image": 3, "rgba-image": 3}
"""NeXus interpretation to the number of axes of one record."""


def find(tree: Tree) -> list[Described]:
    """Return the signals of all NXdata groups; those that are not default are previews."""
    groups = {
        path: group
        for path, group in tree.groups.items()
        if text(group.attrs.get("NX_class")) == "NXdata"
    }
    default = _default(tree)
    found = []
    for path, group in groups.items():
        array = _signal(group)
        if array is not None:
            found.append(_described(path, group, array, bool(default) and path != default))
    return found


def _signal(group: Any) -> Any:
    """Return the data set that is plotted, if it lies in this file."""
    import h5py

    name = text(group.attrs.get("signal"))
    if not name:
        marked = [
            key
            for key in group
            if isinstance(group.get(key, getlink=True), h5py.HardLink)
            and text(group[key].attrs.get("signal")) == "1"
        ]
        name = marked[0] if marked else ""
    return inside(group, name)


def inside(group: Any, name: str) -> Any:
    """Return a data set of a group unless its link leads out of the file or nowhere."""
    import h5py

    if not name or isinstance(group.get(name, getlink=True, default=None), h5py.ExternalLink):
        return None
    try:
        thing = group[name]
    except (KeyError, OSError):
        return None
    same = thing.file.filename == group.file.filename
    return thing if same and isinstance(thing, h5py.Dataset) else None


def _described(path: str, group: Any, array: Any, beside: bool) -> Described:
    names = texts(group.attrs.get("axes"))
    kind = text(array.attrs.get("interpretation") or group.attrs.get("interpretation"))
    record = SIGNAL_AXES.get(kind, 0)
    facts = [
        _axis(group, names[axis] if axis < len(names) else "", axis, array, record)
        for axis in range(array.ndim)
    ]
    return Described(
        f"{path}/{array.name.split('/')[-1]}" if array.parent != group else array.name.lstrip("/"),
        array.shape,
        str(array.dtype),
        tuple(facts),
        "NeXus axes of NXdata",
        text(group.attrs.get("title")) or path.split("/")[-1],
        preview=beside or kind == "spectrum",
        details={"interpretation": kind} if kind else {},
    )


def _axis(group: Any, name: str, axis: int, array: Any, record: int) -> AxisFact:
    length = array.shape[axis]
    scanned = bool(record) and axis < array.ndim - record
    values = inside(group, name) if name not in ("", ".") else None
    if values is None:
        return AxisFact(length, scanned=scanned)
    unit = text(values.attrs.get("units")) or None
    return AxisFact(length, name.removesuffix("axis"), _step(values, length), unit, scanned)


def _step(values: Any, length: int) -> float | None:
    if (
        values.ndim != 1
        or values.shape[0] != length
        or length < 2
        or values.dtype.kind not in "uif"
    ):
        return None
    steps = np.diff(np.asarray(values[...], dtype=float))
    mean = float(steps.mean())
    even = mean and np.abs(steps - mean).max() <= UNIFORM * abs(mean)
    return number(abs(mean)) if even else None


def _default(tree: Tree) -> str:
    """Return the path of the NXdata group that the ``default`` attributes lead to."""
    path = ""
    for _ in range(8):
        name = text(tree.groups[path].attrs.get("default"))
        following = f"{path}/{name}".strip("/")
        if not name or following not in tree.groups:
            break
        path = following
    return path

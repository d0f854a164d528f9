"""HyperSpy's hspy: signals with one group an axis."""

from __future__ import annotations

from typing import Any

from napari_defectseg.images.described import AxisFact, Described
from napari_defectseg.images.hdf.tree import Tree, attributes, child, text


def find(tree: Tree) -> list[Described]:
    """Return the signals of a HyperSpy file."""
    return [
        _signal(tree, path, array)
        for path, array in tree.arrays.items()
        if path.startswith("Experiments/") and path.endswith("/data") and path.count("/") == 2
    ]


def _signal(tree: Tree, path: str, array: Any) -> Described:
    above = path.removesuffix("/data")
    facts = []
    for axis, length in enumerate(array.shape):
        tags = attributes(child(tree, above, f"axis-{axis}"))
        unit = text(tags.get("units")) or None
        name, scanned = text(tags.get("name")), bool(tags.get("navigate", False))
        facts.append(AxisFact(length, name, tags.get("scale"), unit, scanned))
    instrument = child(tree, above, "metadata/Acquisition_instrument/TEM")
    return Described(
        path,
        array.shape,
        str(array.dtype),
        tuple(facts),
        "HyperSpy axes, scale",
        above.split("/")[-1],
        text(attributes(instrument).get("microscope")),
    )

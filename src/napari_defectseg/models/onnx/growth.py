"""Operations that make large arrays of nothing: a few bytes in the file, terabytes when run."""

from __future__ import annotations

import math
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.structure import Graph

SHAPED_BY = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
"""Operations whose result is as large as one of their inputs says, and which one that is."""
LARGEST = 1 << 30
"""Values that one of them may make: more than any network has in a layer."""


def check_growth(path: Path, graph: Graph) -> None:
    """Refuse a graph that would make an array of absurd size, whatever image it is given.

    Sizes that follow from the image are not known here; the process that runs the model has a
    limit of memory for those.

    Raises
    ------
    ModelError
        Names the operation and the size.
    """
    for node in graph.nodes:
        place = SHAPED_BY.get(node.op)
        if place is None or len(node.inputs) <= place:
            continue
        values = math.prod(max(1.0, abs(n)) for n in graph.value(node.inputs[place]))
        if values > LARGEST:
            raise ModelError(
                f"{path} holds an operation {node.op} that makes {values:.3g} values at once, so "
                "it is not run.",
                hint="No network needs that; the file is damaged or was made to do harm.",
            )

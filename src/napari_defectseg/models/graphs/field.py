"""Grid and halo of a graph: where tiles may begin and how far a result looks."""

from __future__ import annotations

import math
from fractions import Fraction

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.graph import INPUT, Graph
from napari_defectseg.models.graphs.operations import Interval, operation

COARSEST = 1024


def grid_of(graph: Graph) -> int:
    """Return the number of pixels whose multiples the network takes without cutting any.

    Raises
    ------
    ModelError
        If branches of different resolution meet, or the output is not the size of the input.
    """
    grid = 1
    for axis in range(graph.dims):
        scales = _scales(graph, axis)
        if scales[graph.output] != 1:
            raise ModelError(
                f"The network gives {scales[graph.output]} of the image's size, not a map of it.",
                hint="Only networks whose output has the size of their input can be used.",
            )
        grid = math.lcm(grid, *(scale.denominator for scale in scales.values()))
    if grid > COARSEST:
        raise ModelError(f"The network shrinks images {grid} times, more than {COARSEST}.")
    return grid


def halo_of(graph: Graph) -> int | None:
    """Return how far the network looks beyond a cell of the grid, rounded up to it.

    The interval of pixels that one cell depends on is carried backwards through the layers,
    along each axis; the largest counts. None: it looks at the whole image.
    """
    if any(operation(node).whole for node in graph.order):
        return None
    grid = grid_of(graph)
    radius = max(_radius(graph, axis, grid) for axis in range(graph.dims))
    return -(-radius // grid) * grid


def _scales(graph: Graph, axis: int) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {INPUT: Fraction(1)}
    flat: set[str] = set()
    for node in graph.order:
        if node.op in ("global_average", "global_max"):
            flat.add(node.name)
            found[node.name] = Fraction(1)
            continue
        inputs = {found[name] for name in node.inputs if name not in flat}
        if len(inputs) > 1:
            raise ModelError(f"The layer {node.name!r} joins images of different resolution.")
        if not inputs:
            flat.add(node.name)
        before = inputs.pop() if inputs else Fraction(1)
        found[node.name] = before * operation(node).scale(node.attrs, axis)
    return found


def _radius(graph: Graph, axis: int, grid: int) -> int:
    wanted: dict[str, Interval] = {graph.output: (0, grid - 1)}
    for node in reversed(graph.order):
        interval = wanted[node.name]
        low, high = operation(node).reach(node.attrs, axis, interval)
        for name in node.inputs:
            known = wanted.get(name, (low, high))
            wanted[name] = (min(known[0], low), max(known[1], high))
    low, high = wanted.get(INPUT, (0, 0))
    return max(-low, high - (grid - 1), 0)

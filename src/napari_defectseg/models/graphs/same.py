"""Whether two graphs are the same network under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_defectseg.models.graphs.graph import INPUT, Graph, Node

_USUAL: dict[str, Any] = {"groups": 1, "bias": True}
_UNIMPORTANT = ("momentum", "dilation")


def same_network(known: Graph, other: Graph) -> dict[str, str] | None:
    """Return the other's name of every node of the known graph, None if they differ.

    Both are followed from the output backwards; kind, settings, inputs in their order and
    shared weights must agree.
    """
    if (known.dims, known.in_channels) != (other.dims, other.in_channels):
        return None
    paired = {INPUT: INPUT}
    taken = {INPUT}
    waiting = [(known.output, other.output)]
    while waiting:
        name, partner = waiting.pop()
        if name in paired or partner in taken:
            if paired.get(name) != partner:
                return None
            continue
        one, two = known.by_name[name], other.by_name[partner]
        if not _alike(one, two):
            return None
        paired[name] = partner
        taken.add(partner)
        waiting += zip(one.inputs, two.inputs, strict=True)
        if one.shares or two.shares:
            waiting.append((one.shares or name, two.shares or partner))
    return paired


def _alike(one: Node, two: Node) -> bool:
    if one.op != two.op or len(one.inputs) != len(two.inputs):
        return False
    return bool(one.shares) == bool(two.shares) and _settings(one) == _settings(two)


def _settings(node: Node) -> Mapping[str, Any]:
    attrs = {**node.attrs}
    kernel = attrs.get("kernel", ())
    if all(size == 1 for size in kernel) and all(s == 1 for s in attrs.get("strides", ())):
        attrs.pop("padding", None)  # a kernel of one pixel needs none
    dilation = attrs.get("dilation", ())
    kept = {k: v for k, v in attrs.items() if k not in _UNIMPORTANT and _USUAL.get(k, ...) != v}
    if any(d != 1 for d in dilation):
        kept["dilation"] = list(dilation)
    return kept

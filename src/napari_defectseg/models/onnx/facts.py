"""What a graph takes and gives: axes, channels, size, activation; with what a runtime needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.structure import (
    BOOL,
    NAMES,
    Dimension,
    Graph,
    Port,
)
from napari_defectseg.models.onnx.trace import End, end_of, layout_of, start_of

MOST_CHANNELS = 4096
SPACE = {2: "HW", 3: "DHW"}
_FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Facts:
    """What is known of a model with one image in and one out.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    input, output : Port
    layout, output_layout : str
        Axes in order, ``"NCHW"``, ``"NHWC"``, ``"NHW"`` (no channels), with D for volumes.
    size : tuple of int or str
        Spatial lengths of the input; names are free.
    batch : int
        Samples that go through together, 1 where that is free.
    activation : str
        That the graph ends with: ``"softmax"``, ``"sigmoid"`` or nothing.
    labels : bool
        Whether it gives numbers of classes in place of scores.
    guessed : frozenset of str
        Fields of a card that the file does not tell for certain.
    quirks : tuple of str
    """

    dims: int
    in_channels: int
    out_channels: int
    input: Port
    output: Port
    layout: str
    output_layout: str
    size: tuple[Dimension, ...]
    batch: int = 1
    activation: str = ""
    labels: bool = False
    guessed: frozenset[str] = field(default_factory=frozenset)
    quirks: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """What a runtime needs to run it, as plain JSON values."""
        return {
            "input": self.input.name,
            "output": self.output.name,
            "dtype": NAMES[self.input.dtype],
            "layout": self.layout,
            "output_layout": self.output_layout,
            "batch": self.batch,
            "labels": self.out_channels if self.labels else 0,
        }


def facts_of(graph: Graph, where: str) -> Facts:
    """Return what a graph takes and gives.

    Raises
    ------
    ModelError
        If it has several images in, takes no image, or gives none.
    """
    given = _input(graph, where)
    quirks: list[str] = []
    taken = _output(graph, given, where, quirks)
    shape = given.shape or ()
    dims = len(shape) - 2
    start, end = start_of(graph, given), end_of(graph, taken)
    place, sure = layout_of(shape, start.channels, start.turned)
    at = 1 if place == "first" else -1
    stated = shape[at]
    channels = stated if isinstance(stated, int) else start.channels
    guessed = set() if sure and channels else {"in_channels"}
    if guessed:
        quirks.append("The file does not say which axis of its input holds the channels.")
    layout, outputs, inside, more = _outputs(taken, end, dims, place, where)
    _check_size(given, taken, (place, layout), where)
    if not 1 <= outputs <= MOST_CHANNELS or channels > MOST_CHANNELS:
        raise ModelError(f"{where} has {channels} channels and gives {outputs}: no segmentation.")
    return Facts(
        dims,
        channels or 1,
        outputs,
        given,
        taken,
        _axes(dims, place),
        _axes(dims, layout),
        shape[2:] if place == "first" else shape[1:-1],
        shape[0] if isinstance(shape[0], int) else 1,
        inside,
        end.labels,
        frozenset(guessed),
        (*quirks, *more),
    )


def _axes(dims: int, place: str) -> str:
    space = SPACE[dims]
    return {"first": f"NC{space}", "last": f"N{space}C", "none": f"N{space}"}[place]


def _input(graph: Graph, where: str) -> Port:
    images = [p for p in graph.inputs if p.shape is not None and len(p.shape) in (4, 5)]
    if len(images) != 1 or len(graph.inputs) != 1:
        raise ModelError(
            f"{where} takes {_ports(graph.inputs)}. Models with one image (samples, channels and "
            "two or three spatial axes) as their only input are run.",
            hint="Export the part of it that takes an image and gives scores.",
        )
    if images[0].dtype not in NAMES or images[0].dtype == BOOL:
        raise ModelError(f"{where} takes an image of the type {images[0].dtype}, not of numbers.")
    return images[0]


def _output(graph: Graph, given: Port, where: str, quirks: list[str]) -> Port:
    rank = len(given.shape or ())
    known = [p for p in graph.outputs if p.dtype in NAMES]
    ranks = [(p, len(p.shape) if p.shape is not None else rank) for p in known]
    whole = [p for p, n in ranks if n == rank]
    scores = [p for p in whole if NAMES[p.dtype] in _FLOATS]
    flat = [p for p, n in ranks if n == rank - 1]
    found = next(iter((*scores, *whole, *flat)), None)
    if found is None:
        raise ModelError(
            f"{where} gives {_ports(graph.outputs)}, which is no image of scores or classes."
        )
    if len(graph.outputs) > 1:
        others = ", ".join(p.name for p in graph.outputs if p is not found)
        quirks.append(f"Of its outputs {found.name!r} is used; not used: {others}.")
    shape = found.shape if found.shape is not None else ("",) * rank
    return Port(found.name, found.dtype, shape)


def _outputs(
    taken: Port, end: End, dims: int, place: str, where: str
) -> tuple[str, int, str, tuple[str, ...]]:
    """Return where the channels are, how many, the activation inside, and what is unusual."""
    shape = taken.shape or ()
    if len(shape) == dims + 1:
        layout, stated = "none", 1
    elif end.labels:
        layout = "first" if end.axis == 1 or (end.axis is None and shape[1] == 1) else "last"
        stated = 1
    else:
        layout, _ = layout_of(shape, end.channels, end.turned, place)
        length = shape[1 if layout == "first" else -1]
        stated = length if isinstance(length, int) else end.channels
    if end.labels and not end.channels:
        raise ModelError(
            f"{where} gives the number of the best class, and does not say how many there are.",
            hint="Export it without its last step (argmax), so that it gives scores.",
        )
    count = end.channels if end.labels else stated
    if not count:
        raise ModelError(f"{where} does not say how many channels it gives.")
    if end.labels:
        return layout, count, "", ("It gives the best class of each pixel, no probabilities.",)
    if taken.dtype == BOOL or NAMES[taken.dtype] not in _FLOATS:
        return layout, count, "sigmoid", ("It gives yes or no for each pixel, no probabilities.",)
    channel = {"first": 1, "last": dims + 1}.get(layout)
    astray = end.activation == "softmax" and end.axis not in (None, channel)
    if astray or (end.activation == "softmax" and count == 1):
        return layout, count, "", ("Its softmax does not run along its channels.",)
    return layout, count, end.activation, ()


def _check_size(given: Port, taken: Port, places: tuple[str, str], where: str) -> None:
    """Refuse a model whose output has another size than its input, where both are stated."""
    sizes = []
    for port, place in zip((given, taken), places, strict=True):
        shape = port.shape or ()
        sizes.append({"first": shape[2:], "last": shape[1:-1], "none": shape[1:]}[place])
    pairs = zip(*sizes, strict=True)
    if any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs):
        one, other = (" × ".join(str(n) for n in size) for size in sizes)
        raise ModelError(
            f"{where} gives {other} pixels for an image of {one}: it is no segmentation of each "
            "pixel."
        )


def _ports(ports: tuple[Port, ...]) -> str:
    words = [
        f"{port.name} ({' × '.join(str(n) or '?' for n in port.shape or ()) or 'no shape'})"
        for port in ports[:4]
    ]
    return f"{', '.join(words) or 'nothing'}{' and others' if len(ports) > 4 else ''}"

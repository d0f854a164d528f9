"""DefectSegNet for dislocations, precipitates and voids in STEM images (Roberts et al. 2019).

G. Roberts, S. Y. Haile, R. Sainju, D. J. Edwards, B. Hutchinson, Y. Zhu, Scientific Reports 9,
12744 (2019); code rajatsainju/DefectSegNet, BSD 3-Clause. Twenty layers, each joined from
earlier ones, each followed by a batch normalisation, pooling and the last sigmoid included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published
from napari_defectseg.models.graphs.architecture import GraphArchitecture, Kernels
from napari_defectseg.models.graphs.build import Builder
from napari_defectseg.models.graphs.graph import INPUT, Graph

SEGMENT = 512
DECAY = 0.999

_INPUTS = (
    "0|0,1|0,1,2|3|3,4|3,4,5|6|6,7|6,7,8|9|9,10|9,10,11|6,7,8,12|6,7,8,12,13|6,7,8,12,13,14|"
    "3,4,5,15|3,4,5,15,16|3,4,5,15,16,17|0,1,2,18|0,1,2,18,19"
)
_KINDS = "ccpccpccpcctcctcctcc"
_FILTERS = (4, 4, 16, 16, 32, 32, 64, 64, 32, 32, 32, 16, 16, 16, 8, 4, 1)
"""Of the layers that are no pooling, in their order."""


@dataclass(frozen=True)
class Row:
    """One line of the published table of layers.

    Parameters
    ----------
    kind : str
        ``"c"`` convolution, ``"p"`` maximum pooling, ``"t"`` transposed convolution.
    inputs : tuple of int
        Numbers of earlier lines, 0 for the image.
    filters : int
        0 for pooling.
    activation : str
        Of a convolution.
    size : int
        Edge of the kernel.
    """

    kind: str
    inputs: tuple[int, ...]
    filters: int = 0
    activation: str = "relu"
    size: int = 3


@dataclass(frozen=True)
class DefectSegNetSettings:
    """What the network is built from.

    Parameters
    ----------
    base : int
        Features of the finest level, 4 as published; used where `filters` is empty.
    filters : tuple of int
        Of the 17 layers that are no pooling, in their order.
    in_channels : int
    out_channels : int or None
        None: as the last of `filters` says, else 1.
    """

    base: int = 4
    filters: tuple[int, ...] = ()
    in_channels: int = 1
    out_channels: int | None = None

    def __post_init__(self) -> None:
        if self.base < 1:
            raise ModelError("Widths of DefectSegNet must be positive.")
        wide = [n * self.base // 4 or 1 for n in _FILTERS[:-1]]
        filters = tuple(int(n) for n in self.filters) or (*wide, _FILTERS[-1])
        if len(filters) != len(_FILTERS) or min(*filters, self.in_channels) < 1:
            raise ModelError(f"DefectSegNet has {len(_FILTERS)} positive numbers of filters.")
        if self.out_channels is not None:
            filters = (*filters[:-1], int(self.out_channels))
        object.__setattr__(self, "filters", filters)
        object.__setattr__(self, "base", filters[0])
        object.__setattr__(self, "out_channels", filters[-1])


def rows_of(settings: DefectSegNetSettings) -> tuple[Row, ...]:
    """Return the published table with other widths."""
    filters = iter(settings.filters)
    rows = []
    for number, (kind, words) in enumerate(zip(_KINDS, _INPUTS.split("|"), strict=True), start=1):
        inputs = tuple(int(word) for word in words.split(","))
        last = number == len(_KINDS)
        count = 0 if kind == "p" else next(filters)
        rows.append(
            Row(kind, inputs, count, "sigmoid" if last else "relu", 3 if kind == "c" else 2)
        )
    return tuple(rows)


def graph_of_rows(rows: Sequence[Row], in_channels: int = 1) -> Graph:
    """Return the network of a table of layers; it ends at the last normalisation.

    Raises
    ------
    ModelError
        If a line names a later one.
    """
    b = Builder(2, in_channels)
    ends = [INPUT]
    for number, row in enumerate(rows, start=1):
        if not row.inputs or not all(0 <= n < number for n in row.inputs):
            raise ModelError(
                f"Line {number} of the table of layers joins lines that do not precede it."
            )
        joined = [ends[n] for n in row.inputs]
        x = joined[0] if len(joined) == 1 else b.add(f"l{number}.join", "concat", *joined)
        ends.append(b.norm(f"l{number}.norm", _layer(b, f"l{number}", x, row), DECAY))
    return b.graph(ends[-1])


def _layer(b: Builder, name: str, x: str, row: Row) -> str:
    if row.kind == "p":
        return b.pool(f"{name}.pool", x)
    if row.kind == "t":  # the published code never applies the activation of these
        window = {"kernel": [row.size] * 2, "strides": [2, 2], "padding": "valid"}
        return b.add(f"{name}.conv", "transposed", x, filters=row.filters, **window)
    if row.size == 3:
        # One pixel of symmetric reflection repeats the edge.
        x = b.add(f"{name}.pad", "pad", x, amounts=[[1, 1], [1, 1]], mode="edge")
    conv = b.conv(f"{name}.conv", x, row.filters, row.size, padding="valid")
    return b.act(f"{name}.act", conv, row.activation)


def graph_of(settings: DefectSegNetSettings) -> Graph:
    """Return the layers in the order of the published table."""
    return graph_of_rows(rows_of(settings), settings.in_channels)


def rows_in(text: str) -> tuple[Row, ...]:
    """Return the table in an ``architecture.txt``.

    Raises
    ------
    ModelError
        If a line cannot be read or asks for what the published code does not build.
    """
    kinds = {"convolution": "c", "max pool": "p", "convolution transpose": "t"}
    rows = []
    for number, line in enumerate(filter(str.strip, text.splitlines()[:1000]), start=1):
        words = dict(part.partition(":")[::2] for part in line.strip().split("|"))
        try:
            kind = kinds[words["type"]]
            inputs = tuple(int(n) for n in words["input tensors"].split(","))
            size = int(words["kernel"].split(",")[0])
            filters = 0 if kind == "p" else int(words["filters"])
        except (KeyError, ValueError) as error:
            raise ModelError(
                f"Line {number} of the table of layers cannot be read: {line[:60]!r}."
            ) from error
        usual = size in ((1, 3) if kind == "c" else (2,))
        strides = set(words.get("strides", "").split(","))
        if not usual or strides - ({"1"} if kind == "c" else {"2"}):
            raise ModelError(f"Line {number} of the table of layers is of an unknown form.")
        activation = words.get("activation function", "relu").strip()
        rows.append(Row(kind, inputs, filters, activation, size))
    return tuple(rows)


def read(kernels: Kernels) -> dict[str, Any] | None:
    """Return the settings that the kernels say."""
    if len(kernels) != len(_FILTERS) or any(len(shape) != 4 for shape in kernels):
        return None
    kinds = [kind for kind in _KINDS if kind != "p"]
    widths = [
        shape[2] if kind == "t" else shape[3] for kind, shape in zip(kinds, kernels, strict=True)
    ]
    return {"filters": widths, "in_channels": kernels[0][2]}


TARGETS = {"disloc": "dislocation", "disline": "dislocation", "prec": "precipitate", "void": "void"}
"""Words of the published files."""


def about(settings: DefectSegNetSettings) -> Published:
    """Return what the authors say, and what is guessed."""
    return about_defect("", SEGMENT, outputs=settings.out_channels or 1)


def about_defect(target: str, segment: int, *, outputs: int = 1) -> Published:
    """Return what the authors say about the network for one defect.

    Parameters
    ----------
    target : str
        The defect, in the word of the published files; empty: not known.
    segment : int
        Edge of the squares that an image is cut into.
    outputs : int
        Maps that come out; published is one.
    """
    fields: dict[str, Any] = {
        "description": "Dislocations, precipitates or voids in diffraction-contrast STEM of steel.",
        "preprocessing": (),
        "batch_norm": "image",
        "segment": segment,
        "rescale": "image",
        "symmetries": ("flip_y", "flip_x", "rot90_yx", "transpose_yx"),
        "pixel_size": (3.2, 3.2),
        "pixel_unit": "nm",
        "citation": "G. Roberts et al., Scientific Reports 9, 12744 (2019)",
        "licence": "BSD-3-Clause",
        "quirks": QUIRKS,
    }
    if outputs == 1:
        fields |= {
            "classes": ClassMap.of([TARGETS.get(target, target or "defect")]),
            "task": "binary",
            "activation": "none",
            "has_background": False,
        }
    guesses = ("pixel_size", "pixel_unit", *(() if target else ("classes",)))
    return Published(fields, guesses)


QUIRKS = (
    "Grey values 0 … 255 go in as they are.",
    (
        "As published, batch normalisation measures all squares of an image together: a result "
        "depends on the rest of the image. Calibrated on one image it can be cut into tiles; the "
        "moving averages of the published training (batch_norm=moving) are far from settled."
    ),
    (
        "The output is scaled from its smallest to its largest value in each image: it is no "
        "probability, and an image without defects shows some all the same."
    ),
    "3.2 nm a pixel is stated by the authors, and large for their magnification.",
)

KIND = GraphArchitecture(DefectSegNetSettings, graph_of, read, about)

"""Graphs that would make arrays of absurd size are refused before they run."""

from pathlib import Path

import pytest

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.growth import check_growth
from napari_defectseg.models.onnx.structure import Graph, Node, Tensor


def graph(op: str, *sizes: float) -> Graph:
    stored = {"n": Tensor("n", (len(sizes),), 7, tuple(sizes))}
    inputs = ("n",) if op == "ConstantOfShape" else ("x", "n")
    return Graph((Node(op, inputs, ("y",)),), (), (), stored)


@pytest.mark.parametrize("op", ["ConstantOfShape", "Expand", "Tile"])
def test_an_absurd_size_is_refused_by_the_name_of_the_operation(op: str) -> None:
    with pytest.raises(ModelError, match=rf"{op} that makes 1e\+12 values"):
        check_growth(Path("m.onnx"), graph(op, 1e6, 1e6))


def test_sizes_of_networks_pass() -> None:
    check_growth(Path("m.onnx"), graph("Expand", 1, 512, 1024, 1024))
